"""How a product of matrices is written: by the layout of its factors, cut by what is long."""

from typing import NamedTuple

import numpy as np

from dagnet.fused.compiled import codes
from dagnet.fused.compiled.blocks import DEPTH, PANEL, ROWS, VECTOR
from dagnet.fused.instructions import MOST_PARTS, Array, Instruction, Written, parts_of

#: Multiplications in a part of a product at least.
PRODUCTS = 2**18

#: Bytes of a matrix that no processor's own cache holds.
FAR = 2**21


class Factor(NamedTuple):
    """A matrix. If it is turned, it lies in memory as its transpose does.

    Attributes
    ----------
    array : ndarray
    step : int
        Bytes from one row to the next; of a turned one, from one column to the next.
    turned : bool
    """

    array: np.ndarray
    step: int
    turned: bool = False


def product(
    sizes: tuple[int, int, int], a: Factor, b: Factor, c: np.ndarray, bias: Array = None
) -> Written:
    """Return the instructions for ``C = A B``, of so many rows, columns, and terms in a sum."""
    rows, columns, inner = sizes
    size, work = c.itemsize, rows * columns * inner
    code = codes.PRODUCT_OF_TRANSPOSED if b.turned else codes.PRODUCT
    cut, most = codes.BY_ROWS, -(-rows // ROWS)
    if b.turned and not a.turned and columns * size <= VECTOR // 2:
        code, most = codes.DOTS, rows
    elif b.array.nbytes > FAR and rows * columns * size * MOST_PARTS < FAR:
        cut, most = codes.BY_TERMS, -(-inner // DEPTH)
    elif b.turned or columns > rows:
        cut, most = codes.BY_COLUMNS, -(-columns * size // PANEL)
    parts = parts_of(work, PRODUCTS, most)
    a_steps = (size, a.step) if a.turned else (a.step, size)
    layout = *sizes, *a_steps, b.step, cut
    strided = 1  # b
    if cut != codes.BY_TERMS:
        return [[Instruction(code, (a.array, b.array, c, bias), layout, 0.0, parts, strided, c)]]
    several = np.empty((parts, rows, columns), c.dtype)
    part = Instruction(code, (a.array, b.array, several), layout, 0.0, parts, strided)
    total = Instruction(
        codes.SUM_PARTS, (several, c, bias), (rows, columns, parts), 0.0, 1, result=c
    )
    return [[part], [total]]
