"""What the engine's tests share: comparing bits, finding lines, differentiating numerically."""

import sys
from pathlib import Path

import numpy as np


def here(offset=0):
    """Return ``file.py:line`` of the caller's line, as error messages and sources show it."""
    frame = sys._getframe(1)
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno + offset}"


def bits(array):
    """Return everything that makes two arrays the same to the last bit."""
    array = np.asarray(array)
    return array.dtype.str, array.shape, array.tobytes()


def derivative(value, step=1e-3):
    """Return the derivative at 0 of a smooth function by the five-point central difference."""
    one = value(step) - value(-step)
    two = value(2 * step) - value(-2 * step)
    return (8 * one - two) / (12 * step)


def central(value, array, step=1e-5):
    """Return the central differences of ``value()`` by every element of an array it reads."""
    gradient = np.empty(array.shape)
    for index in np.ndindex(array.shape):
        middle = array[index]
        array[index] = middle + step
        upper = value()
        array[index] = middle - step
        lower = value()
        array[index] = middle
        gradient[index] = (upper - lower) / (2 * step)
    return gradient


def relative_error(a, b):
    """Return the distance of two arrays relative to their size."""
    a, b = np.ravel(a).astype(float), np.ravel(b).astype(float)
    scale = np.linalg.norm(a) + np.linalg.norm(b)
    return np.linalg.norm(a - b) / scale if scale else 0.0
