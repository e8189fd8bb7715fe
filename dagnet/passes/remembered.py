"""Passes that only look at a graph, and need to do so once."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from dagnet.graph import Graph

Found = TypeVar("Found")


def remembered(look: Callable[[Graph], Found]) -> Callable[[Graph], Found]:
    """Have a pass keep what it finds with the graph, which never changes.

    What is found may depend on the vertices alone. Nobody may change it.
    """

    @wraps(look)
    def once(graph: Graph) -> Found:
        name = look.__name__
        if name not in graph.found:
            graph.found[name] = look(graph)
        return graph.found[name]

    return once
