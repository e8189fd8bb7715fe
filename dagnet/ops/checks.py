"""Checks of hyperparameters that several ops share."""

from math import isfinite

import numpy as np

from dagnet.errors import ArgumentError, ArgumentTypeError, ShapeError
from dagnet.node import Shape, format_shape


def check_number(
    value: object,
    what: str,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> None:
    """Raise unless `value` is a finite real number within the given bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ArgumentTypeError(f"{what} must be a number, not {type(value).__name__}")
    bounds = {">": above, ">=": at_least, "<": below, "<=": at_most}
    wanted = " and ".join(
        f"{sign} {bound:g}" for sign, bound in bounds.items() if bound is not None
    )
    if not (
        isfinite(value)
        and (above is None or value > above)
        and (at_least is None or value >= at_least)
        and (below is None or value < below)
        and (at_most is None or value <= at_most)
    ):
        raise ArgumentError(f"{what} must be {wanted or 'finite'}, got {value!r}")


def check_integer(value: object, what: str) -> None:
    """Raise unless `value` is an integer."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ArgumentTypeError(f"{what} must be an integer, not {type(value).__name__}")


def check_axis(op: str, axis: int, shape: Shape) -> int:
    """Return the axis counted from the front, or raise unless it is one before the last.

    The last axis holds the examples, which an op must not mix.
    """
    n = len(shape)
    if not -n <= axis < n:
        raise ShapeError(f"{op}: axis {axis} does not exist in {format_shape(shape)}")
    if axis % n == n - 1:
        raise ShapeError(f"{op}: axis {axis} of {format_shape(shape)} holds the examples")
    return axis % n
