"""Hyperparameters as JSON and back: what a tuple was is a tuple again."""

from math import inf, isfinite, nan
from typing import Any

import numpy as np

from dagnet.errors import ArgumentTypeError, FileFormatError
from dagnet.storage.refusing import shown
from dagnet.storage.strict_json import expect

#: Tuples in tuples: deeper is a mistake, or a list that holds itself.
_DEEPEST = 32

#: The largest integers, in bits; Python writes no integer of more than 4300 digits.
_WIDEST = 4096

_NOT_FINITE = {"nan": nan, "inf": inf, "-inf": -inf}


def to_json(value: Any, what: str, depth: int = 0) -> Any:
    """Return a hyperparameter as JSON can hold it.

    A JSON list means a tuple, because shapes are tuples. Anything else that JSON cannot say is an
    object with one key, which says what it is. numpy's numbers become Python's.

    Raises
    ------
    ArgumentTypeError
        If a file cannot hold it, such as a function or an array.

    Examples
    --------
    >>> to_json((5, "m"), "shape")
    [5, 'm']
    >>> to_json({"low": [0.5, float("inf")]}, "options")
    {'dict': {'low': {'list': [0.5, {'float': 'inf'}]}}}
    """
    if depth > _DEEPEST:
        raise ArgumentTypeError(f"{what} is nested too deeply for a file")
    if value is None or isinstance(value, bool | np.bool_):
        return None if value is None else bool(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int | np.integer) and int(value).bit_length() <= _WIDEST:
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        return number if isfinite(number) else {"float": str(number)}
    if isinstance(value, tuple | list):
        items = [to_json(item, what, depth + 1) for item in value]
        return items if isinstance(value, tuple) else {"list": items}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {str(k): to_json(item, what, depth + 1) for k, item in value.items()}}
    raise ArgumentTypeError(
        f"{what} cannot be written to a file: it holds a {type(value).__name__}; a file holds "
        "None, booleans, numbers of reasonable size, strings, and tuples, lists and dicts of these"
    )


def from_json(value: Any, what: str, depth: int = 0) -> Any:
    """Return the hyperparameter that `to_json` wrote.

    >>> from_json([5, "m"], "shape")
    (5, 'm')
    >>> from_json({"dict": {"low": {"list": [0.5, {"float": "inf"}]}}}, "options")
    {'low': [0.5, inf]}
    """
    if depth > _DEEPEST:
        raise FileFormatError(f"{what} is nested too deeply")
    if isinstance(value, list):
        return tuple(from_json(item, what, depth + 1) for item in value)
    if not isinstance(value, dict):
        return value
    tag, content = next(iter(value.items())) if len(value) == 1 else (None, None)
    if tag == "list":
        return [from_json(item, what, depth + 1) for item in expect(content, list, what)]
    if tag == "dict":
        entries = expect(content, dict, what).items()
        return {key: from_json(item, what, depth + 1) for key, item in entries}
    if tag == "float" and isinstance(content, str) and content in _NOT_FINITE:
        return _NOT_FINITE[content]
    raise FileFormatError(f"{what} has an object with the keys {shown(list(value)[:3])}")
