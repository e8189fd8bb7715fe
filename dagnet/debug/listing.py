"""Listings: the steps of a plan, and a mark where a run stands."""

from collections.abc import Collection, Sequence

from dagnet.graph import Graph
from dagnet.node import format_shape
from dagnet.plan import Plan

#: Steps that `where` shows before and after the position.
AROUND = 6


def listing(
    plan: Plan,
    graph: Graph,
    position: int,
    stops: Collection[int] = (),
    around: int | None = AROUND,
) -> str:
    """Return the steps around a position as text, a line each.

    ``>`` marks the step that comes next, ``.`` those done; ``*`` marks those after which a
    breakpoint may stop.

    Parameters
    ----------
    plan : Plan
    graph : Graph
        As the user defined it, for shapes and lines.
    position : int
    stops : collection of int
        Positions at which breakpoints stop.
    around : int, optional
        How many steps before and after the position are shown; all if None.
    """
    total = len(plan.steps) + 1
    first = 0 if around is None else max(0, min(position - around, total - 2 * around - 1))
    last = total if around is None else min(total, max(position + around + 1, 2 * around + 1))
    rows = [_row(plan, graph, i, position, i + 1 in stops) for i in range(first, last)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [_aligned(row, widths) for row in rows]
    if first:
        lines.insert(0, f"     ... {first} more")
    if last < total:
        lines.append(f"     ... {total - last} more")
    elif position == total:
        lines.append(">    the end")
    return "\n".join(lines)


def _row(plan: Plan, graph: Graph, i: int, position: int, stops: bool) -> tuple[str, ...]:
    mark = (">" if i == position else "." if i < position else " ") + ("*" if stops else " ")
    if i == len(plan.steps):
        return mark, str(i), "update", "", ""
    step = plan.steps[i]
    v = graph.vertices[step.name]
    shape = graph.attributes.get("shape", {}).get(step.name)
    made = format_shape(shape) if isinstance(shape, tuple) else ""
    return mark, str(i), step.phase, f"{step.name}  {made}".rstrip(), str(v.source or "")


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    mark, number, phase, node, source = row
    return (
        f"{mark} {number:>{widths[1]}}  {phase:<{widths[2]}}  {node:<{widths[3]}}  {source}"
    ).rstrip()
