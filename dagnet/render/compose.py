"""From a graph to a drawing: which vertices share a box, and where arrows go."""

from collections.abc import Iterator, Sequence

from dagnet.graph import Graph
from dagnet.render.arrows import Arrows
from dagnet.render.collapse import View, view_of
from dagnet.render.describe import column_box
from dagnet.render.drawing import Box, Drawing, Group
from dagnet.render.facts import Facts
from dagnet.render.outline import Leaf, Part, Region, is_chain
from dagnet.render.regions import chain_box, closed_box, entry_box, open_group
from dagnet.render.words import ENGLISH, Words


def compose(
    graph: Graph,
    *,
    fold: bool | int = True,
    title: str | None = None,
    words: Words = ENGLISH,
) -> Drawing:
    """Return the drawing of a graph.

    Parameters
    ----------
    graph : Graph
    fold : bool or int
        True: a repeated chain of vertices is one box, and of any other repeated block only one
        occurrence is drawn, in a group. A number: only so many levels of repeats and scopes are
        drawn; what is on the last is closed. False: every vertex is drawn.
    title : str, optional
    words : Words
        What texts are written in.

    Examples
    --------
    >>> import dagnet as dn
    >>> drawing = compose(dn.mlp([12288, 20, 7, 5, 1]).graph)
    >>> [box.lines[0].text for box in drawing.boxes][1:]
    ['[LINEAR → RELU] × 3', 'LINEAR', 'SIGMOID', 'Y', 'BINARY CROSS ENTROPY']
    """
    return compose_view(Facts(graph, words=words), view_of(graph, fold), title)


def compose_view(facts: Facts, view: View, title: str | None = None) -> Drawing:
    """Return the drawing of what is to be seen of a graph."""
    layout = _Layout(facts)
    layout.place(view.parts, view.depth)
    arrows = Arrows(
        facts, layout.home, layout.groups, layout.entries, layout.columns, layout.closed
    )
    note = view.note(facts.words)
    return Drawing(
        tuple(layout.boxes()),
        tuple(layout.groups.values()),
        tuple(arrows.all()),
        title,
        (note,) if note else (),
    )


class _Layout:
    """Which box stands for which vertex, in which group."""

    def __init__(self, facts: Facts):
        self.facts = facts
        self.graph = facts.graph
        #: The box of every vertex.
        self.home: dict[str, Box] = {}
        #: Groups by their keys, and the dots at which the inputs of repeats arrive.
        self.groups: dict[str, Group] = {}
        self.entries: dict[str, Box] = {}
        #: For every vertex in the first of its blocks, those in the same place of all blocks.
        self.columns: dict[str, tuple[str, ...]] = {}
        #: Keys of boxes with an inside that is not drawn; of a chain, all is said.
        self.closed: set[str] = set()

    def place(self, parts: Sequence[Part], depth: int, group: str | None = None) -> None:
        """Make the boxes and groups of some parts, `depth` levels of which are open."""
        for part in parts:
            if isinstance(part, Leaf):
                column = [self.graph.vertices[name] for name in part.column]
                self._add(column_box(self.facts, column, group))
                self.columns[part.column[0]] = part.column
            elif is_chain(self.graph, part):
                self._add_region(part, chain_box(self.facts, part, group))
            elif depth == 1:
                box = closed_box(self.facts, part, group)
                self.closed.add(box.key)
                self._add_region(part, box)
            else:
                self._open(part, depth, group)

    def _add(self, box: Box) -> None:
        self.home.update(dict.fromkeys(box.names, box))

    def _add_region(self, region: Region, box: Box) -> None:
        self._add(box)
        # In a repeat, the first block is the one whose arrows are drawn.
        once = len(region.blocks) // (region.count if region.kind == "repeat" else 1)
        each = len(box.names) // once
        for i, name in enumerate(box.names[:each]):
            self.columns[name] = box.names[i::each]

    def _open(self, region: Region, depth: int, parent: str | None) -> None:
        group = open_group(self.facts, region, parent)
        self.groups[group.key] = group
        if group.entry is not None:
            self.entries[group.key] = entry_box(self.facts, group)
        self.place(region.parts, depth - 1, group.key)

    def boxes(self) -> Iterator[Box]:
        """Yield the boxes in topological order, every input right before its first reader.

        Layout engines put early boxes to the left: a target belongs beside its loss.
        """
        order: dict[str, None] = {}
        for v in self.graph.vertices.values():
            if not v.is_input:
                order.update(dict.fromkeys(n for n in v.inputs if self.graph.vertices[n].is_input))
                order[v.name] = None
        order.update(dict.fromkeys(self.graph.inputs))
        entered: set[str] = set()
        shown: set[str] = set()
        for name in order:
            box = self.home[name]
            if box.key not in shown:
                shown.add(box.key)
                yield from self._dots(box, entered)
                yield box

    def _dots(self, box: Box, entered: set[str]) -> Iterator[Box]:
        """Yield the dots of the groups around a box that no box before it was in."""
        around: list[str] = []
        key = box.group
        while key is not None and key not in entered:
            entered.add(key)
            around.append(key)
            key = self.groups[key].parent
        for key in reversed(around):
            if key in self.entries:
                yield self.entries[key]
