"""Which values need a gradient."""

from collections.abc import Collection

from dagnet.graph import Graph


def depending_on(graph: Graph, sources: Collection[str]) -> set[str]:
    """Return the sources and every vertex whose value depends on one of them."""
    reached = set(sources)
    for v in graph.vertices.values():
        if not reached.isdisjoint(v.inputs):
            reached.add(v.name)
    return reached


def needs_gradient(graph: Graph, sources: Collection[str]) -> set[str]:
    """Return the vertices through which the cost's gradient must flow to reach the sources.

    Parameters
    ----------
    graph : Graph
    sources : collection of str
        The vertices with parameters, and the inputs whose gradient was asked for.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet import passes
    >>> graph = dn.mlp([5, 3, 1]).graph
    >>> sorted(passes.needs_gradient(graph, ["linear2"]))
    ['cost', 'linear2', 'sigmoid2']
    """
    reached = depending_on(graph, sources)
    wanted = {name for name in graph.losses if name in reached}
    for name in reversed(graph.vertices):
        if name in wanted:
            v = graph.vertices[name]
            for slot, n in enumerate(v.inputs):
                if n in reached and slot not in v.op.constant_inputs:
                    wanted.add(n)
    return wanted
