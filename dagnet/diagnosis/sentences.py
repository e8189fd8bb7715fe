"""Sentences: what happened, said with the numbers at hand."""

from collections.abc import Sequence

import numpy as np

from dagnet.diagnosis.evidence import Evidence
from dagnet.diagnosis.places import Places
from dagnet.text import number


def first_element(places: Places) -> str:
    """Return the first bad element and its place: ``inf at [2, 4]``."""
    place = f" at {list(places.indices[0])}" if places.indices[0] else ""
    return f"{number(places.values[0])}{place}"


def made_of(
    what: str, places: Places, evidence: Sequence[Evidence], dtype: np.dtype, kept: bool
) -> str:
    """Say which numbers an op made a bad element of.

    Parameters
    ----------
    what : str
        Who makes it: ``"Log"``, ``"the backward of Log"``.
    places : Places
    evidence : sequence of Evidence
    dtype : dtype
    kept : bool
        Whether all that it read was kept.
    """
    begin = f"{what} makes {first_element(places)}"
    alone = [e for e in evidence if e.alone]
    largest = ", ".join(str(e) for e in evidence if not e.alone)
    if not alone:
        if not kept:
            return f"{begin} of values that are gone; run with keep='all' to see of which"
        return f"{begin} of values that are not bad; the largest are {largest}"
    here = [e for e in alone if e.index == alone[0].index]
    text = f"{begin} of {' and '.join(map(str, here))}"
    beyond = [e for e in alone if e.index != alone[0].index]
    if beyond:
        text += f"; the largest that it makes so is {beyond[0]}"
    if largest:
        return f"{text}; its largest parameters are {largest}"
    return text + _why(here[0].number, places.values[0], dtype)


def _why(read: float, made: float, dtype: np.dtype) -> str:
    """Say what is known to make such a number of what was read.

    >>> _why(0.0, float("-inf"), np.dtype("float64"))
    ' (log 0 and 1/0 are not finite)'
    """
    if np.isfinite(made):
        return ""
    if read == 0:
        return " (log 0 and 1/0 are not finite)"
    with np.errstate(all="ignore"):
        if np.isposinf(np.exp(dtype.type(abs(read)))):
            limit = np.log(np.finfo(dtype).max)
            return f" (exp overflows {dtype} beyond {limit:.2f})"
    if read < 0 and np.isnan(made):
        return " (logarithms and roots of negative numbers are NaN)"
    return ""
