"""Dataset: what it takes, what it refuses, how it splits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagnet import data
from dagnet.errors import ArgumentError, ArgumentTypeError, DataError

X = np.arange(15.0).reshape(3, 5)
BINARY = np.array([[0.0, 1.0, 1.0, 0.0, 1.0]])


def test_arrays_are_kept_and_targets_normalised():
    binary = data.Dataset(X, BINARY, classes=["no", "yes"], feature_names=list("abc"))
    assert binary.X is X
    assert binary.Y is BINARY
    assert (binary.task, binary.classes, binary.feature_names) == (
        "binary",
        ("no", "yes"),
        ("a", "b", "c"),
    )
    assert data.Dataset(X, BINARY.astype(int)).Y.dtype == np.float64
    assert data.Dataset(X, BINARY.astype(bool)).task == "binary"

    several = data.Dataset(X, np.array([0, 3, 1, 0, 1], np.uint8))
    assert several.Y.dtype == np.int64
    assert (several.task, several.classes) == ("multiclass", ("0", "1", "2", "3"))

    numbers = data.Dataset(X, np.linspace(0, 1, 10).reshape(2, 5))
    assert (numbers.task, numbers.classes, len(numbers)) == ("regression", None, 5)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32", "float64"])
def test_features_keep_their_dtype(dtype):
    assert data.Dataset(X.astype(dtype), BINARY).X.dtype == dtype


def test_repr_says_what_it_is():
    pictures = data.Dataset(np.zeros((24, 5), np.uint8), BINARY, "cats", picture=(2, 4, 3))
    assert repr(pictures) == "<Dataset 'cats': X (24, 5) uint8, 2 classes, pictures 2x4x3>"
    numbers = data.Dataset(X, BINARY / 3)
    assert repr(numbers) == "<Dataset 'data': X (3, 5) float64, Y (1, 5)>"


NAN = X.copy()
NAN[1, 2] = np.nan
INF = np.array([[0.0, 1.0, np.inf, 0.0, 1.0]])


@pytest.mark.parametrize(
    ("features", "targets", "options", "message"),
    [
        (X.T, np.arange(5), {}, r"X \(5, 3\) has 3 examples and Y \(5,\) has 5.*did you mean X\.T"),
        (X, BINARY.T, {}, r"Y \(5, 1\) has 1.*did you mean Y\.T"),
        (X.T, BINARY.T, {}, r"did you mean X\.T and Y\.T"),
        (np.zeros((5, 2, 3)), BINARY, {}, r"did you mean np\.moveaxis\(X, 0, -1\)"),
        (X, np.arange(7), {}, r"has 7; examples go on the last axis$"),
        (np.zeros((3, 0)), np.zeros((1, 0)), {}, r"empty data, X \(3, 0\)"),
        (np.zeros((0, 5)), BINARY, {}, r"empty data, X \(0, 5\)"),
        (np.zeros(5), BINARY, {}, r"X \(5,\) has too few axes"),
        (X, np.zeros((1, 1, 5)), {}, r"Y is \(m,\) or \(outputs, m\), got \(1, 1, 5\)"),
        (X, np.float64(3), {}, r"Y is \(m,\)"),
        ([[1, 2], [3]], [0, 1], {}, "X is ragged"),
        (X.astype(object), BINARY, {}, "X holds Python objects"),
        (X.astype(str), BINARY, {}, "X holds text"),
        (X.astype(complex), BINARY, {}, "X holds complex numbers"),
        (X.astype("M8[s]"), BINARY, {}, r"X holds dtype datetime64\[s\]"),
        (X.astype(np.longdouble), BINARY, {}, "X holds dtype"),
        (X, BINARY.astype(str), {}, "Y holds text"),
        (NAN, BINARY, {}, "1 NaN and 0 Inf.*at feature 1, example 2"),
        (X, INF, {}, "Y holds 0 NaN and 1 Inf.*at feature 0, example 2"),
        (X, BINARY[0], {}, "a Y of one axis holds integer labels, got float64"),
        (X, [0, 1, -2, 3, 4], {}, "labels count from 0, got -2 at example 2"),
        (X, [0, 1, 2, 250000, 4], {}, "label 250000 at example 3.*regression"),
        (X, [0, 1, 2, 3, 4], {"classes": list("abcd")}, "label 4 needs 5 classes, got 4 names"),
        (X, BINARY, {"classes": list("abc")}, "has 2 classes, got 3 names"),
        (X, BINARY / 2, {"classes": list("ab")}, "class names need integer labels"),
        (X, BINARY, {"feature_names": list("ab")}, r"2 feature names for features of shape \(3,\)"),
        (X, BINARY, {"picture": (2, 2)}, r"do not make pictures of \(2, 2\)"),
        (X, BINARY, {"picture": (3,)}, r"give \(h, w\)"),
    ],
)
def test_unusable_data_is_refused(features, targets, options, message):
    with pytest.raises(DataError, match=message):
        data.Dataset(features, targets, **options)


def test_split_keeps_every_example_once_with_its_target():
    labels = np.repeat([0, 1, 2], [10, 20, 7])
    whole = data.Dataset(np.stack([np.arange(37.0), labels * 100.0]), labels, "whole")
    train, test = whole.split(0.3, seed=5)
    assert (len(train), len(test)) == (26, 11)
    assert sorted(np.concatenate([train.X[0], test.X[0]])) == list(range(37))
    for part in (train, test):
        np.testing.assert_array_equal(part.X[1], part.Y * 100.0)
        assert part.classes == whole.classes
        assert (np.diff(part.Y) < 0).any(), "the classes come one after the other"
    assert (train.name, test.name) == ("whole train", "whole test")


def test_split_draws_from_all_of_a_class():
    whole = data.Dataset(np.arange(40.0)[None], np.arange(40) % 2)
    drawn = {x for seed in range(40) for x in whole.split(0.2, seed)[1].X[0]}
    assert drawn == set(range(40))


def test_split_rounds_the_largest_remainder_up():
    _, test = data.Dataset(np.zeros((2, 29)), np.repeat([0, 1], [10, 19])).split(0.1)
    np.testing.assert_array_equal(np.bincount(test.Y[:]), [1, 2])


def test_split_is_the_seed():
    whole = data.digits()
    again, other = whole.split(seed=4)[1], whole.split(seed=5)[1]
    np.testing.assert_array_equal(whole.split(seed=4)[1].X, again.X)
    assert not np.array_equal(again.X, other.X)


def test_split_of_numbers_and_of_features_with_axes():
    whole = data.Dataset(np.arange(2 * 3 * 7.0).reshape(2, 3, 7), np.arange(7.0)[None] / 2)
    train, test = whole.split(0.25)
    assert train.X.shape == (2, 3, 5)
    assert test.X.shape == (2, 3, 2)
    np.testing.assert_array_equal(train.X[0, 0] / 2, train.Y[0])


def test_split_keeps_the_memory_order():
    columns = data.Dataset(np.asfortranarray(X), BINARY).split(0.4)[0].X
    rows = data.Dataset(X, BINARY).split(0.4)[0].X
    np.testing.assert_array_equal(columns, rows)
    assert columns.flags.f_contiguous
    assert rows.flags.c_contiguous


@given(
    counts=st.lists(st.integers(1, 30), min_size=2, max_size=6),
    share=st.floats(0.001, 0.999),
    seed=st.integers(0, 2**32),
)
def test_split_shares_out_each_class_alike(counts, share, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    m = len(labels)
    _, test = data.Dataset(np.arange(float(m))[None], labels).split(share, seed)
    assert len(test) == min(max(round(share * m), 1), m - 1)
    for label, count in enumerate(counts):
        assert abs(np.bincount(test.Y, minlength=len(counts))[label] - share * count) <= 1 + 1e-9


def test_split_leaves_rare_classes_in_the_training_set():
    train, test = data.Dataset(np.zeros((2, 4)), np.array([0, 1, 1, 1])).split(0.5)
    np.testing.assert_array_equal(np.bincount(train.Y), [1, 1])
    np.testing.assert_array_equal(test.Y, [1, 1])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"test": 0.0}, ArgumentError, r"examples, in \(0, 1\), got 0.0"),
        ({"test": 1.0}, ArgumentError, r"in \(0, 1\), got 1"),
        ({"test": float("nan")}, ArgumentError, "finite"),
        ({"test": "0.2"}, ArgumentTypeError, "test must be a share of the examples"),
        ({"test": True}, ArgumentTypeError, "test must be a share of the examples"),
        ({"seed": -1}, ArgumentError, "seed must be an integer of at least 0"),
        ({"seed": 1.5}, ArgumentTypeError, "seed must be an integer"),
        ({"seed": True}, ArgumentTypeError, "seed must be an integer"),
    ],
)
def test_split_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        data.Dataset(X, BINARY).split(**arguments)


def test_split_of_one_example():
    with pytest.raises(ArgumentError, match="at least 2 examples, got 1"):
        data.Dataset(X[:, :1], BINARY[:, :1]).split()
