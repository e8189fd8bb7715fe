"""Learning rates that change from update to update."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import cos, pi
from typing import Any, ClassVar

from dagnet.bounds import check_not_negative, check_number, check_positive, check_size
from dagnet.errors import ArgumentError
from dagnet.training.config import Check, Configurable


def _factor(value: Any, what: str) -> float:
    return check_number(value, what, "a positive number, at most 1", above=0, at_most=1)


class Schedule(Configurable, ABC):
    """Base class of the schedules: a learning rate as a function of the update.

    A class of your own needs its hyperparameters as fields, and `rate`.
    """

    @abstractmethod
    def rate(self, step: int) -> float:
        """Return the learning rate of update number `step`, the first being 0."""


class StepDecay(Schedule):
    """A rate that falls by a factor at regular steps: ``learning_rate · factor^⌊step/every⌋``.

    Parameters
    ----------
    learning_rate : float
        Rate of the first `every` updates.
    every : int
        Updates between two falls.
    factor : float
        What the rate is multiplied by, above 0 and at most 1.

    Examples
    --------
    >>> from dagnet.training import StepDecay
    >>> [StepDecay(0.5, every=2, factor=0.5).rate(step) for step in range(5)]
    [0.5, 0.5, 0.25, 0.25, 0.125]
    """

    learning_rate: float
    every: int
    factor: float = 0.1

    checks: ClassVar[Mapping[str, Check]] = {
        "learning_rate": check_positive,
        "every": check_size,
        "factor": _factor,
    }

    def rate(self, step: int) -> float:
        return self.learning_rate * self.factor ** (step // self.every)


class InverseTime(Schedule):
    """A rate that falls as one over the time: ``learning_rate / (1 + decay · ⌊step/every⌋)``.

    Parameters
    ----------
    learning_rate : float
        Rate of the first update.
    decay : float
        How fast it falls; 1 halves it after `every` updates.
    every : int
        The rate is constant over this many updates; the updates of one epoch, for example.

    Examples
    --------
    >>> from dagnet.training import InverseTime
    >>> [InverseTime(0.5, decay=1.0, every=2).rate(step) for step in (0, 1, 2, 6)]
    [0.5, 0.5, 0.25, 0.125]
    """

    learning_rate: float
    decay: float
    every: int = 1

    checks: ClassVar[Mapping[str, Check]] = {
        "learning_rate": check_positive,
        "decay": check_not_negative,
        "every": check_size,
    }

    def rate(self, step: int) -> float:
        return self.learning_rate / (1.0 + self.decay * (step // self.every))


class Cosine(Schedule):
    """A rate that falls along half a cosine and then stays.

    Parameters
    ----------
    learning_rate : float
        Rate of the first update.
    steps : int
        Updates after which the rate is `final`.
    final : float
        Rate from then on, at most `learning_rate`.

    Notes
    -----
    ``final + (learning_rate - final) · (1 + cos(π · min(step, steps) / steps)) / 2``.
    Source: Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm restarts* (2017),
    without the restarts.

    Examples
    --------
    >>> from dagnet.training import Cosine
    >>> [round(Cosine(0.1, steps=4).rate(step), 4) for step in range(6)]
    [0.1, 0.0854, 0.05, 0.0146, 0.0, 0.0]
    """

    learning_rate: float
    steps: int
    final: float = 0.0

    checks: ClassVar[Mapping[str, Check]] = {
        "learning_rate": check_positive,
        "steps": check_size,
        "final": check_not_negative,
    }

    def __post_init__(self) -> None:
        if self.final > self.learning_rate:
            raise ArgumentError(
                f"Cosine: final must be at most learning_rate, {self.learning_rate!r}, "
                f"got {self.final!r}"
            )

    def rate(self, step: int) -> float:
        height = (1.0 + cos(pi * min(step, self.steps) / self.steps)) / 2.0
        return self.final + (self.learning_rate - self.final) * height
