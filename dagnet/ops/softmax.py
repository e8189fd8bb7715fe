"""Softmax: scores to probabilities that sum to 1."""

from collections.abc import Iterable
from math import prod
from typing import ClassVar

import numpy as np

from dagnet.bounds import check_integer
from dagnet.node import Shape
from dagnet.ops.base import Example, Op
from dagnet.ops.checks import check_axis
from dagnet.ops.frame import Frame, Work


class Softmax(Op):
    """Softmax over the classes: ``p_k = exp(z_k) / sum_j exp(z_j)``.

    Parameters
    ----------
    axis : int
        Axis of the classes; not the last one, which holds the examples.
    name : str, optional

    Notes
    -----
    Any shape of two axes or more. The largest score is subtracted first: nothing overflows.
    Backward, from the output: ``dz_k = p_k (dp_k - sum_j dp_j p_j)``.
    Source: Goodfellow, Bengio, Courville, *Deep Learning* (2016), section 6.2.2.3.

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.Softmax()(dn.Input(10))
    <Softmax (10, m) at ...>
    """

    axis: int = 0

    kind: ClassVar[str] = "activation"
    symbol: ClassVar[str] = "softmax"
    equation: ClassVar[str] = "A = exp(Z) / Σ exp(Z)"
    reads: ClassVar[frozenset[str]] = frozenset({"output"})
    in_place: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_integer(self.axis, f"{self.label}: axis")

    def output_shape(self, *inputs: Shape) -> Shape:
        check_axis("Softmax", self.axis, inputs[0])
        return inputs[0]

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        shape = inputs[0]
        axis = check_axis("Softmax", self.axis, shape)
        reduced = (*shape[:axis], 1, *shape[axis + 1 :])
        return {
            "reduced": Work(reduced, "forward"),
            "product": Work(shape, "backward"),
            "inner": Work(reduced, "backward"),
        }

    def flops(self, *inputs: tuple[int, ...]) -> int:
        return 5 * prod(inputs[0])

    def forward(self, f: Frame) -> None:
        reduced = f.work["reduced"]
        np.maximum.reduce(f.inputs[0], axis=self.axis, keepdims=True, out=reduced)
        np.subtract(f.inputs[0], reduced, out=f.output)
        np.exp(f.output, out=f.output)
        np.add.reduce(f.output, axis=self.axis, keepdims=True, out=reduced)
        np.divide(f.output, reduced, out=f.output)

    def backward(self, f: Frame) -> None:
        grad = f.grad_inputs[0]
        if grad is not None:
            product, inner = f.work["product"], f.work["inner"]
            np.multiply(f.grad_output, f.output, out=product)
            np.add.reduce(product, axis=self.axis, keepdims=True, out=inner)
            np.subtract(f.grad_output, inner, out=grad)
            np.multiply(grad, f.output, out=grad)

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example(cls(), ((5, 3),)),
            Example(cls(axis=1), ((2, 5, 3, 7),)),
            Example(cls(axis=-2), ((2, 5, 3),)),
        )
