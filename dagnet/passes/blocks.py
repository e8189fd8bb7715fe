"""Wide layers in blocks: layers of very many inputs are computed by threads of our own."""

from dataclasses import replace

from dagnet.graph import Graph
from dagnet.node import Shape
from dagnet.ops import BlockedLinear, Linear
from dagnet.ops.blocks import TWO_THREADS, is_wide, most_examples
from dagnet.passes.shapes import infer_shapes


def block_wide_layers(graph: Graph) -> Graph:
    """Return the graph in which wide layers are computed in blocks, if all others are small.

    A product that is large and not in blocks is shared among the threads of BLAS. For some
    time after it they keep the processors busy, waiting for more, and blocks would compete with
    them. So a graph with such a product stays as it is.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet import passes
    >>> passes.block_wide_layers(dn.mlp([12288, 20, 7, 1]).graph)["linear1"].op
    BlockedLinear(name='linear1', units=20, bias=True, init=None)
    >>> passes.block_wide_layers(dn.mlp([12288, 20, 700, 1]).graph)["linear1"].op
    Linear(name='linear1', units=20, bias=True, init=None)
    """
    layers = {v.name: v.op for v in graph.vertices.values() if isinstance(v.op, Linear)}
    if not layers:
        return graph
    shapes = infer_shapes(graph)
    inputs = {name: shapes[graph.vertices[name].inputs[0]] for name in layers}
    wide = {
        name: BlockedLinear(**op.config, name=op.name)
        for name, op in layers.items()
        if type(op) is Linear and is_wide(op.units, int(inputs[name][0]))
    }
    if not wide:
        return graph
    most = max(most_examples(op.units) for op in wide.values())
    others = layers.keys() - wide.keys()
    if any(_multiplications(layers[n].units, inputs[n], most) >= TWO_THREADS for n in others):
        return graph
    return graph.with_vertices(
        {name: replace(graph.vertices[name], op=op) for name, op in wide.items()}
    )


def _multiplications(units: int, inputs: Shape, most: int) -> int:
    """Return how many a layer takes for at most so many examples."""
    n_in, m = inputs
    return units * int(n_in) * min(most, m if isinstance(m, int) else most)
