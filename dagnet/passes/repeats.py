"""Repeat detection: the same block several times in a row, as a drawing folds it.

The search follows the graph's structure, not the order of definition, so that inputs and other
branches in between do not matter:

1. *Chains* of *steps* are found: regions with one way in and one way out (`passes/regions.py`).
2. What lies in one scope of the user's is put together: at each level of scopes, a chain is a
   sequence of steps and of whole scopes.
3. Each gets a *token* that says all but its sizes (`passes/tokens.py`); equal tokens at a distance
   p along a chain are a repeat with the period p.
4. Of repeats that overlap, the one that covers most vertices wins, then the shortest period,
   then the earliest. Then the same again within its first block, for the repeats inside it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import groupby

from dagnet.graph import Graph
from dagnet.passes.regions import LONGEST, Step, find_chains, find_steps
from dagnet.passes.tokens import Tokens, common_scope


@dataclass(frozen=True)
class Repeat:
    """A block of vertices that occurs `count` times in a row.

    Attributes
    ----------
    blocks : tuple of tuple of str
        The vertices of each occurrence, in topological order. The same place in two blocks is
        the same op with the same hyperparameters, but for sizes. The first block reads one value
        from outside, its entry; each further one reads only the last value of the one before.
    inner : tuple of Repeat
        The repeats within the first block. They are in the same places of every other block.
    """

    blocks: tuple[tuple[str, ...], ...]
    inner: tuple["Repeat", ...] = ()

    @property
    def count(self) -> int:
        """How many times the block occurs."""
        return len(self.blocks)


def find_repeats(graph: Graph) -> list[Repeat]:
    """Return the repeats of a graph, none overlapping another, in topological order.

    Blocks that differ in anything but sizes are not repeats of each other: neither in another
    rate, nor in a weight that a penalty reads in one of them only. Blocks that all use the very
    same weights repeat; blocks that each share weights with somewhere else do not. A repeat never
    crosses the border of a scope: scopes repeat as a whole, if they are called alike but for
    numbers.

    Examples
    --------
    >>> import dagnet as dn
    >>> (repeat,) = find_repeats(dn.mlp([12288, 20, 7, 5, 1]).graph)
    >>> repeat.count
    3
    >>> repeat.blocks[0]
    ('linear1', 'relu1')
    """
    steps = find_steps(graph)
    tokens = Tokens(graph)
    chains = [
        level for chain in find_chains(graph, steps) for level in _levels(graph, chain, tokens)
    ]
    position = {name: i for i, name in enumerate(graph)}
    ends: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, chain in enumerate(chains):
        for i, step in enumerate(chain.steps):
            ends[step.exit].append((number, i))

    def search(candidates: list[_Chain]) -> list[Repeat]:
        found = [
            Repeat(repeat.blocks, tuple(search(_within(repeat.blocks[0], chains, ends))))
            for repeat in _without_overlap(candidates)
        ]
        return sorted(found, key=lambda repeat: position[repeat.blocks[0][0]])

    return search(chains)


# 2. Scopes.


def _levels(graph: Graph, chain: Sequence[Step], tokens: Tokens) -> Iterator["_Chain"]:
    """Yield a chain at every level of scopes: as steps, and as whole scopes in their places."""
    scopes = [
        common_scope([graph.vertices[name].scope for name in step.vertices]) for step in chain
    ]
    waiting = [(range(len(chain)), 0)]
    while waiting:
        indices, depth = waiting.pop()
        steps, numbers = [], []
        for name, found in groupby(indices, key=lambda i: scopes[i][depth : depth + 1]):
            inside = list(found)
            if name:
                waiting.append((range(inside[0], inside[-1] + 1), depth + 1))
                steps.append(_joined([chain[i] for i in inside]))
                members = [chain[i] for i in inside]
                numbers.append(tokens.of_scope(members, [scopes[i] for i in inside], depth))
            else:
                steps += [chain[i] for i in inside]
                numbers += [tokens[chain[i]] for i in inside]
        yield _Chain(steps, numbers)


def _joined(steps: Sequence[Step]) -> Step:
    return Step(steps[0].entry, tuple(name for step in steps for name in step.vertices))


def _within(
    block: Sequence[str], chains: Sequence["_Chain"], ends: Mapping[str, list[tuple[int, int]]]
) -> list["_Chain"]:
    """Return the parts of chains that lie inside a block: what ends in it begins in it, too."""
    inside: dict[int, list[int]] = defaultdict(list)
    for name in block:
        for number, i in ends.get(name, ()):
            inside[number].append(i)
    return [
        chains[number].part(min(indices), max(indices) + 1) for number, indices in inside.items()
    ]


# 4. Repeats.


class _Chain:
    """Steps in a row with their tokens."""

    def __init__(self, steps: list[Step], tokens: list[int]):
        self.steps = steps
        self.tokens = tokens
        self.before = [0]
        for step in steps:
            self.before.append(self.before[-1] + len(step.vertices))

    def part(self, start: int, stop: int) -> "_Chain":
        return _Chain(self.steps[start:stop], self.tokens[start:stop])

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
