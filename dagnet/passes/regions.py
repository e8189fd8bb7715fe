"""Steps and chains: the regions of a graph with one way in and one way out.

1. A *step* ends at a vertex and begins after the nearest value through which everything it
   depends on must pass, its entry. Nothing inside a step is read, or returned, elsewhere. A
   ReLU is a step by itself; so is a whole residual block, and the layers inside one are steps.
2. Steps follow each other in *chains*: a value whose only readers are the next step.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from dagnet.graph import Graph

#: Steps of more vertices are not looked for.
LONGEST = 64


# 1. Steps.


@dataclass(frozen=True)
class Step:
    """Vertices between one value, `entry`, and another, the last of them."""

    entry: str
    vertices: tuple[str, ...]

    @property
    def exit(self) -> str:
        return self.vertices[-1]


def find_steps(graph: Graph) -> dict[str, Step]:
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
            steps[name] = Step(entry, vertices)
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


def find_chains(graph: Graph, steps: Mapping[str, Step]) -> Iterator[list[Step]]:
    """Yield the longest runs of steps in which nothing else reads the values in between."""
    returned = {*graph.outputs, *graph.losses}
    following: dict[str, Step] = {}
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
