"""Where the chunks of a data set lie in their .h5 file."""

import os
from typing import Any

import numpy as np

from dagnet.ahead import in_pieces


class Chunks:
    """The chunks of a data set, by the examples in them.

    Parameters
    ----------
    dataset : h5py.Dataset
    axis : int
        The axis of the examples.
    """

    def __init__(self, dataset: Any, axis: int):
        found: list[tuple[int, int, int]] = []

        def take(chunk: Any) -> None:
            found.append((chunk.chunk_offset[axis], chunk.byte_offset, chunk.size))

        self._rows = 1
        # Older libraries find a chunk so slowly that nothing would be won.
        if dataset.chunks and hasattr(dataset.id, "chunk_iter"):
            self._rows = dataset.chunks[axis]
            dataset.id.chunk_iter(take)
        table = np.array(sorted(found), np.int64).reshape(-1, 3)
        self._firsts, self._ranges = table[:, 0], table[:, 1:]
        self._file = dataset.file.id.get_vfd_handle()

    def announce(self, first: int, last: int) -> None:
        """Tell the system that the chunks with these examples are read soon."""
        advise = getattr(os, "posix_fadvise", None)
        if advise is None:
            return
        here = slice(*np.searchsorted(self._firsts, [first - self._rows + 1, last]))
        for begin, size in self._ranges[here].tolist():
            for start, length in in_pieces(begin, begin + size):
                advise(self._file, start, length, os.POSIX_FADV_WILLNEED)
