"""Small heatmaps in text, which can be read without colours as well."""

from typing import TYPE_CHECKING

import numpy as np

from dagnet.errors import ArgumentError
from dagnet.text import number

if TYPE_CHECKING:
    from rich.text import Text

#: Rows that are shown; as many columns as the screen holds.
MOST_ROWS = 24

_CELL = 4


def heatmap(array: np.ndarray, width: int) -> "Text":
    """Return an array as a map, each value in tenths of the largest magnitude.

    Parameters
    ----------
    array : ndarray
        Of numbers, with two axes at most; one axis makes a row.
    width : int
        Columns of the screen.

    Raises
    ------
    ArgumentError
        If it has more axes, or holds no real numbers.

    Examples
    --------
    >>> print(heatmap(np.array([[0.0, 3.0], [-1.5, np.nan]]), 80))
       .  10
      -5   N
    in tenths of 3; . exactly 0, N NaN, I infinite
    """
    from rich.text import Text

    rows, more = _cut(array, width)
    finite = np.abs(rows[np.isfinite(rows)])
    top = float(finite.max()) if finite.size else 0.0
    text = Text()
    for row in rows:
        for value in row:
            text.append(f"{_cell(float(value), top):>{_CELL}}", _style(float(value), top))
        text.append("\n")
    return text.append(f"in tenths of {number(top)}; . exactly 0, N NaN, I infinite{more}")


def _cut(array: np.ndarray, width: int) -> tuple[np.ndarray, str]:
    """Return the rows and columns that fit, and a note of what does not."""
    if array.dtype.kind not in "biuf":
        raise ArgumentError(f"a heatmap needs real numbers, got dtype {array.dtype}")
    if array.ndim > 2:
        raise ArgumentError(
            f"a heatmap has two axes, and this array has the shape {array.shape}: "
            "take a slice, such as [0, :, 0]"
        )
    whole = np.atleast_2d(array).astype(np.float64)
    shown = whole[:MOST_ROWS, : max(1, width // _CELL)]
    if shown.shape == whole.shape:
        return shown, ""
    sizes = " of ".join("x".join(map(str, shape)) for shape in (shown.shape, whole.shape))
    return shown, f"; {sizes} shown"


def _cell(value: float, top: float) -> str:
    if np.isnan(value):
        return "N"
    if np.isinf(value):
        return "I" if value > 0 else "-I"
    return "." if value == 0 else f"{10 * value / top:.0f}"


def _style(value: float, top: float) -> str:
    """Return a background from blue through white to red, by value."""
    if not np.isfinite(value):
        return "black on yellow"
    pale = 255 - round(200 * abs(value) / top) if top else 255
    return f"black on rgb({'255,{0},{0}' if value > 0 else '{0},{0},255'})".format(pale)
