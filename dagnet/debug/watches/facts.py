"""Facts: what several watches ask of one array, each computed once, when first asked for."""

from functools import cached_property
from math import inf, isfinite, isnan, sqrt

import numpy as np

#: Where a sum of squares gets so small that float32 may have lost some of them.
_TINY = 1e-30

#: Elements of a product: too few for BLAS to start threads, which on a busy machine wait for long.
_BLOCK = 8192

#: Elements of a difference that is made at a time, few enough to stay near the processor.
_PART = 8 * _BLOCK


class Facts:
    """What an array is like.

    The norm is one product, and tells most: an array is finite if it is, and 0 if it is, and no
    element is larger. So the extremes are looked for only where the norm leaves something open.

    Examples
    --------
    >>> facts = Facts(np.array([[3.0, -4.0], [0.0, 0.0]]))
    >>> facts.norm, facts.rms, facts.extremes, facts.is_finite, facts.exceeds(4.5)
    (5.0, 2.5, (-4.0, 3.0), True, False)
    """

    def __init__(self, array: np.ndarray):
        self.array = array
        self._norm: float | None = None
        self._extremes: tuple[float, float] | None = None

    @property
    def norm(self) -> float:
        """The square root of the sum of the squares."""
        if self._norm is None:
            self._norm = norm(self.array)
        return self._norm

    @property
    def rms(self) -> float:
        """The root of the mean of the squares, which does not depend on how many there are."""
        return self.norm / sqrt(self.array.size)

    @property
    def extremes(self) -> tuple[float, float]:
        """The least and the greatest element; NaN both if one is."""
        if self._extremes is None:
            a = self.array
            self._extremes = (
                float(np.minimum.reduce(a, axis=None)),
                float(np.maximum.reduce(a, axis=None)),
            )
        return self._extremes

    @property
    def largest(self) -> float:
        """The greatest magnitude; NaN if an element is."""
        low, high = self.extremes
        return max(-low, high)

    def exceeds(self, threshold: float) -> bool:
        """Return whether a magnitude is above a threshold."""
        return not self.norm <= threshold and self.largest > threshold

    @property
    def is_finite(self) -> bool:
        return isfinite(self.norm) or isfinite(self.largest)

    @property
    def has_nan(self) -> bool:
        return not isfinite(self.norm) and isnan(self.largest)

    @property
    def has_inf(self) -> bool:
        return not isfinite(self.norm) and bool(np.isinf(self.array).any())

    @property
    def is_zero(self) -> bool:
        return self.norm == 0

    @property
    def is_constant(self) -> bool:
        """Whether all elements, and there are several, are one number."""
        a = self.array
        if a.size == 1 or a.flat[0] != a.flat[a.size - 1]:
            return False
        low, high = self.extremes
        return low == high


class Change:
    """A parameter before and after an update."""

    def __init__(self, before: np.ndarray, after: Facts):
        self._before = before
        self._after = after

    @cached_property
    def size(self) -> float:
        """The norm of the difference."""
        return distance(self._after.array, self._before)

    @cached_property
    def before(self) -> float:
        """The norm before."""
        return norm(self._before)

    @property
    def after(self) -> float:
        """The norm after."""
        return self._after.norm


def norm(array: np.ndarray) -> float:
    """Return the square root of the sum of the squares, where the squares leave the floats, too.

    >>> norm(np.array([3e-200, 4e-200]))
    5e-200
    """
    flat = array.ravel(order="K")
    total = _square(flat)
    if _TINY < total < inf:
        return sqrt(total)
    largest = float(np.max(np.abs(flat), initial=0))
    if largest == 0 or not isfinite(largest):
        return largest
    return largest * sqrt(_square(flat.astype(np.float64) / largest))


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the norm of the difference of two arrays of one shape.

    >>> distance(np.array([[3.0, 1.0]]), np.array([[0.0, 5.0]]))
    5.0
    """
    flat_a, flat_b = a.ravel(), b.ravel()
    parts = (slice(start, start + _PART) for start in range(0, a.size, _PART))
    total = sum(_square(flat_a[part] - flat_b[part]) for part in parts)
    return sqrt(total) if _TINY < total < inf else norm(a - b)


def _square(flat: np.ndarray) -> float:
    """Return the sum of the squares, as products of blocks, summed in float64."""
    whole = flat.size - flat.size % _BLOCK
    rest = flat[whole:]
    total = float(np.dot(rest, rest))
    if whole:
        blocks = flat[:whole].reshape(-1, 1, _BLOCK)
        total += float(np.matmul(blocks, blocks.swapaxes(1, 2)).sum(dtype=np.float64))
    return total
