"""Watches on gradients: too small to learn from, too large, or none at all."""

from dataclasses import field
from typing import ClassVar

from dagnet.debug.places import Phase
from dagnet.debug.watches.base import Finding, Watch, has_weights
from dagnet.debug.watches.facts import Facts
from dagnet.debug.watches.sight import Sight
from dagnet.graph import Vertex
from dagnet.model import Model
from dagnet.text import number


class _OfWeights(Watch):
    """A watch on the gradients of weights, which looks when they are whole."""

    phases: ClassVar[tuple[Phase, ...]] = ("backward",)

    def applies(self, vertex: Vertex, model: Model) -> bool:
        return has_weights(vertex, model)


class VanishingGradient(_OfWeights):
    """A gradient of weights that is hardly there.

    Parameters
    ----------
    below : float
        The root mean square that is enough.
    """

    below: float = 1e-9
    over: int = field(default=3, kw_only=True)

    formula: ClassVar[str] = "rms(dW) < below"
    remedy: ClassVar[str] = "another activation or `init`, skip connections, normalisation"

    def look(self, sight: Sight) -> Finding | None:
        for name in sight.weights:
            rms = sight.facts(f"grad_params.{name}").rms
            if rms < self.below:
                message = f"grad_params.{name} has an rms of {number(rms)}, below {self.below:g}"
                return Finding(message, rms, self.below, f"grad_params.{name}")
        return None


class FadingGradient(_OfWeights):
    """A gradient of weights far smaller than that of the last layer: it got lost on the way back.

    The last layer is the one whose backward step comes first.

    Parameters
    ----------
    below : float
        The share of the last layer's root mean square that is enough.

    Notes
    -----
    Source: Glorot, Bengio, *Understanding the difficulty of training deep feedforward neural
    networks* (2010), section 4.
    """

    below: float = 1e-4
    over: int = field(default=3, kw_only=True)

    formula: ClassVar[str] = "rms(dW) < below · rms(dW of the last layer)"
    remedy: ClassVar[str] = "another activation or `init`, skip connections, normalisation"

    def look(self, sight: Sight) -> Finding | None:
        if sight.last_weights is None:
            return None
        last, gradient = sight.last_weights
        there = Facts(gradient).rms
        for name in sight.weights:
            rms = sight.facts(f"grad_params.{name}").rms
            if rms < self.below * there:
                message = (
                    f"grad_params.{name} has an rms of {number(rms)}, {number(rms / there)} of "
                    f"that of {last}, below {self.below:g}"
                )
                return Finding(message, rms / there, self.below, f"grad_params.{name}")
        return None


class ExplodingGradient(_OfWeights):
    """A gradient of weights so large that the update will throw them far away.

    Parameters
    ----------
    above : float
        The norm that is too large.

    Notes
    -----
    Source: Pascanu, Mikolov, Bengio, *On the difficulty of training recurrent neural networks*
    (2013).
    """

    above: float = 1e3

    formula: ClassVar[str] = "‖dW‖ > above"
    remedy: ClassVar[str] = "`clip_norm` of the optimizer, a smaller `init`, scaled data"

    def look(self, sight: Sight) -> Finding | None:
        for name in sight.weights:
            norm = sight.facts(f"grad_params.{name}").norm
            if norm > self.above:
                message = (
                    f"grad_params.{name} has a norm of {number(norm)}, above {number(self.above)}"
                )
                return Finding(message, norm, self.above, f"grad_params.{name}")
        return None


class ZeroGradient(Watch):
    """A gradient that is exactly 0 in every one of its elements: what is before it learns nothing.

    Gradients of one element are left out.
    """

    phases: ClassVar[tuple[Phase, ...]] = ("backward",)
    formula: ClassVar[str] = "every element of dA, dW or db that the node sends is 0"
    remedy: ClassVar[str] = "look for dead units, weights that are all 0, a saturated activation"

    def look(self, sight: Sight) -> Finding | None:
        for what in sight.made:
            facts = sight.facts(what)
            if facts.is_zero and facts.array.size > 1:
                message = f"all {facts.array.size} elements of {what} are exactly 0"
                return Finding(message, 0.0, 0.0, what)
        return None
