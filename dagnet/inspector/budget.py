"""The size budget of a page: how many steps it holds, and how much of every array.

Nothing is left out silently: every value of every node keeps its statistics at every step that is
kept, and a sample of at least a few elements.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import ceil, prod

from dagnet.errors import ArgumentError
from dagnet.inspector.sampling import sampled_size, strides_for

#: About what a value's statistics and histogram take at a step, in bytes of JSON.
STATISTICS_BYTES = 420

#: A sample below this many elements tells little: fewer steps are kept instead.
FEW = 256

#: And this is what a sample is cut down to when nothing else helps.
FEWEST = 16

#: From one limit that is tried to the next.
FINER = 0.8

#: Of the room for arrays, what the last step may take, which is shown best.
LAST_SHARE = 0.7


@dataclass(frozen=True)
class Item:
    """An array that a page is to hold at every step.

    Attributes
    ----------
    shape : tuple of int
    itemsize : int
    examples : bool
        Whether its last axis is that of the examples.
    constant : bool
        Whether it is the same at every step.
    """

    shape: tuple[int, ...]
    itemsize: int
    examples: bool
    constant: bool = False

    def cost(self, limit: int) -> int:
        """Return the bytes of a sample as base64 text."""
        strides = strides_for(self.shape, limit, self.examples)
        return 4 * (self.itemsize * sampled_size(self.shape, strides) // 3 + 40)


@dataclass(frozen=True)
class Survey:
    """What a step has, before anything of it is kept.

    Attributes
    ----------
    items : list of Item
        Its distinct arrays.
    values : int
        How many values it has, counting those that are the same.
    """

    items: list[Item]
    values: int


@dataclass(frozen=True)
class Budget:
    """What a page holds.

    Attributes
    ----------
    steps : list of int
    last, each : int
        The most elements of an array at the last step, and at every other one.
    """

    steps: list[int]
    last: int
    each: int

    def limit(self, step: int) -> int:
        return self.last if step == self.steps[-1] else self.each


def plan_budget(
    found: Survey, steps: Sequence[int], room: int, wanted: Collection[int] = ()
) -> Budget:
    """Return how much of everything fits.

    Parameters
    ----------
    found : Survey
        What there is at every step.
    steps : sequence of int
        Those that were recorded.
    room : int
        Bytes.
    wanted : collection of int
        Steps to keep if there is room for them, such as those with alerts.

    Raises
    ------
    ArgumentError
        If not even a small sample of every array at one step fits; it says how much would.
    """
    items, values = found.items, found.values
    limits = _limits(items)
    kept = list(steps)
    while kept:
        left = room - values * STATISTICS_BYTES * len(kept)
        fitting = _fitting(items, limits, len(kept), left)
        if fitting and (fitting[1] >= min(FEW, limits[0]) or len(kept) <= 2):
            return Budget(kept, *fitting)
        fewer = _thinned(kept, wanted)
        if fewer == kept:
            break
        kept = fewer
    least = values * STATISTICS_BYTES + sum(item.cost(FEWEST) for item in items)
    raise ArgumentError(
        f"report: even small samples of all arrays take {least / 1e6:.1f} MB beside the drawing, "
        f"and max_mb leaves {max(room, 0) / 1e6:.1f} MB for them; with max_mb larger by "
        f"{ceil((least - room) / 1e6)} they fit"
    )


def _fitting(
    items: Sequence[Item], limits: Sequence[int], steps: int, room: int
) -> tuple[int, int] | None:
    """Return the largest limits for the last step and for every other that fit in the room."""
    share = room if steps == 1 else LAST_SHARE * room
    whole = sum(item.cost(limits[0]) for item in items)
    changing = [item for item in items if not item.constant]
    if whole + (steps - 1) * sum(item.cost(limits[0]) for item in changing) <= room:
        return limits[0], limits[0]
    for last in limits:
        spent = sum(item.cost(last) for item in items)
        if spent > share:
            continue
        for each in (limit for limit in limits if limit <= last):
            if spent + (steps - 1) * sum(item.cost(each) for item in changing) <= room:
                return last, each
    return None


def _limits(items: Sequence[Item]) -> list[int]:
    """Return the limits to try, from that of everything whole down."""
    most = max((prod(item.shape) for item in items), default=1)
    limits = [max(most, FEWEST)]
    while limits[-1] > FEWEST:
        limits.append(max(int(limits[-1] * FINER), FEWEST))
    return limits


def _thinned(steps: list[int], wanted: Collection[int]) -> list[int]:
    """Return about half of the steps; the first and the last stay, and those that are wanted."""
    ends = {steps[0], steps[-1]}
    fewer = [s for i, s in enumerate(steps) if i % 2 == 0 or s in wanted or s in ends]
    if len(fewer) == len(steps):
        fewer = [s for i, s in enumerate(steps) if i % 2 == 0 or s in ends]
    return fewer if len(fewer) < len(steps) else steps[-1:]
