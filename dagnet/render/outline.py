"""The outline of a graph: vertices, in scopes and repeats, as a tree."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from dagnet.graph import Graph
from dagnet.passes.repeats import Repeat
from dagnet.passes.tokens import common_scope

#: A name of a vertex in the first block, to the vertices in this place in all blocks.
Places = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Leaf:
    """One vertex; inside repeats, the vertices in the same place of every block."""

    column: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.column


@dataclass(frozen=True)
class Region:
    """What belongs together: a block that repeats, a scope, or a run of too many boxes.

    Attributes
    ----------
    kind : {"repeat", "scope", "run"}
    parts : tuple of Leaf and Region
        What is inside; of a repeat, in one block.
    blocks : tuple of tuple of str
        The vertices, block by block, for every time it occurs in the graph. A scope that lies in a
        repeat occurs once a block.
    count : int
        How many times it repeats in a row; inside another repeat, in each block of that.
    path : tuple of str
        Of a scope, its name and those around it; of a repeat of scopes, those of the first.
    """

    kind: Literal["repeat", "scope", "run"]
    parts: "tuple[Part, ...]"
    blocks: tuple[tuple[str, ...], ...]
    count: int = 1
    path: tuple[str, ...] = ()
    #: Scopes that are the blocks of a repeat: the first and the last.
    ends: tuple[str, ...] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for block in self.blocks for name in block)


Part = Leaf | Region


def outline(graph: Graph, repeats: Sequence[Repeat]) -> tuple[Part, ...]:
    """Return the graph as a tree of scopes and repeats, in topological order.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet.passes import find_repeats
    >>> graph = dn.mlp([5, 4, 3, 1]).graph
    >>> [type(part).__name__ for part in outline(graph, find_repeats(graph))]
    ['Leaf', 'Leaf', 'Region', 'Leaf', 'Leaf', 'Leaf']
    """
    return _Outliner(graph).parts(list(graph), repeats, {n: (n,) for n in graph}, ())


class _Outliner:
    def __init__(self, graph: Graph):
        self._graph = graph

    def parts(
        self,
        names: Sequence[str],
        repeats: Sequence[Repeat],
        places: Places,
        within: tuple[str, ...],
    ) -> tuple[Part, ...]:
        """Return the parts of some vertices, all of which lie in the scope `within`."""
        starts = {repeat.blocks[0][0]: repeat for repeat in repeats}
        repeated = {name for repeat in repeats for block in repeat.blocks for name in block}
        placed: list[tuple[tuple[str, ...], Part]] = []
        for name in names:
            if name in starts:
                placed.append(self._repeat(starts[name], places))
            elif name not in repeated:
                placed.append((self._graph.vertices[name].scope, Leaf(places[name])))
        return tuple(self._scoped(placed, len(within)))

    def _repeat(self, repeat: Repeat, places: Places) -> tuple[tuple[str, ...], Region]:
        """Return a repeat, and the scope that all its blocks lie in."""
        times = range(len(places[repeat.blocks[0][0]]))
        blocks = tuple(
            tuple(places[name][i] for name in block) for i in times for block in repeat.blocks
        )
        inside = dict(zip(repeat.blocks[0], zip(*blocks, strict=True), strict=True))
        scopes = [
            common_scope([self._graph.vertices[n].scope for n in block]) for block in repeat.blocks
        ]
        outer = common_scope(scopes)
        ends = tuple(scope[len(outer)] for scope in (scopes[0], scopes[-1]) if scope != outer)
        parts = self.parts(repeat.blocks[0], repeat.inner, inside, scopes[0])
        return outer, Region("repeat", parts, blocks, repeat.count, scopes[0], ends)

    def _scoped(self, placed: Sequence[tuple[tuple[str, ...], Part]], depth: int) -> Iterator[Part]:
        """Yield the parts, those of one scope as one; it stands where its first part stood."""
        members: dict[str, list[tuple[tuple[str, ...], Part]]] = {}
        order: list[Part | str] = []
        for scope, part in placed:
            if len(scope) == depth:
                order.append(part)
                continue
            if scope[depth] not in members:
                members[scope[depth]] = []
                order.append(scope[depth])
            members[scope[depth]].append((scope, part))
        for item in order:
            if not isinstance(item, str):
                yield item
                continue
            inside = members[item]
            parts = tuple(self._scoped(inside, depth + 1))
            yield Region("scope", parts, _blocks(parts), path=inside[0][0][: depth + 1])


def _blocks(parts: Sequence[Part]) -> tuple[tuple[str, ...], ...]:
    """Return the vertices of all parts for each time that they occur together."""
    times = min(len(p.column) if isinstance(p, Leaf) else len(p.blocks) // p.count for p in parts)
    blocks: list[list[str]] = [[] for _ in range(times)]
    for part in parts:
        each = len(part.names) // times
        for i, block in enumerate(blocks):
            block.extend(part.names[i * each : (i + 1) * each])
    return tuple(map(tuple, blocks))


def is_chain(graph: Graph, region: Region) -> bool:
    """Tell whether it is a repeat in which every vertex reads just the one before.

    Chains may hold chains; scopes within them have to be seen.
    """
    block = region.blocks[0]
    return (
        region.kind == "repeat"
        and all(isinstance(p, Leaf) or is_chain(graph, p) for p in region.parts)
        and len(graph.vertices[block[0]].inputs) == 1
        and all(graph.vertices[name].inputs == (before,) for before, name in pairwise(block))
    )


def depth_of(graph: Graph, parts: Sequence[Part]) -> int:
    """Return how many levels of parts there are; a chain is one box, on the level it is in."""
    depth, level = 1, list(parts)
    while True:
        level = [
            inner
            for part in level
            if isinstance(part, Region) and not is_chain(graph, part)
            for inner in part.parts
        ]
        if not level:
            return depth
        depth += 1


def count_boxes(graph: Graph, parts: Sequence[Part], depth: int) -> int:
    """Return how many boxes the parts take if levels below `depth` are closed."""
    return sum(
        1
        if isinstance(part, Leaf) or depth == 1 or is_chain(graph, part)
        else count_boxes(graph, part.parts, depth - 1)
        for part in parts
    )
