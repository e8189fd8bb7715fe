"""The terminal: Tab completes and the arrow keys bring back lines, where there is readline."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

#: Takes the line up to the cursor; gives where what is completed begins, and what could be there.
LineCompleter = Callable[[str], tuple[int, list[str]]]

#: What ends a word for readline; the names of nodes may hold any of it.
_DELIMITERS = " \t()[],=+-*/"


@contextmanager
def completing(complete: LineCompleter) -> Iterator[None]:
    """Let Tab complete lines for a while; without a terminal or readline, do nothing."""
    readline = _readline()
    if readline is None:
        yield
        return
    completer, delimiters = readline.get_completer(), readline.get_completer_delims()
    readline.set_completer(_Completer(complete, readline))
    readline.set_completer_delims(_DELIMITERS)
    is_libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
    try:
        yield
    finally:
        readline.set_completer(completer)
        readline.set_completer_delims(delimiters)


def _readline() -> ModuleType | None:
    if not sys.stdin.isatty():
        return None
    try:
        import readline
    except ImportError:  # on Windows: lines are read all the same
        return None
    return readline


class _Completer:
    """Answers readline, which asks for one match after the other."""

    def __init__(self, complete: LineCompleter, readline: ModuleType):
        self._complete = complete
        self._readline = readline
        self._found: list[str] = []

    def __call__(self, text: str, state: int) -> str | None:
        if state == 0:
            self._found = self._matches()
        return self._found[state] if state < len(self._found) else None

    def _matches(self) -> list[str]:
        """Return the matches from where readline's word begins, which may be amid a name."""
        line = self._readline.get_line_buffer()[: self._readline.get_endidx()]
        start, found = self._complete(line)
        begin = self._readline.get_begidx()
        return [(line[:start] + name)[begin:] for name in found]
