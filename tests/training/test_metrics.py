"""Metrics against scikit-learn's, on batches where classes and labels go missing."""

import math

import numpy as np
import pytest
import sklearn.metrics as sk

from dagnet.errors import ArgumentTypeError, DataError, ShapeError, UnknownNameError
from dagnet.training import accuracy, f1, get_metric, mae, metrics_for, mse, precision, r2, recall

SCORES = {
    "precision": (precision, sk.precision_score),
    "recall": (recall, sk.recall_score),
    "f1": (f1, sk.f1_score),
}


def one_hot(labels, classes):
    return np.eye(classes)[:, labels]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", SCORES)
def test_binary_scores(seed, name):
    rng = np.random.default_rng(seed)
    p, y = rng.random((1, 37)), rng.integers(0, 2, (1, 37))
    ours, theirs = SCORES[name]
    assert ours(p, y) == pytest.approx(theirs(y[0], p[0] > 0.5), rel=1e-14)
    assert ours(p[0], y[0].astype(float)) == ours(p, y) == ours(p.astype("float32"), y == 1)
    assert accuracy(p, y) == pytest.approx(sk.accuracy_score(y[0], p[0] > 0.5), rel=1e-14)


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize(("p", "y"), [(0.1, 0), (0.1, 1), (0.9, 0), (0.9, 1)])
def test_binary_scores_where_a_count_is_zero(name, p, y):
    ours, theirs = SCORES[name]
    want = theirs([y, y], [int(p > 0.5)] * 2, zero_division=0)
    assert ours(np.full((1, 2), p), np.full((1, 2), y)) == want


def test_one_half_is_a_no():
    assert accuracy(np.array([[0.5, 0.5, 0.5000001]]), np.array([[0, 0, 1]])) == 1.0


def test_soft_targets_are_decided_like_predictions():
    p, y = np.array([[0.9, 0.2, 0.6]]), np.array([[0.95, 0.05, 0.4]])
    assert accuracy(p, y) == pytest.approx(2 / 3)
    p, y = np.array([[0.9, 0.2], [0.1, 0.8]]), np.array([[0.7, 0.6], [0.3, 0.4]])
    assert accuracy(p, y) == 0.5


@pytest.mark.parametrize("name", SCORES)
def test_classes_at_several_places_of_an_example(name):
    rng = np.random.default_rng(0)
    p, labels = rng.random((5, 2, 3, 7)), rng.integers(0, 5, (2, 3, 7))
    y = np.moveaxis(np.eye(5)[labels], -1, 0)
    guesses = p.argmax(axis=0).ravel()
    ours, theirs = SCORES[name]
    want = theirs(labels.ravel(), guesses, average="macro", zero_division=0)
    assert ours(p, y) == pytest.approx(want, rel=1e-14)
    assert accuracy(p, y) == pytest.approx(np.mean(labels.ravel() == guesses), rel=1e-14)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("m", [3, 41])
def test_categorical_scores(seed, name, m):
    # 3 examples of 5 classes: some classes are in the guesses only, the targets only, or neither.
    rng = np.random.default_rng(seed)
    p, labels = rng.random((5, m)), rng.integers(0, 5, m)
    ours, theirs = SCORES[name]
    want = theirs(labels, p.argmax(axis=0), average="macro", zero_division=0)
    assert ours(p, labels) == pytest.approx(want, rel=1e-14)
    assert ours(p, one_hot(labels, 5)) == ours(p, labels) == ours(p, labels[np.newaxis] * 1.0)
    want = sk.accuracy_score(labels, p.argmax(axis=0))
    assert accuracy(p, labels) == accuracy(p, one_hot(labels, 5)) == pytest.approx(want, rel=1e-14)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("m", [2, 41])
def test_scores_of_independent_labels(seed, name, m):
    rng = np.random.default_rng(seed)
    p, y = rng.random((3, m)), rng.integers(0, 2, (3, m))
    ours, theirs = SCORES[name]
    want = theirs(y.T, p.T > 0.5, average="macro", zero_division=0)
    assert ours(p, y, kind="binary") == pytest.approx(want, rel=1e-14)
    right = np.mean([sk.accuracy_score(a, b > 0.5) for a, b in zip(y, p, strict=True)])
    assert accuracy(p, y, kind="binary") == pytest.approx(right, rel=1e-14)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("rows", [1, 3])
def test_regression(rows, dtype):
    rng = np.random.default_rng(0)
    p, y = rng.standard_normal((2, rows, 17)).astype(dtype) + 1e3
    p64, y64 = p.T.astype("float64"), y.T.astype("float64")
    assert mae(p, y) == pytest.approx(sk.mean_absolute_error(y64, p64), rel=1e-12)
    assert mse(p, y) == pytest.approx(sk.mean_squared_error(y64, p64), rel=1e-12)
    assert r2(p, y) == pytest.approx(sk.r2_score(y64, p64), rel=1e-9)


