"""The memory of a plan: two arenas, and every buffer as a view into one of them."""

from collections.abc import Callable
from functools import cache, partial

import numpy as np

from dagnet.node import resolve
from dagnet.plan import ALIGNMENT, BufferKey, Kind, Plan


class Arenas:
    """The memory of a plan: one block for values that grow with the examples, one for the rest."""

    def __init__(self) -> None:
        self.scaled = aligned(0)
        self.fixed = aligned(0)

    def hold(self, array: np.ndarray) -> bool:
        """Return whether an array lies in this memory."""
        if array.flags.owndata:  # as most that are fed; the question takes longer
            return False
        return np.may_share_memory(array, self.scaled) or np.may_share_memory(array, self.fixed)

    def fits(self, plan: Plan, m: int) -> bool:
        return self.scaled.nbytes >= plan.scaled_size * padded(m)

    def grow(self, plan: Plan, m: int) -> None:
        self.scaled = aligned(plan.scaled_size * padded(m))
        self.fixed = aligned(plan.fixed_size)

    def views(self, plan: Plan, m: int) -> dict[BufferKey, np.ndarray]:
        """Return every buffer of the plan as an array for m examples; values that take turns in
        one place share one array."""
        arrays: dict[BufferKey, np.ndarray] = {}
        made: dict[tuple[Kind, int], np.ndarray] = {}
        maker = cache(partial(self._maker, m=m))
        for key, kind, offset in plan.buffers.places():
            array = made.get((kind, offset))
            if array is None:
                array = made[kind, offset] = maker(kind)(offset)
            arrays[key] = array
        return arrays

    def _maker(self, kind: Kind, m: int) -> Callable[[int], np.ndarray]:
        """Return a function that makes the array that lies at an offset of a plan."""
        memory, unit = (self.scaled, padded(m)) if kind.scaled else (self.fixed, 1)
        lengths, dtype = resolve(kind.shape, m), np.dtype(kind.dtype)
        return lambda offset: np.ndarray(lengths, dtype, memory, offset * unit)


def padded(m: int) -> int:
    """Return the examples for which memory is laid out: large runs start on aligned addresses."""
    return m if m < 64 else -(-m // 8) * 8


def aligned(nbytes: int) -> np.ndarray:
    """Return so many bytes of memory that start on a multiple of `ALIGNMENT`."""
    memory = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + nbytes]
