"""Commands about watches."""

from dataclasses import fields
from typing import Any

from dagnet.debug.console.command import Command, Context
from dagnet.debug.console.parsing import leading_name, no_argument
from dagnet.debug.debugger import Debugger
from dagnet.debug.watches import CATALOGUE, Watch
from dagnet.errors import ArgumentError, UnknownNameError

_BY_NAME = {watch.name: watch for watch in CATALOGUE}

#: Stands for every watch.
_ALL = "all"


def watch(context: Context, argument: str) -> None:
    """Look for something that may go wrong at every step, and stop there; alone, list them.

    Without nodes it looks everywhere. Thresholds, and in how many training steps in a row it must
    be so, are written behind: watch dead relu relu.* over=5
    """
    debugger = context.debugger
    if argument == _ALL:
        for each in _BY_NAME:
            debugger.watch(each)
    if argument in ("", _ALL):
        context.screen.show(repr(debugger.watches))
        return
    name, rest = leading_name(argument, _BY_NAME)
    if name not in _BY_NAME:
        said = argument.partition("=")[0].strip()
        raise UnknownNameError.of("watch", said, [_ALL, *_BY_NAME])
    nodes, options = _options(rest, _BY_NAME[name])
    context.screen.show(repr(debugger.watch(_BY_NAME[name](**options), nodes or None)))


def unwatch(context: Context, argument: str) -> None:
    """Remove a watch by its number or its name, or all."""
    which = int(argument) if argument.isdecimal() else argument or None
    context.debugger.unwatch(which)
    context.screen.show(repr(context.debugger.watches))


def alerts(context: Context, argument: str) -> None:
    """Show the first that each watch has seen, and how much more; the first of all began it."""
    no_argument(argument)
    context.screen.show(str(context.debugger.alerts) or "nothing seen")


def _options(text: str, kind: type[Watch]) -> tuple[str, dict[str, Any]]:
    """Return what stands before ``name=number ...`` at the end of a text, and those."""
    words = text.split()
    known = {each.name: each.default for each in fields(kind)}
    options: dict[str, Any] = {}
    while words and "=" in words[-1]:
        name, _, value = words.pop().partition("=")
        if name not in known:
            raise UnknownNameError.of(f"option of {kind.name!r}", name, known)
        try:
            options[name] = int(value) if isinstance(known[name], int) else float(value)
        except ValueError:
            raise ArgumentError(f"{name} must be a number, got {value!r}") from None
    return " ".join(words), options


def _complete(debugger: Debugger, text: str) -> tuple[int, list[str]]:
    """Complete the name of a watch, then of a node."""
    names = [name for name in (_ALL, *_BY_NAME) if name.startswith(text)]
    if names:
        return 0, names
    _, rest = leading_name(text, _BY_NAME)
    found = [name for name in debugger.model.graph if name.startswith(rest)]
    return len(text) - len(rest), found


def _complete_number(debugger: Debugger, text: str) -> tuple[int, list[str]]:
    return 0, [n for w in debugger.watches if (n := str(w.number)).startswith(text)]


COMMANDS = [
    Command(
        ("watch",),
        "[NAME [NODE|PATTERN] [OPTION=NUMBER ...]]",
        watch,
        _complete,
        more=f"NAME is {_ALL}, or one of: {', '.join(_BY_NAME)}.",
    ),
    Command(("unwatch",), "[NUMBER|NAME]", unwatch, _complete_number),
    Command(("alerts",), "", alerts),
]
