"""Text for every kind of output: numbers in few digits, and names without control characters."""

import re
from collections.abc import Sequence


def number(value: float) -> str:
    """Return a number in four digits.

    >>> number(0.123456), number(12288.0)
    ('0.1235', '1.229e+04')
    """
    return f"{value:.4g}"


def enumerated(names: Sequence[str], most: int = 40) -> str:
    """Return names with commas between them; of too many, the first and the last.

    >>> enumerated([f"relu{i}" for i in range(1, 9)], most=4)
    'relu1, relu2, ... 4 more ..., relu7, relu8'
    """
    if len(names) <= most:
        return ", ".join(names)
    half = most // 2
    return ", ".join([*names[:half], f"... {len(names) - 2 * half:,} more ...", *names[-half:]])


def printable(text: str, *, keep: str = "") -> str:
    """Return the text with control characters, which no picture can hold, made visible.

    Examples
    --------
    >>> printable("a\\tb")
    'a␉b'
    """
    unprintable = r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"
    return re.sub(unprintable, lambda m: m[0] if m[0] in keep else _visible(ord(m[0])), text)


def _visible(code: int) -> str:
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"
