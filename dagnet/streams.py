"""Streams: inputs whose examples stay in a file until their batch comes."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from dagnet.data.scaling import Scaler
from dagnet.errors import FeedError
from dagnet.feeds import CheckedFeeds, Feeder, FeedRule, Unread, no_mapping
from dagnet.node import is_scaled, resolve
from dagnet.preparing import scaled
from dagnet.stored import Read, Stored, Which, example_bytes, is_stored, reader, room


class Stream(Unread):
    """An input that is read, scaled, converted and checked batch by batch.

    Parameters
    ----------
    rule : FeedRule
    array : Stored or memmap
        Raw, examples on the last axis.
    scaler : Scaler or None
    feeder : Feeder
        Knows what the rule allows.

    Raises
    ------
    FeedError, FeedTypeError
        If shape or dtype do not fit; what the numbers are is seen when they are read.
    """

    def __init__(self, rule: FeedRule, array: Any, scaler: Scaler | None, feeder: Feeder):
        self.rule = rule
        self.array = array
        self.scaler = scaler
        self._feeder = feeder
        self.dtype = feeder.dtype
        one = np.zeros((*array.shape[:-1], 1), array.dtype)
        self._labels = scaler is None and feeder.takes_labels(rule, array)
        if not self._labels:
            feeder.check_shape(rule, array)
        same_numbers = array.dtype.newbyteorder("=") == self.dtype
        if scaler is not None:
            scaler.transform(one)
        elif not same_numbers:
            feeder.array(rule, one)
        self.shape = resolve(rule.shape, array.shape[-1])

    @property
    def example_bytes(self) -> int:
        """Bytes that one example takes in the file."""
        return example_bytes(self.array)

    @property
    def rows(self) -> int:
        """How many examples in a row are best read at once."""
        return self.array.rows if isinstance(self.array, Stored) else 1

    def buffer(self, length: int) -> tuple[np.ndarray, Read]:
        """Return an array for so many examples, and a function that reads them into it."""
        raw = room(self.array, length)
        read = reader(self.array, raw)
        out = self._room(raw, length)

        def read_checked(which: Which) -> None:
            read(which)
            try:
                self._make(raw, out)
            except FeedError as error:
                place = self._first_refused(raw)
                number = which.start + place if isinstance(which, slice) else int(which[place])
                raise FeedError(
                    f"{error}; that is counted within a batch: in the file it is example {number}"
                ) from None

        return out, read_checked

    def sample(self, count: int) -> np.ndarray:
        """Return at most so many examples from all over the file, as a run takes them."""
        m = self.shape[-1]
        which = np.unique(np.linspace(0, m - 1, min(count, m)).astype(np.intp))
        found, read = self.buffer(len(which))
        read(which)
        return found

    def _room(self, raw: np.ndarray, length: int) -> np.ndarray:
        """Return the array for the batch made of raw examples: theirs, if nothing changes."""
        if self._labels:
            return np.empty(resolve(self.rule.shape, length), self.dtype)
        same = self.scaler is None and raw.dtype == self.dtype
        return raw if same else np.empty_like(raw, self.dtype)

    def _make(self, raw: np.ndarray, out: np.ndarray) -> None:
        """Make of raw examples what a run takes, or raise."""
        if self.scaler is not None:
            self.scaler.transform(raw, self.dtype, out=out)
        elif self._labels:
            self._feeder.one_hot(self.rule, raw, out)
        elif out is not raw:
            np.copyto(out, raw)
        self._feeder.check_values(self.rule, out)

    def _first_refused(self, raw: np.ndarray) -> int:
        """Return the place in a batch of the first example that is refused even if alone."""
        for place in range(raw.shape[-1]):
            one = raw[..., place : place + 1].copy()
            try:
                self._make(one, self._room(one, 1))
            except FeedError:
                return place
        return 0


def sources(
    feeds: Mapping[str, Any], scaling: Mapping[str, Scaler], feeder: Feeder
) -> tuple[dict[str, Any], int]:
    """Return raw feeds scaled and checked, and the number of examples; see `Model.sources`."""
    rules = feeder.rules
    if not isinstance(feeds, Mapping):
        raise no_mapping(feeds, rules)
    streams = {
        name: Stream(rules[name], array, scaling.get(name), feeder)
        for name, array in feeds.items()
        if is_stored(array) and name in rules and is_scaled(rules[name].shape)
    }
    read = {name: array for name, array in feeds.items() if name not in streams}
    return feeder.check(scaled(read, scaling, rules, feeder.dtype) | streams)


def streamed(feeds: Mapping[str, Any]) -> bool:
    """Return whether a part of the examples is still in a file."""
    return any(isinstance(source, Stream) for source in feeds.values())


class Gatherer:
    """Puts examples into the same buffers again and again.

    Parameters
    ----------
    feeds : mapping of str to ndarray or Stream
        Checked, by input name.
    scaled : collection of str
        The inputs that have an examples axis; the others go into every batch whole.

    Examples
    --------
    >>> gather = Gatherer({"X": np.arange(5.0).reshape(1, 5)}, {"X"})
    >>> gather(np.array([4, 0]))["X"].tolist()
    [[4.0, 0.0]]
    """

    def __init__(self, feeds: Mapping[str, Any], scaled: Iterable[str]):
        self._feeds = feeds
        self._scaled = [name for name in feeds if name in scaled]
        self._buffers: dict[int, tuple[CheckedFeeds, list[Read]]] = {}

    def __call__(self, which: Which) -> CheckedFeeds:
        """Return these examples; the next of the same number take their place."""
        length = which.stop - which.start if isinstance(which, slice) else len(which)
        if length not in self._buffers:
            self._buffers[length] = self._make(length)
        feeds, reads = self._buffers[length]
        for read in reads:
            read(which)
        return feeds

    def _make(self, length: int) -> tuple[CheckedFeeds, list[Read]]:
        arrays, reads = dict(self._feeds), []
        for name in self._scaled:
            source = self._feeds[name]
            if isinstance(source, Stream):
                arrays[name], read = source.buffer(length)
            else:
                arrays[name] = room(source, length)
                read = reader(source, arrays[name])
            reads.append(read)
        return CheckedFeeds(arrays, length), reads
