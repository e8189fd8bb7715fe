"""Checks of names, sizes, shapes and hyperparameters that several ops share."""

from math import isfinite
from typing import TYPE_CHECKING, SupportsFloat

import numpy as np

from dagnet.errors import ArgumentError, ArgumentTypeError, GraphError, ShapeError
from dagnet.node import Shape, format_shape

if TYPE_CHECKING:
    from dagnet.ops.base import Op


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
    number = as_float(value, what)
    bounds = {">": above, ">=": at_least, "<": below, "<=": at_most}
    wanted = " and ".join(
        f"{sign} {bound:g}" for sign, bound in bounds.items() if bound is not None
    )
    if not (
        isfinite(number)
        and (above is None or number > above)
        and (at_least is None or number >= at_least)
        and (below is None or number < below)
        and (at_most is None or number <= at_most)
    ):
        raise ArgumentError(f"{what} must be {wanted or 'finite'}, got {value!r}")


def as_float(value: SupportsFloat, what: str) -> float:
    """Return a number as a float, or raise if it is an integer that no float can hold."""
    try:
        return float(value)
    except OverflowError:
        raise ArgumentError(
            f"{what} must be a number that a float can hold, got an integer of more than 308 digits"
        ) from None


def plain(value: object) -> object:
    """Return a number of numpy as one of Python, and anything else as it is."""
    if isinstance(value, np.floating):
        return float(value)
    return int(value) if isinstance(value, np.integer) else value


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


def check_arity(op: "Op", inputs: tuple[object, ...]) -> None:
    """Raise `GraphError` unless the op takes this number of inputs."""
    n = len(inputs)
    if op.arity is None and n == 0:
        raise GraphError(f"{type(op).__name__} takes one input or more, got none")
    if op.arity is not None and n != op.arity:
        s = "" if op.arity == 1 else "s"
        raise GraphError(f"{type(op).__name__} takes {op.arity} input{s}, got {n}")


def check_size(
    value: object, what: str, error: type[GraphError] | type[ArgumentError] = ArgumentError
) -> None:
    """Raise unless `value` is a positive integer."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise error(f"{what} must be a positive integer, got {value!r}")


def same_shapes(op: "Op", *inputs: Shape) -> Shape:
    """Return the common shape of all inputs, or raise `ShapeError` naming the first odd one."""
    for position, shape in enumerate(inputs[1:], start=1):
        if shape != inputs[0]:
            raise ShapeError(
                f"{type(op).__name__} needs inputs of one shape; input 0 is "
                f"{format_shape(inputs[0])}, input {position} is {format_shape(shape)}"
                + differing_axis(inputs[0], shape)
            )
    return inputs[0]


def differing_axis(a: Shape, b: Shape) -> str:
    """Return which axis of two shapes differs first, as the tail of a message."""
    if len(a) != len(b):
        return f" ({len(a)} axes against {len(b)})"
    axis = next(i for i, (p, q) in enumerate(zip(a, b, strict=True)) if p != q)
    return f" (axis {axis}: {a[axis]} against {b[axis]})"
