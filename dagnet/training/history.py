"""History: the numbers that training logged, row by row."""

import csv
import html
import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from dagnet.errors import (
    ArgumentTypeError,
    FileAccessError,
    FileFormatError,
    UnknownNameError,
)
from dagnet.files import as_path, atomic_write
from dagnet.text import enumerated
from dagnet.training.curve import curves
from dagnet.training.plotting import plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Number = int | float

#: Rows that the table in a notebook shows, from the end.
_ROWS_SHOWN = 10


class History:
    """What training logged: one row per `append`, one column per name.

    Attributes
    ----------
    columns : dict of list
        All of one length; where nothing was logged, nan.
    stopped : str
        Why training ended: ``"finished"``, ``"interrupted"``, ``"early stopping: ..."``; empty
        before it has.

    Examples
    --------
    >>> from dagnet.training import History
    >>> history = History()
    >>> history.append(epoch=1, cost=0.6931)
    >>> history.append(epoch=2, cost=0.5108, accuracy=0.75)
    >>> history["accuracy"]
    array([ nan, 0.75])
    >>> history.last
    {'epoch': 2, 'cost': 0.5108, 'accuracy': 0.75}
    """

    def __init__(self) -> None:
        self.columns: dict[str, list[Number]] = {}
        self.stopped = ""

    def append(self, **row: Any) -> None:
        """Add a row. Columns it lacks get nan; in new columns, the rows before get nan.

        Parameters
        ----------
        **row : number
            Stored as Python's int and float.
        """
        checked = {name: _number(name, value) for name, value in row.items()}
        length = len(self)
        for name in checked:
            self.columns.setdefault(name, [math.nan] * length)
        for name, column in self.columns.items():
            column.append(checked.get(name, math.nan))

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a column as an array."""
        if name not in self.columns:
            raise UnknownNameError.of("column", name, self.columns)
        return np.array(self.columns[name])

    @property
    def last(self) -> dict[str, Number]:
        """The last row; empty if there is none."""
        return {name: column[-1] for name, column in self.columns.items()}

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write all rows as CSV, every float with all its digits.

        Raises
        ------
        FileAccessError
            If the file cannot be written; an old file is untouched then.
        """
        with atomic_write(path, "w") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.columns)
            for row in zip(*self.columns.values(), strict=True):
                writer.writerow([repr(value) for value in row])

    @classmethod
    def from_csv(cls, path: str | os.PathLike[str]) -> "History":
        """Read what `to_csv` wrote: the same numbers, to the bit. `stopped` is not in the file.

        Raises
        ------
        FileAccessError, FileFormatError
            If the file cannot be read, or is not a table of numbers.
        """
        try:
            with as_path(path).open(encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file, strict=True))
        except OSError as error:
            raise FileAccessError(f"cannot read {path}: {error.strerror}") from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise FileFormatError(f"{path} is not a CSV file: {error}") from error
        if not rows:
            raise FileFormatError(f"{path} is empty; a history has a line of column names")
        header = rows[0]
        if len(set(header)) < len(header):
            raise FileFormatError(f"{path}: a column name stands twice in {', '.join(header)}")
        history = cls()
        history.columns = {name: [] for name in header}
        for line, row in enumerate(rows[1:], start=2):
            if len(row) != len(header):
                raise FileFormatError(
                    f"{path}, row {line}: {len(row)} values for {len(header)} columns"
                )
            for name, text in zip(header, row, strict=True):
                history.columns[name].append(_parse(text, f"{path}, row {line}, {name}"))
        return history

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the costs, against the left axis, and the metrics, against the right one.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; else in a new figure. The figure is not shown: call
            ``matplotlib.pyplot.show()``, or save it with ``ax.figure.savefig("history.png")``.

        Returns
        -------
        matplotlib Axes
            The left one.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        return plot(self, ax)

    @property
    def time(self) -> tuple[str, np.ndarray]:
        """The name and values of what runs along the horizontal axis."""
        for name in ("epoch", "step"):
            if name in self.columns:
                return name, self[name]
        return "row", np.arange(1, len(self) + 1)

    def __repr__(self) -> str:
        rows = f"{len(self)} row{'' if len(self) == 1 else 's'}"
        of = f" of {enumerated(list(self.columns))}" if self.columns else ""
        return f"<History: {rows}{of}{f'; {self.stopped}' if self.stopped else ''}>"

    def _repr_html_(self) -> str:
        shown = range(max(0, len(self) - _ROWS_SHOWN), len(self))
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{c[i]:.6g}</td>" for c in self.columns.values()) + "</tr>"
            for i in shown
        )
        caption = f"{len(self)} rows" + (f", the last {len(shown)}" if shown.start else "")
        if self.stopped:
            caption += f"; {self.stopped}"
        time, values = self.time
        costs = {n: c for n, c in self.columns.items() if n.removeprefix("val_") == "cost"}
        return (
            f"{curves(values.tolist(), costs, time)}"
            f"<table><caption>{html.escape(caption)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def _number(name: str, value: Any) -> Number:
    """Return a logged value as Python's int or float."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, int | np.integer | np.bool_):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value)
    raise ArgumentTypeError(f"History: {name} must be a number, got {value!r}")


def _parse(text: str, where: str) -> Number:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise FileFormatError(f"{where}: {text!r} is not a number")
