"""Samples of large arrays: every n-th element along an axis, where n is a power of two.

So two samples of one axis always have the coarser one's elements in common.
"""

from collections.abc import Sequence
from math import prod

#: Examples that are kept as long as there are other axes to thin out.
EXAMPLES_KEPT = 8

Strides = tuple[int, ...]


def strides_for(shape: Sequence[int], limit: int, examples: bool) -> Strides:
    """Return by how much to thin out every axis so that no more than `limit` elements are left.

    Examples go first, until there are `EXAMPLES_KEPT` of them; then the longest axis each time.

    Parameters
    ----------
    shape : sequence of int
    limit : int
        At least one element is left, whatever the limit.
    examples : bool
        Whether the last axis is that of the examples.

    Examples
    --------
    >>> strides_for((20, 50), 1000, True), strides_for((20, 50), 400, True)
    ((1, 1), (1, 4))
    >>> strides_for((12288, 209), 1024, True)
    (256, 16)
    """
    strides = [1] * len(shape)

    def left(axis: int) -> int:
        return -(-shape[axis] // strides[axis])

    def thin(axis: int) -> None:
        strides[axis] *= 2

    def too_many() -> bool:
        return prod(map(left, range(len(shape)))) > max(limit, 1)

    last = len(shape) - 1
    while examples and too_many() and left(last) >= 2 * EXAMPLES_KEPT:
        thin(last)
    while too_many():
        thin(max(range(len(shape)), key=left))
    return tuple(strides)


def sampled_size(shape: Sequence[int], strides: Strides) -> int:
    """Return how many elements a sample has.

    >>> sampled_size((20, 50), (1, 4))
    260
    """
    return prod(-(-length // stride) for length, stride in zip(shape, strides, strict=True))
