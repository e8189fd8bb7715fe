"""Categorical cross-entropy, from probabilities and from logits."""

from abc import ABC
from collections.abc import Iterable
from math import prod
from typing import ClassVar

import numpy as np

from dagnet.errors import ShapeError
from dagnet.node import Shape, format_shape
from dagnet.ops.activations import select
from dagnet.ops.base import Example, Op
from dagnet.ops.frame import Frame, Work
from dagnet.ops.losses import Loss
from dagnet.ops.softmax import Softmax


class Categorical(Loss, ABC):
    """A cross-entropy of classes, on axis 0; the targets get no gradient."""

    constant_inputs: ClassVar[frozenset[int]] = frozenset({1})
    one_hot_inputs: ClassVar[frozenset[int]] = frozenset({1})
    reads: ClassVar[frozenset[str]] = frozenset({"inputs"})

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(inputs[0]) < 2:
            raise ShapeError(
                f"{type(self).__name__} takes (classes, ..., examples), two axes or more, got "
                f"{format_shape(inputs[0])}"
            )
        return super().output_shape(*inputs)

    def flops(self, *inputs: tuple[int, ...]) -> int:
        return 7 * prod(inputs[0])

    def feed_problem(self, slot: int, array: np.ndarray) -> str | None:
        if slot != 1:
            return None
        sums = array.sum(axis=0)
        close = np.abs(sums - 1) <= (1e-3 if array.dtype == np.float32 else 1e-6)
        wrong = ~(close & (array >= 0).all(axis=0))
        count = int(np.count_nonzero(wrong))
        if not count:
            return None
        index = tuple(map(int, np.unravel_index(np.argmax(wrong), wrong.shape)))
        least = array.min(axis=0)[index]
        fault = f"holds {least:g}" if close[index] else f"sums to {sums[index]:g}"
        return (
            f"{type(self).__name__} needs targets of 0 or more that sum to 1 over the classes; "
            f"{count} of {wrong.size} columns do not, the first at {list(index)}: it {fault}"
        )


