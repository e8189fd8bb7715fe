"""Checks of single numbers: what passes becomes a number of Python, and what does not is named."""

from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest

from dagnet.bounds import (
    check_fraction,
    check_integer,
    check_not_negative,
    check_number,
    check_positive,
    check_size,
)
from dagnet.errors import ArgumentError, ArgumentTypeError, ShapeError


@pytest.mark.parametrize("value", [3, 3.0, np.int8(3), np.float32(3)])
@pytest.mark.parametrize("check", [check_number, check_positive, check_not_negative])
def test_a_number_becomes_a_float(check, value):
    assert type(check(value, "n")) is float
    assert check(value, "n") == 3.0


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3)])
@pytest.mark.parametrize("check", [check_integer, check_size])
def test_an_integer_becomes_an_int(check, value):
    assert type(check(value, "n")) is int
    assert check(value, "n") == 3


@pytest.mark.parametrize(
    ("check", "inside", "outside", "needed"),
    [
        (check_positive, [5e-324, 1e308], [0, -0.0, -1], "a positive number"),
        (check_not_negative, [0, -0.0, 7], [-5e-324], "a number not below 0"),
        (check_fraction, [0, 0.5, 1 - 2**-53], [1, -0.1, 2], "a number in [0, 1)"),
        (check_size, [1, 2**70], [0, -3], "a positive integer"),
    ],
)
def test_bounds(check, inside, outside, needed):
    for value in inside:
        assert check(value, "n") == value
    for value in outside:
        with pytest.raises(ArgumentError) as error:
            check(value, "n")
        assert str(error.value) == f"n must be {needed}, got {value!r}"


@pytest.mark.parametrize(
    ("bounds", "inside", "outside", "needed"),
    [
        ({"above": 0, "at_most": 1}, [0.1, 1], [0, 1.1], "a number > 0 and <= 1"),
        ({"at_least": 0, "below": 1}, [0, 0.9], [-0.1, 1], "a number >= 0 and < 1"),
    ],
)
def test_bounds_that_are_listed(bounds, inside, outside, needed):
    for value in inside:
        check_number(value, "n", **bounds)
    for value in outside:
        with pytest.raises(ArgumentError) as error:
            check_number(value, "n", **bounds)
        assert str(error.value) == f"n must be {needed}, got {value!r}"


def test_a_least_integer():
    assert check_integer(0, "n", at_least=0) == 0
    with pytest.raises(ArgumentError, match=r"^n must be an integer of at least 2, got 1$"):
        check_integer(1, "n", at_least=2)


@pytest.mark.parametrize("value", [None, True, "1", [1], 1j, np.ones(1), Fraction(1, 2)])
@pytest.mark.parametrize("check", [check_number, check_positive, check_fraction, check_integer])
def test_what_is_no_number_is_an_error_of_type(check, value):
    with pytest.raises(ArgumentTypeError, match=r"^n must be .*, got "):
        check(value, "n")


@pytest.mark.parametrize("value", [nan, inf, -inf])
@pytest.mark.parametrize("check", [check_number, check_positive, check_not_negative])
def test_numbers_are_finite(check, value):
    with pytest.raises(ArgumentError, match="and finite"):
        check(value, "n")


def test_an_integer_that_no_float_can_hold():
    with pytest.raises(ArgumentError, match="a number that a float can hold"):
        check_number(10**400, "n")


def test_a_size_may_be_refused_by_another_error():
    with pytest.raises(ShapeError, match=r"^n must be a positive integer, got 1\.0$"):
        check_size(1.0, "n", error=ShapeError)
