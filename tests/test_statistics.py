"""Statistics of arrays: the numbers of numpy, and no surprise from any input."""

import math

import numpy as np
import pytest

from dagnet.errors import ArgumentTypeError
from dagnet.statistics import Statistics, statistics

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(7,), (3, 5), (3, 5, 7), (1, 1)])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_agrees_with_numpy(shape, dtype):
    array = RNG.standard_normal(shape).astype(dtype)
    array.flat[0] = 0
    of = statistics(array)
    exact = array.astype(np.float64)
    assert (of.shape, of.dtype) == (shape, dtype)
    assert of.mean == pytest.approx(exact.mean(), abs=1e-15)
    assert of.std == pytest.approx(exact.std())
    assert (of.min, of.max) == (exact.min(), exact.max())
    assert of.zeros == 1 / array.size
    assert of.norm == pytest.approx(np.linalg.norm(exact))
    assert (of.nan, of.inf) == (0, 0)


def test_what_is_not_finite_is_counted_and_left_out():
    array = np.array([[1.0, np.nan, -np.inf], [np.inf, 0.0, 5.0], [np.nan, np.nan, 0.0]])
    of = statistics(array)
    left = np.array([1.0, 0.0, 5.0, 0.0])
    assert (of.nan, of.inf) == (3, 2)
    assert of.mean == left.mean()
    assert of.std == pytest.approx(left.std())
    assert (of.min, of.max) == (0.0, 5.0)
    assert of.norm == pytest.approx(np.linalg.norm(left))
    assert of.zeros == 2 / 9


@pytest.mark.parametrize(
    ("array", "nans", "zeros", "norm"),
    [(np.empty((3, 0)), 0, math.nan, 0.0), (np.full(4, np.nan), 4, 0.0, 0.0)],
)
def test_nothing_finite_at_all(array, nans, zeros, norm):
    of = statistics(array)
    assert all(math.isnan(value) for value in (of.mean, of.std, of.min, of.max))
    assert of.nan == nans
    assert of.norm == norm
    assert of.zeros == pytest.approx(zeros, nan_ok=True)


@pytest.mark.parametrize(
    ("array", "mean", "low", "high", "norm"),
    [
        (np.array([True, False, False, True]), 0.5, 0, 1, math.sqrt(2)),
        (np.array([[250, 250, 251]], dtype=np.uint8), 751 / 3, 250, 251, math.sqrt(188001)),
        (np.array([-3, 4]), 0.5, -3, 4, 5),
        (np.float32(2.5), 2.5, 2.5, 2.5, 2.5),
        ([[3.0, 4.0]], 3.5, 3, 4, 5),
    ],
)
def test_other_dtypes_scalars_and_lists(array, mean, low, high, norm):
    of = statistics(array)
    assert of.mean == pytest.approx(mean)
    assert (of.min, of.max) == (low, high)
    assert of.norm == pytest.approx(norm)
    assert of.dtype == np.asarray(array).dtype.name


def test_float32_sums_do_not_overflow_or_drift():
    huge = np.array([3e38, -3e38, 3e38], dtype=np.float32)
    assert statistics(huge).norm == pytest.approx(3e38 * math.sqrt(3), rel=1e-6)
    assert statistics(huge).std == pytest.approx(huge.astype(np.float64).std())
    many = np.full(3_000_001, 0.1, dtype=np.float32)
    many[0] = 0.2
    assert statistics(many).mean == pytest.approx(many.astype(np.float64).mean(), rel=1e-12)


@pytest.mark.parametrize("size", [1.5e308, 1e-300, 5e-324])
def test_squares_that_leave_float64(size):
    of = statistics(np.array([size, -size, 0.0]))
    assert of.mean == pytest.approx(0.0)
    assert (of.min, of.max) == (-size, size)
    assert of.norm == pytest.approx(size * math.sqrt(2), rel=1e-12)
    assert of.std == pytest.approx(size * math.sqrt(2 / 3), rel=1e-12)


def test_equal_values_have_no_spread():
    of = statistics(np.full(1001, 0.1))
    assert (of.mean, of.std) == (0.1, 0.0)
    assert of.norm == pytest.approx(0.1 * math.sqrt(1001))


def test_any_layout_and_nothing_written():
    array = np.asfortranarray(RNG.standard_normal((5, 7)))[::2, ::-3]
    array.flags.writeable = False
    of, again = statistics(array), statistics(array.copy())
    assert (of.shape, of.min, of.max) == (again.shape, again.min, again.max)
    assert (of.mean, of.std, of.norm) == pytest.approx((again.mean, again.std, again.norm))


def test_no_warning_where_the_caller_asks_for_errors():
    with np.errstate(all="raise"):
        of = statistics(np.array([1.7e308, -1.7e308, np.inf, np.nan, 1e-310]))
    assert (of.nan, of.inf) == (1, 1)


@pytest.mark.parametrize(
    "array", [np.array(["a"]), np.array([1j]), np.array([None]), [[1.0], [2.0, 3.0]]]
)
def test_what_holds_no_real_numbers_is_refused(array):
    with pytest.raises(ArgumentTypeError, match="statistics: "):
        statistics(array)


def test_frozen():
    with pytest.raises(AttributeError):
        statistics([1.0]).mean = 2.0
    assert statistics([1.0]) == Statistics((1,), "float64", 1.0, 0.0, 1.0, 1.0, 0.0, 0, 0, 1.0)
