"""Ops that change only the shape."""

from collections.abc import Iterable
from math import prod
from typing import ClassVar

import numpy as np

from dagnet.errors import ShapeError
from dagnet.node import Shape
from dagnet.ops.base import Example, Op
from dagnet.ops.frame import Frame


class Flatten(Op):
    """All axes but the examples to one: ``(c, h, w, m)`` to ``(c·h·w, m)``.

    Parameters
    ----------
    name : str, optional

    Notes
    -----
    One axis or more; the last input axis runs fastest (C order), as in ``x.reshape(-1, m)``.
    Backward: the gradient in the shape of the input. Source: the definition.

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.Flatten()(dn.Input(3, 64, 64)).shape
    (12288, 'm')
    """

    kind: ClassVar[str] = "reshape"
    symbol: ClassVar[str] = "flatten"
    equation: ClassVar[str] = "A = X as (n, m)"

    def output_shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        if not shape:
            raise ShapeError("Flatten needs at least one axis, the examples; got ()")
        return (prod(int(size) for size in shape[:-1]), shape[-1])

    def flops(self, *inputs: tuple[int, ...]) -> int:
        return 0

    def forward(self, f: Frame) -> None:
        np.copyto(f.output.reshape(f.inputs[0].shape), f.inputs[0])

    def backward(self, f: Frame) -> None:
        grad = f.grad_inputs[0]
        if grad is not None:
            np.copyto(grad, f.grad_output.reshape(grad.shape))

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example(cls(), ((2, 3, 5, 7),)),
            Example(cls(), ((5, 3),)),
            Example(cls(), ((3,),)),
        )
