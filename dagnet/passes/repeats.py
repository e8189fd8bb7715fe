"""Repeat detection: the same block several times in a row, as a drawing folds it.

The search follows the graph's structure, not the order of definition, so that inputs and other
branches in between do not matter:

1. A *step* ends at a vertex and begins after the nearest value through which everything it
   depends on must pass, its entry. Nothing inside a step is read, or returned, elsewhere. A
   ReLU is a step by itself; so is a whole residual block, and the layers inside one are steps.
2. Steps follow each other in *chains*: a value whose only readers are the next step.
3. Every step gets a *token* that says all but its sizes; equal tokens at a distance p along a
   chain are a repeat with the period p.
4. Of repeats that overlap, the one that covers most vertices wins, then the shortest period,
   then the earliest.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from dagnet.graph import Graph, Vertex
from dagnet.passes.configs import comparable
from dagnet.passes.parameters import keeps_arrays
from dagnet.passes.shapes import infer_shapes

#: Neither steps of more vertices nor periods of more steps are looked for.
LONGEST = 64


@dataclass(frozen=True)
class Repeat:
    """A block of vertices that occurs `count` times in a row.

    Attributes
    ----------
    blocks : tuple of tuple of str
        The vertices of each occurrence, in topological order. The same place in two blocks is
        the same op with the same hyperparameters, but for sizes. The first block reads one value
        from outside, its entry; each further one reads only the last value of the one before.
    """

    blocks: tuple[tuple[str, ...], ...]

    @property
    def count(self) -> int:
        """How many times the block occurs."""
        return len(self.blocks)


def find_repeats(graph: Graph) -> list[Repeat]:
    """Return the repeats of a graph, none overlapping another, in topological order.

    Blocks that differ in anything but sizes are not repeats of each other: neither in another
    rate, nor in a weight that a penalty reads in one of them only. Blocks that all use the very
    same weights repeat; blocks that each share weights with somewhere else do not.

    Examples
    --------
    >>> import dagnet as dn
    >>> (repeat,) = find_repeats(dn.mlp([12288, 20, 7, 5, 1]).graph)
    >>> repeat.count
    3
    >>> repeat.blocks[0]
    ('linear1', 'relu1')
    """
    steps = _steps(graph)
    tokens = _Tokens(graph, steps)
    chains = [_Chain(chain, [tokens[step] for step in chain]) for chain in _chains(graph, steps)]
    position = {name: i for i, name in enumerate(graph)}
    found = _without_overlap(chains)
    return sorted(found, key=lambda repeat: position[repeat.blocks[0][0]])


# 1. Steps.


@dataclass(frozen=True)
class _Step:
    """Vertices between one value, `entry`, and another, the last of them."""

    entry: str
    vertices: tuple[str, ...]

    @property
    def exit(self) -> str:
        return self.vertices[-1]


def _steps(graph: Graph) -> dict[str, _Step]:
    """Return the steps of the graph by their last vertices."""
    names = list(graph)
    position = {name: i for i, name in enumerate(names)}
    returned = {*graph.outputs, *graph.losses}
    steps = {}
    for name in names:
        inside = _back_to_entry(graph, names, position, name)
        if inside is None:
            continue
        entry, vertices = inside
        members = set(vertices)
        if all(
            v not in returned and _read_only_in(graph, v, members) for v in vertices if v != name
        ):
            steps[name] = _Step(entry, vertices)
    return steps


def _back_to_entry(
    graph: Graph, names: Sequence[str], position: Mapping[str, int], last: str
) -> tuple[str, tuple[str, ...]] | None:
    """Walk back from a vertex to the nearest value that all of it depends on."""
    inside = [last]
    open_ = {position[n] for n in graph.vertices[last].inputs}
    latest = [-i for i in open_]
    heapify(latest)
    while len(open_) > 1 and len(inside) + len(open_) <= LONGEST:
        index = -heappop(latest)
        open_.remove(index)
        vertex = graph.vertices[names[index]]
        if not vertex.inputs:
            return None  # a second source: nothing passes through one value
        inside.append(vertex.name)
        for name in vertex.inputs:
            if position[name] not in open_:
                open_.add(position[name])
                heappush(latest, -position[name])
    if len(open_) != 1:
        return None
    return names[open_.pop()], tuple(reversed(inside))


def _read_only_in(graph: Graph, name: str, members: set[str]) -> bool:
    return all(reader in members for reader, _ in graph.consumers[name])


# 2. Chains.


def _chains(graph: Graph, steps: Mapping[str, _Step]) -> Iterator[list[_Step]]:
    """Yield the longest runs of steps in which nothing else reads the values in between."""
    returned = {*graph.outputs, *graph.losses}
    following: dict[str, _Step] = {}
    for step in steps.values():
        entry = step.entry
        if (
            entry in steps
            and entry not in returned
            and _read_only_in(graph, entry, set(step.vertices))
        ):
            following[entry] = step
    inner = {step.exit for step in following.values()}
    for step in steps.values():
        if step.exit in inner:
            continue
        chain = [step]
        while chain[-1].exit in following:
            chain.append(following[chain[-1].exit])
        yield chain


# 3. Tokens.


class _Tokens:
    """Numbers for steps: equal if and only if the steps differ in nothing but sizes."""

    def __init__(self, graph: Graph, steps: Mapping[str, _Step]):
        self._graph = graph
        self._shapes = infer_shapes(graph)
        self._users: dict[str, int] = defaultdict(int)
        self._readers: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for v in graph.vertices.values():
            self._users[v.owner] += 1
            for owner, parameter in v.borrows:
                self._readers[owner].add((parameter, v.name))
        self._numbers: dict[Hashable, int] = {}
        single = {name: self._of_vertex(graph.vertices[name]) for name in graph}
        self._single = {name: self._number(token) for name, token in single.items()}

    def __getitem__(self, step: _Step) -> int:
        place = {name: i for i, name in enumerate(step.vertices)}
        place[step.entry] = -1
        return self._number(
            tuple(
                (self._single[name], tuple(place[n] for n in self._graph.vertices[name].inputs))
                for name in step.vertices
            )
        )

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


# 4. Repeats.


class _Chain:
    """Steps in a row with their tokens."""

    def __init__(self, steps: list[_Step], tokens: list[int]):
        self.steps = steps
        self.tokens = tokens
        self.before = [0]
        for step in steps:
            self.before.append(self.before[-1] + len(step.vertices))

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """Yield ``(period, start, stop)`` of every longest stretch with a period."""
        for period in range(1, min(LONGEST, len(self.tokens) // 2) + 1):
            start = None
            for i, (a, b) in enumerate(zip(self.tokens, self.tokens[period:], strict=False)):
                if a != b:
                    if start is not None and i - start >= period:
                        yield period, start, i + period
                    start = None
                elif start is None:
                    start = i
            if start is not None and len(self.tokens) - start >= 2 * period:
                yield period, start, len(self.tokens)

    def covered(self, period: int, start: int, stop: int) -> int:
        """Return how many vertices the whole blocks of a run hold."""
        return self.before[stop - (stop - start) % period] - self.before[start]

    def repeat(self, period: int, start: int, stop: int) -> Repeat:
        whole = range(start, stop - period + 1, period)
        return Repeat(
            tuple(
                tuple(name for step in self.steps[i : i + period] for name in step.vertices)
                for i in whole
            )
        )

    def free(self, start: int, stop: int, taken: set[str]) -> Iterator[tuple[int, int]]:
        """Yield the longest stretches between start and stop of which nothing is taken."""
        begin = start
        for i in range(start, stop):
            if not taken.isdisjoint(self.steps[i].vertices):
                yield begin, i
                begin = i + 1
        yield begin, stop


def _without_overlap(chains: Iterable[_Chain]) -> Iterator[Repeat]:
    """Yield repeats from the largest to the smallest; what is left of a run competes again."""
    heap: list[tuple[int, int, int, int, int]] = []
    chains = list(chains)
    for number, chain in enumerate(chains):
        for run in chain.runs():
            heap.append((-chain.covered(*run), run[0], number, *run[1:]))
    heapify(heap)
    taken: set[str] = set()
    while heap:
        _, period, number, start, stop = heappop(heap)
        chain = chains[number]
        pieces = list(chain.free(start, stop, taken))
        if pieces == [(start, stop)]:
            repeat = chain.repeat(period, start, stop)
            taken.update(name for block in repeat.blocks for name in block)
            yield repeat
            continue
        for begin, end in pieces:
            if end - begin >= 2 * period:
                run = (period, begin, end)
                heappush(heap, (-chain.covered(*run), period, number, begin, end))
