"""Checks of the inputs of ops: how many, and of which shapes."""

from typing import TYPE_CHECKING

from dagnet.errors import GraphError, ShapeError
from dagnet.node import Shape, format_shape

if TYPE_CHECKING:
    from dagnet.ops.base import Op


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
