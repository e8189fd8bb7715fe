"""Pruning: leaving out what nothing asked for."""

from collections.abc import Sequence

from dagnet.graph import Graph


def prune(graph: Graph, losses: Sequence[str], outputs: Sequence[str]) -> Graph:
    """Return the graph of what these losses and outputs depend on.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet import passes
    >>> model = dn.mlp([5, 3, 1])
    >>> list(passes.prune(model.graph, losses=[], outputs=["relu1"]))
    ['X', 'linear1', 'relu1']
    """
    only_losses = not outputs and tuple(losses) == graph.losses
    wanted = graph.behind_losses if only_losses else graph.ancestors((*losses, *outputs))
    if len(wanted) == len(graph):
        return graph.replace(losses=losses, outputs=outputs)
    kept = [v for v in graph.vertices.values() if v.name in wanted]
    return graph.replace(vertices=kept, losses=losses, outputs=outputs)
