"""Definitions: what the nodes given to a model mean, which they depend on, how they are named."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from dagnet.errors import ArgumentTypeError, GraphError
from dagnet.node import Node, located


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


def ancestors(targets: Iterable[Node]) -> list[Node]:
    """Return the targets and all they depend on, in definition order."""
    seen: set[Node] = set()
    stack = list(targets)
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(node.inputs)
    return sorted(seen, key=lambda node: node.serial)


def assign_names(nodes: Sequence[Node]) -> dict[Node, str]:
    """Give each node its own name, or one made of its op's stem and a number."""
    names: dict[Node, str] = {}
    taken: dict[str, Node] = {}
    given = {node.name for node in nodes}
    uses: dict[str, int] = {}
    for node in nodes:
        if node.name is None:
            continue
        name = node.name
        if name in taken and taken[name].op is not node.op:
            first = taken[name]
            raise GraphError(
                f"two nodes are named {name!r}: {located(type(first.op).__name__, first.source)} "
                f"and {located(type(node.op).__name__, node.source)}"
            )
        use = uses.get(name, 1)
        # A shared op's further uses: enc, enc_2, enc_3, around what the user named so.
        while name in taken or (use > 1 and name in given):
            use += 1
            name = f"{node.name}_{use}"
        uses[node.name] = use
        names[node] = name
        taken[name] = node
    counts: dict[str, int] = {}
    for node in nodes:
        if node.name is not None:
            continue
        stem = node.op.stem
        number = counts.get(stem, 0) + 1
        while f"{stem}{number}" in taken:
            number += 1
        counts[stem] = number
        names[node] = f"{stem}{number}"
        taken[names[node]] = node
    return names
