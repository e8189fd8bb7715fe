"""Instructions: what the compiled function shall do with which arrays."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from dagnet.fused.compiled import codes
from dagnet.ops.base import Op
from dagnet.ops.frame import Frame

#: Elements in a part of an instruction at least: less is not worth the time it takes two threads
#: to agree.
ELEMENTS = 2**13

#: Parts of an instruction at most.
MOST_PARTS = 8

Array = np.ndarray | None


class Instruction(NamedTuple):
    """One thing to do.

    Attributes
    ----------
    code : int
        Of `compiled.codes`.
    arrays : tuple of ndarray or None
        Up to seven, in the order that goes with the code.
    sizes : tuple of int
        Up to seven. The first is what is cut into parts, unless it is a product.
    number : float
    parts : int
        0 if it is done with each part of the one before.
    strided : int, optional
        Which of the arrays need not be in C order, as the sizes say how it lies.
    result : ndarray, optional
        The one array that is written, in parts that are apart. None if it is not so simple.
    """

    code: int
    arrays: tuple[Array, ...]
    sizes: tuple[int, ...]
    number: float = 0.0
    parts: int = 1
    strided: int | None = None
    result: Array = None


#: Groups of instructions, one group after the other.
Written = list[list[Instruction]]

#: Writes a use of an op as instructions; None if it is better left to numpy.
Writer = Callable[[Op, Frame], Written | None]


def elementwise(code: int, *arrays: np.ndarray, size: int, number: float = 0.0) -> Instruction:
    """Return an instruction that computes each of `size` elements of the last array by itself."""
    parts = parts_of(size, ELEMENTS)
    return Instruction(code, arrays, (size,), number, parts, result=arrays[-1])


def collect(total: np.ndarray, part: np.ndarray, first: bool) -> Instruction:
    """Return the instruction that adds a part to a total, or copies the first."""
    code = codes.COPY if first else codes.ACCUMULATE
    return elementwise(code, part, total, size=total.size)


def update(code: int, arrays: tuple[np.ndarray, ...], numbers: np.ndarray) -> Instruction:
    """Return the instruction for an optimizer's update of parameters, gradient and slots."""
    nothing = [None] * (4 - len(arrays))
    parts = parts_of(arrays[0].size, ELEMENTS)
    return Instruction(code, (*arrays, *nothing, numbers), (arrays[0].size,), parts=parts)


def parts_of(work: int, least: int, most: int = MOST_PARTS) -> int:
    """Return into how many parts of at least so much each some work is cut."""
    return max(1, min(work // least, most, MOST_PARTS))
