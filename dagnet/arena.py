"""Arena packing: values whose lifetimes do not meet share memory."""

from bisect import bisect_left, insort
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True)
class Lifetime:
    """How large a value is, and the first and last position of the plan at which it matters."""

    size: int
    birth: int
    death: int


@dataclass(frozen=True, slots=True)
class Packing(Generic[Key]):
    """Where each value starts in one block of memory of `size` units."""

    offsets: Mapping[Key, int]
    size: int


def pack(lifetimes: Mapping[Key, Lifetime]) -> Packing[Key]:
    """Place every value so that no two that live at the same position overlap.

    Goes through the positions in order; a value takes the smallest free block that holds it
    (best fit), and freed neighbours merge. Time is near linear: sorted lists of few free blocks.

    Examples
    --------
    >>> pack({"a": Lifetime(4, 0, 1), "b": Lifetime(4, 1, 2), "c": Lifetime(3, 2, 3)})
    Packing(offsets={'a': 0, 'b': 4, 'c': 0}, size=8)
    """
    lives = list(lifetimes.values())
    births = sorted(range(len(lives)), key=lambda i: lives[i].birth)
    deaths = sorted(range(len(lives)), key=lambda i: lives[i].death)
    offsets = [0] * len(lives)
    free = _FreeBlocks()
    dead = 0
    for i in births:
        while lives[deaths[dead]].death < lives[i].birth:
            free.give_back(offsets[deaths[dead]], lives[deaths[dead]].size)
            dead += 1
        offsets[i] = free.take(lives[i].size)
    return Packing(dict(zip(lifetimes, offsets, strict=True)), free.top)


class _FreeBlocks:
    """The gaps below `top`: by offset, to merge neighbours, and by size, to find the best fit."""

    def __init__(self) -> None:
        self.top = 0
        self.offsets: list[int] = []
        self.size_at: dict[int, int] = {}
        self.by_size: list[tuple[int, int]] = []

    def take(self, size: int) -> int:
        if size == 0:
            return 0
        i = bisect_left(self.by_size, (size, -1))
        if i < len(self.by_size):
            length, offset = self.by_size[i]
            self._remove(offset)
            if length > size:
                self._insert(offset + size, length - size)
            return offset
        offset = self.top
        if self.offsets and self.offsets[-1] + self.size_at[self.offsets[-1]] == self.top:
            offset = self.offsets[-1]  # too small, but it ends at the top and can grow
            self._remove(offset)
        self.top = offset + size
        return offset

    def give_back(self, offset: int, size: int) -> None:
        if size == 0:
            return
        i = bisect_left(self.offsets, offset)
        if i < len(self.offsets) and self.offsets[i] == offset + size:
            size += self.size_at[self.offsets[i]]
            self._remove(self.offsets[i])
        if i > 0:
            before = self.offsets[i - 1]
            if before + self.size_at[before] == offset:
                size += self.size_at[before]
                self._remove(before)
                offset = before
        self._insert(offset, size)

    def _insert(self, offset: int, size: int) -> None:
        insort(self.offsets, offset)
        insort(self.by_size, (size, offset))
        self.size_at[offset] = size

    def _remove(self, offset: int) -> None:
        size = self.size_at.pop(offset)
        self.offsets.pop(bisect_left(self.offsets, offset))
        self.by_size.pop(bisect_left(self.by_size, (size, offset)))
