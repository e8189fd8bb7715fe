"""Arena packing: values whose lifetimes do not meet share memory."""

from bisect import bisect_left, insort
from functools import cached_property
from itertools import accumulate
from math import gcd, inf
from typing import NamedTuple

#: By how many percent the memory is larger than the least possible, in the order of the attempts.
PERCENTS = (0, 2, 5, 10, 15, 25, 50, 100)


class Packing(NamedTuple):
    """Where each value starts in one block of memory of `size` units."""

    offsets: list[int]
    size: int


def pack(sizes: list[int], births: list[int], deaths: list[int]) -> Packing:
    """Place every value so that no two that live at the same position overlap.

    No packing is smaller than what lives at one position together. It is tried with so much
    memory, going through the positions forward, then backward; then with ever more of it. Time is
    near linear: sorted lists of few gaps.

    Parameters
    ----------
    sizes : list of int
        Of each value, in units.
    births, deaths : list of int
        The first and the last position of the plan at which it matters.

    Examples
    --------
    >>> pack([4, 4, 3], births=[0, 1, 2], deaths=[1, 2, 3])
    Packing(offsets=[0, 4, 0], size=8)
    """
    forward = _Spans(sizes, births, deaths)
    least, unit = forward.largest_together(), gcd(*sizes) or 1
    for percent in PERCENTS:
        height = least * (100 + percent) // (100 * unit) * unit
        offsets = forward.place(height)
        if offsets is None:
            offsets = forward.mirrored.place(height)
        if offsets is not None:
            return Packing(offsets, height)
    return Packing(list(accumulate(sizes, initial=0))[:-1], sum(sizes))


class _Spans:
    """Lifetimes in columns, and in which order they begin and end."""

    def __init__(self, sizes: list[int], births: list[int], deaths: list[int]) -> None:
        self.sizes = sizes
        self.births = births
        self.deaths = deaths
        self.by_birth = sorted(range(len(sizes)), key=births.__getitem__)
        self.by_death = sorted(range(len(sizes)), key=deaths.__getitem__)

    @cached_property
    def mirrored(self) -> "_Spans":
        """The same when time goes backward."""
        return _Spans(self.sizes, [-d for d in self.deaths], [-b for b in self.births])

    def largest_together(self) -> int:
        """Return the most units that live at one position: the least memory that holds them."""
        sizes, births, deaths = self.sizes, self.births, self.deaths
        now = most = 0
        dying = iter(self.by_death)
        next_dead = next(dying, 0)
        for born in self.by_birth:
            while deaths[next_dead] < births[born]:
                now -= sizes[next_dead]
                next_dead = next(dying)
            now += sizes[born]
            most = max(most, now)
        return most

    def place(self, height: int) -> list[int] | None:
        """Return an offset for every value in memory of a given height; None if one has no gap."""
        sizes, births, deaths = self.sizes, self.births, self.deaths
        offsets = [0] * len(sizes)
        gaps = _Gaps(height)
        dying = iter(self.by_death)
        next_dead = next(dying, 0)
        for born in self.by_birth:
            while deaths[next_dead] < births[born]:
                gaps.give_back(offsets[next_dead], sizes[next_dead])
                next_dead = next(dying)
            death = deaths[born]
            outliving = inf if births[born] == death else death
            offset = gaps.take(sizes[born], death, outliving)
            if offset is None:
                return None
            offsets[born] = offset
        return offsets


class _Gaps:
    """The gaps between the values that live now: by their ends, to merge neighbours, and by size.

    A value goes into the smallest gap that holds it, to that end of it whose neighbour outlives
    the value; the walls outlive all. So values that die together come to lie together, whether
    they take turns, as in a chain, or die in the reverse order of their births, as those do that
    wait for the way back. What lives at one position alone goes to the end whose neighbour lives
    longest: so does the next such value, and finds the same place.
    """

    def __init__(self, height: int) -> None:
        #: Where the gap ends that starts at an offset, and where it starts that ends there.
        self.stop_of = {0: height}
        self.start_of = {height: 0}
        self.by_size = [(height, 0)]
        #: When the value dies that ends, or starts, at an offset.
        self.below: dict[int, float] = {0: inf}
        self.above: dict[int, float] = {height: inf}

    def take(self, size: int, death: int, outliving: float) -> int | None:
        """Return where a value lies, beside one that dies no earlier than `outliving` if it can."""
        if size == 0:
            return 0
        by_size, stop_of, start_of = self.by_size, self.stop_of, self.start_of
        i = bisect_left(by_size, (size, -1))
        if i == len(by_size):
            return None
        room, start = by_size.pop(i)
        stop = start + room
        below, above = self.below[start], self.above[stop]
        if room == size:
            offset = start
            del stop_of[start], start_of[stop]
        elif below >= outliving or below > above:
            offset, start = start, start + size
            del stop_of[offset]
            stop_of[start], start_of[stop] = stop, start
            insort(by_size, (room - size, start))
        else:
            offset = stop - size
            del start_of[stop]
            stop_of[start], start_of[offset] = offset, start
            insort(by_size, (room - size, start))
        self.above[offset] = self.below[offset + size] = death
        return offset

    def give_back(self, offset: int, size: int) -> None:
        if size == 0:
            return
        by_size, stop_of, start_of = self.by_size, self.stop_of, self.start_of
        start, stop = offset, offset + size
        del self.above[start], self.below[stop]
        end = stop_of.pop(stop, None)
        if end is not None:
            del by_size[bisect_left(by_size, (end - stop, stop))]
            stop = end
        begin = start_of.pop(start, None)
        if begin is not None:
            del by_size[bisect_left(by_size, (start - begin, begin))]
            start = begin
        stop_of[start], start_of[stop] = stop, start
        insort(by_size, (stop - start, start))
