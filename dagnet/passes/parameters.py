"""What trained arrays and states a graph has, each under the name of the op's first use."""

from collections.abc import Mapping

from dagnet.errors import ShapeError
from dagnet.graph import Graph, ParamKey, Vertex
from dagnet.node import Shape
from dagnet.ops.base import Op
from dagnet.ops.frame import Parameter, State

#: One mapping for all vertices that read none, as most do.
_NONE: Mapping[str, ParamKey] = {}


def collect_parameters(graph: Graph, shapes: Mapping[str, Shape]) -> dict[ParamKey, Parameter]:
    """Return every parameter of the graph, in definition order.

    Raises
    ------
    ShapeError
        If an op is called on inputs that would need parameters of different shapes.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet import passes
    >>> graph = dn.Graph.from_nodes(outputs=[dn.Linear(7)(dn.Input(5))])
    >>> shapes = passes.infer_shapes(graph)
    >>> {key: p.shape for key, p in passes.collect_parameters(graph, shapes).items()}
    {('linear1', 'W'): (7, 5), ('linear1', 'b'): (7, 1)}
    """
    parameters: dict[ParamKey, Parameter] = {}
    for v in graph.vertices.values():
        if type(v.op).parameters is Op.parameters:
            continue  # most declare none
        for name, new in v.op.parameters(*[shapes[n] for n in v.inputs]).items():
            key = (v.owner, name)
            known = parameters.setdefault(key, new)
            if known.shape != new.shape:
                raise ShapeError(
                    f"{v.label}: shares {name} with {v.owner!r}, where it has shape "
                    f"{known.shape}, but its inputs here need {new.shape}"
                )
    return parameters


def collect_states(graph: Graph, shapes: Mapping[str, Shape]) -> dict[ParamKey, State]:
    """Return every state array of the graph, such as running means, in definition order."""
    states: dict[ParamKey, State] = {}
    for v in graph.vertices.values():
        if type(v.op).states is Op.states:
            continue
        for name, state in v.op.states(*[shapes[n] for n in v.inputs]).items():
            states.setdefault((v.owner, name), state)
    return states


def parameter_keys(v: Vertex, shapes: Mapping[str, Shape]) -> Mapping[str, ParamKey]:
    """Return which parameters a vertex reads, by the names its op uses for them."""
    if type(v.op).parameters is Op.parameters and not v.borrows:
        return _NONE
    keys = {name: (v.owner, name) for name in v.op.parameters(*[shapes[n] for n in v.inputs])}
    for key in v.borrows:
        keys[".".join(key)] = key
    return keys


def keeps_arrays(v: Vertex, shapes: Mapping[str, Shape]) -> bool:
    """Return whether a vertex has parameters or states, so that sharing its op shares something."""
    return bool(parameter_keys(v, shapes) or v.op.states(*[shapes[n] for n in v.inputs]))
