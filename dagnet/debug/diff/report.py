"""The report of a `Diff`, as text and as HTML: the structure, then the values."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import isnan

from dagnet.debug.diff.compare import ValueDiff
from dagnet.debug.diff.result import Diff, Spread
from dagnet.graph import Graph
from dagnet.node import Source, located
from dagnet.tables import html_table, shortened, text_table
from dagnet.text import number, printable

#: Rows of a table, and changes of the structure, that are shown; the middle of more is left out.
MOST_ROWS = 40

_LEFT = ("value", "node", "at")


@dataclass(frozen=True)
class Part:
    """A line of the report, and the table below it if there is one."""

    title: str
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


def as_text(diff: Diff) -> str:
    """Return the report for a terminal."""
    parts = []
    for part in _parts(diff):
        parts.append(printable(part.title))
        if part.rows:
            parts += ["", text_table(part.header, part.rows, _LEFT), ""]
    return "\n".join(parts).rstrip("\n")


def as_html(diff: Diff) -> str:
    """Return the report for a notebook."""
    return "".join(
        f"<p>{escape(printable(part.title))}</p>"
        + (html_table(part.header, part.rows, _LEFT) if part.rows else "")
        for part in _parts(diff)
    )


def _parts(diff: Diff) -> Iterator[Part]:
    a, b = diff.names
    compared = f"{len(diff.alignment.image)} nodes, {len(diff.parameters)} parameters"
    if diff.values:
        compared += f" and {len(diff.values)} values of the runs"
    verdict = "are the same in all that was compared" if diff.same else "differ"
    yield Part(f"{a} and {b} {verdict}: {compared}")
    if diff.dtypes:
        yield Part(f"{a} is {diff.dtypes[0]} and {b} {diff.dtypes[1]}: compared in the coarser one")
    yield from _structure(diff)
    different = [of for of in diff.parameters if not of.same]
    if different:
        yield _value_table("parameters and states that differ:", different, diff.names)
    if diff.first:
        yield _value_table(_first(diff.first), [diff.first], diff.names)
        yield _spread_table(diff)
    if diff.missing:
        one = diff.missing[0]
        yield Part(
            f"not compared: {len(diff.missing)} values; {one.node}.{one.value}: {one.reason}"
        )


def _structure(diff: Diff) -> Iterator[Part]:
    for sign, names, graph in (
        ("-", diff.removed, diff.alignment.a),
        ("+", diff.added, diff.alignment.b),
    ):
        yield from _lines(f"{sign} {_defined(graph, name)}" for name in names)
    yield from _lines(
        f"~ {_both(change.node, change.other, change.sources)}: {', '.join(change.what)}"
        for change in diff.changed
    )


def _lines(texts: Iterable[str]) -> Iterator[Part]:
    for (text,) in shortened(([text] for text in texts), MOST_ROWS):
        yield Part(f"  {text}")


def _defined(graph: Graph, name: str) -> str:
    v = graph.vertices[name]
    config = ", ".join(f"{key}={value}" for key, value in v.op.config.items())
    return f"{v.label}: {type(v.op).__name__}({config})"


def _both(node: str, other: str, sources: tuple[Source | None, Source | None]) -> str:
    """Return the name and line of a node, and those of its counterpart if they are others."""
    here, there = located(node, sources[0]), located(other, sources[1])
    return here if here == there else f"{here} -> {there}"


def _first(of: ValueDiff) -> str:
    return (
        f"first different value of the run: {of.value} of {_both(of.node, of.other, of.sources)}, "
        f"{of.phase}"
    )


def _value_table(title: str, values: Sequence[ValueDiff], names: tuple[str, str]) -> Part:
    header = ["value", "different", "largest", "relative", "at", *names, "ulps"]
    return Part(title, header, shortened([_cells(of) for of in values], MOST_ROWS))


def _cells(of: ValueDiff) -> list[str]:
    name = f"{of.node}.{of.value}"
    if of.shapes[0] != of.shapes[1]:
        shapes = [str(shape) for shape in of.shapes]
        return [name, "shape", "-", "-", "-", *shapes, "-"]
    numbers = [f"{value:.9g}" for value in (of.a, of.b) if value is not None]
    ulps = "-" if of.ulps is None else str(of.ulps) if of.ulps < 10**6 else f"{of.ulps:.0e}"
    count = f"{of.count} of {of.size}"
    return [name, count, number(of.max_abs), number(of.relative), str(of.index), *numbers, ulps]


def _spread_table(diff: Diff) -> Part:
    """Return the relative differences of the nodes from the first to the last that differs."""
    rows = diff.spread
    touched = [i for i, row in enumerate(rows) if row.forward or row.backward]
    shown = rows[touched[0] : touched[-1] + 1] if touched else ()
    cells = [[_pair(row), _relative(row.forward), _relative(row.backward)] for row in shown]
    title = "how it spreads: relative difference of the outputs and of their gradients"
    return Part(title, ["node", "output", "gradient"], shortened(cells, MOST_ROWS))


def _pair(row: Spread) -> str:
    return row.node if row.node == row.other else f"{row.node} -> {row.other}"


def _relative(value: float | None) -> str:
    if value is None:
        return "-"
    return "shape" if isnan(value) else number(value)
