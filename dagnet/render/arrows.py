"""The arrows of a drawing: between which boxes, and what they say."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from dagnet.graph import Vertex
from dagnet.node import format_shape
from dagnet.render.drawing import Arrow, Box, Group, Kind, Use
from dagnet.render.facts import Facts
from dagnet.render.text import shapes_run

#: Borrowed parameters, or values, that the tooltip of an arrow names.
MOST_NAMED = 8


class Arrows:
    """Finds the arrows, given where every vertex is.

    Parameters
    ----------
    facts : Facts
    home : dict of Box
        The box of every vertex.
    groups : dict of Group
        By their keys.
    entries : dict of Box
        The dots at which the inputs of groups arrive.
    columns : dict of tuple of str
        For each vertex that is drawn, those that it stands for.
    closed : set of str
        Keys of the boxes with an inside that is not drawn; between them, all values are one arrow.
    """

    def __init__(
        self,
        facts: Facts,
        home: Mapping[str, Box],
        groups: Mapping[str, Group],
        entries: Mapping[str, Box],
        columns: Mapping[str, tuple[str, ...]],
        closed: set[str],
    ):
        self._facts = facts
        self._graph = facts.graph
        self._home = home
        self._groups = groups
        self._entries = entries
        self._columns = columns
        self._closed = closed

    def all(self) -> Iterator[Arrow]:
        """Return the arrows, those out of groups first, then in topological order."""
        merged: dict[str, Arrow] = {}
        for arrow in self._each():
            known = merged.get(arrow.key)
            merged[arrow.key] = arrow if known is None else self._both(known, arrow)
        return self._labelled_once(merged.values())

    def _labelled_once(self, arrows: Iterable[Arrow]) -> Iterator[Arrow]:
        """Yield the arrows with the shape of each value on the first that shows it.

        Those inside a group that begin at its dot show what the arrow to the dot does.
        """
        dots = {box.key for box in self._entries.values()}
        said: set[tuple[str, str]] = set()
        for arrow in arrows:
            known = arrow.tail in dots or (arrow.tail, arrow.label) in said
            said.add((arrow.tail, arrow.label))
            yield replace(arrow, label="") if known else arrow

    def _each(self) -> Iterator[Arrow]:
        for group in self._groups.values():
            if group.entry is not None:
                yield self._into(group, group.entry)
        for v in self._graph.vertices.values():
            if v.name in self._columns:
                yield from self._reads(v)
            yield from self._borrows(v)
        yield from self._shares()

    def _both(self, one: Arrow, other: Arrow) -> Arrow:
        """Return one arrow for two between the same boxes."""
        uses = tuple(dict.fromkeys(one.uses + other.uses))
        values = list(dict.fromkeys(use.value for use in uses))
        many = self._facts.words.counted(len(values), "value")
        label = self._shape(uses) if len(values) == 1 else many
        lines = one.tooltip.split("\n")
        more = [] if one.tooltip == other.tooltip else other.tooltip.split("\n")
        if len(lines) > 2 * MOST_NAMED:
            more = [] if lines[-1] == "…" else ["…"]
        return replace(one, uses=uses, label=label, tooltip="\n".join(lines + more))

    # Values.

    def _into(self, group: Group, entry: str) -> Arrow:
        """Return the arrow from outside to the dot in a group."""
        head = self._entries[group.key]
        readers = [u for u in self._uses(group.names[0]) if u.value == entry]
        tail = self._source(entry, group.parent)
        return Arrow(
            key=f"{tail.key}~{head.key}",
            tail=tail.key,
            head=head.key,
            kind=self._kind(group.names[0]),
            tooltip=self._value_text(readers[0]),
            label=self._shape(readers),
            uses=tuple(readers),
            into=group.key,
        )

    def _reads(self, v: Vertex) -> Iterator[Arrow]:
        head = self._home[v.name]
        for slot, name in enumerate(v.inputs):
            tail = self._source(name, head.group)
            if tail.key == head.key:
                continue
            uses = tuple(u for u in self._uses(v.name) if u.slot == slot)
            closed = not self._closed.isdisjoint((tail.key, head.key))
            yield Arrow(
                key=f"{tail.key}~{head.key}" + ("" if closed else f"~{slot}"),
                tail=tail.key,
                head=head.key,
                kind=self._kind(v.name),
                tooltip=self._value_text(uses[0]),
                label=self._shape(uses),
                uses=uses,
            )

    def _source(self, name: str, group: str | None) -> Box:
        """Return where a value comes from, as seen in a group: its box, or the dot of a group."""
        while group is not None:
            around = self._groups[group]
            if around.entry == name:
                return self._entries[group]
            group = around.parent
        return self._home[name]

    def _uses(self, reader: str) -> list[Use]:
        """Return what a vertex reads, and those that it stands for."""
        return [
            Use(value, name, slot)
            for name in self._columns.get(reader, (reader,))
            for slot, value in enumerate(self._graph.vertices[name].inputs)
        ]

    def _kind(self, reader: str) -> Kind:
        training = self._facts.is_training_only(self._graph.vertices[reader])
        return "training" if training else "value"

    def _shape(self, uses: Iterable[Use]) -> str:
        shapes = list(dict.fromkeys(self._facts.shapes[use.value] for use in uses))
        return shapes_run(shapes) if len(shapes) < 3 else shapes_run([shapes[0], shapes[-1]])

    def _value_text(self, use: Use) -> str:
        return f"{use.value} → {use.reader}\n{format_shape(self._facts.shapes[use.value])}"

    # Parameters.

    def _borrows(self, v: Vertex) -> Iterator[Arrow]:
        """Yield an arrow from every box with parameters that a vertex borrows."""
        head = self._home[v.name].key
        borrowed: dict[str, list[str]] = {}
        for owner, parameter in v.borrows:
            if owner in self._facts.first_use:
                tail = self._home[self._facts.first_use[owner]].key
                borrowed.setdefault(tail, []).append(f"{owner}.{parameter}")
        for tail, parameters in borrowed.items():
            shown = parameters[:MOST_NAMED] + ["…"] * (len(parameters) > MOST_NAMED)
            if tail != head:
                yield Arrow(
                    key=f"{tail}~{head}~parameters",
                    tail=tail,
                    head=head,
                    kind="penalty",
                    tooltip=f"{', '.join(shown)} → {v.name}",
                )

    def _shares(self) -> Iterator[Arrow]:
        """Yield a line between the first box with some weights and every other with them."""
        for v in self._graph.vertices.values():
            first = self._facts.first_use[v.owner]
            tail, head = self._home[first].key, self._home[v.name].key
            if tail != head and self._facts.parameters(v):
                yield Arrow(
                    key=f"{tail}~{head}~shared",
                    tail=tail,
                    head=head,
                    kind="shared",
                    tooltip=self._facts.words("{} has the parameters of {}", v.name, first),
                )
