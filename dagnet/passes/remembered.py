"""Passes that only look at a graph, and need to do so once."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from dagnet.graph import Graph

Fact = TypeVar("Fact")


def remembered(look: Callable[[Graph], dict[str, Fact]]) -> Callable[[Graph], dict[str, Fact]]:
    """Have a pass keep what it finds with the graph, which never changes, and return copies.

    What is found may depend on the vertices alone.
    """

    @wraps(look)
    def once(graph: Graph) -> dict[str, Fact]:
        name = look.__name__
        if name not in graph.found:
            graph.found[name] = look(graph)
        return graph.found[name].copy()

    return once
