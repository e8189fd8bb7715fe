"""What a page says about every node besides its values."""

from collections.abc import Iterable, Mapping
from typing import Any

from dagnet.cache import Cache
from dagnet.debug.gradreport import GradCheck
from dagnet.graph import Graph, Vertex
from dagnet.model import Model
from dagnet.node import Source
from dagnet.passes.shapes import infer_shapes
from dagnet.profiling.nodes import node_bytes, node_seconds
from dagnet.text import printable

#: The lesson's letters for the values of a Linear node, and of the activation that follows it.
LINEAR_LETTERS = {
    "inputs.0": "A_prev",
    "params.W": "W",
    "params.b": "b",
    "output": "Z",
    "grad_output": "dZ",
    "grad_params.W": "dW",
    "grad_params.b": "db",
    "grad_inputs.0": "dA_prev",
}
ACTIVATION_LETTERS = {
    "inputs.0": "Z",
    "output": "A",
    "grad_output": "dA",
    "grad_inputs.0": "dZ",
}


def nodes_of(
    model: Model, cache: Cache, checked: GradCheck | None = None
) -> dict[str, dict[str, Any]]:
    """Return what there is to say of every node, by name, in topological order."""
    graph = model.graph
    shapes = infer_shapes(graph)
    uses: dict[str, int] = {}
    for v in graph.vertices.values():
        uses[v.owner] = uses.get(v.owner, 0) + 1
    seconds = node_seconds(model, cache) if cache.has_run else {}
    nbytes = node_bytes(cache) if cache.has_run else {}
    m = cache.run.binding.m if cache.has_run else 1
    verdicts = {} if checked is None else _verdicts(checked)
    outputs, losses = frozenset(graph.outputs), frozenset(graph.losses)
    return {
        v.name: {
            "op": type(v.op).__name__,
            "kind": v.op.kind,
            "symbol": v.op.symbol,
            "equation": v.op.equation,
            "settings": {} if v.is_input else _settings(v),
            "source": _place(v.source),
            "inputs": list(v.inputs),
            "readers": list(graph.consumers[v.name]),
            "shape": list(shapes[v.name]),
            "parameters": _count(model, v),
            "owner": v.owner,
            "uses": uses[v.owner],
            "output": v.name in outputs,
            "loss": v.name in losses,
            "flops": _flops(v, shapes, m),
            "bytes": nbytes.get(v.name),
            "seconds": seconds.get(v.name),
            "check": verdicts.get(v.name),
        }
        for v in graph.vertices.values()
    }


def layers_of(graph: Graph) -> list[dict[str, Any]]:
    """Return the layers in order: their nodes, and the letters of their values by node."""
    layers = []
    for layer in Cache(graph).layers():
        linear, activation = layer.linear.name, layer.activation.name
        letters = {linear: LINEAR_LETTERS}
        if activation != linear:
            letters[activation] = ACTIVATION_LETTERS
        layers.append({"linear": linear, "letters": letters})
    return layers


def _settings(v: Vertex) -> dict[str, str]:
    """Return the hyperparameters that are set."""
    return {k: printable(str(x)) for k, x in v.op.config.items() if x is not None}


def _place(source: Source | None) -> dict[str, Any] | None:
    return source and {"place": str(source), "text": printable(source.text)}


def _count(model: Model, v: Vertex) -> int:
    if v.owner != v.name:
        return 0
    return sum(model.store.arrays[key].size for key in model.keys[v.name].values())


def _flops(v: Vertex, shapes: Mapping[str, tuple[int | str, ...]], m: int) -> int:
    if v.is_input:
        return 0
    sizes = (tuple(m if isinstance(d, str) else d for d in shapes[name]) for name in v.inputs)
    return v.op.flops(*sizes)


def _verdicts(checked: GradCheck) -> dict[str, dict[str, Any]]:
    """Return the worst verdict on each node's gradients, and the largest error."""
    verdicts: dict[str, dict[str, Any]] = {}
    order = ("ok", "unchecked", "wrong")
    for row in checked.rows:
        of = verdicts.setdefault(row.node, {"verdict": "ok", "error": 0.0})
        of["verdict"] = max(of["verdict"], row.verdict, key=order.index)
        if row.verdict != "unchecked":
            of["error"] = max(of["error"], row.error)
    return verdicts


def alerts_of(alerts: Iterable[Any], marks: Mapping[int, list[str]]) -> list[dict[str, Any]]:
    """Return alerts as the page marks them, and the marks of a recording beside them."""
    found = [
        {"step": a.iteration, "node": a.node, "watch": a.watch, "message": a.message}
        for a in alerts
    ]
    said = {(a["step"], a["message"]) for a in found}
    found += [
        {"step": step, "node": None, "watch": "", "message": reason}
        for step, reasons in marks.items()
        for reason in reasons
        if (step, reason) not in said
    ]
    return sorted(found, key=lambda alert: alert["step"])
