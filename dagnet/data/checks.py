"""Checks of arrays, each with a message that says what came."""

import numpy as np

from dagnet.arrays import masked, not_finite
from dagnet.errors import DataError


def numeric_array(values: object, what: str) -> np.ndarray:
    """Return `values` as an array of bools, integers or floats, in the byte order of this machine.

    It is `values` itself if that is one already.

    Raises
    ------
    DataError
        If it is ragged, holds Python objects or text, is of a dtype that is no real number, or
        masks some of its values.
    """
    problem = masked(values)
    if problem:
        raise DataError(f"{what} {problem}")
    try:
        array = np.asarray(values)
    except ValueError:
        raise DataError(f"{what} is ragged: its rows differ in length") from None
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        kind = {"O": "Python objects", "U": "text", "S": "bytes", "c": "complex numbers"}
        held = kind.get(array.dtype.kind, f"dtype {array.dtype}")
        raise DataError(f"{what} holds {held}; bools, integers and floats up to 64 bits are fine")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def check_finite(array: np.ndarray, name: str) -> None:
    """Raise unless every value of `array` is finite.

    Parameters
    ----------
    array : ndarray
        Examples on the last axis.
    name : str
        What the message calls it.

    Raises
    ------
    DataError
        With the number of NaN and of Inf, and where the first one is: the first example that has
        one, and its first feature that is one.

    Examples
    --------
    >>> import numpy as np
    >>> from dagnet import data
    >>> data.check_finite(np.array([[1.0, 2.0], [3.0, np.nan]]), "X")
    Traceback (most recent call last):
        ...
    dagnet.errors.DataError: X holds 1 NaN and 0 Inf among its (2, 2) values; the first is nan at
        feature 1, example 1
    """
    problem = not_finite(array)
    if problem:
        raise DataError(f"{name} {problem}")
