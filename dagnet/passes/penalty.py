"""Adding the L2 penalty to the cost."""

from dagnet.errors import GraphError
from dagnet.graph import Graph, Vertex
from dagnet.ops.penalty import L2
from dagnet.passes.parameters import collect_parameters
from dagnet.passes.shapes import infer_shapes


def add_l2(graph: Graph, strength: float) -> Graph:
    """Return the graph with one more loss: ``strength/(2m) * sum(W²)`` over all its weights.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet import passes
    >>> passes.add_l2(dn.mlp([5, 3, 1]).graph, strength=0.7).losses
    ('cost', 'l2')
    """
    if not graph.losses:
        raise GraphError("an L2 penalty needs a cost to be added to")
    parameters = collect_parameters(graph, infer_shapes(graph))
    weights = tuple(key for key, parameter in parameters.items() if parameter.is_weight)
    op = L2(strength)
    name = op.stem
    while name in graph:
        name += "_"
    penalty = Vertex(name, op, borrows=weights, source=graph[graph.losses[0]].source)
    return graph.replace(vertices=[*graph.vertices.values(), penalty], losses=[*graph.losses, name])
