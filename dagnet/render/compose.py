"""From a graph to a drawing: which vertices share a box, and where arrows go."""

from collections.abc import Iterator
from itertools import pairwise

from dagnet.graph import Graph, Vertex
from dagnet.node import format_shape
from dagnet.passes.repeats import Repeat, find_repeats
from dagnet.render.describe import chain_box, column_box, entry_box, group_of
from dagnet.render.drawing import Arrow, Box, Drawing, Group
from dagnet.render.facts import Facts

#: Borrowed parameters that the tooltip of an arrow names.
MOST_BORROWED = 8


def compose(graph: Graph, *, fold: bool = True, title: str | None = None) -> Drawing:
    """Return the drawing of a graph.

    Parameters
    ----------
    graph : Graph
    fold : bool
        Whether a repeated chain of vertices becomes one box, and of any other repeated block
        only one occurrence is drawn, in a group.
    title : str, optional

    Examples
    --------
    >>> import dagnet as dn
    >>> drawing = compose(dn.mlp([12288, 20, 7, 5, 1]).graph)
    >>> [box.lines[0].text for box in drawing.boxes][1:]
    ['[LINEAR → RELU] × 3', 'LINEAR', 'SIGMOID', 'Y', 'BINARY CROSS ENTROPY']
    """
    layout = _Layout(graph, find_repeats(graph) if fold else [])
    arrows = {arrow.key: arrow for arrow in layout.arrows()}
    return Drawing(
        tuple(layout.boxes()), tuple(layout.groups.values()), tuple(arrows.values()), title
    )


class _Layout:
    """Which box stands for which vertex."""

    def __init__(self, graph: Graph, repeats: list[Repeat]):
        self.graph = graph
        self.facts = Facts(graph)
        #: The box of every vertex.
        self.home: dict[str, Box] = {}
        #: Groups by their keys, and the dots at which their inputs arrive.
        self.groups: dict[str, Group] = {}
        self.entries: dict[str, Box] = {}
        #: Vertices of all blocks but the first: what they read is not drawn again.
        self.hidden = {name for r in repeats for block in r.blocks[1:] for name in block}
        for repeat in repeats:
            if _is_chain(graph, repeat):
                self._place(chain_box(self.facts, repeat))
            else:
                self._place_group(repeat)
        for v in graph.vertices.values():
            if v.name not in self.home:
                self._place(column_box(self.facts, [v]))

    def _place(self, box: Box) -> None:
        self.home.update(dict.fromkeys(box.names, box))

    def _place_group(self, repeat: Repeat) -> None:
        group = group_of(self.facts, repeat)
        self.groups[group.key] = group
        self.entries[group.key] = entry_box(group)
        for names in zip(*repeat.blocks, strict=True):
            column = [self.graph.vertices[name] for name in names]
            self._place(column_box(self.facts, column, group.key))

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
        entered = set()
        for name in order:
            box = self.home[name]
            if box.group is not None and box.group not in entered:
                entered.add(box.group)
                yield self.entries[box.group]
            if box.names[0] == name:
                yield box

    def arrows(self) -> Iterator[Arrow]:
        """Yield the arrows in topological order; several may have the same key."""
        for group in self.groups.values():
            yield self._group_arrow(group)
        for v in self.graph.vertices.values():
            if v.name not in self.hidden:
                yield from self._value_arrows(v)
            yield from self._penalty_arrows(v)

    def _group_arrow(self, group: Group) -> Arrow:
        v = self.graph.vertices[group.names[0]]
        tail, head = self.home[group.entry], self.entries[group.key]
        return Arrow(
            key=f"{tail.key}~{head.key}",
            tail=tail.key,
            head=head.key,
            kind="training" if self.facts.is_training_only(v) else "value",
            tooltip=self._value_text(group.entry, v.name),
            into=group.key,
        )

    def _value_arrows(self, v: Vertex) -> Iterator[Arrow]:
        head = self.home[v.name]
        group = self.groups.get(head.group or "")
        for slot, name in enumerate(v.inputs):
            tail = self.home[name]
            if group is not None and name == group.entry:
                tail = self.entries[group.key]
            if tail is not head:
                yield Arrow(
                    key=f"{tail.key}~{head.key}~{slot}",
                    tail=tail.key,
                    head=head.key,
                    kind="training" if self.facts.is_training_only(v) else "value",
                    tooltip=self._value_text(name, v.name),
                )

    def _value_text(self, name: str, reader: str) -> str:
        return f"{name} → {reader}\n{format_shape(self.facts.shapes[name])}"

    def _penalty_arrows(self, v: Vertex) -> Iterator[Arrow]:
        """Yield an arrow from every box with parameters that a vertex borrows."""
        head = self.home[v.name].key
        borrowed: dict[str, list[str]] = {}
        for owner, parameter in v.borrows:
            if owner in self.facts.first_use:
                tail = self.home[self.facts.first_use[owner]].key
                borrowed.setdefault(tail, []).append(f"{owner}.{parameter}")
        for tail, parameters in borrowed.items():
            shown = parameters[:MOST_BORROWED] + ["…"] * (len(parameters) > MOST_BORROWED)
            yield Arrow(
                key=f"{tail}~{head}~parameters",
                tail=tail,
                head=head,
                kind="penalty",
                tooltip=f"{', '.join(shown)} → {v.name}",
            )


def _is_chain(graph: Graph, repeat: Repeat) -> bool:
    """Tell whether every vertex of a block reads just the one before."""
    block = repeat.blocks[0]
    return len(graph.vertices[block[0]].inputs) == 1 and all(
        graph.vertices[name].inputs == (before,) for before, name in pairwise(block)
    )
