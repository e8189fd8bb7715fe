"""Watches on activations: units, or whole layers, that tell the examples apart no more."""

from dataclasses import field
from typing import ClassVar

import numpy as np

from dagnet.debug.watches.base import Finding, Watch, is_hidden, listed
from dagnet.debug.watches.sight import Sight
from dagnet.graph import Vertex
from dagnet.model import Model
from dagnet.ops import BatchNorm, ReLU, Sigmoid, Softmax, Tanh
from dagnet.text import number


class DeadUnits(Watch):
    """Units of a ReLU that were 0 for every example of several batches: no gradient revives them.

    Parameters
    ----------
    share : float
        Share of the units that may be dead. Networks that learn well have some: up to half of a
        layer, and mostly a quarter. With 0, a single one is told.
    over : int
        A unit counts that was 0 in each of so many training steps. For batches of a few examples
        it should be larger.

    Notes
    -----
    Source: Maas, Hannun, Ng, *Rectifier nonlinearities improve neural network acoustic
    models* (2013), section 2.
    """

    share: float = 0.5
    over: int = field(default=10, kw_only=True)

    name: ClassVar[str] = "dead relu"
    kinds: ClassVar[frozenset[str]] = frozenset({"activation"})
    formula: ClassVar[str] = "more than share · n of the n units: max over examples(A) ≤ 0"
    remedy: ClassVar[str] = "a smaller learning rate, `LeakyReLU`, or `init='he'`"

    @property
    def in_a_row(self) -> int:
        return 1  # it counts each unit by itself

    def applies(self, vertex: Vertex, model: Model) -> bool:
        return isinstance(vertex.op, ReLU)

    def look(self, sight: Sight) -> Finding | None:
        A = sight.array()
        dead = np.maximum.reduce(A, axis=tuple(range(1, A.ndim))) <= 0
        before = sight.remember_over(dead, self.over - 1)
        if not dead.any() or len(before) < self.over - 1:
            return None
        units = np.flatnonzero(np.logical_and.reduce((dead, *before)))
        allowed = self.share * dead.size
        if not units.size > allowed:
            return None
        steps = "this step" if self.over == 1 else f"each of the last {self.over} steps"
        which = tuple(units.tolist())
        message = (
            f"{len(which)} of {dead.size} units gave 0 for every example in {steps}, more than "
            f"{number(allowed)}: {listed(which)}"
        )
        return Finding(message, float(len(which)), allowed, units=which)


class DeadLayer(Watch):
    """An activation whose output is the same for every example of a batch: nothing gets through."""

    kinds: ClassVar[frozenset[str]] = frozenset({"activation"})
    formula: ClassVar[str] = "for every unit max over examples(A) = min over examples(A)"
    remedy: ClassVar[str] = "look at the weights before it, for zeros or far too large biases"

    def look(self, sight: Sight) -> Finding | None:
        output, m = sight.array(), sight.run.binding.m
        if m < 2 or output.shape[-1:] != (m,):
            return None
        first = output[..., :1]
        if (output[..., 1:2] != first).any() or (output != first).any():  # mostly two will do
            return None
        message = f"the {first.size} units give the same output for all {m} examples"
        return Finding(message, 0.0, 0.0)


class Saturated(Watch):
    """A hidden sigmoid or tanh most of whose outputs are at an end of its range, where it is flat.

    Those that a loss reads are left out: a sure classifier is no fault.

    Parameters
    ----------
    share : float
        Share of the elements that may be saturated.
    margin : float
        How near an end is, as a share of the whole range.

    Notes
    -----
    Source: Glorot, Bengio, *Understanding the difficulty of training deep feedforward neural
    networks* (2010), section 3.
    """

    share: float = 0.8
    margin: float = 0.01
    over: int = field(default=3, kw_only=True)

    kinds: ClassVar[frozenset[str]] = frozenset({"activation"})
    formula: ClassVar[str] = "more than share of the elements within margin · range of 0 or 1 (±1)"
    remedy: ClassVar[str] = "scale the data, draw smaller weights, or normalise before it"

    def applies(self, vertex: Vertex, model: Model) -> bool:
        return isinstance(vertex.op, Sigmoid | Tanh) and is_hidden(vertex, model)

    def look(self, sight: Sight) -> Finding | None:
        bottom = 0.0 if isinstance(sight.op, Sigmoid) else -1.0
        near = self.margin * (1.0 - bottom)
        low, high = sight.facts().extremes
        if low > bottom + near and high < 1.0 - near:
            return None
        output = sight.array()
        count = np.count_nonzero(output <= bottom + near) + np.count_nonzero(output >= 1.0 - near)
        share = int(count) / output.size
        if not share > self.share:
            return None
        message = (
            f"{share:.1%} of output is below {number(bottom + near)} or above "
            f"{number(1.0 - near)}, more than {self.share:.1%}"
        )
        return Finding(message, share, self.share)


