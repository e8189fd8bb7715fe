"""Statistics: what an array of any size is like, in a dozen numbers."""

from dataclasses import dataclass
from math import hypot, nan, sqrt
from typing import Any

import numpy as np

from dagnet.errors import ArgumentTypeError

#: Between these magnitudes, and for fewer than 2**60 values, no sum of squares leaves the floats.
_SAFE = (1e-140, 1e140)


@dataclass(frozen=True)
class Statistics:
    """What an array is like.

    Attributes
    ----------
    shape : tuple of int
    dtype : str
    mean, std, min, max : float
        Of the finite values; nan if there are none.
    zeros : float
        Share of the values that are exactly 0; nan for an empty array.
    nan, inf : int
        How many values are NaN, and how many infinite.
    norm : float
        Square root of the sum of the squares of the finite values.
    """

    shape: tuple[int, ...]
    dtype: str
    mean: float
    std: float
    min: float
    max: float
    zeros: float
    nan: int
    inf: int
    norm: float


def statistics(array: Any) -> Statistics:
    """Return the statistics of an array.

    Everything is computed in float64, so that float32 neither overflows nor loses digits.

    Parameters
    ----------
    array : array_like
        Of any shape and any dtype of real numbers; bools count as 0 and 1.

    Returns
    -------
    Statistics

    Raises
    ------
    ArgumentTypeError
        If it holds no real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from dagnet.statistics import statistics
    >>> of = statistics(np.array([[0.0, 3.0, 4.0], [np.nan, 0.0, np.inf]]))
    >>> of.shape, of.mean, of.max, of.norm
    ((2, 3), 1.75, 4.0, 5.0)
    >>> round(of.zeros, 4), of.nan, of.inf
    (0.3333, 1, 1)
    """
    values = _real(array)
    size = values.size
    zeros = (size - int(np.count_nonzero(values))) / size if size else nan
    with np.errstate(all="ignore"):
        finite, nans, infs = _finite(values)
        mean, std, low, high, norm = _moments(finite)
    return Statistics(
        values.shape, values.dtype.name, mean, std, low, high, zeros, nans, infs, norm
    )


def _real(array: Any) -> np.ndarray:
    try:
        values = np.asarray(array)
    except ValueError:
        raise ArgumentTypeError("statistics: the rows of the array differ in length") from None
    if values.dtype.kind not in "biuf":
        raise ArgumentTypeError(f"statistics: needs real numbers, got dtype {values.dtype}")
    return values


def _finite(values: np.ndarray) -> tuple[np.ndarray, int, int]:
    """Return the finite values, and how many are NaN and Inf."""
    if values.dtype.kind != "f":
        return values.astype(np.float64), 0, 0
    if values.dtype.itemsize > 8:
        values = values.astype(np.float64)
    good = np.isfinite(values)
    count = int(np.count_nonzero(good))
    if count == values.size:
        return values, 0, 0
    nans = int(np.count_nonzero(np.isnan(values)))
    return values[good], nans, values.size - count - nans


def _moments(values: np.ndarray) -> tuple[float, float, float, float, float]:
    """Return mean, standard deviation, least and greatest value, and norm of finite values."""
    if not values.size:
        return nan, nan, nan, nan, 0.0
    low, high = float(values.min()), float(values.max())
    if low == high:  # rounding would give equal values a mean beside them
        return low, 0.0, low, high, abs(low) * sqrt(values.size)
    largest = max(abs(low), abs(high))
    unit = 1.0 if _SAFE[0] < largest < _SAFE[1] else largest
    if unit != 1.0:
        values = values / unit
    mean = float(values.mean(dtype=np.float64))
    std = float(values.std(dtype=np.float64))
    # n (mean² + std²) is the sum of the squares.
    norm = hypot(mean, std) * sqrt(values.size)
    return mean * unit, std * unit, low, high, norm * unit
