"""Arrays of the lesson's functions: as floats, and of shapes that fit."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dagnet.arrays import masked
from dagnet.errors import ArgumentError, ArgumentTypeError, ShapeError, UnknownNameError
from dagnet.node import format_shape

Array = np.ndarray
LinearCache = tuple[Array, Array, Array]
Cache = tuple[LinearCache, Array]


def floats(what: str, *arrays: ArrayLike) -> tuple[Array, ...]:
    """Return the arrays in one float dtype: float32 if all are, float64 otherwise."""
    for array in arrays:
        problem = masked(array)
        if problem:
            raise ArgumentError(f"{what} needs all numbers; one array {problem}")
    values = [np.asarray(a) for a in arrays]
    for value in values:
        if value.dtype.kind not in "biuf":
            raise ArgumentTypeError(f"{what} needs real numbers, got an array of {value.dtype}")
    dtype = np.float32 if all(v.dtype == np.float32 for v in values) else np.float64
    return tuple(v.astype(dtype, copy=False) for v in values)


def expect_shape(name: str, array: Array, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ShapeError(
            f"{name} must have shape {format_shape(shape)}, got {format_shape(array.shape)}"
        )


def layer_arrays(A: ArrayLike, W: ArrayLike, b: ArrayLike) -> LinearCache:
    """Return the arrays of a layer as floats, or raise `ShapeError` unless they fit together."""
    A, W, b = floats("a layer", A, W, b)
    if A.ndim != 2 or W.ndim != 2 or W.shape[1] != A.shape[0]:
        raise ShapeError(
            "W A needs W (n, n_prev) and A (n_prev, m); got W "
            f"{format_shape(W.shape)} and A {format_shape(A.shape)}"
        )
    expect_shape("b", b, (len(W), 1))
    return A, W, b


def labelled(AL: ArrayLike, Y: ArrayLike) -> tuple[Array, Array]:
    """Return probabilities and labels as floats of one shape (n, m)."""
    AL, Y = floats("the cost", AL, Y)
    if AL.ndim != 2 or not AL.size:
        raise ShapeError(
            f"AL must be (n, m), with at least one example; got {format_shape(AL.shape)}"
        )
    if Y.ndim == 1 and len(AL) == 1:
        Y = Y.reshape(1, -1)
    expect_shape("Y", Y, AL.shape)
    return AL, Y


def count_layers(parameters: Mapping[str, Any]) -> int:
    if not isinstance(parameters, Mapping):
        raise ArgumentTypeError(
            f"parameters must be a dict of W1, b1, W2, ..., not {type(parameters).__name__}"
        )
    if len(parameters) < 2 or len(parameters) % 2:
        raise ArgumentError(
            f"parameters needs W and b for each layer, W1, b1, W2, ...; got {list(parameters)}"
        )
    return len(parameters) // 2


def get_array(arrays: Mapping[str, Array], name: str) -> Array:
    if name not in arrays:
        raise UnknownNameError.of("array", name, arrays)
    return arrays[name]
