"""How much a node has to do in a step: floating-point operations, and bytes to read and write."""

from collections.abc import Iterable
from math import prod

import numpy as np

from dagnet.ops.base import Op
from dagnet.ops.frame import Frame


def forward_work(op: Op, f: Frame) -> tuple[int, int]:
    """Return the operations and bytes of a node's forward step."""
    return _flops(op, f), _nbytes((*f.inputs, *f.params.values(), f.output))


def backward_work(op: Op, f: Frame) -> tuple[int, int]:
    """Return the operations and bytes of a node's backward step.

    For each gradient that is asked for, an op with weights makes a product as large as forward's,
    and others a pass like forward's.
    """
    read = [f.grad_output]
    if "inputs" in op.reads:
        read += f.inputs
    if "output" in op.reads:
        read.append(f.output)
    if "params" in op.reads:
        read += f.params.values()
    asked = [grad for grad in f.grad_inputs if grad is not None]
    weights = [grad for grad in f.grad_params.values() if grad.size > prod(grad.shape[:1])]
    flops = _flops(op, f) * (len(asked) + len(weights))
    return flops, _nbytes((*read, *asked, *f.grad_params.values()))


def _flops(op: Op, f: Frame) -> int:
    return op.flops(*(x.shape for x in f.inputs))


def _nbytes(arrays: Iterable[np.ndarray]) -> int:
    return sum(array.nbytes for array in arrays)
