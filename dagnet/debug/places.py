"""Places in a run: nodes by name or pattern, phases, and the positions at which steps are done."""

from collections.abc import Mapping, Sequence
from typing import Literal

from dagnet.cache import Cache
from dagnet.debug.overrides import due
from dagnet.definition import listed
from dagnet.errors import ArgumentError
from dagnet.graph import Graph
from dagnet.node import Node
from dagnet.plan import Plan
from dagnet.run import arrival
from dagnet.settings import check_choice

Phase = Literal["forward", "backward", "update"]
PHASES: tuple[Phase, ...] = ("forward", "backward", "update")

#: What means a node or several: a node, a name, a regular expression for names, or a list.
Nodes = str | Node | Sequence[str | Node]


def matching(graph: Graph, nodes: Nodes) -> tuple[str, ...]:
    """Return the names of the nodes that are meant; a pattern must match a whole name.

    Raises
    ------
    UnknownNameError
        If nothing is meant; it offers the nearest names.
    """
    if isinstance(nodes, str) and nodes not in graph:
        found = tuple(record.name for record in Cache(graph).select(nodes))
        return found or (graph.name_of(nodes),)
    return tuple(graph.name_of(node) for node in listed(nodes))


def stop_of(
    plan: Plan, graph: Graph, fused: Mapping[str, str], name: str, phase: Phase | str
) -> int:
    """Return the position at which a node's step in a phase has just been done.

    A node without a step of its own has one in effect: an input is there from the start; the
    gradient of an activation that its loss skips is known when the loss has gone backward, and
    that of an input when those who read it have.

    Raises
    ------
    UnknownNameError
        If there is no such phase.
    ArgumentError
        If no gradient flows through the node, so that a run never stops there.
    """
    check_choice("phase", phase, PHASES)
    if phase == "update":
        return len(plan.steps) + 1
    if phase == "forward":
        return due(plan, ("output", name))
    if name in plan.backward_positions:
        return plan.backward_positions[name] + 1
    position = arrival(plan, fused, name)
    if position is None:
        raise ArgumentError(
            f"{graph.vertices[name].label}: no gradient flows through this node, so that a run "
            "never stops at it backward; forward it does"
        )
    return position
