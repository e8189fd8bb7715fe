"""What a loss is, and the regression losses: mean squared error, mean absolute error, Huber."""

from abc import ABC
from collections.abc import Iterable
from dataclasses import field
from math import prod
from typing import ClassVar

import numpy as np

from dagnet.bounds import check_positive
from dagnet.errors import ShapeError
from dagnet.node import Shape
from dagnet.ops.base import Example, Op
from dagnet.ops.checks import same_shapes
from dagnet.ops.frame import Frame, Work


class Loss(Op, ABC):
    """A cost of one prediction against one target of the same shape: a number.

    Parameters
    ----------
    weight : float
        Positive factor on the cost, for sums of several losses.
    """

    weight: float = field(default=1.0, kw_only=True)

    kind: ClassVar[str] = "loss"
    arity: ClassVar[int | None] = 2

    def __post_init__(self) -> None:
        check_positive(self.weight, f"{self.label}: weight")

    def output_shape(self, *inputs: Shape) -> Shape:
        if not same_shapes(self, *inputs):
            raise ShapeError(f"{type(self).__name__} needs at least one axis, the examples; got ()")
        return ()

    def write_cost(self, f: Frame, terms: np.ndarray, count: int) -> None:
        """Write the weighted sum of all terms over `count`."""
        # Of single numbers Python takes the quotient in a tenth of numpy's time.
        f.output[()] = float(np.add.reduce(terms, axis=None)) / (count / self.weight)

    def scale(self, f: Frame, count: int) -> float:
        """Return what a term's derivative is multiplied by to become the gradient."""
        return float(f.grad_output) * self.weight / count


class Regression(Loss, ABC):
    """A loss on the difference of prediction and target, averaged over units and examples."""

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        return {"difference": Work(inputs[0], "saved"), "terms": Work(inputs[0], "forward")}

    def flops(self, *inputs: tuple[int, ...]) -> int:
        return 3 * prod(inputs[0])

    def pass_on(self, f: Frame, derivative: np.ndarray, factor: float = 1.0) -> None:
        """Write `derivative` times a factor for the prediction, and minus that for the target."""
        scale = self.scale(f, derivative.size) * factor
        for grad, signed in zip(f.grad_inputs, (scale, -scale), strict=True):
            if grad is not None:
                np.multiply(derivative, signed, out=grad)


class MeanSquaredError(Regression):
    """Mean squared error: ``J = mean((prediction - target)²)``.

    Parameters
    ----------
    weight : float
        Positive factor on the cost.
    name : str, optional

    Notes
    -----
    Inputs of one shape, examples on the last axis; the mean is over units and examples.
    With N elements, ``dJ/dprediction = 2 (prediction - target) / N``, and minus that for the
    target. Source: Goodfellow, Bengio, Courville, *Deep Learning* (2016), section 5.1.4.

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.MeanSquaredError()(dn.Input(2), dn.Input(2))
    <MeanSquaredError () at ...>
    """

    symbol: ClassVar[str] = "MSE"
    equation: ClassVar[str] = "J = mean((Ŷ - Y)²)"

    def forward(self, f: Frame) -> None:
        difference, terms = f.work["difference"], f.work["terms"]
        np.subtract(f.inputs[0], f.inputs[1], out=difference)
        np.multiply(difference, difference, out=terms)
        self.write_cost(f, terms, terms.size)

    def backward(self, f: Frame) -> None:
        self.pass_on(f, f.work["difference"], 2.0)

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example(cls(), ((5, 3), (5, 3))),
            Example(cls(weight=0.5), ((2, 3, 7), (2, 3, 7))),
        )


class MeanAbsoluteError(Regression):
    """Mean absolute error: ``J = mean(|prediction - target|)``.

    Parameters
    ----------
    weight : float
        Positive factor on the cost.
    name : str, optional

    Notes
    -----
    Inputs of one shape, examples on the last axis; the mean is over units and examples.
    With N elements, ``dJ/dprediction = sign(prediction - target) / N``, 0 where they are equal,
    and minus that for the target.
    Source: Hastie, Tibshirani, Friedman, *The Elements of Statistical Learning* (2009),
    section 10.6.

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.MeanAbsoluteError()(dn.Input(2), dn.Input(2))
    <MeanAbsoluteError () at ...>
    """

    symbol: ClassVar[str] = "MAE"
    equation: ClassVar[str] = "J = mean(|Ŷ - Y|)"

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        return {**super().workspace(*inputs), "sign": Work(inputs[0], "backward")}

    def kinks(self, *inputs: np.ndarray) -> np.ndarray:
        return np.abs(inputs[0] - inputs[1])

    def forward(self, f: Frame) -> None:
        difference, terms = f.work["difference"], f.work["terms"]
        np.subtract(f.inputs[0], f.inputs[1], out=difference)
        np.abs(difference, out=terms)
        self.write_cost(f, terms, terms.size)

    def backward(self, f: Frame) -> None:
        np.sign(f.work["difference"], out=f.work["sign"])
        self.pass_on(f, f.work["sign"])

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example(cls(), ((5, 3), (5, 3))),
            Example(cls(weight=0.5), ((2, 3, 7), (2, 3, 7))),
        )


class Huber(Regression):
    """Huber loss: quadratic up to a distance `delta`, linear beyond.

    Parameters
    ----------
    delta : float
        Positive distance at which the square ends.
    weight : float
        Positive factor on the cost.
    name : str, optional

    Notes
    -----
    Inputs of one shape, examples on the last axis; the mean is over units and examples. With
    ``d = prediction - target``, a term is ``d²/2`` where ``|d| <= delta`` and
    ``delta (|d| - delta/2)`` elsewhere; both are ``c (d - c/2)`` with d clipped to
    ``c = min(max(d, -delta), delta)``. With N elements, ``dJ/dprediction = c / N``, and minus
    that for the target. Source: Huber, *Robust estimation of a location parameter* (1964).

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.Huber(0.5)(dn.Input(2), dn.Input(2))
    <Huber () at ...>
    """

    delta: float = 1.0

    symbol: ClassVar[str] = "Huber"
    equation: ClassVar[str] = "J = mean(D²/2 if |D| <= δ else δ(|D| - δ/2)), D = Ŷ - Y"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self.delta, f"{self.label}: delta")

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        return {**super().workspace(*inputs), "clipped": Work(inputs[0], "saved")}

    def forward(self, f: Frame) -> None:
        difference, clipped, terms = f.work["difference"], f.work["clipped"], f.work["terms"]
        np.subtract(f.inputs[0], f.inputs[1], out=difference)
        np.minimum(difference, self.delta, out=clipped)
        np.maximum(clipped, -self.delta, out=clipped)
        np.multiply(clipped, -0.5, out=terms)
        np.add(terms, difference, out=terms)
        np.multiply(terms, clipped, out=terms)
        self.write_cost(f, terms, terms.size)

    def backward(self, f: Frame) -> None:
        self.pass_on(f, f.work["clipped"])

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example(cls(), ((5, 3), (5, 3))),
            Example(cls(0.3, weight=2.0), ((2, 3, 7), (2, 3, 7))),
        )
