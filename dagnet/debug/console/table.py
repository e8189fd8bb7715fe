"""The table of all commands, and the command that shows it."""

from dagnet.debug.console import changing, looking, moving, stopping, watching
from dagnet.debug.console.command import Command, Context
from dagnet.debug.debugger import Debugger
from dagnet.errors import UnknownNameError


def show_help(context: Context, argument: str) -> None:
    """List the commands, or say all about one."""
    if argument:
        context.screen.show(command_named(argument).help())
        return
    for command in COMMANDS:
        context.screen.show(f"{command.call}\n    {command.summary}")
    context.screen.show("An empty line repeats the last command.")


def command_named(word: str) -> Command:
    """Return a command by any of its names.

    Raises
    ------
    UnknownNameError
        If there is none; it offers the nearest names.
    """
    if word not in _BY_NAME:
        raise UnknownNameError.of("command", word, _BY_NAME)
    return _BY_NAME[word]


def complete(debugger: Debugger, line: str) -> tuple[int, list[str]]:
    """Return where what is completed in a line begins, and what could stand there.

    Parameters
    ----------
    debugger : Debugger
    line : str
        Up to the cursor.
    """
    indent = len(line) - len(line.lstrip())
    word, space, _ = line.lstrip().partition(" ")
    if not space:
        return indent, [name for name in _BY_NAME if name.startswith(word)]
    command = _BY_NAME.get(word)
    if command is None or command.complete is None:
        return len(line), []
    argument = line[indent + len(word) :].lstrip()
    start, found = command.complete(debugger, argument)
    return len(line) - len(argument) + start, found


def _complete_command(debugger: Debugger, text: str) -> tuple[int, list[str]]:
    return 0, [name for name in _BY_NAME if name.startswith(text)]


COMMANDS = [
    *moving.COMMANDS,
    *stopping.COMMANDS,
    *watching.COMMANDS,
    *looking.COMMANDS,
    *changing.COMMANDS,
    Command(("help", "h", "?"), "[COMMAND]", show_help, _complete_command),
]

_BY_NAME = {name: command for command in COMMANDS for name in command.names}
