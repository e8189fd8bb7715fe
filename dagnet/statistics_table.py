"""Statistics of many values, as records to compute with and as tables to look at."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, overload

import numpy as np

from dagnet.errors import NotKeptError
from dagnet.statistics import Statistics, statistics
from dagnet.tables import html_table, text_table
from dagnet.text import number, printable

#: The columns of `cells`.
COLUMNS = ("shape", "mean", "std", "min", "max", "zeros", "norm")


@dataclass(frozen=True)
class ValueStatistics(Statistics):
    """The statistics of one value of a node.

    Attributes
    ----------
    node, kind : str
        The node and its kind, such as ``"linear"``.
    value : str
        Which of its values: ``"output"``, ``"grad_params.W"``.
    """

    node: str
    kind: str
    value: str


@dataclass(frozen=True)
class Missing:
    """A value that cannot be read now; `reason` says why."""

    node: str
    kind: str
    value: str
    reason: str


Entry = ValueStatistics | Missing


def measure(node: str, kind: str, value: str, read: Callable[[], np.ndarray]) -> Entry:
    """Return the statistics of the array that `read` returns, or why there are none."""
    try:
        array = read()
    except NotKeptError as error:
        return Missing(node, kind, value, str(error))
    return ValueStatistics(**vars(statistics(array)), node=node, kind=kind, value=value)


class StatisticsTable(Sequence[ValueStatistics]):
    """The statistics of every value that could be read, in order; printing it shows a table.

    Parameters
    ----------
    entries : iterable of ValueStatistics or Missing
    title : str
        A line to stand above the table.

    Attributes
    ----------
    records : list of dict
        ``node``, ``kind``, ``value`` and the fields of `Statistics`: rows for pandas, or for JSON.
    missing : list of Missing
        What could not be read, each with the reason. In the table they are a "-".

    Examples
    --------
    >>> import numpy as np
    >>> table = StatisticsTable([measure("relu1", "activation", "output", lambda: np.eye(4))])
    >>> table[0].mean, table.records[0]["value"]
    (0.25, 'output')
    >>> print(table)
    node    value    shape   mean     std   min   max   zeros   norm
    ────────────────────────────────────────────────────────────────
    relu1   output     4x4   0.25   0.433     0     1   75.0%      2
    """

    def __init__(self, entries: Iterable[Entry], title: str = ""):
        self.entries = list(entries)
        self.title = title
        self.missing = [entry for entry in self.entries if isinstance(entry, Missing)]
        self._read = [entry for entry in self.entries if isinstance(entry, ValueStatistics)]

    @property
    def records(self) -> list[dict[str, Any]]:
        first = ("node", "kind", "value")
        return [{name: getattr(of, name) for name in first} | asdict(of) for of in self._read]

    @overload
    def __getitem__(self, index: int) -> ValueStatistics: ...

    @overload
    def __getitem__(self, index: slice) -> list[ValueStatistics]: ...

    def __getitem__(self, index: int | slice) -> ValueStatistics | list[ValueStatistics]:
        return self._read[index]

    def __len__(self) -> int:
        return len(self._read)

    def __iter__(self) -> Iterator[ValueStatistics]:
        return iter(self._read)

    def __repr__(self) -> str:
        return f"<StatisticsTable of {len(self)} values, {len(self.missing)} missing>"

    def __str__(self) -> str:
        title = [printable(self.title)] if self.title else []
        return "\n".join([*title, text_table(*self._rows()), *self._note()])

    def _repr_html_(self) -> str:
        title = f"<p>{escape(printable(self.title))}</p>" if self.title else ""
        notes = "".join(f"<p>{note}</p>" for note in self._note())
        return title + html_table(*self._rows()) + notes

    def _rows(self) -> tuple[list[str], list[list[str]], tuple[str, str]]:
        header = ["node", "value", *COLUMNS]
        rows = [[entry.node, entry.value, *cells(entry)] for entry in self.entries]
        return header, rows, ("node", "value")

    def _note(self) -> list[str]:
        return ["- : not computed, or not kept; .missing says why"] if self.missing else []


def cells(entry: Statistics | Missing) -> list[str]:
    """Return a row's texts under `COLUMNS`."""
    if isinstance(entry, Missing):
        return ["-"] * len(COLUMNS)
    shape = "x".join(map(str, entry.shape)) or "scalar"
    if entry.nan or entry.inf:
        shape += f" ({entry.nan} NaN, {entry.inf} Inf)"
    numbers = [number(value) for value in (entry.mean, entry.std, entry.min, entry.max)]
    return [shape, *numbers, f"{entry.zeros:.1%}", _norm(entry)]


def _norm(of: Statistics) -> str:
    """Return the norm, unless the array has values that are not finite."""
    return "nan" if of.nan else number(float("inf") if of.inf else of.norm)
