"""What users give as arrays: turned into arrays of numbers, or refused."""

import sys
from math import isfinite

import numpy as np

from dagnet.errors import FeedError, FeedTypeError

#: Elements of a piece of which a product is taken: of more, BLAS would use several threads.
PIECE = 8192


def as_array(value: object, label: str) -> np.ndarray:
    """Return what was fed as an array of numbers, or raise."""
    problem = masked(value)
    if problem:
        raise FeedError(f"{label}: {problem}")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise FeedError(f"{label}: needs an array; this makes none: {error}") from None
    if array.dtype.kind not in "fiub":
        hint = "; np.unique(names, return_inverse=True) makes numbers of names"
        raise FeedTypeError(
            f"{label}: needs an array of numbers, got dtype {array.dtype}"
            + (hint if array.dtype.kind in "US" else "")
        )
    return array


def masked(value: object) -> str | None:
    """Return how much of a masked array is masked, which plain arrays forget; None if nothing is.

    Examples
    --------
    >>> masked(np.ma.masked_greater([1.0, 2.0, 3.0], 2.5))
    'masks 1 of its (3,) values; fill them first (.filled), or leave their examples out'
    """
    loaded = sys.modules.get("numpy.ma")  # without it there is no masked array
    if loaded is None or not isinstance(value, loaded.MaskedArray):
        return None
    count = int(loaded.count_masked(value))
    if not count:
        return None
    return (
        f"masks {count} of its {value.shape} values; fill them first (.filled), or leave their "
        "examples out"
    )


def not_finite(array: np.ndarray) -> str | None:
    """Return how many values are NaN or Inf and where the first is; None if all are finite.

    Examples
    --------
    >>> not_finite(np.array([[1.0, 2.0], [3.0, np.nan]]))
    'holds 1 NaN and 0 Inf among its (2, 2) values; the first is nan at feature 1, example 1'
    """
    if array.dtype.kind != "f":
        return None
    # A sum, of values or of their squares, is finite only if all terms are, and takes one pass
    # without a temporary. It may also overflow over finite terms: then every value is looked at.
    total = np.vdot(array, array) if array.size <= PIECE else _total(array)
    if isfinite(total):
        return None
    bad = ~np.isfinite(array)
    if not bad.any():
        return None
    nans = int(np.count_nonzero(np.isnan(array)))
    infs = int(np.count_nonzero(bad)) - nans
    by_example = np.moveaxis(bad, -1, 0) if bad.ndim else bad
    first = tuple(int(i) for i in np.unravel_index(np.argmax(by_example), by_example.shape))
    value = array[(*first[1:], *first[:1])]
    return (
        f"holds {nans} NaN and {infs} Inf among its {array.shape} values; "
        f"the first is {value}{_place(first)}"
    )


def _total(array: np.ndarray) -> float:
    """Return the sum of the squares of a large array; where it has gaps, of the values."""
    if array.flags.forc:
        flat = array.ravel(order="K")
        pieces = [flat[start : start + PIECE] for start in range(0, flat.size, PIECE)]
        return sum([float(np.vdot(piece, piece)) for piece in pieces])
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sum(array))


def _place(index: tuple[int, ...]) -> str:
    """Return an (example, *feature) index as text."""
    if not index:
        return ""
    example, *feature = index
    shown = feature[0] if len(feature) == 1 else tuple(feature)
    return f" at feature {shown}, example {example}" if feature else f" at example {example}"