class CategoricalCrossEntropy(Categorical):
    """Categorical cross-entropy of probabilities, averaged over the examples.

    Parameters
    ----------
    weight : float
        Positive factor on the cost.
    name : str, optional

    Notes
    -----
    Inputs: probabilities ``P`` and targets ``Y``, of one shape, classes on axis 0, m examples on
    the last axis; the columns of Y are one-hot or themselves probabilities. With
    ``0 · log 0 = 0`` and ``0 / 0 = 0``, exact at 0 and 1 also::

        J     = -1/m sum(Y log P)
        dJ/dP = -1/m Y / P

    Probabilities are used as they come: neither clipped nor checked. After a `Softmax`, a model
    computes this loss from the logits; see `CategoricalCrossEntropyWithLogits`.
    Source: Goodfellow, Bengio, Courville, *Deep Learning* (2016), section 6.2.2.3.

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.CategoricalCrossEntropy()(dn.Softmax()(dn.Input(10)), dn.Input(10))
    <CategoricalCrossEntropy () at ...>
    """

    symbol: ClassVar[str] = "CCE"
    equation: ClassVar[str] = "J = -1/m Σ Y log P"

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        return {
            "is_y": Work(inputs[0], "saved", "bool"),
            "terms": Work(inputs[0], "forward"),
            "wide": Work(inputs[0], "forward"),
            "quotient": Work(inputs[0], "backward"),
        }

    def from_logits(self, activation: Op) -> Op | None:
        # Subclasses may compute something else: only these two are known to go together.
        if type(self) is not CategoricalCrossEntropy or type(activation) is not Softmax:
            return None
        if activation.axis != 0:
            return None
        return CategoricalCrossEntropyWithLogits(weight=self.weight, name=self.name)

    def forward(self, f: Frame) -> None:
        (p, y), is_y, terms = f.inputs, f.work["is_y"], f.work["terms"]
        np.not_equal(y, 0.0, out=is_y)
        np.log(p, out=terms)
        select(is_y, terms, f.work["wide"], out=terms)
        np.multiply(terms, y, out=terms)
        np.negative(terms, out=terms)
        self.write_cost(f, terms, p.shape[-1])

    def backward(self, f: Frame) -> None:
        grad = f.grad_inputs[0]
        if grad is not None:
            (p, y), quotient = f.inputs, f.work["quotient"]
            np.divide(y, p, out=quotient)
            select(f.work["is_y"], quotient, grad, out=quotient)
            np.multiply(quotient, -self.scale(f, p.shape[-1]), out=grad)

    @classmethod
    def examples(cls) -> Iterable[Example]:
        def draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
            return rng.uniform(0.05, 0.95, (5, 7)), columns(rng, (5, 7))

        def draw_hard(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
            y = columns(rng, (3, 2, 7))
            return rng.uniform(0.05, 0.95, (3, 2, 7)), (y == y.max(axis=0)).astype(float)

        return (
            Example(cls(), ((5, 7), (5, 7)), draw),
            Example(cls(weight=0.5), ((3, 2, 7), (3, 2, 7)), draw_hard),
        )


class CategoricalCrossEntropyWithLogits(Categorical):
    """Categorical cross-entropy of the softmax of logits, exact however large they are.

    Parameters
    ----------
    weight : float
        Positive factor on the cost.
    name : str, optional

    Notes
    -----
    Inputs: logits ``Z`` and targets ``Y``, of one shape, classes on axis 0, m examples on the
    last axis; the columns of Y are one-hot or themselves probabilities. Per column, with P the
    softmax of Z, and the largest logit subtracted before the exponential::

        J     = 1/m sum(Y (log(sum(exp(Z))) - Z))
        dJ/dZ = 1/m (P sum(Y) - Y)

    A class with logit -inf and target 0 costs nothing.
    Source: the definition of `CategoricalCrossEntropy` with ``P = softmax(Z)``.

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.CategoricalCrossEntropyWithLogits()(dn.Input(10), dn.Input(10))
    <CategoricalCrossEntropyWithLogits () at ...>
    """

    symbol: ClassVar[str] = "CCE∘softmax"
    equation: ClassVar[str] = "J = 1/m Σ Y (log Σ exp(Z) - Z)"

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        shape = inputs[0]
        column = (1, *shape[1:])
        return {
            "p": Work(shape, "saved"),
            "shifted": Work(shape, "forward"),
            "is_y": Work(shape, "forward", "bool"),
            "wide": Work(shape, "forward"),
            "peak": Work(column, "forward"),
            "total": Work(column, "forward"),
            "sum_y": Work(column, "backward"),
        }

    def forward(self, f: Frame) -> None:
        (z, y), work = f.inputs, f.work
        p, shifted, peak, total = work["p"], work["shifted"], work["peak"], work["total"]
        np.maximum.reduce(z, axis=0, keepdims=True, out=peak)
        np.subtract(z, peak, out=shifted)
        np.exp(shifted, out=p)
        np.add.reduce(p, axis=0, keepdims=True, out=total)
        np.divide(p, total, out=p)
        np.log(total, out=total)
        np.subtract(total, shifted, out=shifted)
        np.not_equal(y, 0.0, out=work["is_y"])
        select(work["is_y"], shifted, work["wide"], out=shifted)
        np.multiply(shifted, y, out=shifted)
        self.write_cost(f, shifted, z.shape[-1])

    def backward(self, f: Frame) -> None:
        grad = f.grad_inputs[0]
        if grad is not None:
            y, sum_y = f.inputs[1], f.work["sum_y"]
            np.add.reduce(y, axis=0, keepdims=True, out=sum_y)
            np.multiply(f.work["p"], sum_y, out=grad)
            np.subtract(grad, y, out=grad)
            np.multiply(grad, self.scale(f, y.shape[-1]), out=grad)

    @classmethod
    def examples(cls) -> Iterable[Example]:
        def draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
            return rng.normal(0, 3, (5, 7)), columns(rng, (5, 7))

        def draw_unnormalised(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
            return rng.normal(0, 3, (3, 2, 7)), rng.integers(0, 3, (3, 2, 7)).astype(float)

        return (
            Example(cls(), ((5, 7), (5, 7)), draw),
            Example(cls(weight=0.5), ((3, 2, 7), (3, 2, 7)), draw_unnormalised),
        )


def columns(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return random targets: 0 or more, summing to 1 over axis 0."""
    y = rng.uniform(0, 1, shape)
    y[0] = 0
    return y / y.sum(axis=0)
