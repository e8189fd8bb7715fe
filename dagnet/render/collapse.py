"""What of an outline is drawn: how deep it is opened, and what is put together to fit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dagnet.errors import ArgumentError, ArgumentTypeError
from dagnet.graph import Graph
from dagnet.passes.repeats import Repeat, find_repeats
from dagnet.render.outline import Part, Region, count_boxes, depth_of, outline
from dagnet.render.words import Words

#: Boxes in a drawing; nobody can read more, and layout engines take long over them.
MOST_BOXES = 300

#: Boxes that are left, about, where neighbours are put together.
GATHERED = 60


@dataclass(frozen=True)
class View:
    """What is drawn of a graph.

    Attributes
    ----------
    parts : tuple of Part
    depth : int
        Levels that are open; what lies on the last of them is drawn as a box.
    nodes : int
        How many there are, if they are too many to draw each; mostly 0.
    is_closed, is_gathered : bool
        What was done about it: deep levels closed, neighbours put together.
    """

    parts: tuple[Part, ...]
    depth: int
    nodes: int = 0
    is_closed: bool = False
    is_gathered: bool = False

    def note(self, words: Words) -> str:
        """Return what was left out because there is too much of it; mostly nothing."""
        if not self.nodes:
            return ""
        notes = [words("{}, too many to draw each", words.counted(self.nodes, "node"))]
        if self.is_closed:
            depth = self.depth
            notes.append(words("closed below level {}: fold={} opens more", depth, depth + 1))
        if self.is_gathered:
            notes.append(words("neighbours are put together"))
        return words("; ").join(notes)


def view_of(graph: Graph, fold: bool | int, repeats: Sequence[Repeat] | None = None) -> View:
    """Return what is drawn of a graph.

    Parameters
    ----------
    graph : Graph
    fold : bool or int
        See `compose`. If it is True, no more than about `MOST_BOXES` boxes are drawn: the deepest
        levels are closed one after the other, and then neighbours become one box.
    repeats : sequence of Repeat, optional
        Those to fold; by default all there are.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        If `fold` is neither a bool nor a number of levels, from 1 on.
    """
    if not isinstance(fold, int):
        raise ArgumentTypeError(f"fold must be True, False or a number of levels, got {fold!r}")
    if fold is False:
        parts = outline(graph, ())
        return View(parts, depth_of(graph, parts))
    if fold < 1:
        raise ArgumentError(f"fold must open 1 level or more, got {fold}")
    parts = outline(graph, find_repeats(graph) if repeats is None else repeats)
    deepest = depth_of(graph, parts)
    return _fitting(graph, parts, deepest) if fold is True else View(parts, min(fold, deepest))


def _fitting(graph: Graph, parts: tuple[Part, ...], depth: int) -> View:
    wanted = depth
    while depth > 1 and count_boxes(graph, parts, depth) > MOST_BOXES:
        depth -= 1
    is_closed = depth < wanted
    is_gathered = count_boxes(graph, parts, depth) > MOST_BOXES
    if is_gathered:
        parts = tuple(_gathered(graph, parts))
    nodes = len(graph) if is_closed or is_gathered else 0
    return View(parts, depth, nodes, is_closed, is_gathered)


def _gathered(graph: Graph, parts: Sequence[Part]) -> Iterator[Part]:
    """Yield the parts, neighbours in topological order as one, but for inputs, losses, outputs."""
    ends = {*graph.inputs, *graph.losses, *graph.outputs}
    few = len(ends) <= GATHERED
    inner = [p for p in parts if not (few and ends.issuperset(p.names))]
    length = -(-len(inner) // GATHERED)
    run: list[Part] = []
    for part in parts:
        if few and ends.issuperset(part.names):
            yield part
            continue
        run.append(part)
        if len(run) == length:
            yield _run(run)
            run = []
    if run:
        yield _run(run)


def _run(parts: Sequence[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    return Region("run", tuple(parts), (tuple(name for p in parts for name in p.names),))
