"""Measuring how far two arrays are apart."""

from dataclasses import dataclass
from math import nan

import numpy as np


@dataclass(frozen=True)
class Measure:
    """How far two arrays are apart.

    Attributes
    ----------
    shapes : tuple of two shapes
        If they are not equal, nothing below is measured: numbers are NaN, all elements differ.
    dtypes : tuple of two str
        If they are not equal, both arrays were converted to the one of fewer digits.
    size, count : int
        How many elements there are, and how many of them differ by more than the tolerance.
    max_abs : float
        The largest ``|a - b|``; infinite if only one of them is NaN or infinite.
    relative : float
        The same, divided by the largest finite magnitude in either array.
    index : tuple of int, or None
        Where the difference is largest; None if the arrays are equal, or of different shapes.
    a, b : float or None
        The two values there.
    ulps : int or None
        How many floating-point numbers apart they are, 1 for neighbours; None if not finite.
    """

    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    dtypes: tuple[str, str]
    size: int
    count: int
    max_abs: float = 0.0
    relative: float = 0.0
    index: tuple[int, ...] | None = None
    a: float | None = None
    b: float | None = None
    ulps: int | None = 0

    @property
    def same(self) -> bool:
        """Whether the shapes are equal and no element differs by more than the tolerance."""
        return self.shapes[0] == self.shapes[1] and self.count == 0


def measure(x: np.ndarray, y: np.ndarray, rtol: float = 0.0, atol: float = 0.0) -> Measure:
    """Return how far two arrays are apart.

    Elements differ if ``|a - b| > atol + rtol * max(|a|, |b|)``. NaN equals NaN, and an infinity
    itself.

    Examples
    --------
    >>> import numpy as np
    >>> of = measure(np.array([1.0, np.nan, 4.0]), np.array([1.0, np.nan, 4.5]))
    >>> of.count, of.index, of.a, of.b, of.max_abs, round(of.relative, 3)
    (1, (2,), 4.0, 4.5, 0.5, 0.111)
    """
    shapes, dtypes = (x.shape, y.shape), (x.dtype.name, y.dtype.name)
    if x.shape != y.shape:
        size = max(x.size, y.size)
        return Measure(shapes, dtypes, size, size, nan, nan, ulps=None)
    common = min(x.dtype, y.dtype, key=lambda dtype: dtype.itemsize)
    with np.errstate(all="ignore"):
        x, y = x.astype(common, copy=False), y.astype(common, copy=False)
        if np.array_equal(x, y, equal_nan=True):
            return Measure(shapes, dtypes, x.size, 0)
        p, q = x.astype(np.float64), y.astype(np.float64)
        distance = _distance(p, q)
        magnitude = np.fmax(np.abs(p), np.abs(q))
        far = (distance > atol + rtol * magnitude) | np.isinf(distance)
    largest = np.max(magnitude, where=np.isfinite(magnitude), initial=0.0)
    index = tuple(int(i) for i in np.unravel_index(np.argmax(distance), distance.shape))
    max_abs = float(distance[index])
    return Measure(
        shapes,
        dtypes,
        x.size,
        int(np.count_nonzero(far)),
        max_abs,
        max_abs / float(largest) if largest else max_abs,
        index,
        float(p[index]),
        float(q[index]),
        _ulps(x[index], y[index]),
    )


def _distance(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return ``|p - q|``: 0 where both are NaN or the same infinity, infinite where one is."""
    same = (p == q) | (np.isnan(p) & np.isnan(q))
    distance = np.where(same, 0.0, np.abs(p - q))
    return np.where(np.isnan(distance), np.inf, distance)


def _ulps(a: np.generic, b: np.generic) -> int | None:
    if a.dtype.kind != "f" or not (np.isfinite(a) and np.isfinite(b)):
        return None
    return abs(_rank(a) - _rank(b))


def _rank(value: np.generic) -> int:
    """Return a float's place among all floats of its size, counted from 0."""
    bits = int(value.view(f"i{value.dtype.itemsize}"))
    return bits if bits >= 0 else -(bits & (2 ** (8 * value.dtype.itemsize - 1) - 1))
