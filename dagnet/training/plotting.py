"""Plotting a history with matplotlib: costs on the left axis, metrics on the right one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dagnet.training.figures import COLOURS, axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dagnet.training.history import History

#: Columns that say when, not how good.
NOT_DRAWN = {"epoch", "step", "learning_rate", "seconds"}


def plot(history: "History", ax: "Axes | None" = None) -> "Axes":
    """Draw a history and return the left axes; see `History.plot`."""
    ax = axes(ax)
    drawn = [name for name in history if name not in NOT_DRAWN]
    costs = [name for name in drawn if _measured(name) == "cost"]
    metrics = [name for name in drawn if name not in costs]
    lines = _draw(history, ax, costs, COLOURS)
    ax.set(xlabel=history.time[0], ylabel="cost")
    ax.grid(alpha=0.25)
    ax.spines["top"].set_visible(False)
    if metrics:
        right = ax.twinx()
        lines += _draw(history, right, metrics, COLOURS[1:])
        right.set_ylabel(", ".join(dict.fromkeys(map(_measured, metrics))))
        right.spines["top"].set_visible(False)
    if len(lines) > 1:
        # Above the axes: inside, it would cover a line of one axis or the other.
        ax.legend(
            handles=lines,
            frameon=False,
            ncols=min(len(lines), 4),
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
        )
    return ax


def _draw(history: "History", ax: "Axes", names: list[str], colours: Sequence[str]) -> list[Any]:
    """Draw columns; training solid and validation dashed in the same colour."""
    measured = list(dict.fromkeys(map(_measured, names)))
    lines = []
    for name in names:
        # Rows without a value are left out, so that what is logged now and then joins up.
        finite = np.isfinite(history[name])
        lines += ax.plot(
            history.time[1][finite],
            history[name][finite],
            label=name,
            color=colours[measured.index(_measured(name)) % len(colours)],
            linestyle="--" if name.startswith("val_") else "-",
            marker="o" if finite.sum() == 1 else None,
        )
    return lines


def _measured(name: str) -> str:
    """Return what a column measures, on whatever data."""
    return name.removeprefix("val_")
