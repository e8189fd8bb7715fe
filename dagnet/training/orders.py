"""Orders: in which order an epoch takes the examples."""

from typing import Literal

import numpy as np

from dagnet.errors import ArgumentError

Shuffle = bool | Literal["blocks"]


def check_shuffle(shuffle: object) -> Shuffle:
    """Return `shuffle`, or raise unless it is True, False or ``"blocks"``."""
    if isinstance(shuffle, bool | np.bool_):
        return bool(shuffle)
    if isinstance(shuffle, str) and shuffle == "blocks":
        return "blocks"
    raise ArgumentError(f"shuffle must be True, False or 'blocks', got {shuffle!r}")


def shuffled_blocks(m: int, block: int, window: int, rng: np.random.Generator) -> np.ndarray:
    """Return the numbers from 0 to m - 1 in a random order that is quick to read from a disk.

    Blocks of `block` neighbours are shuffled; then the members of every `window` blocks that
    have come to stand beside each other are.

    Examples
    --------
    >>> order = shuffled_blocks(12, 2, 3, np.random.default_rng(0))
    >>> sorted(order.tolist()) == list(range(12))
    True
    >>> len(set(order[:6] // 2))  # blocks in the first window
    3
    """
    starts = rng.permutation(-(-m // block)) * block
    order = (starts[:, np.newaxis] + np.arange(block)).ravel()
    order = order[order < m]  # the last block may be shorter
    for first in range(0, m, block * window):
        rng.shuffle(order[first : first + block * window])
    return order
