"""HTML-like labels: what stands in boxes, on arrows and above a drawing."""

from collections.abc import Iterable, Sequence
from html import escape as escape_html
from math import ceil
from textwrap import wrap

from dagnet.render import style
from dagnet.render.drawing import Legend, Line
from dagnet.render.text import is_wide, text_width
from dagnet.render.theme import Colouring
from dagnet.text import printable

#: Height of a line, in multiples of the font's.
LEADING = 1.25

#: Engines without fonts know the widths of characters up to this one.
LAST_KNOWN = 0x7FF

#: Characters after which a note goes on in a new line.
LONGEST_NOTE = 90

#: Room for wide characters if an engine may have fonts, or not, in multiples of what they need.
SPARE = 1.2


class Labels:
    """Writes labels, one row for each line.

    An engine without fonts takes Chinese characters and arrows for narrower ones than they are,
    and sets them too far to the right. Then a row gets a table of the size that it really has,
    which stays in the middle. Engines with fonts know better, and only get room to spare.
    """

    def __init__(self, has_fonts: bool, colour: Colouring):
        self._has_fonts = has_fonts
        self._colour = colour

    def box(self, lines: Iterable[Line], ink: str | None = None) -> str:
        """Return the label of a box, with all texts in one ink if it is given."""
        return f"<{self._rows(lines, ink)}>"

    def arrow(self, text: str, ink: str) -> str:
        """Return the label of an arrow, with some room beside the line."""
        cell = self._cell(text, style.LABEL_SIZE, ink)
        return f"<{_table(f'<TR>{cell}</TR>', 0, padding=2)}>"

    def head(self, title: str | None, notes: Sequence[str], legend: Legend | None) -> str:
        """Return what stands above a drawing: its title, its notes, and what colours mean."""
        lines = [Line(printable(title), "title")] if title else []
        lines += _wrapped(notes)
        rows = f"<TR><TD>{self._rows(lines)}</TD></TR>" if lines else ""
        if legend is not None:
            rows += f"<TR><TD>{self._legend(legend)}</TD></TR>"
        return f"<{_table(rows, 4)}>"

    def _legend(self, legend: Legend) -> str:
        colours = "".join(
            f'<TD BGCOLOR="{self._colour(colour)}" WIDTH="22" HEIGHT="10"></TD>'
            for colour in style.SCALE
        )
        marks = dict(zip(("LEFT", "CENTER", "RIGHT"), legend.marks, strict=False))
        span = len(style.SCALE) // len(marks)
        numbers = "".join(
            self._cell(
                mark, style.LABEL_SIZE, style.PLAIN_INK, at=f'COLSPAN="{span}" ALIGN="{side}"'
            )
            for side, mark in marks.items()
        )
        rows = [
            self._rows([Line(legend.title, "title")]),
            _table(f"<TR>{colours}</TR><TR>{numbers}</TR>", 0),
            *([self._rows(_wrapped(legend.notes))] * bool(legend.notes)),
        ]
        return _table("".join(f"<TR><TD>{row}</TD></TR>" for row in rows), 1)

    def _rows(self, lines: Iterable[Line], ink: str | None = None) -> str:
        rows = "".join(f"<TR>{self._line(line, ink)}</TR>" for line in lines)
        return _table(rows, 1)

    def _line(self, line: Line, ink: str | None) -> str:
        size = style.TITLE_SIZE if line.role == "title" else style.PLAIN_SIZE
        ink = ink or (style.PLAIN_INK if line.role == "plain" else style.INK)
        return self._cell(line.text, size, ink, bold=line.role != "plain")

    def _cell(self, text: str, points: float, ink: str, bold: bool = False, at: str = "") -> str:
        escaped = escape_html(text).replace("\\", "\\\\")
        content = f"<B>{escaped}</B>" if bold else escaped
        content = f'<FONT POINT-SIZE="{points:g}" COLOR="{self._colour(ink)}">{content}</FONT>'
        width = text_width(text, bold=bold) * points
        if not self._has_fonts and any(ord(char) > LAST_KNOWN for char in text):
            size = f'FIXEDSIZE="TRUE" WIDTH="{ceil(width)}" HEIGHT="{ceil(points * LEADING)}"'
            row = f'<TR><TD ALIGN="LEFT">{content}</TD></TR>'
            return f"<TD>{_table(row, 0, size)}</TD>"
        if bold and points < style.TITLE_SIZE:
            return f'<TD HEIGHT="{ceil(points * LEADING) + 1}" VALIGN="BOTTOM">{content}</TD>'
        if any(map(is_wide, text)):
            return f'<TD WIDTH="{ceil(SPARE * width)}">{content}</TD>'
        return f"<TD {at}>{content}</TD>" if at else f"<TD>{content}</TD>"


def _wrapped(notes: Iterable[str]) -> list[Line]:
    return [Line(row) for note in notes for row in wrap(printable(note), LONGEST_NOTE)]


def _table(rows: str, spacing: int, size: str = "", padding: int = 0) -> str:
    borders = f'BORDER="0" CELLBORDER="0" CELLPADDING="{padding}" CELLSPACING="{spacing}"'
    return f"<TABLE {borders} {size}>{rows}</TABLE>"
