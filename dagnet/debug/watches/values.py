"""Watches on values of any kind: not finite, too large, all the same, or suddenly others."""

from math import log, sqrt
from typing import ClassVar

import numpy as np

from dagnet.debug.places import PHASES, Phase
from dagnet.debug.watches.base import Finding, Watch, has_weights
from dagnet.debug.watches.facts import distance, norm
from dagnet.debug.watches.sight import Sight
from dagnet.diagnosis import Bad, not_finite
from dagnet.graph import Vertex
from dagnet.model import Model
from dagnet.ops import Identity, LeakyReLU, ReLU
from dagnet.text import number


class Nan(Watch):
    """NaN among the values that a step made: an output, a gradient, an updated parameter."""

    phases: ClassVar[tuple[Phase, ...]] = PHASES
    formula: ClassVar[str] = "any element is NaN"
    remedy: ClassVar[str] = "`alert.why()` shows the numbers that made the first one"

    def look(self, sight: Sight) -> Finding | None:
        for what in sight.made:
            if sight.facts(what).has_nan:
                return _counted(what, np.isnan(sight.array(what)), "NaN")
        return None

    def bad(self) -> Bad:
        return not_finite  # NaN often comes of an Inf


class Inf(Watch):
    """Infinity among the values that a step made."""

    phases: ClassVar[tuple[Phase, ...]] = PHASES
    formula: ClassVar[str] = "any element is Inf or -Inf"
    remedy: ClassVar[str] = "`alert.why()` shows the numbers that made the first one"

    def look(self, sight: Sight) -> Finding | None:
        for what in sight.made:
            if sight.facts(what).has_inf:
                return _counted(what, np.isinf(sight.array(what)), "infinite")
        return None

    def bad(self) -> Bad:
        return not_finite


def _counted(what: str, mask: np.ndarray, kind: str) -> Finding:
    count = int(np.count_nonzero(mask))
    index = [int(i) for i in np.unravel_index(np.argmax(mask), mask.shape)]
    verb = "is" if count == 1 else "are"
    message = f"{count} of {mask.size} elements of {what} {verb} {kind}, the first at {index}"
    return Finding(message, float(count), 0.0, what)


class NearOverflow(Watch):
    """A value so large that its square is not far from overflowing.

    Parameters
    ----------
    share : float
        Of the square root of the dtype's largest number: 1.3e154 for float64, 1.8e19 for float32.
    """

    share: float = 1e-3

    phases: ClassVar[tuple[Phase, ...]] = PHASES
    formula: ClassVar[str] = "max abs(V) > share · sqrt(largest number of the dtype)"
    remedy: ClassVar[str] = "scale the data; a smaller learning rate, or `clip_norm`"

    def look(self, sight: Sight) -> Finding | None:
        for what in sight.made:
            facts = sight.facts(what)
            threshold = self._threshold(facts.array.dtype)
            if facts.exceeds(threshold) and facts.is_finite:
                message = (
                    f"the largest magnitude in {what} is {number(facts.largest)}, above "
                    f"{number(threshold)}: squares overflow soon in {facts.array.dtype}"
                )
                return Finding(message, facts.largest, threshold, what)
        return None

    def bad(self) -> Bad:
        return lambda array: np.abs(array) > self._threshold(array.dtype)

    def _threshold(self, dtype: np.dtype) -> float:
        return self.share * sqrt(_LARGEST[dtype.itemsize])


class ExpOverflow(Watch):
    """A value near where its exponential overflows, which an activation after it reads.

    The activations of dagnet itself do not overflow there, but are flat. Those without an
    exponential, `ReLU`, `LeakyReLU` and `Identity`, do not count.

    Parameters
    ----------
    share : float
        Of the logarithm of the dtype's largest number: 709.8 for float64, 88.7 for float32.
    """

    share: float = 0.9

    formula: ClassVar[str] = "max(A) > share · log(largest number of the dtype)"
    remedy: ClassVar[str] = "normalise before it, or draw smaller weights"

    def applies(self, vertex: Vertex, model: Model) -> bool:
        readers = [model.graph.vertices[name].op for name, _ in model.graph.consumers[vertex.name]]
        return any(
            op.kind == "activation" and not isinstance(op, ReLU | LeakyReLU | Identity)
            for op in readers
        )

    def look(self, sight: Sight) -> Finding | None:
        facts = sight.facts()
        threshold = self.share * log(_LARGEST[facts.array.dtype.itemsize])
        if not facts.exceeds(threshold):
            return None
        _, high = facts.extremes
        if not high > threshold:
            return None
        message = (
            f"the greatest output is {number(high)}, above {number(threshold)}: "
            f"its exponential overflows soon in {facts.array.dtype}, and activations are flat"
        )
        return Finding(message, high, threshold)


