"""Arena packing: values whose lifetimes do not meet share memory."""

from bisect import bisect_left, insort
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import gcd, inf
from operator import attrgetter
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

#: By how many percent the memory is larger than the least possible, in the order of the attempts.
PERCENTS = (0, 2, 5, 10, 15, 25, 50, 100)


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

    No packing is smaller than what lives at one position together. It is tried with so much
    memory, going through the positions forward, then backward; then with ever more of it. Time is
    near linear: sorted lists of few gaps.

    Examples
    --------
    >>> pack({"a": Lifetime(4, 0, 1), "b": Lifetime(4, 1, 2), "c": Lifetime(3, 2, 3)})
    Packing(offsets={'a': 0, 'b': 4, 'c': 0}, size=8)
    """
    lives = list(lifetimes.values())
    sizes = [life.size for life in lives]
    least, unit = largest_together(lives), gcd(*sizes) or 1
    for percent in PERCENTS:
        height = least * (100 + percent) // (100 * unit) * unit
        for backward in (False, True):
            offsets = _place([_mirrored(v) for v in lives] if backward else lives, height)
            if offsets is not None:
                return Packing(dict(zip(lifetimes, offsets, strict=True)), height)
    starts = accumulate(sizes, initial=0)
    return Packing(dict(zip(lifetimes, starts, strict=False)), sum(sizes))


def largest_together(lives: Sequence[Lifetime]) -> int:
    """Return the most units that live at one position: the least memory that holds them all."""
    now = most = 0
    deaths = iter(sorted(lives, key=attrgetter("death")))
    dying = next(deaths, None)
    for life in sorted(lives, key=attrgetter("birth")):
        while dying is not None and dying.death < life.birth:
            now -= dying.size
            dying = next(deaths, None)
        now += life.size
        most = max(most, now)
    return most


def _mirrored(life: Lifetime) -> Lifetime:
    """Return the lifetime as it is when time goes backward."""
    return Lifetime(life.size, -life.death, -life.birth)


def _place(lives: Sequence[Lifetime], height: int) -> list[int] | None:
    """Return an offset for every value in memory of a given height; None if one finds no gap."""
    births = sorted(range(len(lives)), key=lambda i: lives[i].birth)
    dying = iter(sorted(range(len(lives)), key=lambda i: lives[i].death))
    next_dead = next(dying, 0)
    offsets = [0] * len(lives)
    gaps = _Gaps(height)
    for i in births:
        life = lives[i]
        while lives[next_dead].death < life.birth:
            gaps.give_back(offsets[next_dead], lives[next_dead].size)
            next_dead = next(dying)
        offset = gaps.take(life.size, life.death)
        if offset is None:
            return None
        offsets[i] = offset
    return offsets


class _Gaps:
    """The gaps between the values that live now: by offset, to merge neighbours, and by size.

    A value goes into the smallest gap that holds it, to that end of it whose neighbour outlives
    the value; the walls outlive all. So values that die together come to lie together, whether
    they take turns, as in a chain, or die in the reverse order of their births, as those do that
    wait for the way back.
    """

    def __init__(self, height: int) -> None:
        self.offsets = [0]
        self.size_at = {0: height}
        self.by_size = [(height, 0)]
        #: When the value dies that ends, or starts, at an offset.
        self.below: dict[int, float] = {0: inf}
        self.above: dict[int, float] = {height: inf}

    def take(self, size: int, death: int) -> int | None:
        if size == 0:
            return 0
        i = bisect_left(self.by_size, (size, -1))
        if i == len(self.by_size):
            return None
        length, start = self.by_size[i]
        self._remove(start)
        below, above = self.below[start], self.above[start + length]
        low = below >= min(death, above)
        offset = start if low else start + length - size
        if length > size:
            self._insert(start + size if low else start, length - size)
        self.above[offset] = self.below[offset + size] = death
        return offset

    def give_back(self, offset: int, size: int) -> None:
        if size == 0:
            return
        del self.above[offset], self.below[offset + size]
        if offset + size in self.size_at:
            size += self._remove(offset + size)
        i = bisect_left(self.offsets, offset)
        if i > 0:
            before = self.offsets[i - 1]
            if before + self.size_at[before] == offset:
                size += self._remove(before)
                offset = before
        self._insert(offset, size)

    def _insert(self, offset: int, size: int) -> None:
        insort(self.offsets, offset)
        insort(self.by_size, (size, offset))
        self.size_at[offset] = size

    def _remove(self, offset: int) -> int:
        size = self.size_at.pop(offset)
        self.offsets.pop(bisect_left(self.offsets, offset))
        self.by_size.pop(bisect_left(self.by_size, (size, offset)))
        return size
