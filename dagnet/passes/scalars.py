"""Which scalars are computed of the examples or the weights themselves."""

from collections.abc import Mapping

from dagnet.graph import Graph
from dagnet.node import Shape


def measured_scalars(graph: Graph, shapes: Mapping[str, Shape]) -> tuple[str, ...]:
    """Return the scalars that are not computed of scalars alone, such as losses and penalties.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet import passes
    >>> x, y = dn.Input(3, name="x"), dn.Input(3, name="y")
    >>> error = dn.MeanSquaredError(name="error")(x, y)
    >>> graph = dn.Graph.from_nodes([dn.Tanh(name="squashed")(error)])
    >>> passes.measured_scalars(graph, passes.infer_shapes(graph))
    ('error',)
    """
    scalars = [v for v in graph.vertices.values() if shapes[v.name] == ()]
    return tuple(v.name for v in scalars if not v.inputs or any(shapes[n] for n in v.inputs))
