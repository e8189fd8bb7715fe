"""A network in one line."""

from collections.abc import Sequence
from itertools import pairwise

from dagnet.graph import Graph
from dagnet.model import Model
from dagnet.passes.repeats import find_repeats
from dagnet.render.text import op_title


def summarize(model: Model) -> str:
    """Return a network in one line: its ops if they are a chain, else how many there are.

    >>> import dagnet as dn
    >>> summarize(dn.mlp([12288, 20, 7, 5, 1]))
    '[LINEAR -> RELU] x 3 -> LINEAR -> SIGMOID, 245,973 parameters'
    """
    graph = model.graph
    needed = graph.ancestors(graph.outputs)
    inside = [v.name for v in graph.vertices.values() if v.name in needed and not v.is_input]
    chain = all(graph.vertices[name].inputs == (before,) for before, name in pairwise(inside))
    network = " -> ".join(_folded(graph, inside)) if chain else f"{len(inside)} nodes"
    return f"{network}, {model.store.data.size:,} parameters"


def _folded(graph: Graph, chain: Sequence[str]) -> list[str]:
    """Return the titles of a chain's ops, repeated blocks as one."""
    titles = {name: op_title(graph.vertices[name].op) for name in chain}
    for repeat in find_repeats(graph):
        block = " -> ".join(titles.get(name, "") for name in repeat.blocks[0])
        inside = [name for names in repeat.blocks for name in names]
        if titles.keys() >= set(inside):
            titles[inside[0]] = f"[{block}] x {repeat.count}"
            for name in inside[1:]:
                del titles[name]
    return list(titles.values())
