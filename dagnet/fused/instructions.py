"""Which ops the compiled function knows, and how a use of one is written as an instruction."""

from collections.abc import Callable, Mapping
from math import prod
from typing import NamedTuple

import numpy as np

from dagnet.fused import kernels
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

#: Multiplications of a product up to which plain loops take less time than a call of BLAS.
MOST_PRODUCTS = 2**13

#: Elements up to which a call of numpy takes longer than its better exponentials save.
MOST_EXPONENTIALS = 2**11

Array = np.ndarray | None


class Instruction(NamedTuple):
    """One thing to do: its code, up to seven arrays in the code's order, three sizes, a number."""

    code: int
    arrays: tuple[Array, ...]
    sizes: tuple[int, ...]
    number: float = 0.0


def forward(op: Op, f: Frame) -> Instruction | None:
    """Return the instruction for an op's forward call; None if it is better left to numpy."""
    # The exact class: a subclass may compute something else.
    write = _FORWARD.get(type(op))
    return write(op, f) if write else None


def backward(op: Op, f: Frame) -> Instruction | None:
    """Return the instruction for an op's backward call; None if it is better left to numpy."""
    write = _BACKWARD.get(type(op))
    return write(op, f) if write else None


def collect(total: np.ndarray, part: np.ndarray, first: bool) -> Instruction:
    """Return the instruction that adds a part to a total, or copies the first."""
    code = kernels.COPY if first else kernels.ACCUMULATE
    return Instruction(code, (part, total), (total.size,))


def _linear(op: Op, f: Frame) -> Instruction | None:
    W, X = f.params["W"], f.inputs[0]
    if W.size * X.shape[1] > MOST_PRODUCTS:
        return None
    arrays = (W, X, f.output, f.params.get("b"))
    return Instruction(kernels.LINEAR, arrays, (*f.output.shape, W.shape[1]))


def _linear_back(op: Op, f: Frame) -> Instruction | None:
    W, X = f.params["W"], f.inputs[0]
    if W.size * X.shape[1] > MOST_PRODUCTS:
        return None
    grads = (f.grad_params.get("W"), f.grad_params.get("b"), f.grad_inputs[0])
    sizes = (*f.grad_output.shape, W.shape[1])
    return Instruction(kernels.LINEAR_BACK, (W, X, f.grad_output, None, *grads), sizes)


def _unary(code: int, limit: float) -> Callable[[Op, Frame], Instruction | None]:
    def write(op: Op, f: Frame) -> Instruction | None:
        size = f.output.size
        return Instruction(code, (f.inputs[0], f.output), (size,)) if size <= limit else None

    return write


def _unary_back(code: int) -> Callable[[Op, Frame], Instruction | None]:
    def write(op: Op, f: Frame) -> Instruction | None:
        if f.grad_inputs[0] is None:
            return None
        return Instruction(code, (f.output, f.grad_output, f.grad_inputs[0]), (f.output.size,))

    return write


def _loss(code: int, *works: str) -> Callable[[Op, Frame], Instruction | None]:
    def write(op: Op, f: Frame) -> Instruction | None:
        assert isinstance(op, Loss)
        z, y = f.inputs
        if z.size > MOST_EXPONENTIALS:
            return None
        arrays = (z, y, f.output, *(f.work[name] for name in works))
        return Instruction(code, arrays, _sizes(op, z), _count(op, z) / op.weight)

    return write


def _loss_back(code: int, *places: str) -> Callable[[Op, Frame], Instruction | None]:
    def write(op: Op, f: Frame) -> Instruction | None:
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
        number = op.weight / _count(op, z)
        return Instruction(code, tuple(known[place] for place in places), _sizes(op, z), number)

    return write


def _count(op: Op, z: np.ndarray) -> int:
    """Return what the sum of a loss's terms is divided by."""
    return z.size if isinstance(op, MeanSquaredError) else z.shape[-1]


def _sizes(op: Op, z: np.ndarray) -> tuple[int, ...]:
    """Return the sizes for a loss: all elements, or the classes, and the columns that have each."""
    if isinstance(op, CategoricalCrossEntropyWithLogits):
        return z.shape[0], prod(z.shape[1:])
    return (z.size,)


_FORWARD: dict[type[Op], Callable[[Op, Frame], Instruction | None]] = {
    Linear: _linear,
    ReLU: _unary(kernels.RELU, np.inf),
    Sigmoid: _unary(kernels.SIGMOID, MOST_EXPONENTIALS),
    Tanh: _unary(kernels.TANH, MOST_EXPONENTIALS),
    MeanSquaredError: _loss(kernels.SQUARED, "difference"),
    BinaryCrossEntropyWithLogits: _loss(kernels.BINARY, "e", "sign", "step_minus_y", "terms"),
    CategoricalCrossEntropyWithLogits: _loss(kernels.CATEGORICAL, "p", "shifted", "peak", "total"),
}

_BACKWARD: dict[type[Op], Callable[[Op, Frame], Instruction | None]] = {
    Linear: _linear_back,
    ReLU: _unary_back(kernels.RELU_BACK),
    Sigmoid: _unary_back(kernels.SIGMOID_BACK),
    Tanh: _unary_back(kernels.TANH_BACK),
    MeanSquaredError: _loss_back(
        kernels.SQUARED_BACK, "difference", "y", "scale", "grad", "grad_y"
    ),
    BinaryCrossEntropyWithLogits: _loss_back(
        kernels.BINARY_BACK, "e", "sign", "scale", "grad", "step_minus_y"
    ),
    CategoricalCrossEntropyWithLogits: _loss_back(
        kernels.CATEGORICAL_BACK, "p", "y", "scale", "grad", "sum_y"
    ),
}

#: The ops that are known, each exactly as it is.
KNOWN = tuple(_FORWARD)
