"""Dropout: random units silenced while training."""

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from dagnet.bounds import check_fraction
from dagnet.node import Shape
from dagnet.ops.activations import Identity, select
from dagnet.ops.base import Example, Op
from dagnet.ops.frame import Frame, Work


class Dropout(Op):
    """Inverted dropout: each element is 0 with probability `rate`, the others are scaled up.

    Parameters
    ----------
    rate : float
        Probability of dropping an element, from 0 to below 1.
    name : str, optional

    Notes
    -----
    Any shape. ``a = mask z / (1 - rate)`` with a mask drawn anew for every element and every
    forward run, so that the expected output is z; ``da/dz = mask / (1 - rate)`` with the same
    mask, which stays in the cache. In prediction it is the `Identity`.
    Source: Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*
    (2014), section 10.

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.Dropout(0.2)(dn.Input(5))
    <Dropout (5, m) at ...>
    >>> dn.Dropout(0.2).in_prediction()
    Identity(name=None)
    """

    rate: float

    kind: ClassVar[str] = "regularization"
    symbol: ClassVar[str] = "dropout"
    equation: ClassVar[str] = "A = mask Z / (1 - rate)"
    in_place: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_fraction(self.rate, f"{self.label}: rate")

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        shape = inputs[0]
        return {
            "mask": Work(shape, "saved", "bool"),
            "noise": Work(shape, "forward"),
            "wide": Work(shape, "backward"),
        }

    def in_prediction(self) -> Op:
        return Identity(name=self.name)

    def forward(self, f: Frame) -> None:
        noise, mask = f.work["noise"], f.work["mask"]
        f.rng.random(out=noise, dtype=noise.dtype.type)
        np.greater_equal(noise, self.rate, out=mask)
        select(mask, f.inputs[0], noise, out=f.output)
        np.multiply(f.output, 1 / (1 - self.rate), out=f.output)

    def backward(self, f: Frame) -> None:
        grad = f.grad_inputs[0]
        if grad is not None:
            select(f.work["mask"], f.grad_output, f.work["wide"], out=grad)
            np.multiply(grad, 1 / (1 - self.rate), out=grad)

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example(cls(0.5), ((5, 7),)),
            Example(cls(0.2), ((2, 3, 5, 7),)),
            Example(cls(0.0), ((5, 3),)),
        )
