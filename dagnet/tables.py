"""Tables of text: printed, as a string, and as HTML. The only user of rich for them."""

from collections.abc import Collection, Iterable, Sequence
from html import escape
from io import StringIO
from typing import TYPE_CHECKING

from dagnet.text import printable

if TYPE_CHECKING:
    from rich.table import Table

#: No table is wider: a terminal may wrap a row, but no value is cut off.
_WIDTH = 500

#: Has no effect on a table, but rich takes its width only along with a height if TERM=dumb.
_HEIGHT = 25

#: Rows of a table that are shown; of a longer one, the middle is left out.
MOST_ROWS = 1000

Rows = Iterable[Sequence[str]]


def shortened(rows: Rows, most: int = MOST_ROWS) -> list[Sequence[str]]:
    """Return the rows, of too many only the first and the last, with how many more there are.

    Examples
    --------
    >>> shortened([[str(i), "-"] for i in range(9)], most=4)
    [['0', '-'], ['1', '-'], ['... 5 more', ''], ['7', '-'], ['8', '-']]
    """
    rows = list(rows)
    if len(rows) <= most:
        return rows
    half = most // 2
    gap = [f"... {len(rows) - 2 * half:,} more", *[""] * (len(rows[0]) - 1)]
    return [*rows[:half], gap, *rows[-half:]]


def print_table(header: Sequence[str], rows: Rows, left: Collection[str] = ()) -> None:
    """Print a table; `left` names the columns that are aligned to the left."""
    from rich.console import Console

    Console(width=_WIDTH, height=_HEIGHT).print(_table(header, rows, left))


def text_table(header: Sequence[str], rows: Rows, left: Collection[str] = ()) -> str:
    """Return a table as plain text, its lines without trailing spaces.

    Examples
    --------
    >>> print(text_table(["node", "mean"], [["relu1", "0.5"], ["[b]", "-"]], left=["node"]))
    node   mean
    ────────────
    relu1   0.5
    [b]       -
    """
    from rich.console import Console

    text = StringIO()
    Console(file=text, width=_WIDTH, color_system=None).print(_table(header, rows, left))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def html_table(header: Sequence[str], rows: Rows, left: Collection[str] = ()) -> str:
    """Return a table as HTML, with all that could be markup escaped.

    Examples
    --------
    >>> "&lt;b&gt;" in html_table(["node"], [["<b>"]], left=["node"])
    True
    """

    def line(tag: str, cells: Sequence[str]) -> str:
        aligned = zip(header, cells, strict=True)
        return "".join(
            f'<{tag} style="text-align: {"left" if name in left else "right"}">'
            f"{escape(printable(cell))}</{tag}>"
            for name, cell in aligned
        )

    lines = [line("th", header), *(line("td", row) for row in shortened(rows))]
    return "<table>" + "".join(f"<tr>{cells}</tr>" for cells in lines) + "</table>"


def _table(header: Sequence[str], rows: Rows, left: Collection[str]) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in header:
        table.add_column(name, justify="left" if name in left else "right", no_wrap=True)
    for row in shortened(rows):
        table.add_row(*(Text(printable(cell)) for cell in row))  # Text: no markup in names
    return table
