"""Places: where in an array its bad elements are, and the pattern they make."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dagnet.text import number

#: What is bad about an array: a bool for each element, or one bool for the array as a whole.
Bad = Callable[[np.ndarray], Any]

Index = tuple[int, ...]

#: Bad elements that are listed.
LISTED = 5

#: Rows or examples that still make a pattern.
_FEW = 3


@dataclass(frozen=True)
class Places:
    """Where in an array bad elements are.

    Attributes
    ----------
    shape : tuple of int
    count, nan, inf : int
        How many elements are bad, and how many of those are NaN and infinite.
    indices : tuple of tuple of int
        The first few, the last axis running fastest.
    values : tuple of float
        What stands there.
    pattern : str
        ``"every element"``, ``"all of row 4"``, ``"all in example 17"``; empty if there is none.
    """

    shape: tuple[int, ...]
    count: int
    nan: int
    inf: int
    indices: tuple[Index, ...]
    values: tuple[float, ...]
    pattern: str

    def __str__(self) -> str:
        """Say how many there are and where."""
        if self.shape == ():
            return f"it is {number(self.values[0])}"
        size = int(np.prod(self.shape))
        kinds = f" ({self.nan} NaN, {self.inf} Inf)" if self.nan or self.inf else ""
        verb = "is" if self.count == 1 else "are"
        where = f"{self.count} of {size} elements {verb} bad{kinds}"
        if self.pattern:
            where += f", {self.pattern}"
        more = ", ..." if self.count > len(self.indices) else ""
        return f"{where}; at {', '.join(str(list(i)) for i in self.indices)}{more}"


def not_finite(array: np.ndarray) -> np.ndarray:
    """Return where an array is NaN or infinite: what is bad unless something else is asked for."""
    if array.dtype.kind != "f":
        return np.zeros(array.shape, bool)
    return ~np.isfinite(array)


def bad_elements(array: np.ndarray, bad: Bad) -> np.ndarray:
    """Return a bool for each element; what is bad as a whole is so in every element."""
    return np.broadcast_to(np.asarray(bad(array), bool), array.shape)


def find_places(array: np.ndarray, bad: Bad, examples: bool) -> Places | None:
    """Return where an array is bad, or None if it is not.

    Parameters
    ----------
    array : ndarray
    bad : callable
    examples : bool
        Whether the last axis is that of the examples.

    Examples
    --------
    >>> array = np.ones((3, 5))
    >>> array[:, 4] = np.nan
    >>> places = find_places(array, not_finite, examples=True)
    >>> places.count, places.pattern, places.indices[0]
    (3, 'all of example 4', (0, 4))
    """
    mask = bad_elements(array, bad)
    if not mask.any():
        return None
    first = np.flatnonzero(mask)[:LISTED]
    indices = tuple(tuple(map(int, np.unravel_index(i, array.shape))) for i in first)
    wrong = array[mask]
    floats = wrong.dtype.kind == "f"
    return Places(
        array.shape,
        int(np.count_nonzero(mask)),
        int(np.count_nonzero(np.isnan(wrong))) if floats else 0,
        int(np.count_nonzero(np.isinf(wrong))) if floats else 0,
        indices,
        tuple(float(array[index]) for index in indices),
        _pattern(mask, _axes(array.ndim, examples)),
    )


def _axes(ndim: int, examples: bool) -> list[str]:
    """Return what the axes are called."""
    if ndim == 2:
        return ["row", "example" if examples else "column"]
    axes = [f"place on axis {axis}" for axis in range(ndim)] if ndim > 2 else ["element"] * ndim
    return [*axes[:-1], "example"] if examples and ndim else axes


def _pattern(mask: np.ndarray, axes: Sequence[str]) -> str:
    """Return which few rows, columns or examples hold everything bad.

    >>> mask = np.zeros((5, 7), bool)
    >>> mask[[1, 4], 2:] = True
    >>> _pattern(mask, ["row", "example"])
    'all in rows 1 and 4'
    """
    count = np.count_nonzero(mask)
    if mask.size == 1 or count == 1:
        return ""
    if count == mask.size:
        return "every element"
    found = []
    for axis, places in enumerate(np.nonzero(mask)):
        which = np.unique(places)
        if len(which) <= _FEW and len(which) < min(mask.shape[axis], count):
            found.append((axis, which))
    if not found:
        return ""
    whole = all(mask.take(index, axis).all() for axis, which in found for index in which)
    listed = " and ".join(_listed(axes[axis], which) for axis, which in found)
    return f"all {'of' if whole else 'in'} {listed}"


def _listed(axis: str, which: np.ndarray) -> str:
    *most, last = map(str, which)
    if not most:
        return f"{axis} {last}"
    plural = axis.replace("place", "places") if axis.startswith("place") else f"{axis}s"
    return f"{plural} {', '.join(most)} and {last}"
