"""Reading JSON that somebody else wrote: what is not as expected is an error, never a surprise."""

import json
from collections.abc import Collection
from math import isfinite
from typing import Any, NoReturn, TypeVar

from dagnet.errors import FileFormatError
from dagnet.storage.refusing import shown

T = TypeVar("T")

_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def dumps(value: Any) -> str:
    """Return a value as JSON on one line, in ASCII, the same for the same value."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def loads(text: str | bytes, what: str) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    FileFormatError
        Also for what `json.loads` lets through: a key twice, NaN, and numbers too large for a
        float; and for lists nested so deeply that it gives up.

    Examples
    --------
    >>> loads('{"units": 7}', "the example")
    {'units': 7}
    >>> loads('{"units": 7, "units": 8}', "the example")
    Traceback (most recent call last):
    ...
    dagnet.errors.FileFormatError: the example has the key 'units' twice
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in pairs:
            if key in result:
                raise FileFormatError(f"{what} has the key {shown(key)} twice")
            result[key] = value
        return result

    def refuse(constant: str) -> NoReturn:
        raise FileFormatError(f"{what} holds {shown(constant)}, which is no JSON number")

    def finite(digits: str) -> float:
        return float(digits) if isfinite(float(digits)) else refuse(digits)

    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse, parse_float=finite)
    except FileFormatError:
        raise
    except RecursionError:
        raise FileFormatError(f"{what} is nested too deeply") from None
    except ValueError:  # no JSON, no UTF-8, or a number of thousands of digits
        raise FileFormatError(f"{what} is not valid JSON") from None


def expect(value: Any, kind: type[T], what: str) -> T:
    """Return the value, or raise unless it is of this JSON type."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        found = _NAMES.get(type(value), type(value).__name__)
        raise FileFormatError(f"{what} should be {_NAMES[kind]}, but is {found}")
    return value


def expect_keys(value: Any, keys: Collection[str], what: str) -> dict[str, Any]:
    """Return the object, or raise unless it has these keys and no other.

    >>> expect_keys({"a": 1, "b": 2}, ["a"], "the example")
    Traceback (most recent call last):
    ...
    dagnet.errors.FileFormatError: the example should have the keys 'a'; it also has 'b'
    """
    entries = expect(value, dict, what)
    wanted = f"{what} should have the keys {', '.join(map(repr, keys))}"
    for key in keys:
        if key not in entries:
            raise FileFormatError(f"{wanted}; it lacks {key!r}")
    for key in entries:
        if key not in keys:
            raise FileFormatError(f"{wanted}; it also has {shown(key)}")
    return entries


def expect_strings(value: Any, what: str, count: int | None = None) -> tuple[str, ...]:
    """Return a list of strings as a tuple, or raise unless it is one, of this length if given."""
    items = expect(value, list, what)
    if count is not None and len(items) != count:
        raise FileFormatError(f"{what} should hold {count} strings, but holds {len(items)} values")
    return tuple(expect(item, str, f"every entry of {what}") for item in items)
