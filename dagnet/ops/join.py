"""Ops that join several values into one: sum, product, concatenation."""

from collections.abc import Iterable
from math import prod
from typing import ClassVar

import numpy as np

from dagnet.bounds import check_integer
from dagnet.errors import ShapeError
from dagnet.node import Shape, format_shape
from dagnet.ops.base import Example, Op
from dagnet.ops.checks import check_axis, same_shapes
from dagnet.ops.frame import Frame


class Add(Op):
    """Sum of inputs of one shape: ``a = x_1 + ... + x_n``.

    Parameters
    ----------
    name : str, optional

    Notes
    -----
    Any shape, one input or more; the same node may come twice. ``da/dx_i = 1``.
    Source: the definition; as a shortcut around layers, He et al., *Deep residual learning for
    image recognition* (2016).

    Examples
    --------
    >>> import dagnet as dn
    >>> x = dn.Input(5)
    >>> dn.Add()(x, dn.Linear(5)(x))
    <Add (5, m) at ...>
    """

    kind: ClassVar[str] = "join"
    symbol: ClassVar[str] = "+"
    equation: ClassVar[str] = "A = X₁ + ... + Xₙ"
    arity: ClassVar[int | None] = None

    def output_shape(self, *inputs: Shape) -> Shape:
        return same_shapes(self, *inputs)

    def flops(self, *inputs: tuple[int, ...]) -> int:
        return (len(inputs) - 1) * prod(inputs[0])

    def forward(self, f: Frame) -> None:
        if len(f.inputs) == 1:
            np.copyto(f.output, f.inputs[0])
            return
        np.add(f.inputs[0], f.inputs[1], out=f.output)
        for x in f.inputs[2:]:
            np.add(f.output, x, out=f.output)

    def backward(self, f: Frame) -> None:
        for grad in f.grad_inputs:
            if grad is not None:
                np.copyto(grad, f.grad_output)

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example(cls(), ((5, 3), (5, 3))),
            Example(cls(), ((2, 5, 3),) * 3),
            Example(cls(), ((5, 3),)),
        )


class Multiply(Op):
    """Product, element by element, of inputs of one shape: ``a = x_1 · ... · x_n``.

    Parameters
    ----------
    name : str, optional

    Notes
    -----
    Any shape, one input or more; the same node may come twice. ``da/dx_i`` is the product of the
    other inputs, multiplied out, so that it is right where an input is 0.
    Source: the definition; as a gate, Hochreiter and Schmidhuber, *Long short-term memory* (1997).

    Examples
    --------
    >>> import dagnet as dn
    >>> x = dn.Input(5)
    >>> dn.Multiply()(x, dn.Sigmoid()(x))
    <Multiply (5, m) at ...>
    """

    kind: ClassVar[str] = "join"
    symbol: ClassVar[str] = "×"
    equation: ClassVar[str] = "A = X₁ · ... · Xₙ"
    arity: ClassVar[int | None] = None
    reads: ClassVar[frozenset[str]] = frozenset({"inputs"})

    def output_shape(self, *inputs: Shape) -> Shape:
        return same_shapes(self, *inputs)

    def flops(self, *inputs: tuple[int, ...]) -> int:
        return (len(inputs) - 1) * prod(inputs[0])

    def forward(self, f: Frame) -> None:
        if len(f.inputs) == 1:
            np.copyto(f.output, f.inputs[0])
            return
        np.multiply(f.inputs[0], f.inputs[1], out=f.output)
        for x in f.inputs[2:]:
            np.multiply(f.output, x, out=f.output)

    def backward(self, f: Frame) -> None:
        for i, grad in enumerate(f.grad_inputs):
            if grad is None:
                continue
            np.copyto(grad, f.grad_output)
            for j, x in enumerate(f.inputs):
                if j != i:
                    np.multiply(grad, x, out=grad)

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example(cls(), ((5, 3), (5, 3))),
            Example(cls(), ((2, 5, 3),) * 4),
            Example(cls(), ((5, 3),)),
        )


class Concat(Op):
    """Inputs one after the other along an axis.

    Parameters
    ----------
    axis : int
        Axis along which the inputs follow each other; not the last one, which holds the examples.
    name : str, optional

    Notes
    -----
    Inputs alike in all other axes: ``(3, m)`` and ``(5, m)`` give ``(8, m)``. Backward: each input
    gets its part of the gradient. Source: the definition; between layers, Huang et al., *Densely
    connected convolutional networks* (2017).

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.Concat()(dn.Input(3), dn.Input(5))
    <Concat (8, m) at ...>
    """

    axis: int = 0

    kind: ClassVar[str] = "join"
    symbol: ClassVar[str] = "concat"
    equation: ClassVar[str] = "A = [X₁, ..., Xₙ]"
    arity: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        check_integer(self.axis, f"{self.label}: axis")

    def output_shape(self, *inputs: Shape) -> Shape:
        first = inputs[0]
        axis = check_axis("Concat", self.axis, first)
        total = 0
        for position, shape in enumerate(inputs):
            if len(shape) != len(first):
                raise ShapeError(
                    f"Concat needs inputs with the same number of axes; input 0 is "
                    f"{format_shape(first)}, input {position} is {format_shape(shape)}"
                )
            for i, (a, b) in enumerate(zip(first, shape, strict=True)):
                if i != axis and a != b:
                    raise ShapeError(
                        f"Concat along axis {axis} needs inputs alike in all other axes; axis {i} "
                        f"is {a} in input 0 {format_shape(first)} and {b} in input {position} "
                        f"{format_shape(shape)}"
                    )
            total += int(shape[axis])
        return (*first[:axis], total, *first[axis + 1 :])

    def flops(self, *inputs: tuple[int, ...]) -> int:
        return 0

    def forward(self, f: Frame) -> None:
        np.concatenate(f.inputs, axis=self.axis, out=f.output)

    def backward(self, f: Frame) -> None:
        before = (slice(None),) * (self.axis % f.output.ndim)
        stop = 0
        for x, grad in zip(f.inputs, f.grad_inputs, strict=True):
            start, stop = stop, stop + x.shape[self.axis]
            if grad is not None:
                np.copyto(grad, f.grad_output[(*before, slice(start, stop))])

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example(cls(), ((5, 3), (7, 3))),
            Example(cls(axis=1), ((2, 3, 7), (2, 5, 7), (2, 1, 7))),
            Example(cls(axis=-2), ((2, 5, 3), (2, 7, 3))),
        )
