"""Putting facts on the networkx graph's nodes."""

from collections.abc import Mapping

from dagnet.graph import Graph, ParamKey
from dagnet.ops.frame import Parameter
from dagnet.passes.parameters import collect_parameters
from dagnet.passes.shapes import infer_shapes


def annotate(graph: Graph, parameters: Mapping[ParamKey, Parameter] | None = None) -> Graph:
    """Return the graph with `shape` and `parameters`, a count, on every node of `graph.nx`.

    `parameters` is what `collect_parameters` returns; if not given, they are collected.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet import passes
    >>> graph = passes.annotate(dn.Graph.from_nodes(outputs=[dn.Linear(7)(dn.Input(5))]))
    >>> graph.nx.nodes["linear1"]["shape"], graph.nx.nodes["linear1"]["parameters"]
    ((7, 'm'), 42)
    """
    shapes = infer_shapes(graph)
    if parameters is None:
        parameters = collect_parameters(graph, shapes)
    counts: dict[str, int] = {}
    for (owner, _), parameter in parameters.items():
        counts[owner] = counts.get(owner, 0) + parameter.size
    return graph.replace(
        attributes={"shape": shapes, "parameters": dict.fromkeys(graph, 0) | counts}
    )
