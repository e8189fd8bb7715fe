"""Which ops the compiled function knows, and how a use of one is written as an instruction."""

from collections.abc import Callable, Mapping
from math import prod
from typing import NamedTuple

import numpy as np

from dagnet.fused.compiled import codes
from dagnet.fused.compiled.products import DEPTH, PANEL
from dagnet.fused.compiled.tiles import ROWS, VECTOR
from dagnet.ops import (
    BinaryCrossEntropyWithLogits,
    CategoricalCrossEntropyWithLogits,
    Linear,
    MeanSquaredError,
    ReLU,
    Sigmoid,
    Tanh,
)
from dagnet.ops.base import Op
from dagnet.ops.frame import Frame
from dagnet.ops.losses import Loss

#: Multiplications in a part of a product, and elements in one of anything else. Less is not worth
#: the time it takes two threads to agree.
PRODUCTS, ELEMENTS = 2**18, 2**13

#: Parts of an instruction at most.
MOST_PARTS = 8

#: Bytes of a matrix that no processor's own cache holds.
FAR = 2**21

#: Elements up to which a call of numpy takes longer than its better exponentials save.
MOST_EXPONENTIALS = 2**11

Array = np.ndarray | None


class Instruction(NamedTuple):
    """One thing to do: its code, up to seven arrays in the code's order, up to seven sizes, a
    number, into how many parts it is cut, and which of the arrays need not be in C order."""

    code: int
    arrays: tuple[Array, ...]
    sizes: tuple[int, ...]
    number: float = 0.0
    parts: int = 1
    strided: int | None = None


#: What an op's call is written as: groups of instructions, one group after the other.
Written = list[list[Instruction]]


def forward(op: Op, f: Frame) -> Written | None:
    """Return the instructions for an op's forward call; None if it is better left to numpy."""
    # The exact class: a subclass may compute something else.
    write = _FORWARD.get(type(op))
    return write(op, f) if write else None


def backward(op: Op, f: Frame) -> Written | None:
    """Return the instructions for an op's backward call; None if it is better left to numpy."""
    write = _BACKWARD.get(type(op))
    return write(op, f) if write else None


def collect(total: np.ndarray, part: np.ndarray, first: bool) -> Instruction:
    """Return the instruction that adds a part to a total, or copies the first."""
    code = codes.COPY if first else codes.ACCUMULATE
    return _elementwise(code, (part, total), total.size)


def update(code: int, arrays: tuple[np.ndarray, ...], numbers: np.ndarray) -> Instruction:
    """Return the instruction for an optimizer's update of parameters, gradient and slots."""
    size = arrays[0].size
    return _elementwise(code, (*arrays, *[None] * (4 - len(arrays)), numbers), size)


def _elementwise(code: int, arrays: tuple[Array, ...], size: int) -> Instruction:
    return Instruction(code, arrays, (size,), parts=_parts(size, ELEMENTS))