def test_regression_of_pictures():
    p, y = np.random.default_rng(0).random((2, 2, 3, 5, 7))
    assert mse(p, y) == pytest.approx(np.mean((p - y) ** 2))
    assert r2(p, y) == pytest.approx(sk.r2_score(y.reshape(30, 7).T, p.reshape(30, 7).T))


@pytest.mark.parametrize("p", [[2.0, 2.0, 2.0], [2.0, 2.0, 2.5]])
def test_r2_of_equal_targets(p):
    y = [2.0, 2.0, 2.0]
    assert r2(np.array(p), np.array(y)) == sk.r2_score(y, p)


def test_r2_of_one_example_is_nan():
    assert math.isnan(r2(np.array([[1.0]]), np.array([[1.0]])))


@pytest.mark.parametrize("metric", [accuracy, precision, recall, f1])
def test_nan_predictions_give_nan(metric):
    assert math.isnan(metric(np.array([[0.1, np.nan]]), np.array([[0, 1]])))
    assert math.isnan(metric(np.array([[0.1, 0.2], [0.9, np.nan]]), np.array([0, 1])))


@pytest.mark.parametrize("metric", [mae, mse, r2])
def test_regression_of_nan_is_nan(metric):
    assert math.isnan(metric(np.array([[0.1, np.nan]]), np.array([[0.0, 1.0]])))


def test_targets_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"\(1, 3\) and \(3, 1\)"):
        mse(np.ones((1, 3)), np.ones((3, 1)))
    with pytest.raises(ShapeError, match="one shape"):
        accuracy(np.ones((1, 3)), np.ones((1, 2)))
    with pytest.raises(
        ShapeError, match=r"\(3, 4\), one-hot, or \(4,\), integer labels; got \(5,\)"
    ):
        accuracy(np.ones((3, 4)), np.ones(5))
    with pytest.raises(DataError, match="from 0 to 1"):
        accuracy(np.ones((1, 2)), np.array([[1, 2]]))
    with pytest.raises(DataError, match="from 0 to 1"):
        accuracy(np.ones((1, 2)), np.array([[1, -1]]))
    with pytest.raises(DataError, match="from 0 to 1"):
        accuracy(np.ones((1, 2)), np.array([[1, np.nan]]))
    with pytest.raises(DataError, match="labels from 0 to 2"):
        accuracy(np.ones((3, 2)), np.array([1, 3]))
    with pytest.raises(DataError, match="labels from 0 to 2"):
        accuracy(np.ones((3, 2)), np.array([1, 0.5]))
    with pytest.raises(DataError, match="needs examples"):
        mae(np.ones((1, 0)), np.ones((1, 0)))


def test_metrics_by_kind():
    p, y = np.array([[0.9, 0.1], [0.8, 0.7]]), np.array([[1, 0], [0, 1]])
    assert metrics_for("binary")["accuracy"](p, y) == 0.75
    assert metrics_for("categorical")["accuracy"](p, y) == 1.0
    assert metrics_for("categorical")["accuracy"].__name__ == "accuracy"
    assert metrics_for("regression") == {"mae": mae, "mse": mse, "r2": r2}
    with pytest.raises(UnknownNameError, match="did you mean 'regression'"):
        metrics_for("regresion")


def test_get_metric():
    assert get_metric("f1") is f1
    assert get_metric(len) is len
    assert get_metric("accuracy", "binary")(np.ones((2, 1)), np.array([[1], [0]])) == 0.5
    with pytest.raises(
        UnknownNameError, match="no metric named 'presision'; did you mean 'precision'"
    ):
        get_metric("presision")
    with pytest.raises(UnknownNameError, match="no regression metric named 'accuracy'"):
        get_metric("accuracy", "regression")
    with pytest.raises(ArgumentTypeError, match="a metric is a name or a function, got 3"):
        get_metric(3)


@pytest.mark.parametrize("metric", [accuracy, precision, recall, f1, mae, mse, r2])
def test_masked_targets_are_refused(metric):
    guess, truth = np.array([[0.2, 0.7, 0.9]]), np.array([[0, 1, 1]])
    with pytest.raises(DataError, match="masks 1 of its"):
        metric(guess, np.ma.masked_array(truth, [[False, False, True]]))


@pytest.mark.parametrize("metric", [mae, mse, r2])
def test_numbers_that_overflow_raise_nothing(metric):
    with np.errstate(all="raise"):
        metric(np.array([[1e308, -1e308, 1e200]]), np.array([[-1e308, 1e308, 0.0]]))
