"""Watches on weights and on how an update moves them."""

from collections import Counter
from dataclasses import field
from typing import ClassVar

import numpy as np

from dagnet.debug.places import Phase
from dagnet.debug.watches.base import Finding, Watch, has_weights, listed
from dagnet.debug.watches.sight import Sight
from dagnet.graph import Vertex
from dagnet.model import Model
from dagnet.ops import Linear
from dagnet.text import number


class _OfUpdate(Watch):
    """A watch on how an update moves weights."""

    phases: ClassVar[tuple[Phase, ...]] = ("update",)

    def applies(self, vertex: Vertex, model: Model) -> bool:
        return has_weights(vertex, model)


class FrozenWeights(_OfUpdate):
    """Weights that an update leaves as they are, to the last bit."""

    over: int = field(default=3, kw_only=True)

    formula: ClassVar[str] = "‖W after - W before‖ = 0"
    remedy: ClassVar[str] = "look at the learning rate, and for a gradient that is 0"

    def look(self, sight: Sight) -> Finding | None:
        for name in sight.weights:
            if sight.change(name).size == 0:
                size = sight.weight(name).size
                message = f"the update moved {name} by 0, in all its {size} elements"
                return Finding(message, 0.0, 0.0, f"params.{name}")
        return None


class LargeUpdate(_OfUpdate):
    """An update that moves weights far, measured by what they are. About 0.001 is usual.

    Parameters
    ----------
    above : float
        The share of its norm that is too much.
    """

    above: float = 0.2
    over: int = field(default=5, kw_only=True)

    formula: ClassVar[str] = "‖W after - W before‖ > above · ‖W before‖"
    remedy: ClassVar[str] = "a smaller learning rate, or `clip_norm`"

    def look(self, sight: Sight) -> Finding | None:
        for name in sight.weights:
            change = sight.change(name)
            if change.before and change.size > self.above * change.before:
                ratio = change.size / change.before
                message = (
                    f"the update moved {name} by {number(ratio)} of its norm, more than "
                    f"{number(self.above)}"
                )
                return Finding(message, ratio, self.above, f"params.{name}")
        return None


class SmallUpdate(_OfUpdate):
    """An update that hardly moves weights, measured by what they are. About 0.001 is usual.

    Parameters
    ----------
    below : float
        The share of its norm that is enough.
    """

    below: float = 1e-6
    over: int = field(default=10, kw_only=True)

    formula: ClassVar[str] = "‖W after - W before‖ < below · ‖W before‖"
    remedy: ClassVar[str] = "a larger learning rate; look for a vanishing gradient"

    def look(self, sight: Sight) -> Finding | None:
        for name in sight.weights:
            change = sight.change(name)
            if change.size < self.below * change.before:
                ratio = change.size / change.before
                message = (
                    f"the update moved {name} by {number(ratio)} of its norm, less than "
                    f"{self.below:g}"
                )
                return Finding(message, ratio, self.below, f"params.{name}")
        return None


class GrowingWeights(_OfUpdate):
    """Weights whose norm grows by a factor at every update: they run away.

    Parameters
    ----------
    factor : float
        How many times as large an update may make it.
    """

    factor: float = 1.1
    over: int = field(default=10, kw_only=True)

    formula: ClassVar[str] = "‖W after‖ > factor · ‖W before‖"
    remedy: ClassVar[str] = "a smaller learning rate, `l2` or `weight_decay`"

    def look(self, sight: Sight) -> Finding | None:
        for name in sight.weights:
            change = sight.change(name)
            if change.before and change.after > self.factor * change.before:
                ratio = change.after / change.before
                message = (
                    f"the update took the norm of {name} from {number(change.before)} to "
                    f"{number(change.after)}, {number(ratio)} times as much; "
                    f"{number(self.factor)} times is the most allowed"
                )
                return Finding(message, ratio, self.factor, f"params.{name}")
        return None


class ShrinkingWeights(_OfUpdate):
    """Weights whose norm shrinks by a factor at every update: they fade away.

    Parameters
    ----------
    factor : float
        What share of its norm an update must leave.
    """

    factor: float = 0.97
    over: int = field(default=10, kw_only=True)

    formula: ClassVar[str] = "‖W after‖ < factor · ‖W before‖"
    remedy: ClassVar[str] = "a smaller `weight_decay` or `l2`"

    def look(self, sight: Sight) -> Finding | None:
        for name in sight.weights:
            change = sight.change(name)
            if change.after < self.factor * change.before:
                ratio = change.after / change.before
                message = (
                    f"the update took the norm of {name} from {number(change.before)} to "
                    f"{number(change.after)}, {number(ratio)} of it; {number(self.factor)} is "
                    f"the least allowed"
                )
                return Finding(message, ratio, self.factor, f"params.{name}")
        return None


class LinearOnLinear(Watch):
    """A linear layer that reads another one: what the two compute, one could.

    If the first has fewer units than what it reads and than the second, it is a bottleneck, and
    made on purpose. Only the definition is looked at.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"linear"})
    formula: ClassVar[str] = "W₂ (W₁ X + b₁) + b₂, with n₁ ≥ min(n₀, n₂) units"
    remedy: ClassVar[str] = "an activation between the two"

    def applies(self, vertex: Vertex, model: Model) -> bool:
        graph, shapes = model.graph, model.shapes
        first = graph.vertices[vertex.inputs[0]] if vertex.inputs else vertex
        if not (isinstance(vertex.op, Linear) and isinstance(first.op, Linear)):
            return False
        n_0, n_1, n_2 = (
            int(shapes[name][0]) for name in (first.inputs[0], first.name, vertex.name)
        )
        return len(graph.consumers[first.name]) == 1 and n_1 >= min(n_0, n_2)

    def look(self, sight: Sight) -> Finding:
        (first,) = sight.run.binding.plan.graph.vertices[sight.node].inputs
        return Finding(f"{first} and {sight.node} compute what one linear layer can", what="output")


class SymmetricUnits(Watch):
    """Units with the same weights, bit for bit: they compute the same, and go on learning it.

    By default in two steps in a row, since a last layer may well begin with zeros: the first
    update tells its units apart.

    Notes
    -----
    Source: Goodfellow, Bengio, Courville, *Deep Learning* (2016), section 8.4.
    """

    over: int = field(default=2, kw_only=True)

    kinds: ClassVar[frozenset[str]] = frozenset({"linear"})
    formula: ClassVar[str] = "two rows of W are equal"
    remedy: ClassVar[str] = "draw the weights at random: `init='he'`"

    def applies(self, vertex: Vertex, model: Model) -> bool:
        return super().applies(vertex, model) and has_weights(vertex, model)

    def look(self, sight: Sight) -> Finding | None:
        for name in sight.weights:
            W = sight.weight(name)
            units = _alike(W)
            if units:
                message = f"the rows of {name} of {listed(units)} are equal"
                share = len(units) / W.shape[0]
                return Finding(message, share, 0.0, f"params.{name}", units)
        return None


def _alike(W: np.ndarray) -> tuple[int, ...]:
    """Return the largest group of equal rows, if there is one of two or more.

    >>> _alike(np.array([[1.0, 2.0], [1.0, 3.0], [1.0, 2.0]]))
    (0, 2)
    """
    if W.ndim != 2:
        return ()
    first = np.sort(W[:, 0])
    if not (first[1:] == first[:-1]).any():
        return ()  # no two rows begin alike
    rows = [row.tobytes() for row in W + 0.0]  # -0.0 becomes 0.0
    row, count = Counter(rows).most_common(1)[0]
    return tuple(i for i, other in enumerate(rows) if other == row) if count > 1 else ()
