"""Overrides: values that the user puts in the place of what a run computes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dagnet.arrays import as_array
from dagnet.debug.cone import Value, totals
from dagnet.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from dagnet.graph import Graph, ParamKey
from dagnet.node import Node, located
from dagnet.parameters import fitting
from dagnet.plan import Plan

#: An array, or a function from the computed array to the one that takes its place.
Replacement = Any


@dataclass(frozen=True)
class Override:
    """One value that is not what the run computes.

    Attributes
    ----------
    value : tuple
        Which one: ``("output", node)``, ``("grad", node)``, ``("param", owner, name)`` or
        ``("grad_param", owner, name)``.
    label : str
        What messages call it: ``relu2.output (net.py:7)``.
    replacement : ndarray or callable
    """

    value: Value
    label: str
    replacement: Replacement

    @property
    def is_array(self) -> bool:
        return not callable(self.replacement)

    def of(self, computed: np.ndarray) -> np.ndarray:
        """Return the array that takes the place of the computed one, or raise if it cannot."""
        replacement = self.replacement
        if callable(replacement):
            copy = computed.copy()
            returned = replacement(copy)
            replacement = copy if returned is None else returned
        return fitting(computed, replacement, self.label)


def named_overrides(
    graph: Graph, keys: Mapping[str, Mapping[str, ParamKey]], given: Mapping[Any, Any]
) -> Iterator[Override]:
    """Yield the overrides that a user gave as a dict.

    Its keys are nodes or their names. Its values are what stands in the place of the node's
    output, or dicts from the names of values to what stands in their places.
    """
    if not isinstance(given, Mapping):
        raise ArgumentTypeError(
            "overrides are a dict from nodes to arrays, such as {'relu2': array}, got "
            f"{type(given).__name__}"
        )
    for node, replacement in given.items():
        values = replacement if isinstance(replacement, Mapping) else {"output": replacement}
        for what, array in values.items():
            yield override(graph, keys, node, what, array)


def value_of(
    graph: Graph, keys: Mapping[str, Mapping[str, ParamKey]], node: str | Node, what: str
) -> Value:
    """Return a value of a node by the name that its record gives it; see `override`."""
    name = graph.name_of(node)
    values: dict[str, Value] = {"output": ("output", name), "grad_output": ("grad", name)}
    for local, key in keys[name].items():
        values[f"params.{local}"] = ("param", *key)
        values[f"grad_params.{local}"] = ("grad_param", *key)
    if what not in values:
        raise UnknownNameError.of(f"value of {name} to set", what, values)
    return values[what]


def override(
    graph: Graph,
    keys: Mapping[str, Mapping[str, ParamKey]],
    node: str | Node,
    what: str,
    replacement: Replacement,
) -> Override:
    """Return the override of one value of a node, by the name that its record gives it.

    Raises
    ------
    UnknownNameError
        If there is no such node, or it has no such value that can be set.
    """
    name = graph.name_of(node)
    value = value_of(graph, keys, name, what)
    label = located(f"{name}.{what}", graph.vertices[name].source)
    if not callable(replacement):
        replacement = as_array(replacement, label).copy()  # the user's may change
    return Override(value, label, replacement)


def due(plan: Plan, value: Value) -> int:
    """Return how many steps are done when a value is whole, and has not been read.

    Raises
    ------
    ArgumentError
        If the runs of this plan never compute the value.
    """
    if value[0] == "param":
        return 0
    if value[0] == "output":
        return plan.positions[value[1]] + 1 if value[1] in plan.positions else 0
    position = _last_contributions(plan).get(value)
    if position is not None:
        return position + 1
    if value[0] == "grad" and value[1] in dict(plan.seeds):
        return plan.n_forward
    raise ArgumentError(
        f"no gradient flows to {value[1]} in a training run, so that none can be set"
    )


def _last_contributions(plan: Plan) -> dict[Value, int]:
    return {
        total: position
        for position, step in enumerate(plan.backward, start=plan.n_forward)
        for total in totals(step)
    }


def skipped(value: Value, fused: Mapping[str, str]) -> str | None:
    """Return the activation that its loss must not skip if setting this value is to matter."""
    kind, name = value[0], value[1]
    return str(name) if kind in ("output", "grad") and name in fused.values() else None
