"""What a column of text cells says about targets."""

from collections.abc import Callable, Sequence
from math import isfinite

import numpy as np

from dagnet.data.targets import Targets, named_targets
from dagnet.errors import DataError

#: A column of whole numbers holds classes if it has no more distinct ones than this.
MAX_CODES = 20


def column_targets(
    cells: Sequence[str],
    what: str,
    place: Callable[[int], str],
    classes: Sequence[str] | None = None,
    regression: bool | None = None,
) -> Targets:
    """Return the targets of a column: classes by name or number, or regression targets.

    Parameters
    ----------
    cells : sequence of str
        One per example, none of them empty.
    what : str
        What messages call the column.
    place : callable
        From the index of an example to where the user finds it.
    classes : sequence of str, optional
        All classes, in the order of their labels.
    regression : bool, optional
        If not given: words are classes, so are whole numbers with at most `MAX_CODES` distinct
        ones, and other numbers are regression targets.

    Examples
    --------
    >>> column_targets(["5", "3", "7.0"], "column 'y'", "line {}".format)
    (array([1, 0, 2]), ('3', '5', '7'))
    >>> column_targets(["5", "3", "7.5"], "column 'y'", "line {}".format)
    (array([[5. , 3. , 7.5]]), None)
    """
    numeric = [is_number(cell) for cell in cells]
    if not all(numeric):
        stray = any(numeric) and classes is None and regression is None
        if regression or stray:
            where = numeric.index(False)
            hint = "" if regression else "; regression=False takes all cells as names of classes"
            raise DataError(f"{what}: {cells[where]!r} on {place(where)} is not a number{hint}")
        return named_targets(cells, what, classes, place)

    values = np.array(list(map(float, cells)))
    whole = (np.floor(values) == values) & (np.abs(values) < 2**53)
    if regression is None and classes is None:
        regression = not (whole.all() and len(np.unique(values)) <= MAX_CODES)
    if regression:
        return values[np.newaxis], None
    if not whole.all():
        where = int(np.argmin(whole))
        raise DataError(
            f"{what}: classes are names or whole numbers, got {cells[where]!r} on {place(where)}"
        )
    codes = values.astype(np.int64).tolist()
    if classes is None:
        # 0 and 1 are themselves, even if only one of them occurs.
        present = {0, 1} if set(codes) <= {0, 1} else set(codes)
        classes = [str(code) for code in sorted(present)]
    return named_targets([str(code) for code in codes], what, classes, place)


def is_number(cell: str) -> bool:
    """Return whether a cell is a finite number.

    >>> is_number(" 1e3"), is_number("inf"), is_number("2020_01"), is_number("")
    (True, False, False, False)
    """
    try:
        # float() takes "2020_01" for 202001: a date is no number.
        return isfinite(float(cell)) and "_" not in cell
    except ValueError:
        return False
