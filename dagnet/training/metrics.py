"""Metrics: what predictions are worth, as one number, for people to read."""

from collections.abc import Callable
from functools import partial, update_wrapper

import numpy as np

from dagnet.errors import ArgumentTypeError, UnknownNameError
from dagnet.training.decisions import Kind, decided, same_rows

#: A function of predictions and targets, both with the examples on the last axis.
Metric = Callable[[np.ndarray, np.ndarray], float]


def accuracy(predictions: np.ndarray, targets: np.ndarray, kind: Kind | None = None) -> float:
    """Return the share of right predictions.

    Parameters
    ----------
    predictions : ndarray
        Probabilities ``(k, m)``; ``(m,)`` is taken for ``(1, m)``. Of more axes, the first holds
        the classes, and an example has several places.
    targets : ndarray
        Of ``predictions``' shape; or for classes, integer labels ``(m,)`` or ``(1, m)``.
    kind : {"binary", "categorical"}, optional
        ``"binary"``: each element, from 0 to 1 in the targets, is a yes if above 0.5, and
        several rows are labels independent of each other. ``"categorical"``: each column means
        the class with its largest value. If not given, one row is binary, several categorical.

    Returns
    -------
    float
        nan if a prediction is nan.

    Raises
    ------
    ShapeError, DataError
        If the arrays do not fit together, or the targets are not what `kind` says.

    Examples
    --------
    >>> import numpy as np
    >>> from dagnet.training import accuracy
    >>> accuracy(np.array([[0.2, 0.9, 0.4]]), np.array([[0, 1, 1]]))
    0.6666666666666666
    """
    found = decided(predictions, targets, kind)
    if found is None:
        return float("nan")
    guess, truth, kind = found
    right = guess == truth
    return float(np.mean(right if kind == "binary" else right.all(axis=0)))


def precision(predictions: np.ndarray, targets: np.ndarray, kind: Kind | None = None) -> float:
    """Return the share of the predicted yes that are right; 0 if there are none.

    Parameters are those of `accuracy`. Of several rows, the mean over the labels or classes is
    returned; classes that neither the predictions nor the targets hold are left out.

    Examples
    --------
    >>> import numpy as np
    >>> from dagnet.training import precision
    >>> precision(np.array([[0.2, 0.9, 0.8]]), np.array([[0, 1, 0]]))
    0.5
    """
    return _per_row(predictions, targets, kind, lambda hits, guessed, true: (hits, guessed))


def recall(predictions: np.ndarray, targets: np.ndarray, kind: Kind | None = None) -> float:
    """Return the share of the true yes that are predicted; 0 if there are none.

    Parameters are those of `accuracy`, several rows are treated as by `precision`.

    Examples
    --------
    >>> import numpy as np
    >>> from dagnet.training import recall
    >>> recall(np.array([[0.2, 0.9, 0.4]]), np.array([[0, 1, 1]]))
    0.5
    """
    return _per_row(predictions, targets, kind, lambda hits, guessed, true: (hits, true))


def f1(predictions: np.ndarray, targets: np.ndarray, kind: Kind | None = None) -> float:
    """Return the harmonic mean of precision and recall; 0 if both are.

    Parameters are those of `accuracy`, several rows are treated as by `precision`: the mean is
    taken of the rows' F1.

    Examples
    --------
    >>> import numpy as np
    >>> from dagnet.training import f1
    >>> f1(np.array([[0.2, 0.9, 0.4]]), np.array([[0, 1, 1]]))
    0.6666666666666666
    """
    return _per_row(
        predictions, targets, kind, lambda hits, guessed, true: (2 * hits, guessed + true)
    )


@np.errstate(all="ignore")  # a network that diverges has numbers that overflow
def mae(predictions: np.ndarray, targets: np.ndarray) -> float:
    """Return the mean absolute error, over all elements.

    Parameters
    ----------
    predictions, targets : ndarray
        Of one shape, examples on the last axis; ``(m,)`` is taken for ``(1, m)``.

    Examples
    --------
    >>> import numpy as np
    >>> from dagnet.training import mae
    >>> mae(np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]]))
    1.25
    """
    guess, truth = same_rows(predictions, targets)
    return float(np.mean(np.abs(guess - truth)))


