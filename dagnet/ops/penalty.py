"""Penalties: what a large weight costs."""

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from dagnet.bounds import check_not_negative
from dagnet.node import Shape
from dagnet.ops.base import Example, Op
from dagnet.ops.frame import Frame


class L2(Op):
    """Squared weights: ``J = strength / (2 m) · sum of W²``, over borrowed weight matrices.

    Parameters
    ----------
    strength : float
        λ, 0 or more.
    name : str, optional

    Notes
    -----
    No inputs and no parameters of its own: it runs over whatever weight matrices it is lent, under
    any names, and m, the number of examples. ``dJ/dW = strength / m · W``.
    Source: Krogh and Hertz, *A simple weight decay can improve generalization* (1992).

    Examples
    --------
    >>> import numpy as np, dagnet as dn
    >>> from dagnet.ops.frame import Frame
    >>> frame = Frame.allocate(dn.L2(0.5), params={"W1": np.array([[3.0, 4.0]])}, m=10)
    >>> dn.L2(0.5).forward(frame)
    >>> float(frame.output)
    0.625
    """

    strength: float

    kind: ClassVar[str] = "penalty"
    symbol: ClassVar[str] = "L2"
    equation: ClassVar[str] = "J = λ/(2m) Σ W²"
    arity: ClassVar[int | None] = 0
    reads: ClassVar[frozenset[str]] = frozenset({"params"})

    def __post_init__(self) -> None:
        check_not_negative(self.strength, f"{self.label}: strength")

    def output_shape(self, *inputs: Shape) -> Shape:
        return ()

    def forward(self, f: Frame) -> None:
        total = sum(float(np.vdot(W, W)) for W in f.params.values())
        f.output[...] = total * (self.strength / (2 * f.m))

    def backward(self, f: Frame) -> None:
        factor = float(f.grad_output) * self.strength / f.m
        for name, grad in f.grad_params.items():
            np.multiply(f.params[name], factor, out=grad)

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example(cls(0.7), (), params={"W1": (5, 3), "W2": (1, 5)}),
            Example(cls(0.0), (), params={"W1": (2, 3)}),
        )
