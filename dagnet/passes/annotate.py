"""Putting facts on the networkx graph's nodes."""

from collections import Counter
from collections.abc import Mapping

from dagnet.graph import Graph, ParamKey
from dagnet.node import Shape
from dagnet.ops.frame import Parameter
from dagnet.passes.parameters import collect_parameters
from dagnet.passes.shapes import infer_shapes


def annotate(
    graph: Graph,
    shapes: Mapping[str, Shape] | None = None,
    parameters: Mapping[ParamKey, Parameter] | None = None,
) -> Graph:
    """Return the graph with `shape` and `parameters`, a count, on every node of `graph.nx`.

    What `infer_shapes` and `collect_parameters` return may be given, if it is at hand.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet import passes
    >>> graph = passes.annotate(dn.Graph.from_nodes(outputs=[dn.Linear(7)(dn.Input(5))]))
    >>> graph.nx.nodes["linear1"]["shape"], graph.nx.nodes["linear1"]["parameters"]
    ((7, 'm'), 42)
    """
    shapes = infer_shapes(graph) if shapes is None else shapes
    parameters = collect_parameters(graph, shapes) if parameters is None else parameters
    counts: Counter[str] = Counter()
    for (owner, _), parameter in parameters.items():
        counts[owner] += parameter.size
    facts = {name: {"shape": shapes[name], "parameters": counts[name]} for name in graph}
    return graph.replace(attributes=facts)
