"""Definitions: what the nodes given to a model mean."""

from collections.abc import Sequence

from dagnet.node import Node


def node_list(nodes: Node | Sequence[Node]) -> list[Node]:
    """Return one node or several as a list."""
    return [nodes] if isinstance(nodes, Node) else list(nodes)


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