@np.errstate(all="ignore")  # a network that diverges has numbers that overflow
def mse(predictions: np.ndarray, targets: np.ndarray) -> float:
    """Return the mean squared error, over all elements.

    Parameters are those of `mae`.

    Examples
    --------
    >>> import numpy as np
    >>> from dagnet.training import mse
    >>> mse(np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]]))
    2.125
    """
    guess, truth = same_rows(predictions, targets)
    return float(np.mean(np.square(guess - truth)))


@np.errstate(all="ignore")  # a network that diverges has numbers that overflow
def r2(predictions: np.ndarray, targets: np.ndarray) -> float:
    """Return the coefficient of determination: the share of the targets' variance explained.

    Parameters are those of `mae`. Of several rows, the mean is returned. Where targets are all
    equal, it is 1 if the predictions are, too, and else 0. One example alone gives nan.

    Examples
    --------
    >>> import numpy as np
    >>> from dagnet.training import r2
    >>> r2(np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 2.0, 4.0]]))
    0.7857142857142857
    """
    guess, truth = same_rows(predictions, targets)
    if truth.shape[1] < 2:
        return float("nan")
    left = np.square(guess - truth).sum(axis=1)
    total = np.square(truth - truth.mean(axis=1, keepdims=True)).sum(axis=1)
    constant = total == 0.0
    share = 1.0 - left / np.where(constant, 1.0, total)
    return float(np.mean(np.where(constant, left == 0.0, share)))


_CLASSIFICATION = {"accuracy": accuracy, "precision": precision, "recall": recall, "f1": f1}
_REGRESSION: dict[str, Metric] = {"mae": mae, "mse": mse, "r2": r2}

#: Whether more is better, for every number that training logs by itself.
HIGHER_IS_BETTER = {"cost": False, "mae": False, "mse": False, "r2": True} | dict.fromkeys(
    _CLASSIFICATION, True
)


#: Metrics that, taken over all examples, are the mean of what they are for each.
_MEANS = {"accuracy": accuracy, "mae": mae, "mse": mse}


def is_mean(metric: str | Metric) -> bool:
    """Return whether a metric, taken over all examples, is the mean of what it is for each."""
    return metric in _MEANS if isinstance(metric, str) else metric in _MEANS.values()


def metrics_for(kind: str) -> dict[str, Metric]:
    """Return the metrics that fit a kind of targets, by name.

    Parameters
    ----------
    kind : {"binary", "categorical", "regression"}

    Examples
    --------
    >>> from dagnet.training import metrics_for
    >>> list(metrics_for("regression"))
    ['mae', 'mse', 'r2']
    """
    if kind == "regression":
        return dict(_REGRESSION)
    if kind not in ("binary", "categorical"):
        raise UnknownNameError.of("kind of metrics", kind, ["binary", "categorical", "regression"])
    return {name: _bound(metric, kind) for name, metric in _CLASSIFICATION.items()}


def get_metric(metric: str | Metric, kind: str | None = None) -> Metric:
    """Return a metric by its name, among those of a kind if given; a function is returned as is.

    Examples
    --------
    >>> from dagnet.training import get_metric
    >>> get_metric("acuracy")
    Traceback (most recent call last):
    ...
    dagnet.errors.UnknownNameError: no metric named 'acuracy'; did you mean 'accuracy'?
    """
    if callable(metric):
        return metric
    if not isinstance(metric, str):
        raise ArgumentTypeError(f"a metric is a name or a function, got {metric!r}")
    known = metrics_for(kind) if kind is not None else _CLASSIFICATION | _REGRESSION
    if metric not in known:
        raise UnknownNameError.of("metric" if kind is None else f"{kind} metric", metric, known)
    return known[metric]


def _bound(metric: Callable[..., float], kind: str) -> Metric:
    """Return a metric of classes for one kind of targets; it keeps its name."""
    return update_wrapper(partial(metric, kind=kind), metric)


def _per_row(
    predictions: np.ndarray,
    targets: np.ndarray,
    kind: Kind | None,
    ratio: Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
) -> float:
    """Return the mean over the rows of a ratio of the counts of hits, guesses and true ones."""
    found = decided(predictions, targets, kind)
    if found is None:
        return float("nan")
    guess, truth, kind = found
    hits, guessed, true = (a.sum(axis=1) for a in (guess & truth, guess, truth))
    over, under = ratio(hits, guessed, true)
    scores = over / np.maximum(under, 1)
    return float(np.mean(scores if kind == "binary" else scores[guessed + true > 0]))
