"""Single numbers that users give: checked, and returned as plain ones of Python.

Every check takes the value and what messages call it, and raises `ArgumentTypeError` for what is
no number, `ArgumentError` for one that is out of bounds.
"""

from math import isfinite
from typing import Any

import numpy as np

from dagnet.errors import ArgumentError, ArgumentTypeError, DagnetError


def check_number(
    value: Any,
    what: str,
    needed: str = "",
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> float:
    """Return `value` as a float, or raise unless it is a finite real number within the bounds.

    `needed` says in messages what it must be; if not given, the bounds are listed.
    """
    if not needed:
        bounds = {">": above, ">=": at_least, "<": below, "<=": at_most}
        listed = (f"{sign} {bound:g}" for sign, bound in bounds.items() if bound is not None)
        needed = f"a number {' and '.join(listed)}".rstrip()
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ArgumentTypeError(f"{what} must be {needed}, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        raise ArgumentError(
            f"{what} must be a number that a float can hold, got an integer of more than 308 digits"
        ) from None
    if not isfinite(number):
        raise ArgumentError(f"{what} must be {needed}, and finite, got {value!r}")
    if (
        (above is not None and number <= above)
        or (at_least is not None and number < at_least)
        or (below is not None and number >= below)
        or (at_most is not None and number > at_most)
    ):
        raise ArgumentError(f"{what} must be {needed}, got {value!r}")
    return number


def check_positive(value: Any, what: str, needed: str = "a positive number") -> float:
    """Return `value` as a float, or raise unless it is above 0."""
    return check_number(value, what, needed, above=0)


def check_not_negative(value: Any, what: str, needed: str = "a number not below 0") -> float:
    """Return `value` as a float, or raise unless it is 0 or above."""
    return check_number(value, what, needed, at_least=0)


def check_fraction(value: Any, what: str) -> float:
    """Return `value` as a float, or raise unless it is from 0 up to but not including 1."""
    return check_number(value, what, "a number in [0, 1)", at_least=0, below=1)


def check_integer(value: Any, what: str, *, at_least: int | None = None) -> int:
    """Return `value` as an int, or raise unless it is an integer from `at_least` up."""
    needed = "an integer" if at_least is None else f"an integer of at least {at_least}"
    if not _is_integer(value):
        raise ArgumentTypeError(f"{what} must be {needed}, got {value!r}")
    if at_least is not None and value < at_least:
        raise ArgumentError(f"{what} must be {needed}, got {value!r}")
    return int(value)


def check_size(
    value: Any,
    what: str,
    needed: str = "a positive integer",
    error: type[DagnetError] = ArgumentError,
) -> int:
    """Return `value` as an int, or raise `error` unless it is a positive integer."""
    if not _is_integer(value) or value < 1:
        raise error(f"{what} must be {needed}, got {value!r}")
    return int(value)


def plain(value: Any) -> Any:
    """Return a number of numpy as one of Python, and anything else as it is."""
    if isinstance(value, np.floating):
        return float(value)
    return int(value) if isinstance(value, np.integer) else value


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
