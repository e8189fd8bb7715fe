"""Building: from the nodes of a definition to the checked graph and the arrays of a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dagnet.definition import compared, node_list
from dagnet.errors import ArgumentError, GraphError
from dagnet.garbage import collection_paused
from dagnet.graph import Graph, ParamKey
from dagnet.node import Node, Shape, format_shape
from dagnet.ops.frame import Parameter
from dagnet.parameters import ParameterStore
from dagnet.passes import (
    add_l2,
    annotate,
    collect_parameters,
    collect_states,
    infer_shapes,
    parameter_keys,
    verify,
)


@dataclass(frozen=True)
class Parts:
    """What a model is made of.

    Attributes
    ----------
    graph : Graph
        Verified, with shapes and numbers of parameters on ``graph.nx``.
    shapes : mapping of str to tuple
        Of every node's output.
    store : ParameterStore
        Its weights are zeros.
    keys : mapping
        For every node, its parameters by the op's own names, as keys of `store`.
    states : dict of ndarray
        Running statistics and the like, as they are before the first run.
    """

    graph: Graph
    shapes: Mapping[str, Shape]
    store: ParameterStore
    keys: Mapping[str, Mapping[str, ParamKey]]
    states: dict[ParamKey, np.ndarray]


def define(
    cost: Node | Sequence[Node],
    outputs: Node | Sequence[Node] | None,
    inputs: Sequence[Node] | None,
    l2: float,
) -> Graph:
    """Return the graph of a definition; `Model` says what it is given by."""
    losses = node_list(cost)
    wanted = compared(losses) if outputs is None else node_list(outputs)
    with collection_paused():
        graph = Graph.from_nodes(losses, wanted)
    for node in () if inputs is None else node_list(inputs):
        if node not in graph:
            raise GraphError(f"{node!r}: this input is never used; no loss depends on it")
    return add_l2(graph, l2) if isinstance(l2, np.ndarray) or l2 else graph


def build(graph: Graph, dtype: str, fused: bool) -> Parts:
    """Verify a graph and make its arrays; `fused` says how optimizers sweep over the store.

    Raises
    ------
    GraphError, ShapeError
        If the graph is no network.
    ArgumentError
        If there is not enough memory for the parameters.
    """
    with collection_paused():
        shapes = infer_shapes(graph)
        parameters = collect_parameters(graph, shapes)
        graph = annotate(graph, parameters)
        verify(graph, shapes, parameters)
        store = _store(graph, parameters, dtype, fused)
        keys = {v.name: parameter_keys(v, shapes) for v in graph.vertices.values()}
        found = collect_states(graph, shapes)
        states = {key: np.full(state.shape, state.fill, dtype) for key, state in found.items()}
    return Parts(graph, shapes, store, keys, states)


def _store(
    graph: Graph, parameters: Mapping[ParamKey, Parameter], dtype: str, fused: bool
) -> ParameterStore:
    try:
        return ParameterStore(parameters, dtype, fused=fused)
    except (MemoryError, ValueError) as error:  # numpy knows no node
        owner, name = max(parameters, key=lambda key: parameters[key].size)
        label = next(v.label for v in graph.vertices.values() if v.owner == owner)
        raise ArgumentError(
            f"{label}: not enough memory for the parameters, of which {name} is the largest, "
            f"{format_shape(parameters[owner, name].shape)}: {error}"
        ) from error
