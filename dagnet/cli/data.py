"""The data that commands work on, and how a model takes them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dagnet.data import SETS, Dataset, load
from dagnet.data.csv_file import read_features
from dagnet.errors import DataError
from dagnet.feeds import feed_rules
from dagnet.model import Model
from dagnet.node import format_shape
from dagnet.ops import (
    BinaryCrossEntropy,
    BinaryCrossEntropyWithLogits,
    CategoricalCrossEntropy,
    CategoricalCrossEntropyWithLogits,
)

_OF_PROBABILITIES: tuple[type, ...] = (BinaryCrossEntropy, CategoricalCrossEntropy)
_OF_LOGITS: tuple[type, ...] = (BinaryCrossEntropyWithLogits, CategoricalCrossEntropyWithLogits)


def load_test(source: str, train_source: str, train: Dataset, target: str | None) -> Dataset:
    """Return the data set to test on, with the classes counted as in the training data."""
    if _is_name(source):
        return load(source)
    options: dict[str, Any] = {"classes": train.classes}
    if train.task == "regression":
        options = {"regression": True}
    if source.lower().endswith(".csv"):
        options["target"] = target
    elif source == train_source:
        options["part"] = "test"
    return _in_order(load(source, **options), train.feature_names)


def load_for(
    model: Model, source: str, target: str | None = None, classes: str | None = None
) -> Dataset:
    """Return a data set for a model: its classes counted, its columns ordered as in training."""
    known = split_names(classes)
    if known is None and model.classes and not _is_name(source):
        known = list(model.classes)
    options: dict[str, Any] = {"target": target, "classes": known}
    if known is None and not _is_name(source):
        options["regression"] = not predicts_classes(model)
    return _in_order(load(source, **options), model.features)


def feeds_for(
    model: Model, source: str, target: str | None = None, classes: str | None = None
) -> dict[str, Any]:
    """Return a data set as the feeds of a model's run, its scaling applied."""
    return model.prepare(model.feeds(*arrays_for(model, load_for(model, source, target, classes))))


def examples_for(
    model: Model, source: str, target: str | None = None, classes: str | None = None
) -> tuple[np.ndarray, Sequence[str] | None]:
    """Return examples to predict, and the names of the classes.

    A .csv file needs no targets if the model knows the names of its features.
    """
    if model.features and source.lower().endswith(".csv"):
        X = read_features(Path(source), model.features)
        return (X if model.scaling else _as_dtype(X, model.dtype)), (
            split_names(classes) or model.classes
        )
    dataset = load_for(model, source, target, classes)
    return arrays_for(model, dataset)[0], dataset.classes


def _in_order(dataset: Dataset, features: tuple[str, ...] | None) -> Dataset:
    """Return the data set with its features in this order, or raise unless it has just these."""
    names = dataset.feature_names
    if features is None or names is None or names == features:
        return dataset
    if sorted(names) != sorted(features):
        raise DataError(
            f"{dataset.name} has the features {', '.join(names)}; the model was trained on "
            f"{', '.join(features)}"
        )
    return replace(
        dataset, X=dataset.X[[names.index(name) for name in features]], feature_names=features
    )


def split_names(text: str | None) -> list[str] | None:
    """Return names separated by commas.

    >>> split_names("cat, dog")
    ['cat', 'dog']
    """
    return None if text is None else [name.strip() for name in text.split(",")]


def class_shares(dataset: Dataset) -> dict[str, float]:
    """Return what share of the examples each class has; empty if the targets are numbers."""
    if dataset.task == "regression":
        return {}
    names = dataset.classes or ("0", "1")
    counts = np.bincount(dataset.Y.ravel().astype(int), minlength=len(names))
    return dict(zip(names, (counts / len(dataset)).tolist(), strict=True))


def predicts_classes(model: Model) -> bool:
    """Return whether a model is trained on classes, and not on numbers."""
    return _has_loss(model, _OF_PROBABILITIES + _OF_LOGITS)


def gives_logits(model: Model) -> bool:
    """Return whether the outputs of a classifier are logits, and not probabilities."""
    return _has_loss(model, _OF_LOGITS)


def arrays_for(model: Model, dataset: Dataset, scaled: bool | None = None) -> tuple[Any, Any]:
    """Return the examples and targets of a data set as `Model.fit` and `evaluate` take them.

    Parameters
    ----------
    model : Model
    dataset : Dataset
    scaled : bool, optional
        Whether the examples go through a scaling, which converts them; if not given, whether the
        model has one.

    Returns
    -------
    X, Y : ndarray
        Of the model's dtype; Y is None if the model has no targets.
    """
    (name,) = model.feeds(dataset.X)
    X = dataset.X
    if len(model.shapes[name]) == 2 and X.ndim > 2:
        X = X.reshape(-1, len(dataset))
    if not (bool(model.scaling) if scaled is None else scaled):
        X = _as_dtype(X, model.dtype)
    targets = model.graph.target_inputs
    return X, _targets(model, dataset, targets[0]) if targets else None


def _as_dtype(array: np.ndarray, dtype: str) -> np.ndarray:
    with np.errstate(over="ignore"):  # the run refuses Inf with a better message
        return array.astype(dtype, copy=False) if array.dtype.kind == "f" else array


def _targets(model: Model, dataset: Dataset, name: str) -> np.ndarray:
    Y = dataset.Y
    shape = model.shapes[name]
    if feed_rules(model.graph, [name])[name].one_hot:
        _check_classes(dataset, shape[0])
        return Y.ravel().astype(np.int64) if dataset.task == "binary" else _as_dtype(Y, model.dtype)
    if dataset.task == "multiclass":
        raise DataError(
            f"{dataset.name} has {len(dataset.classes or ())} classes, but the network's target "
            f"{name} {format_shape(shape)} is no one-hot column: it should end in a Softmax of "
            "that size and a CategoricalCrossEntropy"
        )
    return _as_dtype(Y, model.dtype)


def _check_classes(dataset: Dataset, wanted: int | str) -> None:
    """Raise if labels may be counted differently from those the model was trained on."""
    names = dataset.classes or ()
    numbered = names == tuple(map(str, range(len(names))))
    if names and not numbered and len(names) != wanted:
        raise DataError(
            f"{dataset.name} has the {len(names)} classes {', '.join(names)}, and the network "
            f"{wanted}; name all with --classes, in the order of training"
        )


def _has_loss(model: Model, ops: tuple[type, ...]) -> bool:
    return any(isinstance(model.graph.vertices[name].op, ops) for name in model.graph.losses)


def _is_name(source: str) -> bool:
    return source.partition(":")[0] in SETS
