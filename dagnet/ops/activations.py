"""Piecewise activations: identity and the rectifiers."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from dagnet.bounds import check_number, check_positive
from dagnet.node import Shape
from dagnet.ops.base import Example, Unary
from dagnet.ops.constants import ZERO
from dagnet.ops.frame import Frame, Work

#: The integers of as many bits as a float has.
_BITS: Mapping[np.dtype[Any], np.dtype[Any]] = {
    np.dtype("float64"): np.dtype("int64"),
    np.dtype("float32"): np.dtype("int32"),
}


class ReLU(Unary):
    """Rectified linear unit: ``a = max(0, z)``.

    Parameters
    ----------
    name : str, optional

    Notes
    -----
    Any shape. ``da/dz`` is 1 where z > 0 and 0 elsewhere, also at 0.
    Source: Nair and Hinton, *Rectified linear units improve restricted Boltzmann machines* (2010).

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.ReLU()(dn.Input(5, name="z"))
    <ReLU (5, m) at ...>
    """

    symbol: ClassVar[str] = "ReLU"
    equation: ClassVar[str] = "A = max(0, Z)"
    reads: ClassVar[frozenset[str]] = frozenset({"output"})

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        shape = inputs[0]
        return {"positive": Work(shape, "backward", "bool"), "wide": Work(shape, "backward")}

    def kinks(self, *inputs: np.ndarray) -> np.ndarray:
        return np.abs(inputs[0])

    def forward(self, f: Frame) -> None:
        np.maximum(f.inputs[0], ZERO[f.output.dtype], out=f.output)

    def backward(self, f: Frame) -> None:
        if f.grad_inputs[0] is not None:
            np.greater(f.output, ZERO[f.output.dtype], out=f.work["positive"])
            select(f.work["positive"], f.grad_output, f.work["wide"], out=f.grad_inputs[0])

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example(cls(), ((5, 3),)), Example(cls(), ((2, 3, 5, 7),)))


class LeakyReLU(Unary):
    """Rectifier that leaks: ``a = max(z, slope z)``.

    Parameters
    ----------
    slope : float
        Slope below 0, between 0 (that would be `ReLU`) and 1 (`Identity`).
    name : str, optional

    Notes
    -----
    Any shape. ``da/dz`` is 1 where z > 0 and `slope` elsewhere, also at 0.
    Source: Maas, Hannun, Ng, *Rectifier nonlinearities improve neural network acoustic models*
    (2013).

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.LeakyReLU(0.1)(dn.Input(5))
    <LeakyReLU (5, m) at ...>
    """

    slope: float = 0.01

    symbol: ClassVar[str] = "LeakyReLU"
    equation: ClassVar[str] = "A = max(Z, slope Z)"
    reads: ClassVar[frozenset[str]] = frozenset({"output"})

    def __post_init__(self) -> None:
        check_number(self.slope, f"{self.label}: slope", above=0, below=1)

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        return {
            "leak": Work(inputs[0], "forward"),
            "factor": Work(inputs[0], "backward"),
            "positive": Work(inputs[0], "backward", "bool"),
        }

    def kinks(self, *inputs: np.ndarray) -> np.ndarray:
        return np.abs(inputs[0])

    def forward(self, f: Frame) -> None:
        np.multiply(f.inputs[0], self.slope, out=f.work["leak"])
        np.maximum(f.inputs[0], f.work["leak"], out=f.output)

    def backward(self, f: Frame) -> None:
        if f.grad_inputs[0] is not None:
            factor = f.work["factor"]
            np.greater(f.output, 0.0, out=f.work["positive"])
            np.copyto(factor, f.work["positive"])
            np.maximum(factor, self.slope, out=factor)
            np.multiply(factor, f.grad_output, out=f.grad_inputs[0])

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example(cls(), ((5, 3),)), Example(cls(0.2), ((2, 3, 5, 7),)))


class ELU(Unary):
    """Exponential linear unit: z above 0, ``alpha (exp(z) - 1)`` below.

    Parameters
    ----------
    alpha : float
        Positive; the output never falls below ``-alpha``.
    name : str, optional

    Notes
    -----
    Any shape. ``da/dz`` is 1 where z > 0 and ``alpha exp(z) = a + alpha`` elsewhere, also at 0.
    Source: Clevert, Unterthiner, Hochreiter, *Fast and accurate deep network learning by
    exponential linear units (ELUs)* (2016).

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.ELU()(dn.Input(5))
    <ELU (5, m) at ...>
    """

    alpha: float = 1.0

    symbol: ClassVar[str] = "ELU"
    equation: ClassVar[str] = "A = max(0, Z) + alpha (exp(min(0, Z)) - 1)"
    reads: ClassVar[frozenset[str]] = frozenset({"output"})

    def __post_init__(self) -> None:
        check_positive(self.alpha, f"{self.label}: alpha")

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        return {
            "below": Work(inputs[0], "forward"),
            "factor": Work(inputs[0], "backward"),
            "positive": Work(inputs[0], "backward", "bool"),
        }

    def kinks(self, *inputs: np.ndarray) -> np.ndarray | None:
        return np.abs(inputs[0]) if self.alpha != 1 else None

    def forward(self, f: Frame) -> None:
        z, below = f.inputs[0], f.work["below"]
        np.minimum(z, 0.0, out=below)
        np.expm1(below, out=below)
        np.multiply(below, self.alpha, out=below)
        np.maximum(z, 0.0, out=f.output)
        np.add(f.output, below, out=f.output)

    def backward(self, f: Frame) -> None:
        if f.grad_inputs[0] is not None:
            factor, positive = f.work["factor"], f.work["positive"]
            np.greater(f.output, 0.0, out=positive)
            np.add(f.output, self.alpha, out=factor)
            np.copyto(factor, 1.0, where=positive)
            np.multiply(factor, f.grad_output, out=f.grad_inputs[0])

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example(cls(), ((5, 3),)), Example(cls(0.3), ((2, 3, 5, 7),)))


class Identity(Unary):
    """The value itself: ``a = z``.

    Parameters
    ----------
    name : str, optional

    Notes
    -----
    Any shape. ``da/dz = 1``. It stands where an op does nothing, such as `Dropout` in prediction.
    Source: the definition.

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.Identity()(dn.Input(5))
    <Identity (5, m) at ...>
    """

    symbol: ClassVar[str] = "x"
    equation: ClassVar[str] = "A = Z"

    def flops(self, *inputs: tuple[int, ...]) -> int:
        return 0

    def forward(self, f: Frame) -> None:
        if f.output is not f.inputs[0]:
            np.copyto(f.output, f.inputs[0])

    def backward(self, f: Frame) -> None:
        if f.grad_inputs[0] is not None and f.grad_inputs[0] is not f.grad_output:
            np.copyto(f.grad_inputs[0], f.grad_output)

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example(cls(), ((5, 3),)), Example(cls(), ((2, 3, 5, 7),)))


def select(mask: np.ndarray, values: np.ndarray, scratch: np.ndarray, out: np.ndarray) -> None:
    """Write `values` where `mask` is true and 0 elsewhere; NaN and Inf behind the mask vanish.

    The product is taken of the bits, as integers: 0 or 1 times any integer is exact, where the
    float product would make nan of inf * 0. Numpy's own masked copy is twenty times slower, and
    a product of integers and booleans would allocate; so the mask is widened in `scratch`, an
    array like `values` that is neither of the others.
    """
    bits = _BITS[values.dtype]
    wide = scratch.view(bits)
    wide[...] = mask
    np.multiply(values.view(bits), wide, out=out.view(bits))
