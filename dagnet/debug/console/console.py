"""The console: commands read from the terminal, or from a file, and carried out."""

from collections.abc import Iterable

from dagnet.debug.console.command import Context
from dagnet.debug.console.moving import show_stop
from dagnet.debug.console.screen import Screen
from dagnet.debug.console.table import command_named, complete
from dagnet.debug.console.terminal import completing
from dagnet.debug.debugger import Debugger
from dagnet.errors import DagnetError, DebuggerError
from dagnet.training.interrupt import raising_interrupts

PROMPT = "(dagnet) "


def interact(debugger: Debugger) -> None:
    """Read commands and carry them out until the user leaves; ``h`` lists them.

    The line is read by `input`, so that it works in a terminal, through a pipe and in a notebook.
    Ctrl-C gives up the line, or stops the command that runs after the step under way; Ctrl-D
    leaves, as ``q`` does. An empty line repeats the last command.

    Parameters
    ----------
    debugger : Debugger
        On a run, or inside ``model.fit(..., debugger=debugger)``, which calls this at every stop.
    """
    context = Context(debugger, Screen())
    show_stop(context)
    last = ""
    with raising_interrupts(), completing(lambda line: complete(debugger, line)):
        while True:
            reading = True
            try:
                last = input(PROMPT).strip() or last
                reading = False
                if execute(context, last):
                    return
            except EOFError:
                context.screen.show("")
                execute(context, "quit")
                return
            except KeyboardInterrupt:
                context.screen.show("" if reading else "\ninterrupted")
                if not reading:
                    show_stop(context)
            except Exception as error:  # whatever a user's op or optimizer raises: the run stands
                context.screen.show(f"*** {_said(error)}")


def run_script(debugger: Debugger, lines: Iterable[str], name: str) -> None:
    """Carry out commands from a file, each shown before what it prints, as in a transcript.

    Empty lines, and those that begin with ``#``, are passed over.

    Parameters
    ----------
    debugger : Debugger
    lines : iterable of str
    name : str
        Of the file.

    Raises
    ------
    DebuggerError
        At the first command that fails; the message names its line.
    """
    context = Context(debugger, Screen())
    show_stop(context)
    for number, line in enumerate(lines, start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        context.screen.show(PROMPT + line)
        try:
            if execute(context, line):
                return
        except Exception as error:
            raise DebuggerError(f"{name}:{number}: {line}: {_said(error)}") from error


def execute(context: Context, line: str) -> bool:
    """Carry out a command; return whether the user has left."""
    word, _, argument = line.strip().partition(" ")
    return bool(word) and bool(command_named(word).run(context, argument.strip()))


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, DagnetError) else f"{type(error).__name__}: {error}"
