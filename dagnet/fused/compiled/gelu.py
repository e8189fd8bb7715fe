"""GELU with its derivative, as `dagnet.ops.gelu` defines them."""

import numpy as np

from dagnet.fused.compiled.addresses import contracting
from dagnet.fused.compiled.exponentials import exp, tanh

ROOT_2_OVER_PI = 0.7978845608028654
ROOT_1_OVER_2PI = 0.3989422804014327


@contracting
def tail(u, e):
    """Return the normal distribution function at -u for u from 0 to 40, where e is exp(-u²/2).

    The coefficients are those of `dagnet.ops.gelu`.
    """
    p = 1.3921706556370799652e-6
    p = p * u + 0.000037401344532137901582
    p = p * u + 0.0004920538991902360913
    p = p * u + 0.0041007212400490797395
    p = p * u + 0.023676502953514041805
    p = p * u + 0.097877426319902951035
    p = p * u + 0.28973158698909200002
    p = p * u + 0.59460780867435684827
    p = p * u + 0.7752637802774735743
    p = p * u + 0.49999999999999997457
    q = 3.4896543285410452188e-6
    q = q * u + 0.000093751267711468507805
    q = q * u + 0.0012368858708702816312
    q = q * u + 0.010372735063688342522
    q = q * u + 0.060574609065942394955
    q = q * u + 0.2554337941494322353
    q = q * u + 0.78316592231179589179
    q = q * u + 1.716178723833929952
    q = q * u + 2.5629773913827343302
    q = q * u + 2.3484121213578023423
    q = q * u + 1.0
    return p / q * e


@contracting
def gelu(value):
    """Return z Φ(z) and its derivative."""
    z = np.float64(value)
    far = abs(z)
    u = 40.0 if far > 40.0 else far
    e = exp(u * u * -0.5)
    t = tail(u, e)
    sign = 1.0 if z > 0.0 else (-1.0 if z < 0.0 else z)
    output = (0.0 if z <= 0.0 else z) - u * t
    return output, (sign * 0.5 + 0.5) - sign * (t - u * e * ROOT_1_OVER_2PI)


@contracting
def gelu_by_tanh(value):
    """Return the formula with tanh, and its derivative."""
    z = np.float64(value)
    low = -20.0 if z < -20.0 else z
    v = 20.0 if low > 20.0 else low
    cubic = v * v * 0.044715
    t = tanh((cubic * v + v) * ROOT_2_OVER_PI)
    half = (t + 1.0) * 0.5
    slope = (cubic * 3.0 + 1.0) * v * (ROOT_2_OVER_PI * 0.5)
    return low * half, slope * (1.0 - t * t) + half