class CollapsedSoftmax(Watch):
    """A softmax that gives nearly all probability to one class, whatever the example.

    Parameters
    ----------
    share : float
        Mean probability that one class may have over a batch.
    """

    share: float = 0.95
    over: int = field(default=3, kw_only=True)

    name: ClassVar[str] = "softmax collapsed"
    kinds: ClassVar[frozenset[str]] = frozenset({"activation"})
    formula: ClassVar[str] = "max over classes(mean over examples(P)) > share"
    remedy: ClassVar[str] = "look at how often each class occurs, and for a too high learning rate"

    def applies(self, vertex: Vertex, model: Model) -> bool:
        return isinstance(vertex.op, Softmax)

    def look(self, sight: Sight) -> Finding | None:
        P, op = sight.array(), sight.op
        assert isinstance(op, Softmax)  # it applies
        if P.shape[-1] < 2:
            return None
        axis = op.axis % P.ndim
        mean = P.mean(axis=tuple(i for i in range(P.ndim) if i != axis))
        chosen = int(np.argmax(mean))
        share = float(mean[chosen])
        if not share > self.share:
            return None
        message = (
            f"class {chosen} has a mean probability of {number(share)} over {P.shape[-1]} "
            f"examples, above {number(self.share)}"
        )
        return Finding(message, share, self.share, units=(chosen,) if axis == 0 else ())


class RangeDrift(Watch):
    """A hidden activation whose range is far from what it was in the first step watched.

    Parameters
    ----------
    factor : float
        How many times as wide, or as narrow, it may get.
    """

    factor: float = 30.0
    over: int = field(default=3, kw_only=True)

    kinds: ClassVar[frozenset[str]] = frozenset({"activation"})
    formula: ClassVar[str] = (
        "max(A) - min(A) outside [r/factor, factor · r], r that of the first step"
    )
    remedy: ClassVar[str] = "a smaller learning rate, normalisation, or weight decay"

    def applies(self, vertex: Vertex, model: Model) -> bool:
        return vertex.op.kind == "activation" and is_hidden(vertex, model)

    def look(self, sight: Sight) -> Finding | None:
        low, high = sight.facts().extremes
        now = high - low
        first = sight.first(now)
        if not first or first / self.factor <= now <= self.factor * first or now != now:
            return None
        ratio = now / first
        wide = ratio > 1
        message = (
            f"output ranges over {number(now)}, {number(ratio if wide else 1 / ratio)} times as "
            f"{'wide' if wide else 'narrow'} as the {number(first)} of the first step; "
            f"{number(self.factor)} are allowed"
            if ratio
            else f"output ranges over 0 instead of the {number(first)} of the first step"
        )
        return Finding(message, ratio, self.factor if wide else 1 / self.factor)


class FewToNormalize(Watch):
    """A batch normalization over so few numbers that mean and variance say nothing.

    Over a single one, the output is the shift, whatever the input.

    Parameters
    ----------
    least : float
        How many numbers of a unit there should be in a batch.
    """

    least: float = 4.0
    over: int = field(default=3, kw_only=True)

    name: ClassVar[str] = "few to normalize"
    kinds: ClassVar[frozenset[str]] = frozenset({"normalization"})
    formula: ClassVar[str] = "numbers of a unit in a batch < least"
    remedy: ClassVar[str] = "a larger `batch_size`, or `LayerNorm`"

    def applies(self, vertex: Vertex, model: Model) -> bool:
        return isinstance(vertex.op, BatchNorm)

    def look(self, sight: Sight) -> Finding | None:
        output = sight.array()
        count = output.size // output.shape[0]
        if not count < self.least:
            return None
        message = (
            f"mean and variance are those of {count} number{'s' * (count > 1)} for each unit, "
            f"fewer than {number(self.least)}"
        )
        return Finding(message, float(count), self.least)
