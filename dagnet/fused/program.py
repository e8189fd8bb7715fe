"""Programs: instructions as a table of addresses, which the compiled function runs in one call."""

from collections.abc import Mapping
from functools import partial
from itertools import chain

import numpy as np

from dagnet.executors import Call
from dagnet.fused import crew
from dagnet.fused.compiled.codes import ARRAYS, CODE, NEEDS, NUMBER, PARTS, SIZES, START, WIDTH
from dagnet.fused.compiled.execute import ALONE, LEAD, execute
from dagnet.fused.instructions import Written
from dagnet.fused.joining import join
from dagnet.fused.products import lays_out


class Program:
    """Instructions ready to run. Who holds it must keep their arrays.

    Parameters
    ----------
    groups : list of list of Instruction
        The instructions of a group may run at the same time; groups follow each other.
    inputs : mapping of str to ndarray
        Arrays that may move later; each an object of its own.
    dtype : dtype

    Attributes
    ----------
    call : callable
        Runs all instructions.
    """

    def __init__(
        self,
        groups: Written,
        inputs: Mapping[str, np.ndarray],
        dtype: np.dtype,
    ):
        joined = join(groups)
        rows = [i for group in joined for i in chain.from_iterable(group)]
        table = np.zeros((len(rows), WIDTH), np.int64)
        places: dict[int, list[tuple[int, int]]] = {id(array): [] for array in inputs.values()}
        start = number = 0
        for group in joined:
            needs = start
            for i in chain.from_iterable(group):
                row = table[number]
                row[CODE], row[NUMBER], row[PARTS], row[START], row[NEEDS] = (
                    i.code, number, i.parts, start, needs
                )  # fmt: skip
                row[SIZES : SIZES + len(i.sizes)] = i.sizes
                for column, array in enumerate(i.arrays, start=ARRAYS):
                    row[column] = 0 if array is None else array.ctypes.data
                    if id(array) in places:
                        places[id(array)].append((number, column))
                start += i.parts
                number += 1
        self._table = table
        self._places = {name: places[id(array)] for name, array in inputs.items()}
        self._constants = np.array([i.number for i in rows], np.float64)
        self._like = np.empty(0, dtype)
        self._held = [i.arrays for i in rows]
        self._run = table.ravel(), self._constants
        self.call: Call
        if any(i.parts > 1 for i in rows):
            self.call = self.together
        elif any(lays_out(i) for i in rows):
            self.call = self.alone
        else:
            self.call = partial(execute, ALONE, crew.team.shared, *self._run, 0, self._like)

    def alone(self) -> None:
        """Run without helpers."""
        execute(ALONE, crew.team.shared, *self._run, crew.area(), self._like)

    def together(self) -> None:
        """Run with the crew, unless another thread does."""
        team = crew.team
        if not team.free.acquire(False):
            self.alone()
            return
        try:
            team.wake(self._like)
            execute(LEAD, team.shared, *self._run, crew.area(), self._like)
        finally:
            team.free.release()

    def move(self, name: str, address: int) -> None:
        """Read an input from another address."""
        for place in self._places[name]:
            self._table[place] = address


def runs(groups: Written, dtype: np.dtype) -> bool:
    """Return whether the compiled function can read the arrays of instructions as they lie."""
    return all(
        array is None
        or plain(array, dtype)
        or (place == i.strided and array.dtype == dtype and array.flags.aligned)
        for group in groups
        for i in group
        for place, array in enumerate(i.arrays)
    )


def plain(array: np.ndarray, dtype: np.dtype) -> bool:
    """Return whether an array is aligned, of a dtype, and in C order."""
    return array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned
