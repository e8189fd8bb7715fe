"""How batch and layer normalisation are written as instructions."""

from itertools import chain

from dagnet.fused.compiled import codes
from dagnet.fused.instructions import ELEMENTS, Instruction, Written, parts_of
from dagnet.ops import BatchNorm, FrozenBatchNorm, LayerNorm
from dagnet.ops.base import Op
from dagnet.ops.frame import Frame


def batch_norm(op: Op, f: Frame) -> Written:
    """Write ``a = gamma (x - mean) / sqrt(var + eps) + beta`` by rows; running statistics move."""
    assert isinstance(op, BatchNorm)
    x, work, sizes = f.inputs[0], f.work, _rows(f)
    units, count = sizes
    parts = parts_of(x.size, ELEMENTS, units)
    normalized, mean, variance = work["normalized"], work["mean"], work["variance"]
    found = x, normalized, work["inverse_std"], mean, variance
    scaled = normalized, f.output, f.params["gamma"], f.params["beta"]
    moved = [(mean, "running_mean", 0)]
    if count > 1:
        moved.append((variance, "running_var", count))
    return [
        [Instruction(codes.STANDARDIZE_ROWS, found, sizes, op.eps, parts)],
        [
            Instruction(codes.SCALE_ROWS, scaled, sizes, parts=parts),
            *(
                Instruction(codes.MOVE_STATISTIC, (new, f.state[name]), (units, n), op.momentum)
                for new, name, n in moved
            ),
        ],
    ]


def batch_norm_back(op: Op, f: Frame) -> Written:
    """Write dgamma, dbeta and dx of `BatchNorm`, all in one instruction: it needs the same sums."""
    units, count = _rows(f)
    arrays = (
        f.grad_output, f.work["normalized"], f.work["inverse_std"], f.params["gamma"],
        f.grad_params.get("gamma"), f.grad_params.get("beta"), f.grad_inputs[0],
    )  # fmt: skip
    parts = parts_of(units * count, ELEMENTS, units)
    return [[Instruction(codes.BATCH_NORM_BACK, arrays, (units, count), parts=parts)]]


def frozen_batch_norm(op: Op, f: Frame) -> Written:
    """Write ``a = gamma (x - running_mean) / sqrt(running_var + eps) + beta`` by rows."""
    assert isinstance(op, FrozenBatchNorm)
    x, normalized, sizes = f.inputs[0], f.work["normalized"], _rows(f)
    parts = parts_of(x.size, ELEMENTS, sizes[0])
    mean, variance = f.state["running_mean"], f.state["running_var"]
    known = x, normalized, f.work["inverse_std"], mean, variance
    scaled = normalized, f.output, f.params["gamma"], f.params["beta"]
    return [
        [Instruction(codes.STANDARDIZE_ROWS_BY, known, sizes, op.eps, parts)],
        [Instruction(codes.SCALE_ROWS, scaled, sizes, parts=parts)],
    ]


def frozen_batch_norm_back(op: Op, f: Frame) -> Written:
    """Write dgamma, dbeta, and ``dx = gamma / sqrt(running_var + eps) da``, factor by factor."""
    g, grad, sizes = f.grad_output, f.grad_inputs[0], _rows(f)
    written = _parameters_back(f, sizes)
    parts = parts_of(g.size, ELEMENTS, sizes[0])
    scaled = [(g, f.params["gamma"]), (grad, f.work["inverse_std"])] if grad is not None else []
    for source, scale in scaled:
        arrays = source, grad, scale, None
        written.append([Instruction(codes.SCALE_ROWS, arrays, sizes, parts=parts)])
    return written


def layer_norm(op: Op, f: Frame) -> Written:
    """Write ``a = gamma (x - mean) / sqrt(var + eps) + beta`` by examples, in one instruction."""
    assert isinstance(op, LayerNorm)
    x, work = f.inputs[0], f.work
    examples, units = _columns(f)
    arrays = (
        x, f.output, work["normalized"], work["inverse_std"], f.params["gamma"], f.params["beta"],
    )  # fmt: skip
    parts = parts_of(x.size, ELEMENTS, examples)
    return [[Instruction(codes.LAYER_NORM, arrays, (examples, units), op.eps, parts)]]


def layer_norm_back(op: Op, f: Frame) -> Written:
    """Write dgamma and dbeta, and in the same group dx of `LayerNorm`, by examples."""
    g, work, grad = f.grad_output, f.work, f.grad_inputs[0]
    examples, units = _columns(f)
    written = _parameters_back(f, (units, examples))
    if grad is not None:
        arrays = g, work["normalized"], work["inverse_std"], f.params["gamma"], grad
        parts = parts_of(g.size, ELEMENTS, examples)
        back = Instruction(codes.LAYER_NORM_BACK, arrays, (examples, units), parts=parts)
        written = [[*chain.from_iterable(written), back]]
    return written


def _parameters_back(f: Frame, sizes: tuple[int, int]) -> Written:
    """Write ``dgamma = sum(da x̂)`` and ``dbeta = sum(da)``, which are numbers of a row."""
    if not f.grad_params:
        return []
    arrays = (
        f.grad_output, f.work["normalized"], f.grad_params.get("gamma"), f.grad_params.get("beta")
    )  # fmt: skip
    parts = parts_of(f.grad_output.size, ELEMENTS, sizes[0])
    return [[Instruction(codes.SCALE_SUMS, arrays, sizes, parts=parts)]]


def _rows(f: Frame) -> tuple[int, int]:
    """Return how many units there are, and values of each."""
    units = f.output.shape[0]
    return units, f.output.size // units


def _columns(f: Frame) -> tuple[int, int]:
    """Return how many examples there are, and values in each."""
    examples = f.output.shape[-1]
    return examples, f.output.size // examples
