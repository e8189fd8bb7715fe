"""Numbers with their units, as a drawing shows them."""

from math import isfinite

from dagnet.text import number

#: Units that are written in a way of their own.
UNITS = ("s", "B", "%", "count")


def quantity(value: float, unit: str = "") -> str:
    """Return a number in three or four digits, with its unit.

    Examples
    --------
    >>> quantity(0.00123, "s"), quantity(98304, "B"), quantity(0.25, "%"), quantity(12288, "count")
    ('1.23 ms', '96 KiB', '25%', '12,288')
    >>> quantity(0.031234), quantity(float("inf"), "s")
    ('0.03123', 'inf')
    """
    if not isfinite(value):
        return number(value)
    if unit == "s":
        return _scaled(value, 1000, ("ns", "µs", "ms", "s"), 1e-9)
    if unit == "B":
        return _scaled(value, 1024, ("B", "KiB", "MiB", "GiB"), 1.0)
    if unit == "%":
        return f"{100 * value:.3g}%"
    if unit == "count":
        return f"{value:,.0f}"
    return number(value)


def _scaled(value: float, base: int, units: tuple[str, ...], first: float) -> str:
    value /= first
    for unit in units[:-1]:
        if abs(value) < base:
            return f"{_short(value)} {unit}"
        value /= base
    return f"{_short(value)} {units[-1]}"


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
