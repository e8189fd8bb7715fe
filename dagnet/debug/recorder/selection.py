"""What of a step is noted while training runs: the values that the user selected."""

from collections.abc import Mapping, Sequence
from typing import Any

from dagnet.cache import Cache
from dagnet.debug.places import matching
from dagnet.debug.recorder.record import Value
from dagnet.errors import ArgumentTypeError, UnknownNameError
from dagnet.model import Model
from dagnet.record import GROUPS, belongs

#: From nodes, or patterns for their names, to names of values or their groups.
Select = Mapping[str, str | Sequence[str]]


def check_select(select: Any) -> dict[str, list[str]]:
    """Return a selection with lists of names, or raise unless it is a mapping of names."""
    if not isinstance(select, Mapping):
        raise ArgumentTypeError(
            f"Recorder: select must be a dict such as {{'linear.*': 'grad_params'}}, got {select!r}"
        )
    listed = {k: [v] if isinstance(v, str) else list(v) for k, v in select.items()}
    for names in ([*listed], *listed.values()):
        for name in names:
            if not isinstance(name, str):
                raise ArgumentTypeError(f"Recorder: select must hold names, got {name!r}")
    return listed


def selected(model: Model, select: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return by node what is selected of it.

    Raises
    ------
    UnknownNameError
        If no node matches, or none that does has such a value; it offers the nearest names.
    """
    nodes_of: dict[str, list[str]] = {}
    for pattern, wanted in select.items():
        nodes = matching(model.graph, pattern)
        for value in wanted:
            known = dict.fromkeys(n for node in nodes for n in (*GROUPS, *value_names(model, node)))
            if value not in known:
                raise UnknownNameError.of(f"value of {' or '.join(nodes)}", value, known)
        for node in nodes:
            nodes_of.setdefault(node, []).extend(wanted)
    return nodes_of


def found(cache: Cache, select: Mapping[str, Sequence[str]]) -> list[Value]:
    """Return which values of a run are selected, of those that it has."""
    return [
        (node, name)
        for node, wanted in select.items()
        for name in cache[node].arrays()
        if belongs(name, wanted)
    ]


def value_names(model: Model, node: str) -> list[str]:
    """Return the names of a node's values, which are known before it runs."""
    v = model.graph.vertices[node]
    saved = v.op.workspace(*(model.shapes[name] for name in v.inputs))
    keys = {
        "inputs": range(len(v.inputs)),
        "params": model.keys[node],
        "state": model.state.get(v.owner, {}),
        "saved": [name for name, work in saved.items() if work.life == "saved"],
    }
    keys |= {"grad_inputs": keys["inputs"], "grad_params": keys["params"]}
    return [
        name
        for group in GROUPS
        for name in ([f"{group}.{key}" for key in keys[group]] if group in keys else [group])
    ]


def check_value(model: Model, node: str, value: str) -> None:
    """Raise with the nearest names unless a node has a value of this name."""
    names = value_names(model, node)
    if value not in names:
        raise UnknownNameError.of(f"value of {node}", value, names)
