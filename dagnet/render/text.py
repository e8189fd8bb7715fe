"""Words and widths: how names, shapes and numbers read in a drawing."""

import re
from collections.abc import Iterable, Sequence
from unicodedata import east_asian_width

from dagnet.node import M, Shape, format_shape
from dagnet.ops.base import Op
from dagnet.text import printable

ARROW = " → "

#: Columns after which a name is cut short; a wide character takes two.
LONGEST_NAME = 36

#: Items of a sequence of sizes that are shown; of a longer one, the middle is left out.
MOST_SIZES = 7

#: Widths of the characters from space to tilde, in thousandths of the font's size.
_HELVETICA = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
)
_HELVETICA_BOLD = (
    *(278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611),
    *(975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556),
    *(333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611),
    *(611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584),
)
_SIGNS = {"→": 1000, "…": 1000, "·": 278, "×": 584}


def is_wide(char: str) -> bool:
    """Tell whether a character fills a square, as Chinese ones do."""
    return east_asian_width(char) in "WF"


def text_width(text: str, *, bold: bool = False) -> float:
    """Return the width of a text in Helvetica, in multiples of the font's size.

    Examples
    --------
    >>> text_width("W"), text_width("L", bold=True), text_width("隐藏层")
    (0.944, 0.611, 3.0)
    """
    widths = _HELVETICA_BOLD if bold else _HELVETICA
    return sum(_char_width(char, widths) for char in text) / 1000


def _char_width(char: str, widths: Sequence[int]) -> int:
    code = ord(char) - 0x20
    if 0 <= code < len(widths):
        return widths[code]
    return 1000 if is_wide(char) else _SIGNS.get(char, 600)


def shortened(text: str, columns: int = LONGEST_NAME) -> str:
    """Return the text, with its middle left out if it takes too many columns.

    Examples
    --------
    >>> shortened("encoder.layers.attention.output", columns=11)
    'encod…utput'
    """
    if columns_of(text) <= columns:
        return text
    half = (columns - 1) // 2
    return _head(text, half) + "…" + _head(text[::-1], half)[::-1]


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(2 if is_wide(char) else 1 for char in text)


def _head(text: str, columns: int) -> str:
    taken = 0
    for i, char in enumerate(text):
        taken += 2 if is_wide(char) else 1
        if taken > columns:
            return text[:i]
    return text


def op_title(op: Op) -> str:
    """Return what an op is called in a drawing.

    Examples
    --------
    >>> import dagnet as dn
    >>> op_title(dn.LeakyReLU()), op_title(dn.BinaryCrossEntropy())
    ('LEAKYRELU', 'BINARY CROSS ENTROPY')
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z][a-z]{2})", " ", type(op).__name__)
    return printable(words.upper())


def joined(items: Iterable[str]) -> str:
    """Return how something runs from block to block: ``7 → 5``, or just ``7`` if it stays.

    Examples
    --------
    >>> joined(["12288", "20", "7"]), joined(["20", "20", "20"])
    ('12288 → 20 → 7', '20')
    >>> joined(map(str, range(10)))
    '0 → 1 → 2 → … → 7 → 8 → 9'
    """
    items = list(items)
    if len(set(items)) == 1:
        return items[0]
    if len(items) > MOST_SIZES:
        half = MOST_SIZES // 2
        items = [*items[:half], "…", *items[-half:]]
    return ARROW.join(items)


def size(shape: Shape) -> str:
    """Return a shape without the examples axis: ``20``, ``3×64×64``.

    Examples
    --------
    >>> size((20, "m")), size((3, 64, 64, "m")), size(("m",))
    ('20', '3×64×64', 'm')
    """
    kept = [str(n) for n in shape if n != M]
    return "×".join(kept) or (M if shape else "number")


def shapes_run(shapes: Sequence[Shape]) -> str:
    """Return shapes from block to block: ``(20, m) → (7, m)``."""
    return joined(map(format_shape, shapes))
