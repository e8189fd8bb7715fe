"""The exponential and a logarithm, in operations that processors do on several numbers at once."""

import math

import numpy as np

from dagnet.fused.compiled.addresses import as_bits, as_float, compiled, contracting

#: Adding this to a number below 2^51 rounds it to an integer, which its lowest bits then hold.
ROUNDING = 1.5 * 2.0**52
ROUNDING_BITS = int(np.float64(ROUNDING).view(np.int64))
LN2_HIGH = float.fromhex("0x1.62e42feep-1")
LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")


@compiled
def power_of_two(k):
    """Return 2^k for an integral float k that gives a normal number."""
    return as_float((as_bits(k + ROUNDING) - ROUNDING_BITS + 1023) << 52)


@contracting
def reduced(x):
    """Return k and r of ``x = k ln 2 + r``, where r is at most half of ln 2."""
    k = (x * 1.4426950408889634 + ROUNDING) - ROUNDING
    return k, (x - k * LN2_HIGH) - k * LN2_LOW


@contracting
def rest_of_exp(r):
    """Return exp(r) - 1 for r between plus and minus half of ln 2.

    The coefficients are those of the polynomial that meets ``(exp(r) - 1 - r) / r²`` at the
    Chebyshev points of its interval.
    """
    p = 2.510038549551032e-08
    p = p * r + 2.7620088445409746e-07
    p = p * r + 2.7557268459997064e-06
    p = p * r + 2.4801521295954376e-05
    p = p * r + 0.00019841269863053618
    p = p * r + 0.0013888888917213717
    p = p * r + 0.008333333333330062
    p = p * r + 0.04166666666662413
    p = p * r + 0.16666666666666669
    p = p * r + 0.5
    return p * r * r + r


@contracting
def exp(value):
    """Return the exponential, to the last bit but one.

    With ``x = k ln 2 + r``, it is ``2^k exp(r)``. Halves of k, as 2^k itself may be too small or
    large for a number.
    Source: Cody and Waite, *Software Manual for the Elementary Functions* (1980), chapter 6.
    """
    given = np.float64(value)
    x = given if given > -746.0 else -746.0
    x = x if x < 710.0 else 710.0
    k, r = reduced(x)
    p = rest_of_exp(r) + 1.0
    half = (k * 0.5 + ROUNDING) - ROUNDING
    result = p * power_of_two(half) * power_of_two(k - half)
    return result if given == given else given


@contracting
def exp_minus_one(value):
    """Return exp(x) - 1 for x up to 0, without loss where x is small.

    With ``x = k ln 2 + r``, it is ``2^k (exp(r) - 1) + (2^k - 1)``.
    """
    given = np.float64(value)
    k, r = reduced(given if given > -80.0 else -80.0)
    scale = power_of_two(k)
    result = scale * rest_of_exp(r) + (scale - 1.0)
    return result if given == given else given


@contracting
def tanh(value):
    """Return the hyperbolic tangent: ``-q / (q + 2)`` with ``q = exp(-2 |x|) - 1``."""
    given = np.float64(value)
    q = exp_minus_one(-2.0 * abs(given))
    return math.copysign(q / (q + 2.0), given) if given == given else given


@contracting
def log_one_plus(e):
    """Return log(1 + e) for e from 0 to 1, without loss where e is small.

    It is ``2 artanh(s)`` with ``s = e / (2 + e)``, at most 1/3. The coefficients are those of the
    polynomial in s² that meets ``(artanh(s) / s - 1) / s²`` at the Chebyshev points.
    """
    s = np.float64(e) / (2.0 + np.float64(e))
    q = s * s
    p = 0.08082022805971766
    p = p * q + 0.04400369243072337
    p = p * q + 0.06000536404795356
    p = p * q + 0.06657072104827468
    p = p * q + 0.07692785032479312
    p = p * q + 0.09090894718066429
    p = p * q + 0.11111111358713932
    p = p * q + 0.1428571428355438
    p = p * q + 0.20000000000007292
    p = p * q + 0.3333333333333333
    return 2.0 * (s + s * q * p) if e > 1e-17 else np.float64(e)  # s would lose the last bit
