"""The graph that predicts instead of trains."""

from collections.abc import Iterable
from dataclasses import replace

from dagnet.graph import Graph


def for_prediction(graph: Graph) -> Graph:
    """Return the graph with every op replaced by the one that predicts in its place.

    Dropout becomes the identity, and batch normalisation uses its running statistics.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet import passes
    >>> dropped = dn.Dropout(0.5, name="drop")(dn.Input(5))
    >>> passes.for_prediction(dn.Graph.from_nodes(outputs=[dropped]))["drop"].op
    Identity(name='drop')
    """
    return _predicting(graph, graph.vertices)


def quiet_branches(graph: Graph) -> Graph:
    """Return the graph in which every node that no loss depends on runs as in prediction.

    So a training step draws the same random numbers and updates the same running statistics
    whether or not such branches run.
    """
    return _predicting(graph, graph.vertices.keys() - graph.behind_losses)


def _predicting(graph: Graph, names: Iterable[str]) -> Graph:
    changed = {}
    for name in names:
        v = graph.vertices[name]
        op = v.op.in_prediction()
        if op is not v.op:
            changed[name] = replace(v, op=op)
    return graph.with_vertices(changed)
