"""Commands that change values of the run."""

from typing import Any

import numpy as np

from dagnet.debug.console.command import Command, Context
from dagnet.debug.console.completion import complete_value
from dagnet.debug.console.expressions import Expression
from dagnet.debug.console.parsing import no_argument, parse_target
from dagnet.errors import ArgumentError, DebuggerError


def set_value(context: Context, argument: str) -> None:
    """Put something in the place of a value, or of a part of it.

    VALUE is output, grad_output, params.W or grad_params.W. The expression gives an array of its
    shape, or one number for all: set relu1.output[3] = 0 makes unit 3 dead. What depends on it is
    computed again by recompute, or when the run moves.
    """
    debugger = context.debugger
    target = parse_target(argument, debugger.model.graph)
    place, sign, expression = _assignment(target.rest)
    if not sign:
        raise ArgumentError(f"set NODE.VALUE = EXPRESSION, got {argument!r}")
    value = Expression(expression, debugger)()
    if place:
        index = Expression(f"np.s_{place}", debugger)()
        debugger.set(target.node, target.value, _Part(argument, index, value))
    elif np.ndim(value) == 0:
        debugger.set(target.node, target.value, _Part(argument, ..., value))
    else:
        debugger.set(target.node, target.value, value)


def recompute(context: Context, argument: str) -> None:
    """Run again, of the steps done, those that depend on what was set, and show them."""
    no_argument(argument)
    context.screen.show(str(context.debugger.recompute()))


class _Part:
    """Writes a value into a part of the array it is given."""

    def __init__(self, text: str, index: Any, value: Any):
        self._text, self._index, self._value = text, index, value

    def __call__(self, array: np.ndarray) -> None:
        try:
            array[self._index] = self._value
        except (IndexError, ValueError, TypeError) as error:
            raise DebuggerError(f"set {self._text}: {error}") from error


def _assignment(text: str) -> tuple[str, str, str]:
    """Split ``[INDEX] = EXPRESSION`` at its sign.

    >>> _assignment("[X.output[0] == 1] = 0")
    ('[X.output[0] == 1]', '=', '0')
    """
    depth = 0
    for i, char in enumerate(text):
        depth += (char in "[(") - (char in ")]")
        if char == "=" and not depth:
            return text[:i].strip(), "=", text[i + 1 :].strip()
    return text, "", ""


COMMANDS = [
    Command(("set",), "NODE.VALUE = EXPRESSION", set_value, complete_value),
    Command(("recompute",), "", recompute),
]
