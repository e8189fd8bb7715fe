"""How losses are written as instructions: their terms, the total of these, their gradients."""

from collections.abc import Mapping
from math import prod

import numpy as np

from dagnet.fused.instructions import ELEMENTS, Array, Instruction, Writer, Written, parts_of
from dagnet.ops import CategoricalCrossEntropyWithLogits, MeanSquaredError
from dagnet.ops.base import Op
from dagnet.ops.frame import Frame
from dagnet.ops.losses import Loss


def loss(code: int, total: int, *works: str, terms: str) -> Writer:
    """Return what writes ``J = weight · sum(terms) / count``: first the terms, then their total.

    `works` are the arrays that the first instruction fills, of which one is `terms`.
    """

    def write(op: Op, f: Frame) -> Written | None:
        assert isinstance(op, Loss)
        z, y = f.inputs
        part = _over_examples(op, f, code, (z, y, *(f.work[name] for name in works)))
        number = _count(op, z) / op.weight
        whole = Instruction(total, (f.work[terms], f.output), (1, z.size), number)
        return part and [[part], [whole]]

    return write


def loss_back(code: int, *places: str) -> Writer:
    """Return what writes ``dZ`` and ``dY``, each ``dJ · weight / count`` times its derivative."""

    def write(op: Op, f: Frame) -> Written | None:
        assert isinstance(op, Loss)
        if all(grad is None for grad in f.grad_inputs):
            return None
        known: Mapping[str, Array] = {
            "y": f.inputs[1],
            "grad": f.grad_inputs[0],
            "grad_y": f.grad_inputs[1],
            "scale": f.grad_output,
            **f.work,
        }
        number = op.weight / _count(op, f.inputs[0])
        part = _over_examples(op, f, code, tuple(known[place] for place in places), number)
        return part and [[part]]

    return write


def _over_examples(
    op: Op, f: Frame, code: int, arrays: tuple[Array, ...], number: float = 0.0
) -> Instruction | None:
    """Return an instruction for all elements or, of a categorical loss, for all examples; None if
    the targets lie too strangely."""
    z, y = f.inputs
    parts = parts_of(z.size, ELEMENTS, z.shape[-1])
    if not isinstance(op, CategoricalCrossEntropyWithLogits):
        return Instruction(code, arrays, (z.size,), number, parts)
    examples = prod(z.shape[1:])
    steps = [examples * y.itemsize, y.itemsize] if y.flags.c_contiguous else y.strides
    if len(steps) != 2 or any(step <= 0 or step % y.itemsize for step in steps):
        return None
    sizes = examples, len(z), *(step // y.itemsize for step in steps)
    return Instruction(code, arrays, sizes, number, parts, strided=1)


def _count(op: Op, z: np.ndarray) -> int:
    """Return what the sum of a loss's terms is divided by."""
    return z.size if isinstance(op, MeanSquaredError) else z.shape[-1]
