"""GELU: the input times the normal distribution function of the input."""

from collections.abc import Iterable
from math import pi, sqrt
from typing import ClassVar

import numpy as np

from dagnet.errors import ArgumentError
from dagnet.node import Shape
from dagnet.ops.base import Example, Unary
from dagnet.ops.frame import Frame, Work

# Rational fit of Φ(-u) exp(u²/2) for 0 <= u <= 40, lowest power first; made for this module in
# 50-digit arithmetic by weighted least squares, largest relative error 6e-17. All coefficients
# are positive, so that nothing cancels.
_NUMERATOR = (
    0.49999999999999997457,
    0.7752637802774735743,
    0.59460780867435684827,
    0.28973158698909200002,
    0.097877426319902951035,
    0.023676502953514041805,
    0.0041007212400490797395,
    0.0004920538991902360913,
    0.000037401344532137901582,
    1.3921706556370799652e-6,
)
_DENOMINATOR = (
    1.0,
    2.3484121213578023423,
    2.5629773913827343302,
    1.716178723833929952,
    0.78316592231179589179,
    0.2554337941494322353,
    0.060574609065942394955,
    0.010372735063688342522,
    0.0012368858708702816312,
    0.000093751267711468507805,
    3.4896543285410452188e-6,
)
_FAR = 40.0  # Φ(-40) is 0 in float64


class GELU(Unary):
    """Gaussian error linear unit: ``a = z Φ(z)``, Φ the standard normal distribution function.

    Parameters
    ----------
    approximate : {"none", "tanh"}
        ``"none"`` is exact. ``"tanh"`` is the formula that many published models were trained
        with, up to 5e-4 away from it: ``a = z/2 (1 + tanh(sqrt(2/π) (z + 0.044715 z³)))``.
    name : str, optional

    Notes
    -----
    Any shape. ``da/dz = Φ(z) + z φ(z)``, φ the normal density. It is computed with the output
    and kept. With the upper tail ``T(u) = Φ(-u)`` at ``u = |z|``, ``a = max(z, 0) - u T`` and
    ``da/dz = H(z) - sign(z) (T - u φ)``, H the step from 0 to 1, have small values exact too.
    Source: Hendrycks and Gimpel, *Gaussian error linear units (GELUs)* (2016).

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.GELU()(dn.Input(5))
    <GELU (5, m) at ...>
    """

    approximate: str = "none"

    symbol: ClassVar[str] = "GELU"
    equation: ClassVar[str] = "A = Z Φ(Z)"

    def __post_init__(self) -> None:
        if not isinstance(self.approximate, str) or self.approximate not in ("none", "tanh"):
            raise ArgumentError(
                f'{self.label}: approximate must be "none" or "tanh", got {self.approximate!r}'
            )

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        return {
            "derivative": Work(inputs[0], "saved"),
            "u": Work(inputs[0], "forward"),
            "v": Work(inputs[0], "forward"),
            "w": Work(inputs[0], "forward"),
        }

    def forward(self, f: Frame) -> None:
        if self.approximate == "none":
            exact(f.inputs[0], f.output, **f.work)
        else:
            by_tanh(f.inputs[0], f.output, **f.work)

    def backward(self, f: Frame) -> None:
        if f.grad_inputs[0] is not None:
            np.multiply(f.work["derivative"], f.grad_output, out=f.grad_inputs[0])

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example(cls(), ((5, 3),)),
            Example(cls(), ((2, 3, 5, 7),)),
            Example(cls("tanh"), ((5, 3),)),
        )


def exact(
    z: np.ndarray,
    output: np.ndarray,
    derivative: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    w: np.ndarray,
) -> None:
    """Write ``z Φ(z)`` and its derivative; `u`, `v`, `w` are scratch."""
    np.abs(z, out=u)
    np.minimum(u, _FAR, out=u)
    polynomial(_NUMERATOR, u, out=v)
    polynomial(_DENOMINATOR, u, out=w)
    np.divide(v, w, out=v)
    np.multiply(u, u, out=w)
    np.multiply(w, -0.5, out=w)
    np.exp(w, out=w)
    np.multiply(v, w, out=v)  # T
    np.multiply(w, 1 / sqrt(2 * pi), out=w)
    np.multiply(w, u, out=w)  # u φ
    np.subtract(v, w, out=w)
    np.sign(z, out=derivative)
    np.multiply(w, derivative, out=w)
    np.multiply(derivative, 0.5, out=derivative)
    np.add(derivative, 0.5, out=derivative)  # H
    np.subtract(derivative, w, out=derivative)
    np.multiply(u, v, out=v)
    np.maximum(z, 0.0, out=output)
    np.subtract(output, v, out=output)


def by_tanh(
    z: np.ndarray,
    output: np.ndarray,
    derivative: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    w: np.ndarray,
) -> None:
    """Write the formula with tanh and its derivative; `u`, `v`, `w` are scratch.

    The tanh is ±1 long before |z| = 20; z is held there, so that no power of it overflows. With
    ``s = sqrt(2/π) (z + 0.044715 z³)`` and t its tanh, the derivative is
    ``(1 + t)/2 + z/2 (1 - t²) ds/dz``.
    """
    np.maximum(z, -20.0, out=u)
    np.minimum(u, 20.0, out=v)
    np.multiply(v, v, out=w)
    np.multiply(w, 0.044715, out=w)  # 0.044715 z²
    np.multiply(w, v, out=derivative)
    np.add(derivative, v, out=derivative)
    np.multiply(derivative, sqrt(2 / pi), out=derivative)  # s
    np.tanh(derivative, out=derivative)
    np.multiply(w, 3.0, out=w)
    np.add(w, 1.0, out=w)
    np.multiply(w, v, out=w)
    np.multiply(w, sqrt(2 / pi) / 2, out=w)  # z/2 ds/dz
    np.multiply(derivative, derivative, out=v)
    np.subtract(1.0, v, out=v)
    np.multiply(w, v, out=w)
    np.add(derivative, 1.0, out=v)
    np.multiply(v, 0.5, out=v)  # (1 + t)/2
    np.add(w, v, out=derivative)
    np.multiply(u, v, out=output)


def polynomial(coefficients: tuple[float, ...], x: np.ndarray, out: np.ndarray) -> None:
    """Write the polynomial with these coefficients, lowest power first, at x (Horner's rule)."""
    np.multiply(x, coefficients[-1], out=out)
    for c in coefficients[-2:0:-1]:
        np.add(out, c, out=out)
        np.multiply(out, x, out=out)
    np.add(out, coefficients[0], out=out)
