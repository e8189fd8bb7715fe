"""Decisions: predictions and targets as rows of numbers, and as rows of yes and no."""

from typing import Literal

import numpy as np

from dagnet.arrays import masked
from dagnet.errors import DataError, ShapeError

Kind = Literal["binary", "categorical"]


def same_rows(predictions: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both as float64 arrays (rows, m), or raise unless they have one shape."""
    guess, truth = as_rows(predictions), as_rows(targets)
    if guess.shape != truth.shape:
        raise ShapeError(
            "a metric needs predictions and targets of one shape, got "
            f"{np.shape(predictions)} and {np.shape(targets)}"
        )
    return guess, truth


def as_rows(values: np.ndarray) -> np.ndarray:
    """Return an array as float64 (rows, m), the examples on the last axis, or raise."""
    problem = masked(values)
    if problem:
        raise DataError(f"a metric needs all numbers; an array {problem}")
    array = np.asarray(values)
    if array.ndim == 0 or array.size == 0:
        raise DataError(f"a metric needs examples on the last axis, got an array {array.shape}")
    return array.reshape(-1, array.shape[-1]).astype(np.float64, copy=False)


def _by_class(values: np.ndarray) -> np.ndarray:
    """Return classes in rows: each place of each example has a column of its own."""
    rows = as_rows(values)
    return rows if np.ndim(values) < 3 else rows.reshape(np.shape(values)[0], -1)


def decided(
    predictions: np.ndarray, targets: np.ndarray, kind: Kind | None
) -> tuple[np.ndarray, np.ndarray, Kind] | None:
    """Return guesses and truth as booleans (rows, m); None if a prediction is nan."""
    values = as_rows(predictions)
    if kind is None:
        kind = "binary" if values.shape[0] == 1 else "categorical"
    if kind == "binary":
        truth, guess = _true_labels(values, targets), values > 0.5
    else:
        values = _by_class(predictions)
        truth = _true_classes(values, targets)
        guess = _one_hot(values.argmax(axis=0), values.shape[0])
    return None if np.isnan(values).any() else (guess, truth, kind)


def _true_labels(values: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return what is true of each row and example, from numbers from 0 to 1."""
    _, truth = same_rows(values, targets)
    if not ((truth >= 0.0) & (truth <= 1.0)).all():
        raise DataError("a metric of yes and no needs targets from 0 to 1")
    return truth > 0.5


def _true_classes(values: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the true class of each example, from one-hot columns or integer labels."""
    truth, classes = _by_class(targets), values.shape[0]
    if truth.shape == values.shape and classes > 1:
        return _one_hot(truth.argmax(axis=0), classes)
    if truth.shape != (1, values.shape[1]):
        raise ShapeError(
            f"a metric of classes needs targets {values.shape}, one-hot, or {values.shape[1:]}, "
            f"integer labels; got {np.shape(targets)}"
        )
    labels = truth[0]
    if not np.isin(labels, np.arange(classes)).all():
        raise DataError(f"a metric of classes needs integer labels from 0 to {classes - 1}")
    return _one_hot(labels.astype(np.intp), classes)


def _one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    return labels == np.arange(classes)[:, np.newaxis]
