"""The screen of the console: the only user of rich here."""

import sys
from typing import TYPE_CHECKING

from dagnet.text import printable

if TYPE_CHECKING:
    from rich.text import Text

#: Columns where there is no terminal to ask.
_COLUMNS = 80


class Screen:
    """Shows text as it is: nothing in it is markup, and no control character gets through."""

    def __init__(self) -> None:
        from rich.console import Console

        width = None if sys.stdout.isatty() else _COLUMNS
        self._console = Console(width=width, force_jupyter=False)

    @property
    def width(self) -> int:
        return self._console.width

    def show(self, text: str) -> None:
        """Print lines; the terminal wraps long ones, so that nothing is cut off."""
        from rich.text import Text

        self.show_styled(Text(printable(text, keep="\n")))

    def show_styled(self, text: "Text") -> None:
        """Print lines with colours, where there are any."""
        self._console.print(text, soft_wrap=True)
