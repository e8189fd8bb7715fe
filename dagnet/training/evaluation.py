"""Evaluation: the cost and metrics of a model on data, in prediction mode."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np

from dagnet.errors import ArgumentError, ArgumentTypeError
from dagnet.model import Model
from dagnet.ops import (
    BinaryCrossEntropy,
    BinaryCrossEntropyWithLogits,
    CategoricalCrossEntropy,
    CategoricalCrossEntropyWithLogits,
    Op,
)
from dagnet.training.metrics import Metric, get_metric

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
                self._add(_label(name, output, target, pairs), output, target, measure)

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

    def __call__(self, feeds: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Return the numbers for checked feeds, ``cost`` first."""
        cost, outputs = self.model.assess(feeds)
        measured = {
            label: float(metric(outputs[output], feeds[target]))
            for label, (output, target, metric) in self._measures.items()
        }
        return {"cost": cost, **measured}


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
    feeds, _ = model.check_feeds(model.prepare(model.feeds(X, Y)))
    return Judge(model, metrics)(feeds)
