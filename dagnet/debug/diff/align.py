"""Aligning two graphs: which node of one is which node of the other, whatever they are called.

In this order, each node being paired once:

1. Nodes in the same place: with equal ops, and everything before and after them equal, if there
   is only one such place.
2. From the pairs outwards, again and again: equal ops that read the paired nodes, or that are
   read by them. This finds everything before and after an edit. Of several, the one in the most
   similar surroundings is taken, then the one of the same name. It waits if a node elsewhere has
   a better claim by its name: of three equal layers in a row, any may be the added one.
3. What is left lies in gaps between paired nodes. In gaps with the same ends, the nodes are
   aligned in execution order so that most are equal ops; then the same class of op with other
   hyperparameters; then the same kind of op; then names. The unequal ones were changed.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dagnet.debug.diff.places import class_name, places
from dagnet.debug.diff.sequence import heaviest_alignment
from dagnet.graph import Graph

#: Pairs that are weighed in one gap, at most: above that, names decide.
MOST_WEIGHED = 100_000_000

#: Who stands on one side of a node, and in which slot they read or are read.
Neighbours = frozenset[tuple[str, int]]


@dataclass(frozen=True)
class Alignment:
    """Which nodes of two graphs correspond.

    Attributes
    ----------
    a, b : Graph
    image : mapping of str to str
        For nodes of `a`, in execution order, the node of `b` that is the same.
    """

    a: Graph
    b: Graph
    image: Mapping[str, str]

    @property
    def removed(self) -> tuple[str, ...]:
        """The nodes that only `a` has."""
        return tuple(name for name in self.a if name not in self.image)

    @property
    def added(self) -> tuple[str, ...]:
        """The nodes that only `b` has."""
        paired = set(self.image.values())
        return tuple(name for name in self.b if name not in paired)

    @property
    def renamed(self) -> dict[str, str]:
        """The nodes that are called otherwise in `b`."""
        return {name: other for name, other in self.image.items() if name != other}


def align(a: Graph, b: Graph) -> Alignment:
    """Align two graphs by structure, and by names where structure leaves a choice.

    Examples
    --------
    >>> import dagnet as dn
    >>> alignment = align(dn.mlp([5, 3, 1]).graph, dn.mlp([5, 7, 3, 1]).graph)
    >>> alignment.added
    ('linear1', 'relu1')
    >>> alignment.image["linear1"], alignment.image["linear2"]
    ('linear2', 'linear3')
    """
    aligner = _Aligner(a, b)
    aligner.run()
    return Alignment(a, b, {name: aligner.image[name] for name in a if name in aligner.image})


class _Aligner:
    """Pairs nodes; `image` leads from a to b, `origin` back."""

    def __init__(self, a: Graph, b: Graph):
        self.a, self.b = a, b
        self.at_a, self.at_b = places(a, b)
        self.image: dict[str, str] = {}
        self.origin: dict[str, str] = {}

    def run(self) -> None:
        self._pair_single()
        while self._spread(_BEFORE) or self._spread(_AFTER):
            pass
        for sides in ((_BEFORE, _AFTER), (_BEFORE,), (_AFTER,)):
            self._fill_gaps(sides)

    def _pair(self, name: str, other: str) -> None:
        self.image[name] = other
        self.origin[other] = name

    # 1. The same place.

    def _pair_single(self) -> None:
        groups_a = _grouped(self.a, self.at_a.place.__getitem__)
        groups_b = _grouped(self.b, self.at_b.place.__getitem__)
        for place in groups_a.keys() & groups_b.keys():
            names, others = groups_a[place], groups_b[place]
            if len(names) == len(others) == 1:
                self._pair(names[0], others[0])

    # 2. From pairs outwards.

    def _spread(self, side: "_Side") -> bool:
        """Pair equal ops whose neighbours on one side are paired; return whether there were any."""
        waiting = _Waiting(self, side)
        before = len(self.image)
        for name in side.order(self.a):
            around = side.neighbours(self.a, name)
            if name in self.image or any(n not in self.image for n, _ in around):
                continue
            moved = frozenset((self.image[n], slot) for n, slot in around)
            other = waiting.likest(name, (self.at_a.token[name], moved))
            if other is not None and not self._claimed(name, other):
                self._pair(name, other)
        return len(self.image) > before

    def _claimed(self, name: str, other: str) -> bool:
        """Return whether one of two nodes is liker to its namesake, which is still to be paired."""
        likeness = self._likeness(name, other)
        if name in self.b and name not in self.origin and self._likeness(name, name) > likeness:
            return True
        free = other in self.a and other not in self.image
        return free and self._likeness(other, other) > likeness

    def _likeness(self, name: str, other: str) -> tuple[int, bool]:
        """Return how far the surroundings are equal, 0 if the ops are not; and if the names are."""
        levels = zip(self.at_a.surroundings, self.at_b.surroundings, strict=True)
        return sum(here[name] == there[other] for here, there in levels), name == other

    # 3. Gaps.

    def _fill_gaps(self, sides: Sequence["_Side"]) -> None:
        paired = {other: other for other in self.origin}
        ends_a = [_ends(self.a, self.image, side) for side in sides]
        ends_b = [_ends(self.b, paired, side) for side in sides]
        gaps_a = _grouped(self._unpaired_a(), lambda n: tuple(ends[n] for ends in ends_a))
        gaps_b = _grouped(self._unpaired_b(), lambda n: tuple(ends[n] for ends in ends_b))
        for gap in gaps_a.keys() & gaps_b.keys():
            self._fill(gaps_a[gap], gaps_b[gap])

    def _fill(self, names: list[str], others: list[str]) -> None:
        if len(names) * len(others) > MOST_WEIGHED:
            pairs = [(n, n) for n in sorted(set(names).intersection(others)) if self._same_kind(n)]
        else:
            weights = _Weights(self, names, others)
            indices = heaviest_alignment(weights, len(names), len(others))
            pairs = [(names[i], others[j]) for i, j in indices]
        for name, other in pairs:
            self._pair(name, other)

    def _same_kind(self, name: str) -> bool:
        return self.a.vertices[name].op.kind == self.b.vertices[name].op.kind

    def _unpaired_a(self) -> list[str]:
        return [name for name in self.a if name not in self.image]

    def _unpaired_b(self) -> list[str]:
        return [name for name in self.b if name not in self.origin]


class _Waiting:
    """The nodes of b that are still to be paired, by their places and their surroundings.

    Surroundings that are equal are equal on all levels further in, so that the likest to a node
    are those that equal its own on the outermost level possible.
    """

    def __init__(self, aligner: _Aligner, side: "_Side"):
        self._aligner = aligner
        self._place = {
            name: (aligner.at_b.token[name], side.neighbours(aligner.b, name))
            for name in aligner.b
            if name not in aligner.origin
        }
        self._levels = [
            _grouped(
                reversed(self._place),
                lambda n, near=near: (near[n], self._place[n]),  # type: ignore[misc]
            )
            for near in aligner.at_b.surroundings
        ]

    def likest(self, name: str, place: Hashable) -> str | None:
        """Return the node in a place that is likest to one of a: of several its namesake, else
        the first; None if there is none."""
        aligner = self._aligner
        around = zip(
            self._levels, aligner.at_a.surroundings, aligner.at_b.surroundings, strict=True
        )
        for level, here, there in reversed(list(around)):
            others = level.get((here[name], place), [])
            while others and others[-1] in aligner.origin:
                others.pop()
            if others:
                free = self._place.get(name) == place and name not in aligner.origin
                return name if free and there[name] == here[name] else others[-1]
        return None


class _Weights:
    """Weights of pairing nodes: equal ops count twice a class, and that twice a kind.

    Of alignments that are as good by that, the one with most equal names wins.
    """

    def __init__(self, aligner: _Aligner, names: Sequence[str], others: Sequence[str]):
        numbers: dict[Hashable, int] = defaultdict(lambda: len(numbers))

        def traits(graph: Graph, token: Mapping[str, int], nodes: Sequence[str]) -> np.ndarray:
            ops = [graph.vertices[n].op for n in nodes]
            rows = [
                [token[n], numbers[class_name(op)], numbers["kind", op.kind], numbers["name", n]]
                for n, op in zip(nodes, ops, strict=True)
            ]
            return np.array(rows).T

        self._a = traits(aligner.a, aligner.at_a.token, names)
        self._b = traits(aligner.b, aligner.at_b.token, others)
        self._unit = len(names) + 1  # more than all names together

    def __call__(self, i: int) -> np.ndarray:
        token, same_class, kind, name = (self._b[k] == self._a[k, i] for k in range(4))
        return kind * (self._unit * (1 + same_class + 2 * token) + name)


class _Side(NamedTuple):
    """Before a node or after it: who stands there, and the order that begins at that end."""

    neighbours: Callable[[Graph, str], Neighbours]
    order: Callable[[Graph], Sequence[str]]


def _inputs(graph: Graph, name: str) -> Neighbours:
    return frozenset((n, slot) for slot, n in enumerate(graph.vertices[name].inputs))


def _readers(graph: Graph, name: str) -> Neighbours:
    return frozenset(graph.consumers[name])


_BEFORE = _Side(_inputs, list)
_AFTER = _Side(_readers, lambda graph: list(reversed(graph.vertices)))


def _ends(graph: Graph, paired: Mapping[str, str], side: _Side) -> dict[str, frozenset[str]]:
    """Return the nearest paired nodes on one side of every unpaired one, as b calls them."""
    ends: dict[str, frozenset[str]] = {}
    for name in side.order(graph):
        if name in paired:
            ends[name] = frozenset([paired[name]])
        else:
            ends[name] = frozenset().union(*(ends[n] for n, _ in side.neighbours(graph, name)))
    return ends


def _grouped(names: Iterable[str], key: Callable[[str], Hashable]) -> dict[Hashable, list[str]]:
    groups: dict[Hashable, list[str]] = defaultdict(list)
    for name in names:
        groups[key(name)].append(name)
    return groups
