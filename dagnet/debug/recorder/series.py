"""A series: one number of one value over the steps of a training."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from dagnet.errors import ArgumentError, UnknownNameError
from dagnet.statistics import Statistics, statistics
from dagnet.training.figures import axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The numbers of `Statistics`, and the value itself of what is one number.
STATS = (*(f.name for f in fields(Statistics) if f.name not in ("shape", "dtype")), "value")


@dataclass(frozen=True, eq=False)
class Series:
    """One statistic of one value over time.

    Attributes
    ----------
    node, value, stat : str
    steps : ndarray of int
        Training steps, from 1.
    values : ndarray of float
    """

    node: str
    value: str
    stat: str
    steps: np.ndarray
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        span = f", {self.steps[0]} to {self.steps[-1]}" if len(self) else ""
        return f"<Series: {self.stat} of {self.node}.{self.value}, {len(self)} steps{span}>"

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the series over the training steps.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; else in a new figure, which is not shown.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        ax = axes(ax)
        ax.plot(self.steps, self.values, label=f"{self.node}.{self.value}")
        ax.set(xlabel="step", ylabel=self.stat)
        ax.grid(alpha=0.25)
        return ax


def check_stat(stat: str) -> None:
    if stat not in STATS:
        raise UnknownNameError.of("statistic", stat, STATS)


def measured(array: np.ndarray, stat: str, what: str) -> float:
    """Return a number that says what an array is like.

    Raises
    ------
    ArgumentError
        If its value is asked for, but it holds several.
    """
    if stat != "value":
        return float(getattr(statistics(array), stat))
    if array.size != 1:
        raise ArgumentError(
            f"{what} holds {array.size} numbers, of shape {array.shape}; stat='value' is for one"
        )
    return float(array.reshape(()))
