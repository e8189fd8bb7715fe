"""Commands about breakpoints."""

from dagnet.debug.console.command import Command, Context
from dagnet.debug.console.completion import complete_number, complete_place
from dagnet.debug.console.expressions import Condition
from dagnet.debug.console.parsing import parse_count, parse_place


def set_breakpoint(context: Context, argument: str) -> None:
    """Stop each time a node's step is done; without a node, list the breakpoints.

    A PATTERN is a regular expression that matches whole names. PHASE is forward, which is meant if
    none is given, backward, or update: after the update of the parameters. With a condition, the
    run stops only where it holds; the expression sees record, and output, grad_output, params and
    the other values of the record by their bare names: b relu.* when (output == 0).all()
    """
    debugger = context.debugger
    if not argument:
        context.screen.show(repr(debugger.breakpoints))
        return
    place = parse_place(argument, debugger.model.graph)
    when = Condition(place.condition, debugger) if place.condition else None
    context.screen.show(str(debugger.break_at(place.nodes, place.phase, when)))


def clear(context: Context, argument: str) -> None:
    """Remove a breakpoint by its number, or all."""
    context.debugger.clear(parse_count(argument) if argument else None)
    context.screen.show(repr(context.debugger.breakpoints))


def enable(context: Context, argument: str) -> None:
    """Let a breakpoint stop runs again."""
    _switch(context, argument, True)


def disable(context: Context, argument: str) -> None:
    """Keep a breakpoint, but let it stop no run."""
    _switch(context, argument, False)


def _switch(context: Context, argument: str, enabled: bool) -> None:
    chosen = context.debugger.breakpoints.numbered(parse_count(argument))
    chosen.enabled = enabled
    context.screen.show(str(chosen))


COMMANDS = [
    Command(
        ("break", "b"), "[NODE|PATTERN [PHASE] [when EXPRESSION]]", set_breakpoint, complete_place
    ),
    Command(("clear",), "[NUMBER]", clear, complete_number),
    Command(("enable",), "NUMBER", enable, complete_number),
    Command(("disable",), "NUMBER", disable, complete_number),
]
