"""Places: what a node is and what surrounds it, as numbers that can be compared across graphs."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from dagnet.graph import Graph
from dagnet.ops.base import Op
from dagnet.passes.configs import comparable

#: How many edges away a surrounding reaches, at most.
RADIUS = 3


@dataclass(frozen=True)
class Places:
    """Numbers for the vertices of a graph; equal numbers in two graphs, equal structure.

    Attributes
    ----------
    token : mapping of str to int
        The op with its hyperparameters.
    place : mapping of str to int
        The token with everything before and after the vertex.
    surroundings : tuple of mapping
        The token itself; then with what is within one edge, two, and three.
    """

    token: Mapping[str, int]
    place: Mapping[str, int]
    surroundings: tuple[Mapping[str, int], ...]


class _Numbers(dict[Hashable, int]):
    """A number for everything that is looked up, the same for equal things."""

    def __missing__(self, thing: Hashable) -> int:
        self[thing] = len(self)
        return self[thing]


def places(*graphs: Graph) -> list[Places]:
    """Return the places of the vertices of several graphs, in numbers common to all.

    Examples
    --------
    >>> import dagnet as dn
    >>> a, b = places(dn.mlp([5, 3, 1]).graph, dn.mlp([5, 3, 3, 1]).graph)
    >>> a.token["linear2"] == b.token["linear3"], a.token["linear2"] == b.token["linear2"]
    (True, False)
    """
    numbers = _Numbers()
    return [_places(graph, numbers) for graph in graphs]


def class_name(op: Op) -> str:
    """Return what tells an op's class from others, also when a file that defines it runs twice."""
    return f"{type(op).__module__}.{type(op).__qualname__}"


def _places(graph: Graph, numbers: _Numbers) -> Places:
    token = {name: _token(v.op, numbers) for name, v in graph.vertices.items()}
    above: dict[str, int] = {}
    for name, v in graph.vertices.items():
        above[name] = numbers["above", token[name], tuple(above[n] for n in v.inputs)]
    below: dict[str, int] = {}
    for name in reversed(graph.vertices):
        readers = sorted((below[r], slot) for r, slot in graph.consumers[name])
        below[name] = numbers["below", token[name], tuple(readers)]
    place = {name: numbers["all", above[name], below[name]] for name in graph}
    surroundings = [token]
    for _ in range(RADIUS):
        surroundings.append(_wider(graph, surroundings[-1], numbers))
    return Places(token, place, tuple(surroundings))


def _token(op: Op, numbers: _Numbers) -> int:
    # By the object first: hyperparameters that cannot be compared are at least equal to themselves.
    if id(op) not in numbers:
        numbers[id(op)] = numbers[class_name(op), comparable(op.config)]
    return numbers[id(op)]


def _wider(graph: Graph, inner: Mapping[str, int], numbers: _Numbers) -> dict[str, int]:
    """Return surroundings that reach one edge further."""
    return {
        name: numbers[
            inner[name],
            tuple(inner[n] for n in v.inputs),
            tuple(sorted((inner[r], slot) for r, slot in graph.consumers[name])),
        ]
        for name, v in graph.vertices.items()
    }