def _parts(work: int, least: int, most: int = MOST_PARTS) -> int:
    return max(1, min(work // least, most, MOST_PARTS))


# Products. A matrix that is turned lies in memory as its transpose does.


class _Factor(NamedTuple):
    """A matrix: its array, the bytes from one row or column to the next, whether it is turned."""

    array: np.ndarray
    step: int
    turned: bool = False


def _product(
    sizes: tuple[int, int, int], a: _Factor, b: _Factor, c: np.ndarray, bias: Array = None
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
    parts = _parts(work, PRODUCTS, most)
    a_steps = (size, a.step) if a.turned else (a.step, size)
    layout = *sizes, *a_steps, b.step, cut
    strided = 1  # b
    if cut != codes.BY_TERMS:
        return [[Instruction(code, (a.array, b.array, c, bias), layout, 0.0, parts, strided)]]
    several = np.empty((parts, rows, columns), c.dtype)
    part = Instruction(code, (a.array, b.array, several), layout, 0.0, parts, strided)
    return [[part], [Instruction(codes.SUM_PARTS, (several, c, bias), (rows, columns, parts))]]


def lays_out(instruction: Instruction) -> bool:
    """Return whether an instruction needs memory of the thread that runs it."""
    code, rows = instruction.code, instruction.sizes[0]
    return code == codes.PRODUCT_OF_TRANSPOSED or (code == codes.PRODUCT and rows > ROWS)


def _linear(op: Op, f: Frame) -> Written | None:
    W, X = f.params["W"], _examples(f.inputs[0])
    if X is None:
        return None
    sizes = (*f.output.shape, W.shape[1])
    return _product(sizes, _Factor(W, W.shape[1] * W.itemsize), X, f.output, f.params.get("b"))


def _linear_back(op: Op, f: Frame) -> Written | None:
    W, X, dZ = f.params["W"], _examples(f.inputs[0]), f.grad_output
    if X is None:
        return None
    (n_out, n_in), m, size = W.shape, dZ.shape[1], dZ.itemsize
    dW, db, dX = f.grad_params.get("W"), f.grad_params.get("b"), f.grad_inputs[0]
    in_rows = _Factor(dZ, m * size)
    written: Written = []
    if dW is not None:
        written += _product((n_out, n_in, m), in_rows, X._replace(turned=not X.turned), dW)
    if db is not None:
        written += [[Instruction(codes.ROW_SUMS, (dZ, db), (n_out, m))]]
    if dX is not None and m == 1:  # along the rows of W
        row = _Factor(dZ, n_out * size)
        written += _product((1, n_in, n_out), row, _Factor(W, n_in * size), dX)
    elif dX is not None:
        written += _product((n_in, m, n_out), _Factor(W, n_in * size, True), in_rows, dX)
    return written


def _examples(X: np.ndarray) -> _Factor | None:
    """Return the input of a layer as a factor; None if neither rows nor columns are contiguous."""
    n_in, m = X.shape
    if X.strides[0] == X.itemsize or n_in == 1:
        step = X.strides[1] if m > 1 else n_in * X.itemsize
        if n_in > 1 or m == 1 or X.strides[1] != X.itemsize:
            return _Factor(X, step, True)
    if X.strides[1] == X.itemsize or m == 1:
        return _Factor(X, X.strides[0], False)
    return None


def _unary(code: int, limit: float) -> Callable[[Op, Frame], Written | None]:
    def write(op: Op, f: Frame) -> Written | None:
        if f.output.size > limit:
            return None
        return [[_elementwise(code, (f.inputs[0], f.output), f.output.size)]]

    return write


def _unary_back(code: int) -> Callable[[Op, Frame], Written | None]:
    def write(op: Op, f: Frame) -> Written | None:
        if f.grad_inputs[0] is None:
            return None
        arrays = f.output, f.grad_output, f.grad_inputs[0]
        return [[_elementwise(code, arrays, f.output.size)]]

    return write


def _loss(code: int, *works: str) -> Callable[[Op, Frame], Written | None]:
    def write(op: Op, f: Frame) -> Written | None:
        assert isinstance(op, Loss)
        z, y = f.inputs
        if z.size > MOST_EXPONENTIALS:
            return None
        arrays = (z, y, f.output, *(f.work[name] for name in works))
        return [[Instruction(code, arrays, _sizes(op, z), _count(op, z) / op.weight)]]

    return write


def _loss_back(code: int, *places: str) -> Callable[[Op, Frame], Written | None]:
    def write(op: Op, f: Frame) -> Written | None:
        assert isinstance(op, Loss)
        z = f.inputs[0]
        if z.size > MOST_EXPONENTIALS or all(grad is None for grad in f.grad_inputs):
            return None
        known: Mapping[str, Array] = {
            "y": f.inputs[1],
            "grad": f.grad_inputs[0],
            "grad_y": f.grad_inputs[1],
            "scale": f.grad_output,
            **f.work,
        }
        arrays = tuple(known[place] for place in places)
        return [[Instruction(code, arrays, _sizes(op, z), op.weight / _count(op, z))]]

    return write


def _count(op: Op, z: np.ndarray) -> int:
    """Return what the sum of a loss's terms is divided by."""
    return z.size if isinstance(op, MeanSquaredError) else z.shape[-1]


def _sizes(op: Op, z: np.ndarray) -> tuple[int, ...]:
    """Return the sizes for a loss: all elements, or the classes, and the columns that have each."""
    if isinstance(op, CategoricalCrossEntropyWithLogits):
        return z.shape[0], prod(z.shape[1:])
    return (z.size,)


_FORWARD: dict[type[Op], Callable[[Op, Frame], Written | None]] = {
    Linear: _linear,
    ReLU: _unary(codes.RELU, np.inf),
    Sigmoid: _unary(codes.SIGMOID, MOST_EXPONENTIALS),
    Tanh: _unary(codes.TANH, MOST_EXPONENTIALS),
    MeanSquaredError: _loss(codes.SQUARED, "difference"),
    BinaryCrossEntropyWithLogits: _loss(codes.BINARY, "e", "sign", "step_minus_y", "terms"),
    CategoricalCrossEntropyWithLogits: _loss(codes.CATEGORICAL, "p", "shifted", "peak", "total"),
}

_BACKWARD: dict[type[Op], Callable[[Op, Frame], Written | None]] = {
    Linear: _linear_back,
    ReLU: _unary_back(codes.RELU_BACK),
    Sigmoid: _unary_back(codes.SIGMOID_BACK),
    Tanh: _unary_back(codes.TANH_BACK),
    MeanSquaredError: _loss_back(codes.SQUARED_BACK, "difference", "y", "scale", "grad", "grad_y"),
    BinaryCrossEntropyWithLogits: _loss_back(
        codes.BINARY_BACK, "e", "sign", "scale", "grad", "step_minus_y"
    ),
    CategoricalCrossEntropyWithLogits: _loss_back(
        codes.CATEGORICAL_BACK, "p", "y", "scale", "grad", "sum_y"
    ),
}

#: The ops that are known, each exactly as it is.
KNOWN = tuple(_FORWARD)
