"""Verification: what the structure alone does not rule out, but no network should be."""

from collections.abc import Collection, Mapping

from dagnet.errors import GraphError, ShapeError
from dagnet.graph import Graph, ParamKey
from dagnet.node import Shape, format_shape
from dagnet.ops.frame import Parameter
from dagnet.passes.gradients import depending_on


def verify(
    graph: Graph, shapes: Mapping[str, Shape], parameters: Mapping[ParamKey, Parameter]
) -> None:
    """Raise unless the graph can be trained as it stands.

    Raises
    ------
    ShapeError
        If a loss is not a scalar.
    GraphError
        If something is on no path to a loss or output, a loss depends on no parameter, an output
        has parameters that no loss reaches, or labels depend on parameters.
    """
    owners = {owner for owner, _ in parameters}
    own = {v.name for v in graph.vertices.values() if v.owner in owners or v.borrows}
    _check_reached(graph)
    trained = depending_on(graph, own)
    _check_losses(graph, shapes, trained)
    _check_outputs(graph, own)
    _check_labels(graph, trained)


def _check_reached(graph: Graph) -> None:
    useful = graph.ancestors((*graph.losses, *graph.outputs))
    for v in graph.vertices.values():
        if v.name not in useful:
            what = {"input": "this input is never used", "loss": "this loss is on no path"}
            raise GraphError(
                f"{v.label}: {what.get(v.op.kind, 'this node is never used')}; "
                "no loss and no output depends on it"
            )


def _check_losses(graph: Graph, shapes: Mapping[str, Shape], trained: Collection[str]) -> None:
    for name in graph.losses:
        v = graph.vertices[name]
        if shapes[name] != ():
            raise ShapeError(
                f"{v.label}: a cost must be one number, but this has shape "
                f"{format_shape(shapes[name])}; put a loss such as MeanSquaredError after it"
            )
        if graph.losses.count(name) > 1:
            raise GraphError(f"{v.label}: listed twice as a cost; to count it twice, use weight=2")
        if name not in trained:
            raise GraphError(f"{v.label}: this loss depends on no parameter, so nothing can train")


def _check_outputs(graph: Graph, own: set[str]) -> None:
    if not graph.losses:
        return
    trained = own & graph.behind_losses
    trained_owners = {graph.vertices[name].owner for name in trained}
    untrained = {name for name in own if graph.vertices[name].owner not in trained_owners}
    if not untrained:
        return
    for name in graph.outputs:
        for ancestor in graph.ancestors([name]):
            if ancestor in untrained:
                raise GraphError(
                    f"{graph.vertices[name].label}: this output reaches no loss: the parameters "
                    f"of {graph.vertices[ancestor].label} would never be trained"
                )


def _check_labels(graph: Graph, trained: Collection[str]) -> None:
    for v in graph.vertices.values():
        for slot in v.op.constant_inputs:
            if v.inputs[slot] in trained:
                raise GraphError(
                    f"{v.label}: input {slot} of {type(v.op).__name__} gets no gradient, but "
                    f"{graph.vertices[v.inputs[slot]].label} depends on parameters"
                )
