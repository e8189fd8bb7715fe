"""Mini-batches: examples gathered into the same buffers again and again."""

from collections.abc import Iterator, Mapping

import numpy as np

from dagnet.errors import ArgumentError


class Batches:
    """The examples of a training, in batches of one size; the last may be smaller.

    Parameters
    ----------
    feeds : mapping of str to ndarray
        Checked arrays by input name.
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

    def __init__(self, feeds: Mapping[str, np.ndarray], scaled: set[str], m: int, size: int | None):
        integer = isinstance(size, int | np.integer) and not isinstance(size, bool)
        if size is not None and not (integer and size >= 1):
            raise ArgumentError(f"batch_size must be a positive integer or None, got {size!r}")
        self.m = m
        self.whole = size is None
        self.size = m if size is None else min(int(size), m)
        self.count = -(-m // self.size)
        self._feeds = dict(feeds)
        self._scaled = scaled
        self._buffers: dict[int, dict[str, np.ndarray]] = {}

    def again(self) -> "Batches":
        """Return the same batches, in buffers of their own."""
        return Batches(self._feeds, self._scaled, self.m, None if self.whole else self.size)

    def over(self, order: np.ndarray | None, first: int = 0) -> Iterator[dict[str, np.ndarray]]:
        """Yield the batches from number `first` on, examples in the given order."""
        for start in range(first * self.size, self.m, self.size):
            if self.whole or order is None:
                yield self._feeds
            else:
                yield self._gather(order[start : start + self.size])

    def length(self, number: int) -> int:
        """Return how many examples are in a batch, counted from 0."""
        return min(self.size, self.m - number * self.size)

    def done(self, count: int) -> int:
        """Return how many examples the first `count` batches hold."""
        return min(count * self.size, self.m)

    def _gather(self, chosen: np.ndarray) -> dict[str, np.ndarray]:
        length = len(chosen)
        if length not in self._buffers:
            self._buffers[length] = self._feeds | {
                name: np.empty((*self._feeds[name].shape[:-1], length), self._feeds[name].dtype)
                for name in self._scaled
            }
        buffers = self._buffers[length]
        for name in self._scaled:
            examples = self._feeds[name]
            if examples.flags.aligned:
                # mode="clip" writes straight into the buffer; the indices are in range anyway.
                np.take(examples, chosen, axis=-1, out=buffers[name], mode="clip")
            else:
                # As in a mapped file. Of these, np.take would copy all examples for every batch.
                buffers[name][...] = examples[..., chosen]
        return buffers
