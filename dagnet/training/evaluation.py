"""Evaluation: the cost and metrics of a model on data, in prediction mode."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np

from dagnet.errors import ArgumentError, ArgumentTypeError
from dagnet.model import Model
from dagnet.node import is_scaled, resolve
from dagnet.ops import (
    BinaryCrossEntropy,
    BinaryCrossEntropyWithLogits,
    CategoricalCrossEntropy,
    CategoricalCrossEntropyWithLogits,
    Op,
)
from dagnet.streams import Stream, streamed
from dagnet.training.metrics import Metric, get_metric, is_mean

#: The losses by what they compare: an output, and an input that holds the targets.
Pairs = dict[tuple[str, str], Op]

#: What is measured where the user does not say.
DEFAULT_METRICS = {"binary": ["accuracy"], "categorical": ["accuracy"], "regression": ["mae"]}

#: Columns of a history that are no metrics.
RESERVED = {"epoch", "step", "learning_rate", "cost"}


class Judge:
    """Measures a model: the cost, and metrics for every output that a loss compares with an input.

    Parameters
    ----------
    model : Model
    metrics : sequence of str or callable, optional
        By default accuracy after a cross-entropy, and mean absolute error otherwise.

    Raises
    ------
    ArgumentError, ArgumentTypeError, UnknownNameError
        If a metric is unknown, or the numbers could not be told apart by name.
    """

    def __init__(self, model: Model, metrics: Sequence[str | Metric] | None = None):
        self.model = model
        self._measures: dict[str, tuple[str, str, Metric]] = {}
        self._means: set[str] = set()
        pairs = _compared(model)
        if metrics is not None:
            _check_metrics(metrics, pairs)
        for (output, target), op in pairs.items():
            kind = _kind(op)
            for metric in DEFAULT_METRICS[kind] if metrics is None else metrics:
                measure = get_metric(metric, kind)
                if isinstance(metric, str) and isinstance(op, BinaryCrossEntropyWithLogits):
                    measure = _of_logits(measure)
                name = metric if isinstance(metric, str) else _name(measure)
                label = _label(name, output, target, pairs)
                self._add(label, output, target, measure)
                if is_mean(metric):
                    self._means.add(label)

    def of(self, model: Model) -> "Judge":
        """Return what measures another model of the same network in the same way."""
        judge = copy(self)
        judge.model = model
        return judge

    @property
    def has_metrics(self) -> bool:
        """Whether it measures anything besides the cost."""
        return bool(self._measures)

    def _add(self, label: str, output: str, target: str, measure: Metric) -> None:
        if label in RESERVED:
            raise ArgumentError(f"a metric cannot be named {label!r}: the history has that column")
        if label in self._measures:
            raise ArgumentError(f"two metrics are named {label!r}; give one another name")
        self._measures[label] = output, target, measure

    def __call__(self, feeds: Mapping[str, Any]) -> dict[str, float]:
        """Return the numbers for checked feeds or streams, ``cost`` first."""
        if streamed(feeds):
            return self._in_blocks(feeds)
        cost, outputs = self.model.assess(feeds)
        measured = {
            label: float(metric(outputs[output], feeds[target]))
            for label, (output, target, metric) in self._measures.items()
        }
        return {"cost": cost, **measured}

    def _in_blocks(self, feeds: Mapping[str, Any]) -> dict[str, float]:
        """Return the numbers for streams, of which a block at a time is in memory.

        Means over the examples are means over the blocks. A metric that is none is given the
        outputs and targets of all examples.
        """
        m = next(source.shape[-1] for source in feeds.values() if isinstance(source, Stream))
        measures = self._measures.items()
        sums = dict.fromkeys(self._measures, 0.0)
        wholes = {
            name: np.empty(resolve(self.model.shapes[name], m), self.model.dtype)
            for label, (*names, _) in measures
            if label not in self._means
            for name in names
        }
        blocks = self.model.assess_in_blocks(feeds, m)
        for which, block, totals, outputs in blocks:  # noqa: B007 - the last totals are those of all
            share = (which.stop - which.start) / m
            for label, (output, target, metric) in measures:
                if label in self._means:
                    sums[label] += share * float(metric(outputs[output], block[target]))
            for name, whole in wholes.items():
                part = (..., which) if is_scaled(self.model.shapes[name]) else ...
                whole[part] = outputs[name] if name in outputs else block[name]
        for label, (output, target, metric) in measures:
            if label not in self._means:
                sums[label] = float(metric(wholes[output], wholes[target]))
        return {"cost": totals.cost(), **sums}


def _check_metrics(metrics: Any, pairs: Pairs) -> None:
    if isinstance(metrics, str) or not isinstance(metrics, Sequence):
        raise ArgumentTypeError(f"metrics must be a list such as ['accuracy'], got {metrics!r}")
    if metrics and not pairs:
        raise ArgumentError("there is nothing to measure: no loss compares an output with an input")


def _name(metric: Metric) -> str:
    name = getattr(metric, "__name__", None)
    if not isinstance(name, str):
        raise ArgumentError(f"a metric needs a __name__ for its column, got {metric!r}")
    return name


def _of_logits(metric: Metric) -> Metric:
    """Return a metric that takes logits, of a metric that takes probabilities."""

    def measure(logits: np.ndarray, targets: np.ndarray) -> float:
        return metric(np.where(np.isnan(logits), logits, logits > 0.0), targets)

    return measure


def _compared(model: Model) -> Pairs:
    """Return every output with the target input that a loss compares it with, and the loss."""
    pairs: Pairs = {}
    behind = list(reversed(model.graph.losses))  # a cost may join losses
    while behind:
        v = model.graph.vertices[behind.pop()]
        if v.op.kind != "loss":
            behind.extend(n for n in reversed(v.inputs) if model.shapes[n] == ())
            continue
        output, target = v.inputs
        if output in model.graph.outputs and model.graph.vertices[target].is_input:
            pairs.setdefault((output, target), v.op)
    return pairs


def _label(name: str, output: str, target: str, pairs: Pairs) -> str:
    """Return a metric's name, with as much before it as tells it from the same of other pairs."""
    if len(pairs) == 1:
        return name
    if [o for o, _ in pairs].count(output) == 1:
        return f"{output}_{name}"
    return f"{output}_{target}_{name}"


def _kind(op: Op) -> str:
    if isinstance(op, BinaryCrossEntropy | BinaryCrossEntropyWithLogits):
        return "binary"
    if isinstance(op, CategoricalCrossEntropy | CategoricalCrossEntropyWithLogits):
        return "categorical"
    return "regression"


def evaluate(
    model: Model, X: Any, Y: Any = None, metrics: Sequence[str | Metric] | None = None
) -> dict[str, float]:
    """Return the cost and metrics of a model on raw data; see `Model.evaluate`."""
    feeds, _ = model.sources(model.feeds(X, Y))
    return Judge(model, metrics)(feeds)
