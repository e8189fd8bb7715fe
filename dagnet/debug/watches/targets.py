"""Watches on targets: whether anything is learnt of them, and whether batches hold them mixed."""

from dataclasses import field
from math import sqrt
from typing import ClassVar, NamedTuple

import numpy as np

from dagnet.debug.watches.base import Finding, Watch
from dagnet.debug.watches.sight import Sight
from dagnet.graph import Vertex
from dagnet.model import Model
from dagnet.ops import (
    BinaryCrossEntropy,
    BinaryCrossEntropyWithLogits,
    CategoricalCrossEntropy,
    CategoricalCrossEntropyWithLogits,
)
from dagnet.ops.base import Op
from dagnet.ops.frame import Frame
from dagnet.ops.losses import Loss
from dagnet.text import number


class _OfTargets(Watch):
    """A watch on losses whose targets are fed."""

    kinds: ClassVar[frozenset[str] | None] = frozenset({"loss"})

    def applies(self, vertex: Vertex, model: Model) -> bool:
        return isinstance(vertex.op, Loss) and model.graph.vertices[vertex.inputs[1]].is_input


class Guessing(_OfTargets):
    """A loss no lower than that of an answer that does not look at the example.

    The answer is the mean of all targets seen so far: of classes, how often each occurs. It is
    given for the same batches, by the same loss. Whatever the reason, nothing of what is fed has
    told the examples apart.

    Parameters
    ----------
    share : float
        Of the loss of that answer: more is no better than guessing.
    over : int
        Both are averaged over so many training steps. As many before them only show targets.
    """

    share: float = 0.98
    over: int = field(default=50, kw_only=True)

    formula: ClassVar[str] = "mean J over the steps > share · mean J of the mean target"
    remedy: ClassVar[str] = (
        "what other watches tell; a learning rate far too high or low; do the targets belong to "
        "these examples? `dn.gradcheck` if an op is your own"
    )

    @property
    def in_a_row(self) -> int:
        return 1  # it averages

    def look(self, sight: Sight) -> Finding | None:
        Y = _targets(sight)
        before: list[_Step] = sight.remember_over(None, self.over - 1)
        seen = _Seen.after(before[0].seen if before else None, Y)
        now = _Step(float(sight.array()), _cost_of(sight.op, seen.mean, Y), seen)
        sight.remember_over(now, self.over - 1)
        if seen.steps < 2 * self.over:
            return None
        J = sum(step.J for step in (now, *before)) / self.over
        guess = sum(step.guess for step in (now, *before)) / self.over
        is_worse = self.share * guess < J
        if not (guess and is_worse):
            return None
        message = (
            f"over the last {self.over} steps the cost was {number(J)}; without a look at the "
            f"examples, the mean of the targets costs {number(guess)}"
        )
        return Finding(message, J, self.share * guess)


class SortedBatches(_OfTargets):
    """Batches whose targets are quite others than those of all examples: they are not shuffled.

    What the mean of a batch is by chance, the spread of all targets so far and the number of
    examples tell. Each update forgets what the one before has learnt of other targets.

    Parameters
    ----------
    above : float
        Distance of a batch's mean target from that of all, in its standard deviations by chance.
    """

    above: float = 3.0
    over: int = field(default=10, kw_only=True)

    formula: ClassVar[str] = "‖mean Y of the batch - mean Y‖ > above · √(var Y / m)"
    remedy: ClassVar[str] = "`fit(..., shuffle=True)`"

    def look(self, sight: Sight) -> Finding | None:
        Y = _targets(sight)
        before: list[_Seen] = sight.remember_over(None, 1)
        seen = _Seen.after(before[0] if before else None, Y)
        sight.remember_over(seen, 1)
        by_chance = sqrt(seen.variance / Y.shape[-1])
        far = float(np.linalg.norm(Y.mean(axis=-1, keepdims=True) - seen.mean))
        if not (by_chance and far > self.above * by_chance):
            return None
        message = (
            f"the mean target of the {Y.shape[-1]} examples is {number(far / by_chance)} times as "
            f"far from that of all examples as it is by chance; {number(self.above)} times is "
            f"the most allowed"
        )
        return Finding(message, far / by_chance, self.above)


class _Seen(NamedTuple):
    """The targets so far: their sum, that of their squares, their number, and the steps."""

    total: np.ndarray
    squares: float
    m: int
    steps: int

    @classmethod
    def after(cls, before: "_Seen | None", Y: np.ndarray) -> "_Seen":
        total, squares, m = Y.sum(axis=-1, keepdims=True), float(np.vdot(Y, Y)), Y.shape[-1]
        if before is None:
            return cls(total, squares, m, 1)
        return cls(before.total + total, before.squares + squares, before.m + m, before.steps + 1)

    @property
    def mean(self) -> np.ndarray:
        return self.total / self.m

    @property
    def variance(self) -> float:
        """Of the distance of a target from the mean."""
        return max(0.0, self.squares / self.m - float(np.vdot(self.mean, self.mean)))


class _Step(NamedTuple):
    """Of a training step: its cost, that of guessing, and the targets so far."""

    J: float
    guess: float
    seen: _Seen


def _targets(sight: Sight) -> np.ndarray:
    return sight.run.binding.frames[sight.node].inputs[1]


def _cost_of(op: Op, answer: np.ndarray, Y: np.ndarray) -> float:
    """Return what a loss makes of one answer to every example.

    >>> from dagnet.ops import MeanSquaredError
    >>> _cost_of(MeanSquaredError(), np.array([[2.0]]), np.array([[1.0, 2.0, 6.0]]))
    5.666666666666667
    """
    if isinstance(op, BinaryCrossEntropyWithLogits):
        op = BinaryCrossEntropy(weight=op.weight)
    elif isinstance(op, CategoricalCrossEntropyWithLogits):
        op = CategoricalCrossEntropy(weight=op.weight)
    frame = Frame.allocate(op, np.broadcast_to(answer, Y.shape), Y)
    op.forward(frame)
    return float(frame.output)
