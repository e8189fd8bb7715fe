"""Binary cross-entropy, from probabilities and from logits."""

from abc import ABC
from collections.abc import Iterable
from math import prod
from typing import ClassVar

import numpy as np

from dagnet.node import Shape
from dagnet.ops.activations import select
from dagnet.ops.base import Example, Op
from dagnet.ops.constants import HALF, MINUS_ONE, ONE
from dagnet.ops.frame import Frame, Work
from dagnet.ops.losses import Loss
from dagnet.ops.sigmoids import Sigmoid


class Binary(Loss, ABC):
    """A cross-entropy of independent yes-or-no units; the targets get no gradient."""

    constant_inputs: ClassVar[frozenset[int]] = frozenset({1})

    def flops(self, *inputs: tuple[int, ...]) -> int:
        return 7 * prod(inputs[0])

    def feed_problem(self, slot: int, array: np.ndarray) -> str | None:
        if slot != 1:
            return None
        wrong = ~((array >= 0) & (array <= 1))
        count = int(np.count_nonzero(wrong))
        if not count:
            return None
        index = tuple(map(int, np.unravel_index(np.argmax(wrong), array.shape)))
        return (
            f"{type(self).__name__} needs targets between 0 and 1; {count} of {array.size} are "
            f"outside, the first at {list(index)}: {array[index]:g}"
        )


