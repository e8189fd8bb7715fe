"""Evidence: which of the numbers that a step read made its result bad."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dagnet.diagnosis.places import Bad, Index, Places, bad_elements
from dagnet.diagnosis.rerun import Rerun
from dagnet.errors import NotKeptError
from dagnet.ops.base import Op
from dagnet.ops.frame import Frame
from dagnet.statistics_table import Entry, measure
from dagnet.text import number


class Reading(NamedTuple):
    """A value that a step read: of which node, which of its values, and the array if kept."""

    node: str
    kind: str
    value: str
    array: np.ndarray | None

    @property
    def name(self) -> str:
        return f"{self.node}.{self.value}"

    def measured(self) -> Entry:
        return measure(self.node, self.kind, self.value, self._required)

    def _required(self) -> np.ndarray:
        if self.array is None:
            raise NotKeptError(f"{self.name} was not kept")
        return self.array


@dataclass(frozen=True)
class Evidence:
    """A number that a step read, and that had to do with what it made.

    Attributes
    ----------
    node, value : str
        The value of which node it stands in: ``"softmax1"`` and ``"output"``.
    index : tuple of int
    number : float
    alone : bool
        True if it makes a bad element by itself, whatever else the step reads; numbers of two
        inputs at one place do so together. False if it is merely of the largest magnitude.
    """

    node: str
    value: str
    index: Index
    number: float
    alone: bool

    def __str__(self) -> str:
        place = str(list(self.index)) if self.index else ""
        return f"{self.node}.{self.value}{place} = {number(self.number)}"


class Reads(NamedTuple):
    """All that a step read: its inputs, parameters by name, and what else there is to show."""

    inputs: tuple[Reading, ...]
    params: dict[str, Reading]
    others: tuple[Reading, ...] = ()

    @property
    def all(self) -> tuple[Reading, ...]:
        return (*self.others, *self.inputs, *self.params.values())


def find_evidence(
    op: Op,
    done: Frame,
    reads: Reads,
    value: str,
    result: np.ndarray,
    places: Places,
    examples: bool,
    bad: Bad,
) -> tuple[Evidence, ...]:
    """Return the numbers that made the first bad element of a step's result.

    The op is run again, on ever fewer of its values, for as long as the element stays bad. Where
    one place alone does it, and each element of the result has its own, the largest number that
    made any of them follows, and the largest of each parameter. Where it takes several places, the
    largest of each array is returned; nothing if not all was kept.
    """
    sources = [*reads.inputs, *reads.params.values()]
    arrays = [source.array for source in sources if source.array is not None]
    if len(arrays) < len(sources):
        return ()
    rerun = Rerun(
        op=op,
        arrays=tuple(arrays),
        params=tuple(reads.params),
        state=done.state,
        grad_output=None if value == "output" else done.grad_output,
        m=done.m,
        value=value,
        bad=bad,
    )
    found = rerun.culprit(places.indices[0], examples)
    if found is None:
        return tuple(_at(r, _largest(r.array), False) for r in reads.all if _has_numbers(r.array))
    group, place = found
    there = [_at(sources[position], place, True) for position in group]
    if place == places.indices[0] and result.shape == arrays[group[0]].shape:
        there += _largest_culprit(rerun, sources, group, result, place)
    if group[0] < len(reads.inputs):
        there += [_at(param, _largest(param.array), False) for param in reads.params.values()]
    return tuple(dict.fromkeys(there))


def _largest_culprit(
    rerun: Rerun, sources: Sequence[Reading], group: Sequence[int], result: np.ndarray, first: Index
) -> list[Evidence]:
    """Return the largest number at a bad element, if it is the one that makes it bad."""
    array = rerun.arrays[group[0]]
    place = _largest(np.where(bad_elements(result, rerun.bad), array, 0))
    larger = abs(array[place]) > abs(array[first])
    if larger and rerun.is_alone(group, place, place):
        return [_at(sources[group[0]], place, True)]
    return []


def _at(reading: Reading, index: Index, alone: bool) -> Evidence:
    assert reading.array is not None  # only kept values are looked at
    value = float(reading.array[index])
    return Evidence(reading.node, reading.value, index, value, alone)


def _has_numbers(array: np.ndarray | None) -> bool:
    return array is not None and array.size > 0 and array.dtype.kind == "f"


def _largest(array: np.ndarray | None) -> Index:
    """Return where the finite number of the largest magnitude stands."""
    assert array is not None
    finite = np.where(np.isfinite(array), np.abs(array), -1)
    return tuple(map(int, np.unravel_index(np.argmax(finite), array.shape)))
