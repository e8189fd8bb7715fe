"""Tokens: what must agree for two parts of a graph to be the same but for sizes."""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import takewhile

from dagnet.graph import Graph, Vertex
from dagnet.passes.configs import comparable
from dagnet.passes.parameters import keeps_arrays
from dagnet.passes.regions import Step
from dagnet.passes.shapes import infer_shapes


class Tokens:
    """Numbers for steps: equal if and only if the steps differ in nothing but sizes."""

    def __init__(self, graph: Graph):
        self._graph = graph
        self._shapes = infer_shapes(graph)
        self._users: dict[str, int] = defaultdict(int)
        self._readers: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for v in graph.vertices.values():
            self._users[v.owner] += 1
            for owner, parameter in v.borrows:
                self._readers[owner].add((parameter, v.name))
        #: How many vertices are in each scope.
        self._members = Counter(
            prefix for v in graph.vertices.values() for prefix in _prefixes(v.scope, 0)
        )
        self._numbers: dict[Hashable, int] = {}
        single = {name: self._of_vertex(graph.vertices[name]) for name in graph}
        self._single = {name: self._number(token) for name, token in single.items()}

    def __getitem__(self, step: Step) -> int:
        place = {name: i for i, name in enumerate(step.vertices)}
        place[step.entry] = -1
        vertices = [self._graph.vertices[name] for name in step.vertices]
        outer = len(common_scope([v.scope for v in vertices]))
        if not self._are_whole(step.vertices, outer):
            return self._number(object())
        return self._number(
            (
                _pattern([v.scope[outer:] for v in vertices]),
                *((self._single[v.name], tuple(place[n] for n in v.inputs)) for v in vertices),
            )
        )

    def of_scope(self, steps: Sequence[Step], scopes: Sequence[tuple[str, ...]], depth: int) -> int:
        """Return the number of a scope, at a depth, with these steps, each in a scope itself."""
        if not self._are_whole([name for step in steps for name in step.vertices], depth):
            return self._number(object())
        pattern = _pattern([scope[depth:] for scope in scopes])
        return self._number(("scope", pattern, *(self[step] for step in steps)))

    def _are_whole(self, names: Iterable[str], depth: int) -> bool:
        """Tell whether all scopes of some vertices, below a depth, have no other vertices."""
        members = Counter(
            prefix
            for name in names
            for prefix in _prefixes(self._graph.vertices[name].scope, depth)
        )
        return all(self._members[scope] == count for scope, count in members.items())

    def _number(self, token: Hashable) -> int:
        return self._numbers.setdefault(token, len(self._numbers))

    def _of_vertex(self, v: Vertex) -> Hashable:
        config = {k: x for k, x in v.op.config.items() if k not in v.op.size_fields}
        shared = v.owner if self._users[v.owner] > 1 and keeps_arrays(v, self._shapes) else None
        return (
            type(v.op),
            comparable(config),
            len(self._shapes[v.name]),
            shared,
            v.borrows,
            frozenset(self._readers[v.owner]),
        )


def common_scope(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the longest beginning of all paths."""
    return tuple(names[0] for names in takewhile(_equal, zip(*paths, strict=False)))


def _equal(names: tuple[str, ...]) -> bool:
    return len(set(names)) == 1


def _prefixes(scope: tuple[str, ...], depth: int) -> Iterator[tuple[str, ...]]:
    """Yield the scopes that something in a scope is in, but for the outermost `depth`."""
    for end in range(depth + 1, len(scope) + 1):
        yield scope[:end]


def _pattern(paths: Sequence[tuple[str, ...]]) -> Hashable:
    """Return which of the paths run how far together, and the names without their numbers."""
    seen: dict[tuple[str, ...], int] = {}
    return tuple(
        tuple(
            (re.sub(r"[\W_]*\d+", "", path[depth]), seen.setdefault(path[: depth + 1], len(seen)))
            for depth in range(len(path))
        )
        for path in paths
    )
