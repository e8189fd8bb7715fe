"""What a command is: its names, what it says of itself, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import wrap
from typing import NamedTuple

from dagnet.debug.console.screen import Screen
from dagnet.debug.debugger import Debugger

#: Of a line of the help.
_COLUMNS = 95

#: From the argument typed so far: where what is completed begins, and what could stand there.
Completer = Callable[[Debugger, str], tuple[int, list[str]]]


class Context(NamedTuple):
    """What commands work on."""

    debugger: Debugger
    screen: Screen


#: Takes the argument; returns whether the user has left.
Action = Callable[[Context, str], bool | None]


@dataclass(frozen=True)
class Command:
    """A command of the console.

    Attributes
    ----------
    names : tuple of str
        The full word, then short ones.
    usage : str
        What stands behind the name, empty for nothing.
    run : callable
        Its docstring is the help.
    complete : callable or None
    more : str
        A last line of the help, for what no docstring can say.
    """

    names: tuple[str, ...]
    usage: str
    run: Action
    complete: Completer | None = None
    more: str = ""

    @property
    def call(self) -> str:
        """Its names, and what stands behind them."""
        return f"{', '.join(self.names)}  {self.usage}".rstrip()

    @property
    def summary(self) -> str:
        """The first line of the help."""
        return (self.run.__doc__ or "").strip().partition("\n")[0]

    def help(self) -> str:
        """Return everything there is to say."""
        lines = [*(self.run.__doc__ or "").strip().splitlines(), *wrap(self.more, _COLUMNS)]
        return "\n".join([self.call, *(f"    {line.strip()}".rstrip() for line in lines)])
