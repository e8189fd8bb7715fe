"""Arrays of .h5 files that cannot be mapped: read from the file, block by block."""

import weakref
from functools import cached_property
from math import prod
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from dagnet.data.h5_chunks import Chunks
from dagnet.data.h5_file import import_h5py
from dagnet.data.parts import one_message
from dagnet.errors import ArgumentError
from dagnet.stored import BLOCK_BYTES, WINDOW_BYTES, Stored, example_bytes

#: Bytes of blocks that stay in memory: those that a shuffle in blocks mixes with each other.
KEPT_BYTES = WINDOW_BYTES


class H5Array(Stored):
    """A data set of a .h5 file that is stored in chunks, as an array that is read when it is used.

    It can be indexed, transposed, and have neighbouring axes joined by `reshape`; none of the last
    two reads anything. `numpy.asarray` reads all.

    Parameters
    ----------
    path : Path
    name : str
        Of the data set in the file.
    groups : tuple of tuple of int, optional
        The axes of the file that make each axis of the array; by default all, as they are.
    """

    def __init__(self, path: Path, name: str, groups: tuple[tuple[int, ...], ...] | None = None):
        self._path = path
        self._name = name
        stored = self._dataset
        self._groups = tuple((i,) for i in range(stored.ndim)) if groups is None else groups
        self.dtype = stored.dtype
        self.shape = tuple(prod(stored.shape[i] for i in group) for group in self._groups)
        self._lock = Lock()

    @cached_property
    def _dataset(self) -> Any:
        with one_message(self._path, ".h5 file"):
            # Blocks of whole chunks are kept here, so the library need not keep any.
            return import_h5py().File(self._path, "r", rdcc_nbytes=0)[self._name]

    @cached_property
    def rows(self) -> int:
        """How many examples, on the last axis, are read at once: those of a chunk, if not many."""
        axis, *others = self._groups[-1]
        if others:
            raise ArgumentError(
                f"{self!r}: its last axis, the examples, is joined of several in the file; "
                "transpose it, so that the examples' own is the last"
            )
        chunks = self._dataset.chunks
        most = max(1, BLOCK_BYTES // max(1, example_bytes(self)))
        return min(chunks[axis] if chunks else most, most, max(1, self.shape[-1]))

    def read(self, which: np.ndarray, out: np.ndarray) -> None:
        """Read examples, on the last axis, into an array that has room for them."""
        target = out.transpose(out.ndim - 1, *range(out.ndim - 1))  # np.moveaxis takes far longer
        with self._lock:
            kept, rows = self._kept, self.rows
            blocks = which // rows
            within = which - blocks * rows
            slots = kept.find(blocks)
            if slots is not None:
                np.take(kept.examples, slots * rows + within, 0, target, "clip")
                return
            # What is to be read may be more blocks than there is room for: then part by part.
            fit = len(np.unique(blocks)) <= kept.slots
            most = max(1, len(which)) if fit else kept.slots
            for start in range(0, len(which), most):
                part = slice(start, start + most)
                places = kept.places(blocks[part]) * rows + within[part]
                np.take(kept.examples, places, 0, target[part], "clip")

    def announce(self, first: int, last: int) -> None:
        """Tell the system that the examples from `first` to before `last` are read soon."""
        self._chunks.announce(first, last)

    @cached_property
    def _chunks(self) -> Chunks:
        (axis,) = self._groups[-1]
        return Chunks(self._dataset, axis)

    @cached_property
    def _kept(self) -> "_Kept":
        count = -(-self.shape[-1] // self.rows)
        slots = max(1, KEPT_BYTES // max(1, self.rows * example_bytes(self)))
        return _Kept(self, count, min(slots, count))

    def fetch(self, number: int, out: np.ndarray) -> None:
        """Read the examples of a block, on the first axis; the last block may have fewer."""
        *features, (axis,) = self._groups
        start = number * self.rows
        stop = min(start + self.rows, self.shape[-1])
        order = (axis, *(i for group in features for i in group))
        out = out[: stop - start]
        with one_message(self._path, ".h5 file"):
            if order == tuple(range(len(order))) and self._chunks.read(start, out):
                return
            found = self._dataset[(slice(None),) * axis + (slice(start, stop),)]
        out[...] = found.transpose(order).reshape(out.shape)

    @property
    def T(self) -> "H5Array":  # noqa: N802 - numpy's name
        """The array with its axes in reverse order."""
        return self.transpose()

    def transpose(self, *axes: Any) -> "H5Array":
        """Return the array with its axes in this order, reversed if none is given."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        order = tuple(range(self.ndim))[::-1] if not order else tuple(order)
        if sorted(i % self.ndim for i in order) != list(range(self.ndim)):
            raise ArgumentError(f"{order} is no order of the {self.ndim} axes of {self!r}")
        return H5Array(self._path, self._name, tuple(self._groups[i] for i in order))

    def reshape(self, *shape: Any) -> "H5Array":
        """Return the array with neighbouring axes joined, such as ``reshape(len(X), -1)``."""
        wanted = list(shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)
        if wanted.count(-1) == 1:
            rest = -prod(wanted)
            wanted[wanted.index(-1)] = self.size // rest if rest > 0 else 0
        groups, left = [], list(self._groups)
        for place, size in enumerate(wanted, start=1):
            joined: tuple[int, ...] = left.pop(0) if left else ()
            # The last one takes all: an axis of 1 may follow, such as the channel of grey pictures.
            while left and (self._size(joined) < size or place == len(wanted)):
                joined += left.pop(0)
            if self._size(joined) != size:
                break
            groups.append(joined)
        # Reading goes along an axis that is one in the file, too.
        if len(groups) < len(wanted) or left or all(len(group) > 1 for group in groups):
            raise ArgumentError(
                f"{self!r} stays in its file: axes can be joined, as in reshape({len(self)}, -1), "
                f"but not become {tuple(shape)}"
            )
        return H5Array(self._path, self._name, tuple(groups))

    def _size(self, group: tuple[int, ...]) -> int:
        return prod(self._dataset.shape[i] for i in group)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        keys = self._by_axis(key)
        single = [i for i, group in enumerate(self._groups) if len(group) == 1]
        chosen = next((i for i in single if not _is_all(keys[i])), single[0])
        order = (*(i for i in range(self.ndim) if i != chosen), chosen)
        turned = self.transpose(order)
        which = np.arange(self.shape[chosen])[keys[chosen]]
        found = np.empty((which.size, *turned.shape[:-1]), self.dtype)
        turned.read(which.ravel(), np.moveaxis(found, 0, -1))
        keys[chosen] = 0 if which.ndim == 0 else slice(None)
        return np.moveaxis(found, 0, chosen)[tuple(keys)]

    def _by_axis(self, key: Any) -> list[Any]:
        keys = list(key) if isinstance(key, tuple) else [key]
        places = [i for i, k in enumerate(keys) if k is Ellipsis]
        if places:
            keys[places[0] : places[0] + 1] = [slice(None)] * (self.ndim - len(keys) + 1)
        keys += [slice(None)] * (self.ndim - len(keys))
        many = [k for k in keys if not isinstance(k, slice | int | np.integer)]
        if len(keys) > self.ndim or len(many) > 1 or any(k is None for k in keys):
            raise IndexError(f"{self!r} takes a number or slice an axis, and one list at most")
        return keys

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[...].astype(dtype or self.dtype, copy=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return H5Array, (self._path, self._name, self._groups)

    def __repr__(self) -> str:
        return f"<H5Array {self._name!r} of {self._path.name}: {self.shape} {self.dtype}>"


class _Kept:
    """The blocks that were used last, side by side in one array.

    Parameters
    ----------
    source : H5Array
    count : int
        Number of blocks in the file.
    slots : int
        Number of blocks there is room for.
    """

    def __init__(self, source: H5Array, count: int, slots: int):
        self.slots = slots
        self.examples = np.empty((slots * source.rows, *source.shape[:-1]), source.dtype)
        self._source = weakref.proxy(source)  # which holds this one: no cycle of references
        self._slot = np.full(count, -1)  # of every block of the file
        self._held = np.full(slots, -1)  # the block in every slot
        self._used = np.zeros(slots, np.int64)  # when it was used last
        self._now = 0

    def find(self, blocks: np.ndarray) -> np.ndarray | None:
        """Return the slots of blocks; None unless all of them, and one at least, are here."""
        slots = self._slot[blocks]
        if not slots.size or slots.min() < 0:
            return None
        self._now += 1
        self._used[slots] = self._now
        return slots

    def places(self, blocks: np.ndarray) -> np.ndarray:
        """Return the slots of blocks, no more than there are slots; those missing are read."""
        self._now += 1
        slots = self._slot[blocks]
        self._used[slots[slots >= 0]] = self._now
        for number in np.unique(blocks[slots < 0]):
            self._load(int(number), int(np.argmin(self._used)))
        return self._slot[blocks]

    def _load(self, number: int, slot: int) -> None:
        if self._held[slot] >= 0:
            self._slot[self._held[slot]] = -1
            self._held[slot] = -1
        first = slot * self._source.rows
        self._source.fetch(number, self.examples[first : first + self._source.rows])
        self._held[slot], self._slot[number], self._used[slot] = number, slot, self._now


def _is_all(key: Any) -> bool:
    return isinstance(key, slice) and key == slice(None)
