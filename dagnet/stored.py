"""Arrays that stay in their files: which are, and how examples are read out of any array."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from math import prod
from mmap import ALLOCATIONGRANULARITY, mmap
from typing import Any, TypeGuard

import numpy as np

from dagnet.errors import FileAccessError

#: Bytes that are read at once of what is needed piece by piece.
BLOCK_BYTES = 2**21

#: Bytes of neighbours that a shuffle in blocks leaves together.
SHUFFLED_BYTES = 2**17

#: Bytes of the examples that a shuffle in blocks mixes with each other.
WINDOW_BYTES = 2**23

#: Which examples: some in any order, or a piece.
Which = np.ndarray | slice

#: Reads examples into the buffer it was made for.
Read = Callable[[Which], Any]


class Stored(ABC):
    """Like an array, but it reads from its file whatever is asked for.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    @abstractmethod
    def read(self, which: np.ndarray, out: np.ndarray) -> None:
        """Read examples, on the last axis, into an array that has room for them."""

    @abstractmethod
    def announce(self, first: int, last: int) -> None:
        """Tell the system that the examples from `first` to before `last` are read soon."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """How many examples in a row are best read at once."""

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize


def is_stored(value: object) -> "TypeGuard[np.memmap | Stored]":
    """Return whether an array stays in its file: a `Stored`, or mapped with `numpy.memmap`.

    >>> is_stored(np.ones(3))
    False
    """
    mapped = isinstance(value, np.memmap) and getattr(value, "_mmap", None) is not None
    return mapped or isinstance(value, Stored)


def example_bytes(array: Any) -> int:
    """Return the bytes of one example."""
    return prod(array.shape[:-1]) * array.dtype.itemsize


def pieces(array: Any) -> Iterator[np.ndarray]:
    """Yield all examples in order: at once if they are in memory, some at a time from a file."""
    if not is_stored(array):
        yield array
        return
    m = array.shape[-1]
    length = max(1, BLOCK_BYTES // max(1, example_bytes(array)))
    for start in range(0, m, length):
        which = slice(start, min(start + length, m))
        piece = room(array, which.stop - which.start)
        reader(array, piece)(which)
        yield piece


def room(array: Any, length: int) -> np.ndarray:
    """Return an array for so many examples, in the memory order of the one they come from."""
    if _by_example(array):
        return np.moveaxis(np.empty((length, *array.shape[:-1]), array.dtype), 0, -1)
    return np.empty((*array.shape[:-1], length), array.dtype)


def reader(array: Any, out: np.ndarray) -> Read:
    """Return a function that copies examples of an array to where `room` was made for them."""
    if isinstance(array, Stored):
        return _read_stored(array, out)
    read = _read_array(np.asarray(array), out)  # which is indexed faster than a memmap
    in_file = isinstance(array, np.memmap) and is_stored(array)
    return _unless_shorter(array, read) if in_file else read


def _read_array(array: np.ndarray, out: np.ndarray) -> Read:
    axis = -1
    if _by_example(array):  # each example in one piece
        array, out, axis = np.moveaxis(array, -1, 0), np.moveaxis(out, -1, 0), 0
    if array.flags.c_contiguous:
        return _read_whole(array, out, axis)

    def read(which: Which) -> None:
        out[...] = array[which] if axis == 0 else array[..., which]

    return read


def _unless_shorter(mapped: np.memmap, read: Read) -> Read:
    """Return `read` with a look at the file before.

    The system ends a process that reads where a file is mapped and does not reach any more.
    """
    mapping: mmap = mapped._mmap  # type: ignore[attr-defined]
    first = mapped.offset - mapped.offset % ALLOCATIONGRANULARITY
    needed, file_size = first + len(mapping), mapping.size

    def look_and_read(which: Which) -> None:
        if file_size() < needed:
            raise FileAccessError(
                f"{mapped.filename} has become shorter since it was opened: {needed} bytes are "
                f"needed of it, and it has {file_size()}"
            )
        read(which)

    return look_and_read


def _by_example(array: Any) -> bool:
    if isinstance(array, Stored):
        return True
    *features, example = map(abs, array.strides)
    return bool(features) and example > max(features)


def _read_stored(array: Stored, out: np.ndarray) -> Read:
    def read(which: Which) -> None:
        array.read(np.arange(which.start, which.stop) if isinstance(which, slice) else which, out)

    return read


def _read_whole(array: np.ndarray, out: np.ndarray, axis: int) -> Read:
    # As bytes without a meaning, which need no alignment. Members of a .npz are not aligned, and
    # np.take would copy all of such an array for every batch.
    opaque = f"V{array.itemsize}"
    source, target = array.view(opaque), out.view(opaque)

    def read(which: Which) -> None:
        if isinstance(which, slice):
            np.copyto(target, source[which] if axis == 0 else source[..., which])
        else:
            # mode="clip" writes straight into the buffer; the indices are in range anyway.
            np.take(source, which, axis=axis, out=target, mode="clip")

    return read
