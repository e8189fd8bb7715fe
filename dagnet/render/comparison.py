"""Two networks on one picture: what was added, removed and changed from one to the other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dagnet.debug.diff.align import Alignment, align
from dagnet.debug.diff.changes import changes
from dagnet.graph import Graph, Vertex
from dagnet.node import Shape
from dagnet.passes.repeats import Repeat, find_repeats
from dagnet.passes.shapes import infer_shapes
from dagnet.render.collapse import view_of
from dagnet.render.compose import compose_view
from dagnet.render.drawing import Arrow, Box, Change, Drawing, Line, Use
from dagnet.render.facts import Facts
from dagnet.render.words import ENGLISH, Words
from dagnet.text import printable


def compared(
    before: Graph,
    after: Graph,
    *,
    fold: bool | int,
    title: str | None,
    words: Words = ENGLISH,
) -> Drawing:
    """Return the drawing of `after`, with what it lost and gained since `before`.

    Nodes are aligned by structure, as `dn.diff` does it. What is the same is folded as usual.

    Examples
    --------
    >>> import dagnet as dn
    >>> before, after = dn.mlp([5, 3, 1]).graph, dn.mlp([5, 7, 3, 1]).graph
    >>> drawing = compared(before, after, fold=True, title=None)
    >>> [box.names for box in drawing.boxes if box.change == "added"]
    [('linear1',), ('relu1',)]
    """
    both = _Both(before, after, words)
    view = view_of(both.graph, fold, both.repeats() if fold else ())
    drawing = compose_view(both.facts(), view, title)
    boxes = tuple(both.marked(box) for box in drawing.boxes)
    home = {name: box.key for box in drawing.boxes for name in box.names}
    arrows = (*map(both.marked_arrow, drawing.arrows), *both.lost_arrows(home))
    return replace(drawing, boxes=boxes, arrows=arrows, notes=(*drawing.notes, both.summary))


class _Both:
    """The vertices of two graphs in one; what they share is there once."""

    def __init__(self, before: Graph, after: Graph, words: Words):
        self._words = words
        self._before = before
        self._after = after
        alignment = align(before, after)
        self._changed = {change.other: change.what for change in changes(alignment)}
        self._added = set(alignment.added)
        #: For every vertex of `before`, its name here.
        self._here = dict(alignment.image)
        for name in alignment.removed:
            self._here[name] = self._free(name)
        self._removed = {self._here[name]: name for name in alignment.removed}
        self._origin = {other: name for name, other in alignment.image.items()}
        self.graph = Graph(
            [*after.vertices.values(), *map(self._moved, self._removed.values())],
            after.losses,
            after.outputs,
        )
        self.summary = self._summary(alignment)

    def _free(self, name: str) -> str:
        taken = {*self._after, *self._here.values()}
        while name in taken:
            name += " (before)"
        return name

    def _moved(self, name: str) -> Vertex:
        v = self._before.vertices[name]
        borrows = tuple((self._here[owner], key) for owner, key in v.borrows if owner in self._here)
        owner = self._here.get(v.owner, v.owner)
        inputs = tuple(self._here[n] for n in v.inputs)
        return Vertex(self._here[name], v.op, inputs, owner, borrows, v.source, v.scope)

    def _summary(self, alignment: Alignment) -> str:
        parts = [
            self._words(f"{{}} {what}", self._words.counted(len(names), "node"))
            for what, names in (
                ("added", alignment.added),
                ("removed", alignment.removed),
                ("changed", self._changed),
            )
            if names
        ]
        return self._words(", ").join(parts) or self._words("the same structure")

    def facts(self) -> Facts:
        """Return the facts, of which each graph knows its own."""
        before, shapes = infer_shapes(self._before), infer_shapes(self._after)
        shapes |= {name: before[old] for name, old in self._removed.items()}
        reads: dict[str, list[Shape]] = {
            name: [before[n] for n in self._before.vertices[old].inputs]
            for name, old in self._removed.items()
        }
        return Facts(self.graph, shapes, reads, self._words)

    def repeats(self) -> Sequence[Repeat]:
        """Return the repeats of `after` that are what they were, and have no lost neighbours."""
        touched = self._added | set(self._changed)
        for old in self._removed.values():
            touched.update(self._here[n] for n in self._before.vertices[old].inputs)
            touched.update(self._here[n] for n, _ in self._before.consumers[old])
        return list(_untouched(find_repeats(self._after), touched))

    # Marks.

    def _change(self, name: str) -> Change | None:
        if name in self._added:
            return "added"
        if name in self._removed:
            return "removed"
        return "changed" if name in self._changed else None

    def marked(self, box: Box) -> Box:
        """Return a box with what happened to it."""
        marks = [self._change(name) for name in box.names]
        if not any(marks):
            return box
        if len(box.names) > 1:
            change: Change = "changed" if len(set(marks)) > 1 else marks[0] or "changed"
            number = sum(mark is not None for mark in marks)
            total = self._words.counted(len(marks), "node")
            texts = [self._words(f"{{}} of {{}} {change}", number, total)]
        else:
            (name,) = box.names
            change = marks[0] or "changed"
            texts = [
                self._words(change),
                *(printable(what) for what in self._changed.get(name, ())),
            ]
        lines = tuple(Line(text, "value") for text in texts)
        tooltip = "\n".join([box.tooltip, *texts])
        return replace(
            box, lines=(*box.lines, *lines), tooltip=tooltip, change=change, symbol=False
        )

    def marked_arrow(self, arrow: Arrow) -> Arrow:
        if not arrow.uses:
            return arrow
        if all(self._is_lost(use) for use in arrow.uses):
            return replace(arrow, change="removed")
        if all(self._is_new(use) for use in arrow.uses):
            return replace(arrow, change="added")
        return arrow

    def _is_lost(self, use: Use) -> bool:
        return use.reader in self._removed

    def _is_new(self, use: Use) -> bool:
        if use.reader in self._added or use.value in self._added:
            return True
        old = self._origin.get(use.reader)
        if old is None:
            return False
        inputs = self._before.vertices[old].inputs
        return use.slot >= len(inputs) or self._here[inputs[use.slot]] != use.value

    def lost_arrows(self, home: dict[str, str]) -> Iterator[Arrow]:
        """Yield the arrows to vertices that are still there, from where they read no more."""
        for name, old in self._origin.items():
            now = self.graph.vertices[name].inputs
            for slot, n in enumerate(self._before.vertices[old].inputs):
                value = self._here[n]
                if slot < len(now) and now[slot] == value:
                    continue
                tail, head = home[value], home[name]
                if tail != head:
                    yield Arrow(
                        key=f"{tail}~{head}~{slot}~before",
                        tail=tail,
                        head=head,
                        kind="value",
                        tooltip=f"{value} → {name}\n{self._words('before')}",
                        uses=(Use(value, name, slot),),
                        change="removed",
                    )


def _untouched(repeats: Sequence[Repeat], touched: set[str]) -> Iterator[Repeat]:
    for repeat in repeats:
        if all(touched.isdisjoint(block) for block in repeat.blocks):
            yield repeat
        else:
            yield from _untouched(repeat.inner, touched)
