"""one_hot and check_finite."""

import numpy as np
import pytest
from sklearn.preprocessing import OneHotEncoder

import dagnet as dn
from dagnet import data
from dagnet.errors import ArgumentError, ArgumentTypeError, DataError


def test_one_hot_is_that_of_sklearn():
    labels = np.random.default_rng(0).integers(0, 5, 13)
    expected = OneHotEncoder(categories=[range(5)], sparse_output=False)
    np.testing.assert_array_equal(
        data.one_hot(labels, 5), expected.fit_transform(labels[:, None]).T
    )


@pytest.mark.parametrize("labels", [[2, 0, 1], [[2, 0, 1]], [2.0, 0.0, 1.0], np.array([2, 0, 1])])
def test_one_hot_takes_labels_in_any_spelling(labels):
    np.testing.assert_array_equal(np.argmax(data.one_hot(labels, 4), axis=0), [2, 0, 1])


@pytest.mark.parametrize(
    ("labels", "classes", "error", "message"),
    [
        ([0, 4, 1], 4, DataError, "label 4 at example 1 is out of range for 4 classes.*0 to 3"),
        ([0, 2, -1], 4, DataError, "label -1 at example 2"),
        ([0, 1.5], 4, DataError, "whole numbers, got 1.5 at example 1"),
        ([0, np.nan], 4, DataError, "whole numbers, got nan at example 1"),
        ([0, 1e300], 4, DataError, "whole numbers, got 1e.300"),
        (["cat"], 4, DataError, "labels holds text"),
        ([[0, 1], [1, 0]], 2, DataError, r"\(m,\) or \(1, m\), got \(2, 2\)"),
        ([0], 0, ArgumentError, "classes must be an integer of at least 1, got 0"),
        ([0], 2.0, ArgumentTypeError, "classes must be an integer of at least 1, got 2.0"),
    ],
)
def test_one_hot_refuses(labels, classes, error, message):
    with pytest.raises(error, match=message):
        data.one_hot(labels, classes)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_check_finite_says_how_many_and_where(dtype, bad):
    values = np.zeros((3, 5), dtype)
    values[2, 1] = values[0, 4] = bad
    nans, infs = (2, 0) if np.isnan(bad) else (0, 2)
    with pytest.raises(DataError) as caught:
        data.check_finite(values, "X")
    assert str(caught.value) == (
        f"X holds {nans} NaN and {infs} Inf among its (3, 5) values; "
        f"the first is {bad} at feature 2, example 1"
    )


def test_check_finite_counts_infinities_that_cancel():
    with pytest.raises(DataError, match=r"1 NaN and 2 Inf.*first is inf at feature 0, example 0"):
        data.check_finite(np.array([[np.inf, 1.0, -np.inf, np.nan]]), "X")


@pytest.mark.parametrize(
    ("shape", "at", "where"),
    [
        ((2, 3, 5, 7), (1, 2, 4, 6), r"at feature \(1, 2, 4\), example 6"),
        ((5,), (3,), "at example 3"),
        ((), (), "is nan$"),
    ],
)
def test_check_finite_in_any_number_of_axes(shape, at, where):
    values = np.zeros(shape)
    values[at] = np.nan
    with pytest.raises(DataError, match=where):
        data.check_finite(values, "X")


@pytest.mark.parametrize(
    "fine",
    [
        np.full((3, 5), 1.7e308),
        np.full((3, 5), np.float32(3e38)),
        np.array([[1.7e308, 1.7e308, -1.7e308, -1.7e308]]),
        np.arange(6).reshape(2, 3),
        np.zeros((2, 3), bool),
        np.zeros((2, 0)),
    ],
)
def test_check_finite_has_no_false_alarm(fine):
    assert data.check_finite(fine, "X") is None


def test_masked_values_are_refused():
    X = np.ma.masked_greater(np.arange(6.0).reshape(2, 3), 4.5)
    Y = np.zeros((1, 3))
    with pytest.raises(DataError, match=r"X masks 1 of its \(2, 3\) values"):
        data.Dataset(X, Y)
    with pytest.raises(DataError, match=r"Y masks 3 of its \(1, 3\) values"):
        data.Dataset(X.data, np.ma.masked_equal(Y, 0.0))


def test_a_data_set_has_the_byte_order_of_the_machine(tmp_path):
    X, Y = np.arange(6.0).reshape(2, 3), np.array([[0.5, 1.5, 2.5]])
    np.savez(tmp_path / "swapped.npz", X=X.astype(">f8"), Y=Y.astype(">f8"))
    read = data.load(tmp_path / "swapped.npz")
    model = dn.mlp([2, 1], output="identity", seed=1)
    assert np.array_equal(read.X, X)
    assert np.isfinite(model.forward({"X": read.X, "Y": read.Y}))
