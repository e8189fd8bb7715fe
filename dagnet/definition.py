"""Definitions: what the nodes given to a model mean."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from dagnet.errors import ArgumentTypeError
from dagnet.node import Node


def listed(given: Any) -> list[Any]:
    """Return what was given as a list; a node, a name, or what is no collection alone."""
    if not isinstance(given, Node | str):
        with suppress(TypeError):  # no collection
            return list(given)
    return [given]


def node_list(nodes: Node | Sequence[Node]) -> list[Node]:
    """Return one node or several as a list, or raise if there is anything else among them."""
    found = listed(nodes)
    for node in found:
        if not isinstance(node, Node):
            raise ArgumentTypeError(
                f"a network is defined by nodes (what calling an op returns), "
                f"got {type(node).__name__} {node!r}"
            )
    return found


def compared(losses: Sequence[Node]) -> list[Node]:
    """Return what the losses compare with their targets: the natural outputs.

    A cost may also join losses; those are found behind it.
    """
    compared: dict[Node, None] = {}
    stack = list(reversed(losses))
    while stack:
        node = stack.pop()
        if node.op.kind == "loss":
            compared[node.inputs[0]] = None
        else:
            stack.extend(n for n in reversed(node.inputs) if n.shape == ())
    return list(compared)