#: The largest number by the bytes of a float.
_LARGEST = {4: float(np.finfo("float32").max), 8: float(np.finfo("float64").max)}


class _Varied(Watch):
    """A watch on outputs of several elements; targets, of which a batch may hold one class, not."""

    def applies(self, vertex: Vertex, model: Model) -> bool:
        return vertex.name not in model.graph.target_inputs


class UnscaledInput(Watch):
    """A fed array with features so large that weights of usual size, and usual rates, do not fit.

    Only what a layer with weights reads is looked at: what is normalised first may be large.

    Parameters
    ----------
    above : float
        The root mean square of a feature, a place on axis 0, over a batch that is too large.

    Notes
    -----
    Source: LeCun, Bottou, Orr, Müller, *Efficient BackProp* (1998), section 4.3.
    """

    above: float = 30.0

    kinds: ClassVar[frozenset[str]] = frozenset({"input"})
    formula: ClassVar[str] = "a feature's rms over the examples > above"
    remedy: ClassVar[str] = "`fit(..., scaling='standardize')`"

    def applies(self, vertex: Vertex, model: Model) -> bool:
        readers = [model.graph.vertices[name] for name, _ in model.graph.consumers[vertex.name]]
        return super().applies(vertex, model) and any(
            reader.op.kind == "linear" and has_weights(reader, model) for reader in readers
        )

    def look(self, sight: Sight) -> Finding | None:
        facts = sight.facts()
        X = facts.array
        if X.ndim < 2 or not (facts.is_finite and facts.exceeds(self.above)):
            return None
        rms = np.sqrt(np.mean(np.square(X), axis=tuple(range(1, X.ndim)), dtype=np.float64))
        large = tuple(np.flatnonzero(rms > self.above).tolist())
        if not large:
            return None
        most = int(np.argmax(rms))
        have = "has" if len(large) == 1 else "have"
        message = (
            f"{len(large)} of {rms.size} features {have} an rms above {number(self.above)}; "
            f"that of feature {most} is {number(float(rms[most]))}, and "
            f"{number(float(np.median(rms)))} the median of all"
        )
        return Finding(message, float(rms[most]), self.above, units=large)


class AllZero(_Varied):
    """An output, or a fed array that is no target, of zeros only."""

    formula: ClassVar[str] = "every element of the output is 0"
    remedy: ClassVar[str] = "look at what it is computed of: data, weights, a dead layer"

    def look(self, sight: Sight) -> Finding | None:
        facts = sight.facts()
        if not facts.is_zero or facts.array.size == 1:
            return None
        return Finding(f"all {facts.array.size} elements of output are 0", 0.0, 0.0)


class Constant(_Varied):
    """An output, or a fed array that is no target, all elements of which are one number, not 0."""

    formula: ClassVar[str] = "min(A) = max(A) ≠ 0"
    remedy: ClassVar[str] = "look at what it is computed of: data, weights that are all 0"

    def look(self, sight: Sight) -> Finding | None:
        facts = sight.facts()
        if not facts.is_constant or facts.is_zero:
            return None
        low, _ = facts.extremes
        return Finding(f"all {facts.array.size} elements of output are {number(low)}", low)


class Jump(Watch):
    """An output that is quite another than in the training step before.

    It compares arrays of one shape, and nothing where all was 0. With mini-batches the examples
    differ from step to step, too. It copies every output it looks at. Losses are left out: where
    they are small, one batch's is easily ten times another's.

    Parameters
    ----------
    by : float
        How far it must move, as a multiple of the norm it had.
    """

    by: float = 10.0

    formula: ClassVar[str] = "‖A - A before‖ > by · ‖A before‖"
    remedy: ClassVar[str] = "a smaller learning rate, or `clip_norm`; look at this batch's data"

    def applies(self, vertex: Vertex, model: Model) -> bool:
        return vertex.op.kind not in ("input", "loss", "penalty")

    def look(self, sight: Sight) -> Finding | None:
        array = sight.array()
        before = sight.remember(array.copy())
        if before is None or before.shape != array.shape:
            return None
        scale, moved = norm(before), distance(array, before)
        if not scale or not moved > self.by * scale:
            return None
        ratio = moved / scale
        message = (
            f"output has moved by {number(ratio)} times its norm since the last step, more than "
            f"{number(self.by)}"
        )
        return Finding(message, ratio, self.by)
