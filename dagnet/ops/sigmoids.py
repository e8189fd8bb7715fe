"""Smooth activations built on the exponential: sigmoid, tanh, softplus."""

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from dagnet.node import Shape
from dagnet.ops.base import Example, Unary
from dagnet.ops.constants import MINUS_ONE, ONE, ZERO
from dagnet.ops.frame import Frame, Work


class Sigmoid(Unary):
    """Logistic sigmoid: ``a = 1 / (1 + exp(-z))``.

    Parameters
    ----------
    name : str, optional

    Notes
    -----
    Any shape. Computed as ``exp(min(z, 0)) / (1 + exp(-|z|))``: nothing overflows, and small
    outputs keep all their digits, down to the smallest number there is. ``da/dz = a (1 - a)``.
    Source: Goodfellow, Bengio, Courville, *Deep Learning* (2016), section 3.10.

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.Sigmoid()(dn.Input(5))
    <Sigmoid (5, m) at ...>
    """

    symbol: ClassVar[str] = "σ"
    equation: ClassVar[str] = "A = 1 / (1 + exp(-Z))"
    reads: ClassVar[frozenset[str]] = frozenset({"output"})

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        return {"one_plus_e": Work(inputs[0], "forward"), "slope": Work(inputs[0], "backward")}

    def forward(self, f: Frame) -> None:
        z, below = f.inputs[0], f.work["one_plus_e"]
        np.copysign(z, MINUS_ONE[below.dtype], out=below)  # -|z|
        np.exp(below, out=below)
        np.add(below, ONE[below.dtype], out=below)
        np.minimum(z, ZERO[f.output.dtype], out=f.output)
        np.exp(f.output, out=f.output)
        np.divide(f.output, below, out=f.output)

    def backward(self, f: Frame) -> None:
        if f.grad_inputs[0] is not None:
            slope = f.work["slope"]
            np.subtract(ONE[slope.dtype], f.output, out=slope)
            np.multiply(slope, f.output, out=slope)
            np.multiply(slope, f.grad_output, out=f.grad_inputs[0])

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example(cls(), ((5, 3),)), Example(cls(), ((2, 3, 5, 7),)))


class Tanh(Unary):
    """Hyperbolic tangent: ``a = tanh(z)``.

    Parameters
    ----------
    name : str, optional

    Notes
    -----
    Any shape. ``da/dz = 1 - a²``.
    Source: LeCun, Bottou, Orr, Müller, *Efficient BackProp* (1998), section 4.4.

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.Tanh()(dn.Input(5))
    <Tanh (5, m) at ...>
    """

    symbol: ClassVar[str] = "tanh"
    equation: ClassVar[str] = "A = tanh(Z)"
    reads: ClassVar[frozenset[str]] = frozenset({"output"})

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        return {"slope": Work(inputs[0], "backward")}

    def forward(self, f: Frame) -> None:
        np.tanh(f.inputs[0], out=f.output)

    def backward(self, f: Frame) -> None:
        if f.grad_inputs[0] is not None:
            slope = f.work["slope"]
            np.multiply(f.output, f.output, out=slope)
            np.subtract(ONE[slope.dtype], slope, out=slope)
            np.multiply(slope, f.grad_output, out=f.grad_inputs[0])

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example(cls(), ((5, 3),)), Example(cls(), ((2, 3, 5, 7),)))


class Softplus(Unary):
    """Smooth rectifier: ``a = log(1 + exp(z))``.

    Parameters
    ----------
    name : str, optional

    Notes
    -----
    Any shape. Computed as ``max(z, 0) + log(1 + exp(-|z|))``: nothing overflows, and small outputs
    keep all their digits. The derivative is the sigmoid of z, taken
    from the output: ``da/dz = 1 - exp(-a)``.
    Source: Dugas et al., *Incorporating second-order functional knowledge for better option
    pricing* (2001).

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.Softplus()(dn.Input(5))
    <Softplus (5, m) at ...>
    """

    symbol: ClassVar[str] = "softplus"
    equation: ClassVar[str] = "A = log(1 + exp(Z))"
    reads: ClassVar[frozenset[str]] = frozenset({"output"})

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        return {"log": Work(inputs[0], "forward"), "slope": Work(inputs[0], "backward")}

    def forward(self, f: Frame) -> None:
        z, log = f.inputs[0], f.work["log"]
        np.copysign(z, MINUS_ONE[log.dtype], out=log)  # -|z|
        np.exp(log, out=log)
        np.log1p(log, out=log)
        np.maximum(z, ZERO[f.output.dtype], out=f.output)
        np.add(f.output, log, out=f.output)

    def backward(self, f: Frame) -> None:
        if f.grad_inputs[0] is not None:
            slope = f.work["slope"]
            np.negative(f.output, out=slope)
            np.expm1(slope, out=slope)
            np.negative(slope, out=slope)
            np.multiply(slope, f.grad_output, out=f.grad_inputs[0])

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example(cls(), ((5, 3),)), Example(cls(), ((2, 3, 5, 7),)))
