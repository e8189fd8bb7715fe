"""The records of a training, thinned when they get too many."""

from bisect import insort
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import numpy as np

from dagnet.debug.recorder.record import Record, Value


class Records(Mapping[int, Record]):
    """Records by the step they lead to, in ascending order.

    Parameters
    ----------
    distance : int
        Updates from one record to the next.
    forget : callable
        Takes the step of every record that goes.

    Attributes
    ----------
    distance : int
        It doubles whenever records are thinned.
    pinned : set of int
        Steps whose records go last.
    nbytes : int
    """

    def __init__(self, distance: int, forget: Callable[[int], object]):
        self.distance = distance
        self.pinned: set[int] = set()
        self.nbytes = 0
        self._forget = forget
        self._records: dict[int, Record] = {}
        self._steps: list[int] = []
        self._orders: Counter[int] = Counter()

    def __getitem__(self, step: int) -> Record:
        return self._records[step]

    def __iter__(self) -> Iterator[int]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)

    def on_grid(self, step: int) -> bool:
        """Return whether a record of this step is due, thinned as they are."""
        return (step - 1) % self.distance == 0

    def next_on_grid(self, step: int) -> int:
        """Return the first step after this one whose record is due."""
        return ((step - 1) // self.distance + 1) * self.distance + 1

    def add(self, record: Record, limit: int) -> bool:
        """Keep a record unless it and the first would take more bytes; return whether it is kept.

        Others go if there is no room for all.
        """
        if not self._make_room(self._cost(record), limit, ()):
            return False
        self.nbytes += self._cost(record)
        if record.order is not None:
            self._orders[id(record.order)] += 1
        self._records[record.step] = record
        insort(self._steps, record.step)
        if len(self._steps) > 2:
            self._let_go_unless_due(self._steps[-2])  # it has stayed for being the newest
        return True

    def add_values(self, record: Record, values: dict[Value, np.ndarray], limit: int) -> None:
        """Add the values of its step to a record of ours, if there is room for them."""
        nbytes = sum(array.nbytes for array in values.values())
        if self._make_room(nbytes, limit, (record.step,)):
            record.values = values
            self.nbytes += nbytes

    def truncate(self, step: int) -> None:
        """Let go of all records that lead to steps after this one."""
        self._drop([s for s in self._steps if s > step])

    def _make_room(self, nbytes: int, limit: int, spared: Collection[int]) -> bool:
        """Thin the records until there is room for so many bytes more, if there can be."""
        least = sum(self[s].nbytes for s in {*self._steps[:1], *spared})
        if least + nbytes > limit:
            return False
        while self.nbytes + nbytes > limit and self._thin(spared):
            pass
        return self.nbytes + nbytes <= limit  # false only if the first one's order is in the way

    def _let_go_unless_due(self, step: int) -> None:
        if not (self.on_grid(step) or step in self.pinned):
            self._drop([step])

    def _thin(self, spared: Collection[int]) -> bool:
        """Let every second record go, but for the first, the newest and the pinned ones.

        When no others are left, the last pinned one goes, and then the newest.
        """
        between = [s for s in self._steps[1:-1] if s not in spared]
        ordinary = [s for s in between if s not in self.pinned]
        doomed: list[int] = []
        while ordinary and not doomed:
            self.distance *= 2
            doomed = [s for s in ordinary if not self.on_grid(s)]
        if not doomed:
            rest = [s for s in self._steps[1:] if s not in spared]
            doomed = between[-1:] or rest[-1:]
        self._drop(doomed)
        return bool(doomed)

    def _drop(self, steps: Sequence[int]) -> None:
        for step in steps:
            record = self._records.pop(step)
            self.pinned.discard(step)
            if record.order is not None:
                self._orders[id(record.order)] -= 1
            self.nbytes -= self._cost(record)
            self._forget(step)
        self._steps = [step for step in self._steps if step in self._records]

    def _cost(self, record: Record) -> int:
        """Return what a record takes that no other has in common with it."""
        order = record.order
        shared = order is None or self._orders[id(order)] > 0
        return record.nbytes + (0 if shared or order is None else order.nbytes)
