"""The journal: what there is to note of every step, in a few bytes."""

import sys
from array import array
from struct import pack
from typing import Any

from dagnet.errors import RecordingError

#: When within an update's turn something changed: as it ended, or as the next epoch began.
AFTER_BATCH, AT_EPOCH = 0, 1

#: About the bytes of an optimizer's noted hyperparameters.
_CHANGE_BYTES = 1024


class Journal:
    """The cost of every step, and what became of the optimizer.

    A step that is made again must come to the same cost, to the bit; and an optimizer that a
    callback changed in between must be changed again.

    Attributes
    ----------
    last : int
        The last update noted.
    changes : dict
        Hyperparameters by update and moment.
    """

    def __init__(self, last: int = 0):
        self.last = last
        self.changes: dict[tuple[int, int], dict[str, Any]] = {}
        self._stride = 1
        self._costs = array("d")
        self._start = last + 1  # in strides

    @property
    def nbytes(self) -> int:
        return sys.getsizeof(self._costs) + _CHANGE_BYTES * len(self.changes)

    def note(self, step: int, cost: float) -> None:
        self.last = step
        if step % self._stride == 0:
            self._costs.append(cost)

    def shrink(self, limit: int) -> None:
        """Forget every second cost, as often as needed, and then changes, the oldest first."""
        while self.nbytes > limit and len(self._costs) > 1:
            skip = self._start % 2
            self._costs = self._costs[skip::2]
            self._start = (self._start + skip) // 2
            self._stride *= 2
        while self.nbytes > limit and self.changes:
            del self.changes[next(iter(self.changes))]

    def truncate(self, step: int) -> None:
        """Forget all that came after an update."""
        self.last = step
        del self._costs[max(0, step // self._stride - self._start + 1) :]
        self.changes = {at: what for at, what in self.changes.items() if at < (step, AT_EPOCH)}

    def check(self, step: int, cost: float) -> None:
        """Raise unless an update that was made again came to the same cost."""
        i = step // self._stride - self._start
        if step % self._stride or not 0 <= i < len(self._costs):
            return
        if pack("d", self._costs[i]) != pack("d", cost):
            raise RecordingError(
                f"training step {step} cannot be made again: its cost comes to {cost!r}, in "
                f"training it was {self._costs[i]!r}; the data have changed since, or something "
                "changed the model between two steps, such as a callback or a debugger"
            )
