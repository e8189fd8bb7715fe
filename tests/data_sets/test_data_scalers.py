"""Scalers: their numbers, their shapes, and storing them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from dagnet import data
from dagnet.errors import (
    ArgumentError,
    ArgumentTypeError,
    DataError,
    FeedError,
    FeedTypeError,
    FileFormatError,
    NotKeptError,
    UnknownNameError,
)

FITTED = (data.Standardize, data.MinMax)
RNG = np.random.default_rng(0)
TRAIN = RNG.normal([[3.0], [-100.0], [1e6]], [[2.0], [0.01], [50.0]], (3, 7))
TEST = RNG.normal(size=(3, 5)) * 10


@pytest.mark.parametrize(
    ("ours", "theirs"), [(data.Standardize, StandardScaler), (data.MinMax, MinMaxScaler)]
)
def test_numbers_are_those_of_sklearn(ours, theirs):
    scaler, reference = ours().fit(TRAIN), theirs().fit(TRAIN.T)
    for X in (TRAIN, TEST):
        np.testing.assert_allclose(scaler.transform(X), reference.transform(X.T).T, rtol=1e-9)
        np.testing.assert_allclose(
            scaler.inverse(X), reference.inverse_transform(X.T).T, rtol=1e-12
        )


@pytest.mark.parametrize("make", [*FITTED, data.Divide])
@pytest.mark.parametrize("order", "CF")
def test_the_input_is_left_alone_and_its_memory_order_kept(make, order):
    X = np.array(TRAIN, order=order)
    Z = make().fit(X).transform(X)
    np.testing.assert_array_equal(X, TRAIN)
    assert not np.shares_memory(X, Z)
    assert Z.flags.f_contiguous == (order == "F")


@pytest.mark.parametrize("make", [*FITTED, data.Divide])
@pytest.mark.parametrize("given", ["bool", "uint8", "int32", "float32", "float64"])
@pytest.mark.parametrize("wanted", [np.float32, "float64"])
def test_any_dtype_in_and_the_wanted_one_out(make, given, wanted):
    X = RNG.integers(0, 256, (3, 7)).astype(given)
    scaler = make().fit(X)
    Z = scaler.transform(X, wanted)
    assert Z.dtype == wanted
    np.testing.assert_allclose(Z, scaler.transform(X.astype(float)), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(scaler.inverse(Z, wanted), X.astype(float), rtol=1e-5, atol=1e-5)


def test_float32_is_not_spoilt_by_a_large_mean():
    X = 1e6 + np.arange(5.0)[None] / 128
    Z = data.Standardize().fit(X).transform(X, np.float32)
    np.testing.assert_allclose(Z[0], (np.arange(5) - 2) / np.sqrt(2), rtol=1e-6)


@pytest.mark.parametrize("make", FITTED)
def test_a_constant_feature_becomes_zero(make):
    X = np.array([[0.1] * 7, list(range(7)), [1e-200] * 7])
    scaler = make().fit(X)
    assert (scaler.transform(X)[[0, 2]] == 0).all()
    np.testing.assert_array_equal(scaler.transform(X + 1)[0], 1.1 - 0.1)
    np.testing.assert_array_equal(scaler.inverse(scaler.transform(X))[0], X[0])


def test_a_spread_too_small_to_square():
    X = np.array([[0.0, 1e-200]])
    assert (abs(data.Standardize().fit(X).transform(X)) < 1e-199).all()


@pytest.mark.parametrize("make", FITTED)
def test_features_with_axes(make):
    X = RNG.normal(size=(2, 3, 5, 7))
    scaler, flat = make().fit(X), make().fit(X.reshape(30, 7))
    assert scaler.features == (2, 3, 5)
    np.testing.assert_array_equal(
        scaler.transform(X).reshape(30, 7), flat.transform(X.reshape(30, 7))
    )


finite = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(
    X=arrays(np.float64, array_shapes(min_dims=2, max_dims=4, max_side=6), elements=finite),
    make=st.sampled_from([*FITTED, data.Divide]),
)
def test_there_and_back(X, make):
    scaler = make().fit(X)
    again = data.Scaler.from_saved(json.loads(json.dumps(scaler.config)), scaler.arrays)
    assert again == scaler
    Z = again.transform(X)
    assert Z.shape == X.shape
    span = np.ptp(X, axis=-1, keepdims=True) + abs(X).max(axis=-1, keepdims=True)
    assert (abs(scaler.inverse(Z) - X) <= 1e-14 * span).all()


@given(X=arrays(np.float64, (3, 7), elements=finite))
def test_what_scaled_features_look_like(X):
    Z = data.MinMax().fit(X).transform(X)
    assert (Z.min(axis=-1) == 0).all()
    assert np.isin(Z.max(axis=-1), (0.0, 1.0)).all()
    vary = np.ptp(X, axis=-1) > 1e-3
    Z = data.Standardize().fit(X).transform(X)[vary]
    np.testing.assert_allclose(Z.mean(axis=-1), 0, atol=1e-8)
    np.testing.assert_allclose(Z.std(axis=-1), 1, rtol=1e-8)


@pytest.mark.parametrize("make", FITTED)
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((3, 0)), r"an example at least, got \(3, 0\)"),
        (np.zeros(3), r"X is \(features..., m\)"),
        (np.array([[1.0, np.nan]]), "1 NaN and 0 Inf"),
        (np.array([["a", "b"]]), "X holds text"),
        (np.array([[0.0, 1.0], [1.7e308, -1.7e308]]), "feature 1 are too large to scale"),
    ],
)
def test_fit_refuses(make, X, message):
    with pytest.raises(DataError, match=message):
        make().fit(X)


@pytest.mark.parametrize("make", FITTED)
def test_transform_refuses(make):
    scaler = make().fit(TRAIN)
    for call in (scaler.transform, scaler.inverse):
        with pytest.raises(FeedError, match=r"expected \(3, m\), as it was fitted, got \(5, 3\)"):
            call(TEST.T)
        with pytest.raises(FeedTypeError, match="holds Python objects"):
            call(TEST.astype(object))
        with pytest.raises(ArgumentError, match="float32 or float64, got int64"):
            call(TEST, np.int64)
    with pytest.raises(NotKeptError, match="not fitted yet: call fit"):
        make().transform(TEST)


def test_divide_takes_features_of_any_shape():
    for shape in ((7,), (3, 7), (2, 3, 7)):
        np.testing.assert_array_equal(
            data.Divide(4).transform(np.full(shape, 2)), np.full(shape, 0.5)
        )
    with pytest.raises(FeedError, match=r"expected \(features, m\)"):
        data.Divide().transform(np.float64(3))


@pytest.mark.parametrize(
    ("by", "error", "message"),
    [
        (0, ArgumentError, "by must be a positive number"),
        (-2, ArgumentError, "by must be a positive number"),
        (np.nan, ArgumentError, "by must be a positive number, and finite"),
        ("255", ArgumentTypeError, "by must be a positive number"),
    ],
)
def test_divide_refuses(by, error, message):
    with pytest.raises(error, match=message):
        data.Divide(by)


def test_equality():
    one, same, other = (data.Standardize().fit(X) for X in (TRAIN, TRAIN.copy(), TEST))
    assert one == same
    assert one != other
    assert one != data.Standardize()
    assert data.Standardize() != data.MinMax()
    assert data.Divide(2) == data.Divide(2.0) != data.Divide(3)
    assert one != "standardize"


def test_repr():
    assert repr(data.Standardize()) == "<Standardize()>"
    assert repr(data.MinMax().fit(TRAIN)) == "<MinMax() for features (3,)>"
    assert repr(data.Divide(16)) == "<Divide(by=16)>"


def test_the_registry():
    assert {name: type(data.scaler(name)) for name in ("standardize", "minmax", "divide")} == {
        "standardize": data.Standardize,
        "minmax": data.MinMax,
        "divide": data.Divide,
    }
    assert data.scaler("divide", by=16).by == 16
    for unknown in ("standardise", None, 3):
        with pytest.raises(UnknownNameError, match="no scaler named"):
            data.scaler(unknown)


GOOD = {"mean": np.zeros(3), "std": np.ones(3)}


@pytest.mark.parametrize(
    ("config", "arrays", "message"),
    [
        ({}, {}, "no scaler named None"),
        ({"name": "zscore"}, {}, "no scaler named 'zscore'"),
        ({"name": "standardize", "by": 3}, GOOD, "unusable"),
        ({"name": "divide", "by": 0}, {}, "by must be a positive number"),
        ({"name": "divide", "by": "2"}, {}, "by must be a positive number"),
        (7, {}, "unusable"),
        ({"name": "standardize"}, {}, r"should have the arrays \['mean', 'std'\], got \[\]"),
        ({"name": "minmax"}, GOOD, r"arrays \['low', 'range'\], got \['mean', 'std'\]"),
        ({"name": "divide"}, GOOD, "should have the arrays"),
        ({"name": "standardize"}, GOOD | {"std": np.ones(4)}, "of the features' shape"),
        ({"name": "standardize"}, {"mean": np.float64(0), "std": np.float64(1)}, "features' shape"),
        ({"name": "standardize"}, GOOD | {"std": np.ones(3, np.float32)}, "finite float64"),
        ({"name": "standardize"}, GOOD | {"mean": np.array([0, np.nan, 0])}, "finite float64"),
        ({"name": "standardize"}, GOOD | {"mean": np.array(list("abc"))}, "finite float64"),
        ({"name": "standardize"}, GOOD | {"std": np.array([1.0, 0, 1])}, "not positive"),
    ],
)
def test_from_saved_refuses_what_no_scaler_wrote(config, arrays, message):
    with pytest.raises(FileFormatError, match=message):
        data.Scaler.from_saved(config, arrays)


def test_a_loaded_scaler_owns_its_arrays():
    saved = {key: value.copy() for key, value in GOOD.items()}
    loaded = data.Scaler.from_saved({"name": "standardize"}, saved)
    saved["mean"][:] = 9
    assert (loaded.arrays["mean"] == 0).all()


def test_the_default():
    pixels = RNG.integers(0, 256, (12, 5), dtype=np.uint8)
    labels = np.arange(5)
    assert data.default_scaling(data.Dataset(pixels, labels, picture=(2, 2, 3))) == data.Divide(255)
    table = data.Dataset(pixels, labels)
    assert data.default_scaling(table) == data.Standardize().fit(pixels)
    assert data.default_scaling(data.digits()) == data.Standardize().fit(data.digits().X)
