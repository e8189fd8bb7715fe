"""Shape inference."""

from dagnet.errors import ShapeError
from dagnet.graph import Graph
from dagnet.node import Shape


def infer_shapes(graph: Graph) -> dict[str, Shape]:
    """Return the shape of every vertex's output, with `"m"` for the examples.

    Raises
    ------
    ShapeError
        Naming the node, its line and the axes that do not fit.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet import passes
    >>> passes.infer_shapes(dn.Graph.from_nodes(outputs=[dn.Linear(7)(dn.Input(5))]))
    {'input1': (5, 'm'), 'linear1': (7, 'm')}
    """
    if "shapes" not in graph.found:
        graph.found["shapes"] = _inferred(graph)
    return dict(graph.found["shapes"])


def _inferred(graph: Graph) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for v in graph.vertices.values():
        try:
            shapes[v.name] = v.op.output_shape(*[shapes[name] for name in v.inputs])
        except ShapeError as error:
            raise ShapeError(f"{v.label}: {error}") from None
    return shapes
