"""Running one of the engine's ops on its own, forward or backward."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from dagnet.errors import ArgumentError, UnknownNameError
from dagnet.ops.activations import ReLU
from dagnet.ops.base import Op
from dagnet.ops.frame import Frame
from dagnet.ops.sigmoids import Sigmoid
from dagnet.steps.checks import expect_shape, floats

Array = np.ndarray

ACTIVATIONS: dict[str, Op] = {"relu": ReLU(), "sigmoid": Sigmoid()}


def run(op: Op, *inputs: Array, params: Mapping[str, Array] | None = None) -> Frame:
    f = Frame.allocate(op, *inputs, params=params)
    with np.errstate(all="ignore"):
        op.forward(f)
    return f


def pull(op: Op, grad: Array, *inputs: Array, params: Mapping[str, Array] | None = None) -> Frame:
    """Run forward and backward from this gradient."""
    f = run(op, *inputs, params=params)
    f.grad_output = grad.astype(f.output.dtype, copy=False)
    with np.errstate(all="ignore"):
        op.backward(f)
    return f


def activation_op(name: str) -> Op:
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ArgumentError(str(UnknownNameError.of("activation", name, ACTIVATIONS)))
    return ACTIVATIONS[name]


def activate(name: str, Z: ArrayLike) -> tuple[Array, Array]:
    (Z,) = floats(name, Z)
    return run(activation_op(name), Z).output, Z


def deactivate(name: str, dA: ArrayLike, Z: ArrayLike) -> Array:
    dA, Z = floats(f"{name}_backward", dA, Z)
    expect_shape("dA", dA, Z.shape)
    dZ = pull(activation_op(name), dA, Z).grad_inputs[0]
    assert dZ is not None
    return dZ
