"""Programs: instructions as a table of addresses, which the compiled function runs in one call."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from dagnet.executors import Call
from dagnet.fused import kernels
from dagnet.fused.instructions import Instruction

#: Columns of a program: the code, addresses, sizes, and the number's place among the constants.
ARRAYS, SIZES, NUMBER, WIDTH = 1, 8, 11, 12


class Program:
    """Instructions ready to run. Who holds it must keep their arrays.

    Parameters
    ----------
    instructions : sequence of Instruction
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
        instructions: Sequence[Instruction],
        inputs: Mapping[str, np.ndarray],
        dtype: np.dtype,
    ):
        table = np.zeros((len(instructions), WIDTH), np.int64)
        self._places: dict[str, list[tuple[int, int]]] = {name: [] for name in inputs}
        for row, i in enumerate(instructions):
            table[row, 0], table[row, NUMBER] = i.code, row
            table[row, SIZES : SIZES + len(i.sizes)] = i.sizes
            for column, array in enumerate(i.arrays, start=ARRAYS):
                table[row, column] = 0 if array is None else array.ctypes.data
                for name in inputs:
                    if array is inputs[name]:
                        self._places[name].append((row, column))
        constants = np.array([i.number for i in instructions], np.float64)
        self._table = table
        self.call: Call = partial(kernels.run, table, constants, np.empty(0, dtype))

    def move(self, name: str, address: int) -> None:
        """Read an input from another address."""
        for place in self._places[name]:
            self._table[place] = address


def runs(instruction: Instruction, dtype: np.dtype) -> bool:
    """Return whether the compiled function can read an instruction's arrays as they lie."""
    return all(plain(a, dtype) for a in instruction.arrays if a is not None)


def plain(array: np.ndarray, dtype: np.dtype) -> bool:
    """Return whether an array is aligned, of a dtype, and in C order."""
    return array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned
