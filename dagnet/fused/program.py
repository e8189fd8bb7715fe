"""Programs: instructions as a table of addresses, which the compiled function runs in one call."""

from collections.abc import Mapping
from itertools import chain

import numpy as np

from dagnet.executors import Call
from dagnet.fused import crew
from dagnet.fused.compiled.codes import (
    ARRAYS,
    CODE,
    CONSTANTS_AT,
    NEEDS,
    NUMBER,
    PARTS,
    SIZE,
    SIZES,
    START,
    WIDTH,
)
from dagnet.fused.compiled.shared import ALONE, LEAD
from dagnet.fused.instructions import Written
from dagnet.fused.joining import join
from dagnet.fused.loading import NOTHING, Integer
from dagnet.fused.native import execute

_ALONE, _LEAD = Integer(ALONE), Integer(LEAD)


class Program:
    """Instructions ready to run. It holds their arrays, but none of the inputs.

    Parameters
    ----------
    groups : list of list of Instruction
        The instructions of a group may run at the same time; groups follow each other.
    inputs : mapping of str to ndarray
        Arrays that may move later; each an object of its own. Who runs the program holds them.
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
        constants = np.array([i.number for i in rows], np.float64)
        whole = np.zeros((1 + len(rows), WIDTH), np.int64)
        table = whole[1:]
        whole[0, SIZE], whole[0, CONSTANTS_AT] = table.size, constants.ctypes.data
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
        self._held = [x for i in rows for x in i.arrays if id(x) not in places], constants
        self._execute = execute(dtype)
        self._address = Integer(whole.ctypes.data)
        self.call: Call = self.together if any(i.parts > 1 for i in rows) else self.alone

    def alone(self) -> None:
        """Run without helpers."""
        self._execute(_ALONE, NOTHING, self._address, crew.area())

    def together(self) -> None:
        """Run with the crew, unless another thread does."""
        team = crew.team
        if not team.free.acquire(False):
            self.alone()
            return
        try:
            team.wake(self._execute)
            self._execute(_LEAD, team.address, self._address, crew.area())
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