class BinaryCrossEntropy(Binary):
    """Binary cross-entropy of probabilities, summed over the units, averaged over the examples.

    Parameters
    ----------
    weight : float
        Positive factor on the cost.
    name : str, optional

    Notes
    -----
    Inputs: probabilities ``A`` and targets ``Y`` between 0 and 1, of one shape, m examples on
    the last axis. With ``0 · log 0 = 0`` and ``0 / 0 = 0``, exact at 0 and 1 also::

        J     = -1/m sum(Y log A + (1 - Y) log(1 - A))
        dJ/dA = -1/m (Y / A - (1 - Y) / (1 - A))

    Probabilities are used as they come: neither clipped nor checked. After a `Sigmoid`, a model
    computes this loss from the logits; see `BinaryCrossEntropyWithLogits`.
    Source: Goodfellow, Bengio, Courville, *Deep Learning* (2016), section 6.2.2.2.

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.BinaryCrossEntropy()(dn.Sigmoid()(dn.Input(1)), dn.Input(1))
    <BinaryCrossEntropy () at ...>
    """

    symbol: ClassVar[str] = "BCE"
    equation: ClassVar[str] = "J = -1/m Σ(Y log A + (1 - Y) log(1 - A))"
    reads: ClassVar[frozenset[str]] = frozenset({"inputs"})

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        shape = inputs[0]
        return {
            "not_y": Work(shape, "saved"),
            "is_y": Work(shape, "saved", "bool"),
            "is_not_y": Work(shape, "saved", "bool"),
            "log_a": Work(shape, "forward"),
            "log_not_a": Work(shape, "forward"),
            "wide": Work(shape, "forward"),
            "quotient": Work(shape, "backward"),
            "slope": Work(shape, "backward"),
        }

    def from_logits(self, activation: Op) -> Op | None:
        # Subclasses may compute something else: only these two are known to go together.
        if type(self) is BinaryCrossEntropy and type(activation) is Sigmoid:
            return BinaryCrossEntropyWithLogits(weight=self.weight, name=self.name)
        return None

    def forward(self, f: Frame) -> None:
        (a, y), work = f.inputs, f.work
        log_a, log_not_a = work["log_a"], work["log_not_a"]
        np.subtract(1.0, y, out=work["not_y"])
        np.not_equal(y, 0.0, out=work["is_y"])
        np.not_equal(y, 1.0, out=work["is_not_y"])
        np.log(a, out=log_a)
        select(work["is_y"], log_a, work["wide"], out=log_a)
        np.multiply(log_a, y, out=log_a)
        np.negative(a, out=log_not_a)
        np.log1p(log_not_a, out=log_not_a)
        select(work["is_not_y"], log_not_a, work["wide"], out=log_not_a)
        np.multiply(log_not_a, work["not_y"], out=log_not_a)
        np.add(log_a, log_not_a, out=log_a)
        np.negative(log_a, out=log_a)
        self.write_cost(f, log_a, a.shape[-1])

    def backward(self, f: Frame) -> None:
        grad = f.grad_inputs[0]
        if grad is None:
            return
        (a, y), work = f.inputs, f.work
        quotient, slope = work["quotient"], work["slope"]
        np.subtract(1.0, a, out=slope)
        np.divide(work["not_y"], slope, out=slope)
        select(work["is_not_y"], slope, grad, out=slope)
        np.divide(y, a, out=quotient)
        select(work["is_y"], quotient, grad, out=quotient)
        np.subtract(slope, quotient, out=slope)
        np.multiply(slope, self.scale(f, a.shape[-1]), out=grad)

    @classmethod
    def examples(cls) -> Iterable[Example]:
        def draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
            a = rng.uniform(0.05, 0.95, (5, 7))
            return a, rng.uniform(0, 1, (5, 7)).round(1)

        def draw_hard(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
            a = rng.uniform(0.05, 0.95, (2, 3, 5))
            return a, rng.integers(0, 2, (2, 3, 5)).astype(float)

        return (
            Example(cls(), ((5, 7), (5, 7)), draw),
            Example(cls(weight=0.5), ((2, 3, 5), (2, 3, 5)), draw_hard),
        )


class BinaryCrossEntropyWithLogits(Binary):
    """Binary cross-entropy of the sigmoid of logits, exact for every finite logit.

    Parameters
    ----------
    weight : float
        Positive factor on the cost.
    name : str, optional

    Notes
    -----
    Inputs: logits ``Z`` and targets ``Y`` between 0 and 1, of one shape, m examples on the last
    axis. Summed over the units, averaged over the examples::

        J     = 1/m sum(max(Z, 0) - Z Y + log(1 + exp(-|Z|)))
        dJ/dZ = 1/m ((1 - Y) σ(Z) - Y σ(-Z))

    Both are computed without cancellation, so that small costs and gradients keep their digits:
    with ``e = exp(-|Z|)``, ``q = e / (1 + e)`` and H the step from 0 to 1 (1/2 at 0), the first
    two terms of J are ``Z (H - Y)``, and ``dJ/dZ = 1/m (H - Y - sign(Z) q)``.
    Source: the definition of `BinaryCrossEntropy` with ``A = σ(Z)``.

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.BinaryCrossEntropyWithLogits()(dn.Input(1), dn.Input(1))
    <BinaryCrossEntropyWithLogits () at ...>
    """

    symbol: ClassVar[str] = "BCE∘σ"
    equation: ClassVar[str] = "J = 1/m Σ(max(Z, 0) - Z Y + log(1 + exp(-|Z|)))"

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        shape = inputs[0]
        return {
            "e": Work(shape, "saved"),
            "sign": Work(shape, "saved"),
            "step_minus_y": Work(shape, "saved"),
            "terms": Work(shape, "forward"),
            "log": Work(shape, "forward"),
            "q": Work(shape, "backward"),
        }

    def forward(self, f: Frame) -> None:
        (z, y), work = f.inputs, f.work
        e, sign, step = work["e"], work["sign"], work["step_minus_y"]
        terms, log = work["terms"], work["log"]
        # From one array into another, and not in place, which takes numpy longer for one element.
        dtype = e.dtype
        np.copysign(z, MINUS_ONE[dtype], out=log)  # -|z|
        np.exp(log, out=e)
        np.log1p(e, out=log)
        np.sign(z, out=sign)
        np.multiply(sign, HALF[dtype], out=step)
        np.add(step, HALF[dtype], out=terms)
        np.subtract(terms, y, out=step)
        np.multiply(step, z, out=terms)
        np.add(terms, log, out=terms)
        self.write_cost(f, terms, z.shape[-1])

    def backward(self, f: Frame) -> None:
        grad = f.grad_inputs[0]
        if grad is None:
            return
        work, q = f.work, f.work["q"]
        np.add(work["e"], ONE[grad.dtype], out=grad)
        np.divide(work["e"], grad, out=q)
        np.multiply(work["sign"], q, out=grad)
        np.subtract(work["step_minus_y"], grad, out=q)
        np.multiply(q, self.scale(f, grad.shape[-1]), out=grad)

    @classmethod
    def examples(cls) -> Iterable[Example]:
        def draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
            return rng.normal(0, 3, (5, 7)), rng.uniform(0, 1, (5, 7)).round(1)

        def draw_hard(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
            return rng.normal(0, 3, (2, 3, 5)), rng.integers(0, 2, (2, 3, 5)).astype(float)

        return (
            Example(cls(), ((5, 7), (5, 7)), draw),
            Example(cls(weight=0.5), ((2, 3, 5), (2, 3, 5)), draw_hard),
        )
