"""Mini-batches: examples gathered into the same buffers again and again."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from dagnet.ahead import Ahead
from dagnet.bounds import check_size
from dagnet.feeds import CheckedFeeds
from dagnet.stored import BLOCK_BYTES, SHUFFLED_BYTES, WINDOW_BYTES, example_bytes
from dagnet.streams import Gatherer, Stream
from dagnet.training.orders import Shuffle, shuffled_blocks

#: Batches of which fewer are not worth copying once more, in order to read them at once.
FEWEST_STAGED = 8


class Batches:
    """The examples of a training, in batches of one size; the last may be smaller.

    Parameters
    ----------
    feeds : mapping of str to ndarray or Stream
        Checked, by input name; what streams is read when its batch comes.
    scaled : collection of str
        The inputs that have an examples axis; the others go into every batch whole.
    m : int
        Number of examples.
    size : int or None
        Examples per batch; None for all at once, in their own order and without a copy.

    Examples
    --------
    >>> batches = Batches({"X": np.arange(5.0).reshape(1, 5)}, {"X"}, 5, 2)
    >>> [feeds["X"].tolist() for feeds in batches.over(np.array([4, 3, 2, 1, 0]))]
    [[[4.0, 3.0]], [[2.0, 1.0]], [[0.0]]]
    """

    def __init__(self, feeds: Mapping[str, Any], scaled: set[str], m: int, size: int | None):
        self.m = m
        self.whole = size is None
        self.size = m
        if size is not None:
            self.size = min(check_size(size, "batch_size", "a positive integer or None"), m)
        self.count = -(-m // self.size)
        self._feeds = CheckedFeeds(feeds, m)
        self._scaled = scaled
        self._gather = Gatherer(self._feeds, scaled)
        #: Gather batches out of so many examples that were gathered out of files before.
        self._from_stage: dict[int, Gatherer] = {}

    def again(self) -> "Batches":
        """Return the same batches, in buffers of their own."""
        return Batches(self._feeds, self._scaled, self.m, None if self.whole else self.size)

    def order(self, shuffle: Shuffle, rng: np.random.Generator) -> np.ndarray:
        """Return the order in which an epoch takes the examples."""
        if shuffle == "blocks":
            return shuffled_blocks(self.m, *self._blocks(), rng)
        return rng.permutation(self.m) if shuffle else np.arange(self.m)

    def _blocks(self) -> tuple[int, int]:
        """Return how many neighbours make a block, and how many blocks a window.

        Blocks are of whole chunks, if the examples are in chunks.
        """
        rows = max((stream.rows for stream in self._streams), default=1)
        wanted = max(1, SHUFFLED_BYTES // self._example_bytes)
        block = min(self.m, -(-wanted // rows) * rows)
        return block, max(2, WINDOW_BYTES // (block * self._example_bytes))

    @property
    def _streams(self) -> list[Stream]:
        return [source for source in self._feeds.values() if isinstance(source, Stream)]

    @property
    def _example_bytes(self) -> int:
        """Bytes of one example of all inputs, where they lie."""
        return max(1, sum(example_bytes(self._feeds[name]) for name in self._scaled))

    def over(self, order: np.ndarray | None, first: int = 0) -> Iterator[CheckedFeeds]:
        """Yield the batches from number `first` on, examples in the given order."""
        begin = first * self.size
        if self.whole or order is None:
            yield from (self._feeds for _ in range(begin, self.m, self.size))
            return
        arrays, stage = [stream.array for stream in self._streams], self._stage()
        with Ahead(arrays, order, *self._blocks()) as ahead:
            for start in range(begin, self.m, stage):
                ahead.reach(start)
                which = order[start : start + stage]
                if stage == self.size:
                    yield self._gather(which)
                else:
                    yield from self._staged(which)

    def _stage(self) -> int:
        """Return how many examples are gathered at once: out of files, those of several batches.

        It takes less time to read and to check many. They are of one window, as it is announced.
        """
        if not self._streams:
            return self.size
        block, window = self._blocks()
        examples = min(BLOCK_BYTES // self._example_bytes, block * window)
        batches = examples // self.size
        if batches < FEWEST_STAGED:
            return self.size
        # An odd number: rows a power of two apart would compete for the same places of a cache.
        return self.size * (batches - 1 | 1)

    def _staged(self, which: np.ndarray) -> Iterator[CheckedFeeds]:
        """Yield the batches of a stage."""
        staged, length = self._gather(which), len(which)
        if length not in self._from_stage:
            self._from_stage[length] = Gatherer(staged, self._scaled)
        for start in range(0, length, self.size):
            yield self._from_stage[length](slice(start, min(start + self.size, length)))

    def length(self, number: int) -> int:
        """Return how many examples are in a batch, counted from 0."""
        return min(self.size, self.m - number * self.size)

    def done(self, count: int) -> int:
        """Return how many examples the first `count` batches hold."""
        return min(count * self.size, self.m)
