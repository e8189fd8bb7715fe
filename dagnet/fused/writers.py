"""Which ops the compiled function knows, and how a use of one is written as instructions."""

from itertools import chain, zip_longest

import numpy as np

from dagnet.fused.compiled import codes
from dagnet.fused.instructions import (
    ELEMENTS,
    Instruction,
    Writer,
    Written,
    collect,
    elementwise,
    parts_of,
)
from dagnet.fused.losses import loss, loss_back
from dagnet.fused.normalization import (
    batch_norm,
    batch_norm_back,
    frozen_batch_norm,
    frozen_batch_norm_back,
    layer_norm,
    layer_norm_back,
)
from dagnet.fused.products import Factor, product
from dagnet.ops import (
    ELU,
    GELU,
    Add,
    BatchNorm,
    BinaryCrossEntropyWithLogits,
    CategoricalCrossEntropyWithLogits,
    Concat,
    Flatten,
    FrozenBatchNorm,
    Identity,
    LayerNorm,
    LeakyReLU,
    Linear,
    MeanSquaredError,
    Multiply,
    ReLU,
    Sigmoid,
    Softplus,
    Tanh,
)
from dagnet.ops.base import Op
from dagnet.ops.frame import Frame


def forward(op: Op, f: Frame) -> Written | None:
    """Return the instructions for an op's forward call; None if it is better left to numpy."""
    # The exact class: a subclass may compute something else.
    write = _FORWARD.get(type(op))
    return write(op, f) if write else None


def backward(op: Op, f: Frame) -> Written | None:
    """Return the instructions for an op's backward call; None if it is better left to numpy."""
    write = _BACKWARD.get(type(op))
    return write(op, f) if write else None


def _linear(op: Op, f: Frame) -> Written | None:
    """Write ``Z = W X + b``, or nothing if X lies too strangely."""
    W, X = f.params["W"], _examples(f.inputs[0])
    if X is None:
        return None
    sizes = (*f.output.shape, W.shape[1])
    return product(sizes, Factor(W, W.shape[1] * W.itemsize), X, f.output, f.params.get("b"))


def _linear_back(op: Op, f: Frame) -> Written | None:
    """Write ``dX = W.T dZ``, ``dW = dZ X.T`` and ``db = sum(dZ)``, side by side."""
    W, X, dZ = f.params["W"], _examples(f.inputs[0]), f.grad_output
    if X is None:
        return None
    (n_out, n_in), m, size = W.shape, dZ.shape[1], dZ.itemsize
    dW, db, dX = f.grad_params.get("W"), f.grad_params.get("b"), f.grad_inputs[0]
    in_rows = Factor(dZ, m * size)
    written: list[Written] = []
    if dX is not None and m == 1:  # along the rows of W
        row = Factor(dZ, n_out * size)
        written.append(product((1, n_in, n_out), row, Factor(W, n_in * size), dX))
    elif dX is not None:
        written.append(product((n_in, m, n_out), Factor(W, n_in * size, True), in_rows, dX))
    if dW is not None:
        examples = X._replace(turned=not X.turned)
        written.append(product((n_out, n_in, m), in_rows, examples, dW))
    if db is not None:
        sums = Instruction(codes.ROW_SUMS, (dZ, db), (n_out, m), result=db)
        written.append([[sums]])
    return [[*chain.from_iterable(groups)] for groups in zip_longest(*written, fillvalue=())]


def _examples(X: np.ndarray) -> Factor | None:
    """Return the input of a layer as a factor; None if neither rows nor columns are contiguous."""
    n_in, m = X.shape
    if X.strides[0] == X.itemsize or n_in == 1:
        step = X.strides[1] if m > 1 else n_in * X.itemsize
        if n_in > 1 or m == 1 or X.strides[1] != X.itemsize:
            return Factor(X, step, True)
    if X.strides[1] == X.itemsize or m == 1:
        return Factor(X, X.strides[0], False)
    return None


def _unary(code: int, number: str = "") -> Writer:
    """Return what writes ``A = g(X)``, element by element; `number` names a field of the op."""

    def write(op: Op, f: Frame) -> Written:
        x, size = f.inputs[0], f.output.size
        return [[elementwise(code, x, f.output, size=size, number=getattr(op, number, 0.0))]]

    return write


def _unary_back(code: int, number: str = "") -> Writer:
    """Return what writes ``dX = g'(X) dA``, with the derivative found from A."""

    def write(op: Op, f: Frame) -> Written:
        grad = f.grad_inputs[0]
        if grad is None:
            return []
        arrays = f.output, f.grad_output, grad
        return [[elementwise(code, *arrays, size=grad.size, number=getattr(op, number, 0.0))]]

    return write


def _gelu(op: Op, f: Frame) -> Written:
    """Write ``A = X Φ(X)``, with its derivative into a work array."""
    assert isinstance(op, GELU)
    code = codes.GELU if op.approximate == "none" else codes.GELU_BY_TANH
    arrays, size = (f.inputs[0], f.output, f.work["derivative"]), f.output.size
    parts = parts_of(size, ELEMENTS)
    return [[Instruction(code, arrays, (size,), parts=parts, result=f.output)]]


def _gelu_back(op: Op, f: Frame) -> Written:
    """Write ``dX = derivative dA``."""
    grad = f.grad_inputs[0]
    if grad is None:
        return []
    arrays = f.grad_output, f.work["derivative"], grad
    return [[elementwise(codes.MULTIPLY, *arrays, size=grad.size)]]


