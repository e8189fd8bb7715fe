"""The exponential and a logarithm, in operations that processors do on several numbers at once."""

import numpy as np

from dagnet.fused.compiled.addresses import as_bits, as_float, compiled

#: Adding this to a number below 2^51 rounds it to an integer, which its lowest bits then hold.
ROUNDING = 1.5 * 2.0**52
ROUNDING_BITS = int(np.float64(ROUNDING).view(np.int64))
LN2_HIGH = float.fromhex("0x1.62e42feep-1")
LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")


@compiled
def power_of_two(k):
    """Return 2^k for an integral float k that gives a normal number."""
    return as_float((as_bits(k + ROUNDING) - ROUNDING_BITS + 1023) << 52)


@compiled
def exp(value):
    """Return the exponential, in operations that a processor does on several numbers at once.

    With ``x = k ln 2 + r``, it is ``2^k exp(r)``, and 14 terms of the series give exp(r) to the
    last bit but one. Halves of k, as 2^k itself may be too small or large for a number.
    Source: Cody and Waite, *Software Manual for the Elementary Functions* (1980), chapter 6.
    """
    given = np.float64(value)
    x = given if given > -746.0 else -746.0
    x = x if x < 710.0 else 710.0
    k = (x * 1.4426950408889634 + ROUNDING) - ROUNDING
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r * r + r + 1.0
    half = (k * 0.5 + ROUNDING) - ROUNDING
    result = p * power_of_two(half) * power_of_two(k - half)
    return result if given == given else given


@compiled
def log_one_plus(e):
    """Return log(1 + e) for e from 0 to 1, without loss where e is small.

    It is ``2 artanh(s)`` with ``s = e / (2 + e)``, at most 1/3, and 17 terms of that series.
    """
    s = np.float64(e) / (2.0 + np.float64(e))
    q = s * s
    p = 1.0 / 33.0
    p = p * q + 1.0 / 31.0
    p = p * q + 1.0 / 29.0
    p = p * q + 1.0 / 27.0
    p = p * q + 1.0 / 25.0
    p = p * q + 1.0 / 23.0
    p = p * q + 1.0 / 21.0
    p = p * q + 1.0 / 19.0
    p = p * q + 1.0 / 17.0
    p = p * q + 1.0 / 15.0
    p = p * q + 1.0 / 13.0
    p = p * q + 1.0 / 11.0
    p = p * q + 1.0 / 9.0
    p = p * q + 1.0 / 7.0
    p = p * q + 1.0 / 5.0
    p = p * q + 1.0 / 3.0
    return 2.0 * (s + s * q * p) if e > 1e-17 else np.float64(e)  # s would lose the last bit
