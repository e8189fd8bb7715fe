"""Reading ahead: the system is told which parts of a file are needed soon."""

import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from dagnet.stored import Stored, example_bytes

#: Bytes that are announced in one call; of a longer range, some systems read the beginning only.
ANNOUNCED_BYTES = 2**17

#: Announces the examples from one number to before another.
Announce = Callable[[int, int], None]

# What memory that is mapped offers, where a system has these calls.
_WILLNEED = getattr(mmap, "MADV_WILLNEED", None)
_RANDOM = getattr(mmap, "MADV_RANDOM", None)
_NORMAL = getattr(mmap, "MADV_NORMAL", None)


class Ahead:
    """Announces the blocks of an order, window by window, each before the one before it is used.

    Parameters
    ----------
    arrays : sequence of Stored or memmap
        Those of which a block is less than a page are left to the system: it reads whole pages,
        and on each are examples of many blocks.
    order : ndarray of int
        Examples in the order in which they will be read. Nothing is announced if the first window
        touches more blocks than fit there, as where all examples are shuffled; nor in the order of
        the file, which a system reads ahead by itself, and faster.
    block, window : int
        Examples in a block, and blocks in a window.

    Examples
    --------
    >>> with Ahead([], np.arange(6), 2, 1) as ahead:
    ...     ahead.reach(0)
    """

    def __init__(self, arrays: Sequence[Any], order: np.ndarray, block: int, window: int):
        self._order = order
        self._block = block
        self._span = block * window
        self._arrays = [a for a in arrays if block * example_bytes(a) >= mmap.PAGESIZE]
        # A window of a shuffle has a block more where the short last one is in it.
        near = bool(self._arrays) and len(self._blocks(0)) <= window + 1
        ascending = bool((np.diff(order[: self._span]) > 0).all())
        self._announce: list[Announce] = []
        self._stack = ExitStack()
        #: The place that must be reached to announce more.
        self._due = 0 if near and not ascending else len(order)

    def __enter__(self) -> "Ahead":
        if self._due == 0:
            enter = self._stack.enter_context
            self._announce = [enter(announcing(array)) for array in self._arrays]
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def reach(self, place: int) -> None:
        """Announce the window that this place of the order is in, and the next; once each."""
        while self._due <= place:
            here = place // self._span * self._span
            if not self._due:
                self._announce_window(here)
            self._announce_window(here + self._span)
            self._due = here + self._span

    def _announce_window(self, start: int) -> None:
        for first in self._blocks(start):
            last = min(first + self._block, len(self._order))
            for announce in self._announce:
                announce(first, last)

    def _blocks(self, start: int) -> list[int]:
        """Return the first example of every block that a window of the order touches."""
        touched = np.zeros(-(-len(self._order) // self._block), bool)
        touched[self._order[start : start + self._span] // self._block] = True
        return (np.flatnonzero(touched) * self._block).tolist()


@contextmanager
def announcing(array: Any) -> Iterator[Announce]:
    """Yield a function that announces examples of an array that is not read in order.

    While it is in use, the system reads mapped memory page by page, except for what is announced.
    By default it would also read what is around each page, and with a file larger than memory that
    pushes out what is needed.
    """
    if isinstance(array, Stored):
        yield array.announce
        return
    if _WILLNEED is None or _RANDOM is None or _NORMAL is None or not _in_one_piece(array):
        yield _nothing
        return
    mapped, size = array._mmap, example_bytes(array)
    begin = array.__array_interface__["data"][0] - np.frombuffer(mapped, np.uint8).ctypes.data

    def announce(first: int, last: int) -> None:
        for start, length in in_pieces(begin + first * size, begin + last * size):
            mapped.madvise(_WILLNEED, start, length)

    mapped.madvise(_RANDOM)
    try:
        yield announce
    finally:
        mapped.madvise(_NORMAL)


def in_pieces(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield start and length of the pieces that are announced of a range, from whole pages on.

    >>> list(in_pieces(mmap.PAGESIZE + 10, mmap.PAGESIZE + 20)) == [(mmap.PAGESIZE, 20)]
    True
    """
    for start in range(begin // mmap.PAGESIZE * mmap.PAGESIZE, end, ANNOUNCED_BYTES):
        yield start, min(ANNOUNCED_BYTES, end - start)


def _in_one_piece(array: np.ndarray) -> bool:
    """Return whether neighbouring examples are neighbours in memory."""
    return array.strides[-1] == example_bytes(array) > 0


def _nothing(first: int, last: int) -> None:
    """Announce nothing."""