def _copy(op: Op, f: Frame) -> Written:
    """Write ``A = X``."""
    return [[collect(f.output, f.inputs[0], first=True)]]


def _copy_back(op: Op, f: Frame) -> Written:
    """Write ``dX = dA`` for every input."""
    return [
        [collect(grad, f.grad_output, first=True)] for grad in f.grad_inputs if grad is not None
    ]


def _join(code: int) -> Writer:
    """Return what writes ``A = X1 + X2 + ...``, or the product, one input at a time."""

    def write(op: Op, f: Frame) -> Written:
        x, out = f.inputs[0], f.output
        if len(f.inputs) == 1:
            return _copy(op, f)
        written: Written = []
        for other in f.inputs[1:]:
            written.append([elementwise(code, x, other, out, size=out.size)])
            x = out
        return written

    return write


def _multiply_back(op: Op, f: Frame) -> Written:
    """Write for every input ``dX = dA`` times all the others."""
    written: Written = []
    for i, grad in enumerate(f.grad_inputs):
        if grad is None:
            continue
        others = [x for j, x in enumerate(f.inputs) if j != i]
        if not others:
            written.append([collect(grad, f.grad_output, first=True)])
        so_far = f.grad_output
        for x in others:
            written.append([elementwise(codes.MULTIPLY, so_far, x, grad, size=grad.size)])
            so_far = grad
    return written


def _concat(op: Op, f: Frame) -> Written | None:
    """Write ``A = [X1; X2; ...]``, a copy for each input."""
    parts = _along_first_axis(op, f, f.output)
    if parts is None:
        return None
    return [[collect(part, x, first=True) for part, x in zip(parts, f.inputs, strict=True)]]


def _concat_back(op: Op, f: Frame) -> Written | None:
    """Write ``[dX1; dX2; ...] = dA``, a copy for each input."""
    parts = _along_first_axis(op, f, f.grad_output)
    if parts is None:
        return None
    pairs = zip(f.grad_inputs, parts, strict=True)
    return [[collect(grad, part, first=True) for grad, part in pairs if grad is not None]]


def _along_first_axis(op: Op, f: Frame, joined: np.ndarray) -> list[np.ndarray] | None:
    """Return the parts of a concatenation; None unless each is in one piece."""
    assert isinstance(op, Concat)
    if op.axis % joined.ndim:
        return None
    ends = np.cumsum([x.shape[0] for x in f.inputs])
    return [joined[end - x.shape[0] : end] for end, x in zip(ends, f.inputs, strict=True)]


_FORWARD: dict[type[Op], Writer] = {
    Linear: _linear,
    Identity: _copy,
    Flatten: _copy,
    ReLU: _unary(codes.RELU),
    LeakyReLU: _unary(codes.LEAKY_RELU, "slope"),
    ELU: _unary(codes.ELU, "alpha"),
    GELU: _gelu,
    Softplus: _unary(codes.SOFTPLUS),
    Sigmoid: _unary(codes.SIGMOID),
    Tanh: _unary(codes.TANH),
    Add: _join(codes.ADD),
    Multiply: _join(codes.MULTIPLY),
    Concat: _concat,
    BatchNorm: batch_norm,
    FrozenBatchNorm: frozen_batch_norm,
    LayerNorm: layer_norm,
    MeanSquaredError: loss(codes.SQUARED, codes.TOTAL_OF_SQUARES, "difference", terms="difference"),
    BinaryCrossEntropyWithLogits: loss(
        codes.BINARY, codes.TOTAL, "e", "sign", "step_minus_y", "terms", terms="terms"
    ),
    CategoricalCrossEntropyWithLogits: loss(
        codes.CATEGORICAL, codes.TOTAL, "p", "shifted", "peak", "total", terms="shifted"
    ),
}

_BACKWARD: dict[type[Op], Writer] = {
    Linear: _linear_back,
    Identity: _copy_back,
    Flatten: _copy_back,
    ReLU: _unary_back(codes.RELU_BACK),
    LeakyReLU: _unary_back(codes.LEAKY_RELU_BACK, "slope"),
    ELU: _unary_back(codes.ELU_BACK, "alpha"),
    GELU: _gelu_back,
    Softplus: _unary_back(codes.SOFTPLUS_BACK),
    Sigmoid: _unary_back(codes.SIGMOID_BACK),
    Tanh: _unary_back(codes.TANH_BACK),
    Add: _copy_back,
    Multiply: _multiply_back,
    Concat: _concat_back,
    BatchNorm: batch_norm_back,
    FrozenBatchNorm: frozen_batch_norm_back,
    LayerNorm: layer_norm_back,
    MeanSquaredError: loss_back(codes.SQUARED_BACK, "difference", "y", "scale", "grad", "grad_y"),
    BinaryCrossEntropyWithLogits: loss_back(
        codes.BINARY_BACK, "e", "sign", "scale", "grad", "step_minus_y"
    ),
    CategoricalCrossEntropyWithLogits: loss_back(
        codes.CATEGORICAL_BACK, "p", "y", "scale", "grad", "sum_y"
    ),
}

#: The ops that are known, each exactly as it is.
KNOWN = tuple(_FORWARD)
