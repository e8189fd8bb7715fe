"""Commands that move the run."""

from dagnet.debug.console.command import Command, Context
from dagnet.debug.console.completion import complete_place
from dagnet.debug.console.parsing import no_argument, parse_count, parse_place
from dagnet.errors import ArgumentError
from dagnet.text import number


def show_stop(context: Context) -> None:
    """Show where the run stands, and the user's line of the node."""
    debugger = context.debugger
    stop, cost = debugger.stop, debugger.cost
    context.screen.show(f"{stop}" + ("" if cost is None else f"; cost {number(cost)}"))
    if stop.source and stop.source.text:
        context.screen.show(f"-> {stop.source.text}")


def step(context: Context, argument: str) -> None:
    """Do the next step, or the next COUNT, whatever breakpoints say."""
    context.debugger.step(parse_count(argument, 1))
    show_stop(context)


def back(context: Context, argument: str) -> None:
    """Undo the last step, or the last COUNT."""
    context.debugger.back(parse_count(argument, 1))
    show_stop(context)


def go_on(context: Context, argument: str) -> bool:
    """Run to the next breakpoint or alert, or to the end; inside fit, go on with training.

    Ctrl-C stops the run after the step under way; inside fit, it ends training after the update.
    """
    no_argument(argument)
    if context.debugger.in_fit:
        return True
    context.debugger.run()
    show_stop(context)
    return False


def until(context: Context, argument: str) -> None:
    """Go to just after a node's step, on or back, whatever breakpoints say.

    PHASE is forward, which is meant if none is given, backward or update.
    """
    place = parse_place(argument, context.debugger.model.graph)
    if place.condition:
        raise ArgumentError("until takes no condition: break does")
    context.debugger.run_to(place.nodes, place.phase)
    show_stop(context)


def restart(context: Context, argument: str) -> None:
    """Begin again on the same data, with the parameters as they are now."""
    no_argument(argument)
    context.debugger.restart()
    show_stop(context)


def leave(context: Context, argument: str) -> bool:
    """Leave the debugger; inside fit, training ends after the update under way."""
    no_argument(argument)
    context.debugger.quit()
    return True


COMMANDS = [
    Command(("next", "n", "step", "s"), "[COUNT]", step),
    Command(("back",), "[COUNT]", back),
    Command(("continue", "c"), "", go_on),
    Command(("until",), "NODE [PHASE]", until, complete_place),
    Command(("restart",), "", restart),
    Command(("quit", "q", "exit"), "", leave),
]
