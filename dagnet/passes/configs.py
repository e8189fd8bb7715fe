"""Hyperparameters as something that can be compared and looked up."""

from collections.abc import Hashable, Mapping

import numpy as np


def comparable(value: object) -> Hashable:
    """Return something hashable that equals another's exactly if the hyperparameters agree.

    Examples
    --------
    >>> comparable({"axes": [1, 2]}) == comparable({"axes": [1, 2]})
    True
    >>> comparable(1) == comparable(1.0)
    False
    """
    if isinstance(value, Mapping):
        return tuple((key, comparable(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return (type(value), *map(comparable, value))
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    try:
        hash(value)
    except TypeError:
        return object()  # equal to nothing else
    return (type(value), value)
