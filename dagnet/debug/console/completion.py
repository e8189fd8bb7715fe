"""Completion of what is being typed: where it begins, and what could stand there."""

import re
from collections.abc import Iterable

from dagnet.debug.console.parsing import leading_name
from dagnet.debug.debugger import Debugger
from dagnet.debug.places import PHASES

_STARTS = re.compile(r"(?<!\w)(?=\w)|(?<=\W)$|^")


def complete_node(debugger: Debugger, text: str) -> tuple[int, list[str]]:
    """Complete the name of a node."""
    return 0, _beginning(text, debugger.model.graph)


def complete_place(debugger: Debugger, text: str) -> tuple[int, list[str]]:
    """Complete a node, then a phase."""
    nodes = _beginning(text, debugger.model.graph)
    if nodes:
        return 0, nodes
    _, rest = leading_name(text, debugger.model.graph)
    return len(text) - len(rest), [] if rest in PHASES else _beginning(rest, PHASES)


def complete_value(debugger: Debugger, text: str) -> tuple[int, list[str]]:
    """Complete the node or the value at the end of an expression."""
    for match in _STARTS.finditer(text):
        start = match.start()
        found = _names(debugger, text[start:])
        if found:
            return start, found
    return len(text), []


def complete_number(debugger: Debugger, text: str) -> tuple[int, list[str]]:
    """Complete the number of a breakpoint."""
    return 0, _beginning(text, [str(b.number) for b in debugger.breakpoints])


def _names(debugger: Debugger, text: str) -> list[str]:
    """Return the nodes, and of a node that is named already the values, that a text begins."""
    found = _beginning(text, debugger.model.graph)
    for node in debugger.model.graph:
        if text.startswith(f"{node}."):
            found += _beginning(text, [f"{node}.{v}" for v in debugger.cache[node].names])
    return found


def _beginning(text: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(text)]
