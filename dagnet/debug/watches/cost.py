"""Watches on the cost, at the losses that it is the sum of, and on what the losses read."""

from dataclasses import field
from typing import ClassVar

import numpy as np

from dagnet.debug.watches.base import Finding, Watch
from dagnet.debug.watches.facts import Facts
from dagnet.debug.watches.sight import Sight
from dagnet.diagnosis import Bad, not_finite
from dagnet.ops import BinaryCrossEntropy, CategoricalCrossEntropy, Softmax
from dagnet.text import number

#: How far from 1 probabilities may sum that are those of classes.
_OFF = 0.01


class _OfLoss(Watch):
    """A watch on losses; each is looked at by itself, and penalties are none."""

    kinds: ClassVar[frozenset[str] | None] = frozenset({"loss"})


class CostNotFinite(_OfLoss):
    """A loss that is NaN or infinite."""

    formula: ClassVar[str] = "J is NaN or Inf"
    remedy: ClassVar[str] = "`alert.why()`; a smaller learning rate; a loss after its activation"

    def look(self, sight: Sight) -> Finding | None:
        J = float(sight.array())
        return None if np.isfinite(J) else Finding(f"the cost is {J}, which is not finite", J)

    def bad(self) -> Bad:
        return not_finite


class FlatCost(_OfLoss):
    """A loss that stays where it is.

    Parameters
    ----------
    tolerance : float
        How much of itself it moves from step to step at the least.
    """

    tolerance: float = 1e-6
    over: int = field(default=20, kw_only=True)

    name: ClassVar[str] = "cost flat"
    formula: ClassVar[str] = "abs(J - J before) ≤ tolerance · abs(J before)"
    remedy: ClassVar[str] = "a larger learning rate; look for gradients that vanish; or be done"

    def look(self, sight: Sight) -> Finding | None:
        J = float(sight.array())
        before = sight.remember(J)
        if before is None or not abs(J - before) <= self.tolerance * abs(before):
            return None
        moved = abs(J - before) / abs(before) if before else 0.0
        message = f"the cost is {number(J)} and moved by {moved:.2g} of itself, not more than "
        return Finding(f"{message}{self.tolerance:g}", moved, self.tolerance)


class RisingCost(_OfLoss):
    """A loss that rises at every step.

    Parameters
    ----------
    tolerance : float
        How much of itself it may rise from step to step.
    """

    tolerance: float = 0.0
    over: int = field(default=10, kw_only=True)

    name: ClassVar[str] = "cost rising"
    formula: ClassVar[str] = "J - J before > tolerance · abs(J before)"
    remedy: ClassVar[str] = "a smaller learning rate; `dn.gradcheck` if an op is your own"

    def look(self, sight: Sight) -> Finding | None:
        J = float(sight.array())
        before = sight.remember(J)
        if before is None or not J - before > self.tolerance * abs(before):
            return None
        message = f"the cost rose from {number(before)} to {number(J)}"
        return Finding(message, J - before, self.tolerance * abs(before))


class LossDomain(_OfLoss):
    """A loss that reads what it is not made for.

    That is probabilities outside [0, 1]; for classes, such as do not sum to 1, of a sigmoid for
    each, say, which may all be 1 at no cost; a softmax over one class, which is always 1; and
    targets outside [0, 1].

    What the user feeds into a loss is checked before the run; this looks at what nodes compute.
    Ops say themselves what they do not take, in ``op.feed_problem``.
    """

    formula: ClassVar[str] = (
        "cross-entropy of P < 0 or P > 1, of classes with abs(ΣP - 1) > 0.01, of a softmax over "
        "one class; targets that `feed_problem` refuses"
    )
    remedy: ClassVar[str] = (
        "before `BinaryCrossEntropy` a `Sigmoid`, before `CategoricalCrossEntropy` a `Softmax`"
    )

    def look(self, sight: Sight) -> Finding | None:
        op = sight.op
        graph = sight.run.binding.plan.graph
        names = graph.vertices[sight.node].inputs
        for slot, array in enumerate(sight.run.binding.frames[sight.node].inputs):
            if slot == 0 and isinstance(op, BinaryCrossEntropy | CategoricalCrossEntropy):
                found = self._improbable(sight, array) or self._unfit(sight, array)
                if found:
                    return found
            if not graph.vertices[names[slot]].is_input:
                problem = op.feed_problem(slot, array)
                if problem:
                    return Finding(problem, what=f"inputs.{slot}")
        return None

    def _improbable(self, sight: Sight, array: np.ndarray) -> Finding | None:
        low, high = Facts(array).extremes
        if (low >= 0 and high <= 1) or low != low:
            return None
        value, bound = (low, 0.0) if low < 0 else (high, 1.0)
        index = [int(i) for i in np.unravel_index(np.argmax(array == value), array.shape)]
        message = (
            f"{type(sight.op).__name__} takes probabilities between 0 and 1; inputs.0 is "
            f"{number(value)} at {index}"
        )
        return Finding(message, value, bound, "inputs.0")

    def _unfit(self, sight: Sight, P: np.ndarray) -> Finding | None:
        """Return what is wrong with numbers that are probabilities one by one."""
        graph, what = sight.run.binding.plan.graph, "inputs.0"
        name = graph.vertices[sight.node].inputs[0]
        made_by = graph.vertices[name].op
        if isinstance(made_by, Softmax) and P.shape[made_by.axis] == 1:
            return Finding(f"{name} is a softmax over one class, which is always 1", what=what)
        if not isinstance(sight.op, CategoricalCrossEntropy):
            return None
        totals = P.sum(axis=0)
        off = np.abs(totals - 1)
        if not off.max() > _OFF:
            return None
        index = tuple(int(i) for i in np.unravel_index(np.argmax(off), off.shape))
        total = float(totals[index])
        message = (
            f"CategoricalCrossEntropy takes probabilities that sum to 1 over the classes; those of "
            f"{name} sum to {number(total)} at {list(index)}"
        )
        return Finding(message, total, 1.0, what)
