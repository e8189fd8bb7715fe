"""What the compiled code does to every element of arrays by itself: activations, sums, updates.

Each works on the elements from `start` to `stop`, as one of the parts of an instruction.
"""

import math

from dagnet.fused.compiled.addresses import at, compiled, copy
from dagnet.fused.compiled.codes import (
    ACCUMULATE,
    ADAM,
    ADD,
    ARRAYS,
    CODE,
    COPY,
    ELU,
    ELU_BACK,
    GELU,
    GELU_BY_TANH,
    LEAKY_RELU,
    LEAKY_RELU_BACK,
    MOMENTUM,
    MULTIPLY,
    RELU,
    RELU_BACK,
    RMSPROP,
    SGD,
    SIGMOID,
    SIGMOID_BACK,
    SIZES,
    SOFTPLUS,
    SOFTPLUS_BACK,
    TANH,
    TANH_BACK,
)
from dagnet.fused.compiled.exponentials import exp, exp_minus_one, log_one_plus, tanh
from dagnet.fused.compiled.gelu import gelu, gelu_by_tanh


@compiled
def piece(r, place, start, stop, like):
    """Return the elements from `start` to `stop` of one array of an instruction."""
    return at(r[ARRAYS + place] + start * like.itemsize, stop - start, like)


@compiled
def row(r, place, i, start, stop, like):
    """Return a part of a row of an array that has a column for each example."""
    first = i * r[SIZES]
    return piece(r, place, first + start, first + stop, like)


@compiled
def _copy_over(source, target):
    """Copy, unless both are one. What follows works in place, in a loop that knows only one array:
    of two, it could not be known that they are not shifted, and elements would be done one by one.
    """
    if source.ctypes.data != target.ctypes.data:
        copy(source, target)


@compiled
def collect(r, start, stop, like):
    part, total = piece(r, 0, start, stop, like), piece(r, 1, start, stop, like)
    if r[CODE] == COPY:
        _copy_over(part, total)
    elif r[CODE] == ACCUMULATE:
        for i in range(total.size):
            total[i] += part[i]


@compiled
def join(r, start, stop, like):
    b, c = piece(r, 1, start, stop, like), piece(r, 2, start, stop, like)
    _copy_over(piece(r, 0, start, stop, like), c)
    if r[CODE] == ADD:
        for i in range(c.size):
            c[i] += b[i]
    elif r[CODE] == MULTIPLY:
        for i in range(c.size):
            c[i] *= b[i]


@compiled
def activation(r, start, stop, number, like):
    a = piece(r, 1, start, stop, like)
    _copy_over(piece(r, 0, start, stop, like), a)
    one, zero = like.dtype.type(1), like.dtype.type(0)
    if r[CODE] == RELU:
        for i in range(a.size):
            a[i] = zero if a[i] <= zero else a[i]
    elif r[CODE] == LEAKY_RELU:
        slope = like.dtype.type(number)
        for i in range(a.size):
            a[i] = a[i] * slope if a[i] <= zero else a[i]
    elif r[CODE] == ELU:
        for i in range(a.size):
            a[i] = a[i] if a[i] > zero else number * exp_minus_one(a[i])
    elif r[CODE] == SOFTPLUS:
        for i in range(a.size):
            a[i] = (zero if a[i] <= zero else a[i]) + log_one_plus(exp(-abs(a[i])))
    elif r[CODE] == GELU:
        derivative = piece(r, 2, start, stop, like)
        for i in range(a.size):
            a[i], derivative[i] = gelu(a[i])
    elif r[CODE] == GELU_BY_TANH:
        derivative = piece(r, 2, start, stop, like)
        for i in range(a.size):
            a[i], derivative[i] = gelu_by_tanh(a[i])
    elif r[CODE] == SIGMOID:
        for i in range(a.size):
            a[i] = exp(min(a[i], zero)) / (one + exp(-abs(a[i])))
    elif r[CODE] == TANH:
        for i in range(a.size):
            a[i] = tanh(a[i])


@compiled
def activation_back(r, start, stop, number, like):
    a, d = piece(r, 0, start, stop, like), piece(r, 2, start, stop, like)
    _copy_over(piece(r, 1, start, stop, like), d)
    one, zero = like.dtype.type(1), like.dtype.type(0)
    if r[CODE] == RELU_BACK:
        for i in range(d.size):
            d[i] = d[i] if a[i] > zero else zero
    elif r[CODE] == LEAKY_RELU_BACK:
        slope = like.dtype.type(number)
        for i in range(d.size):
            d[i] *= one if a[i] > zero else slope
    elif r[CODE] == ELU_BACK:
        alpha = like.dtype.type(number)
        for i in range(d.size):
            d[i] *= one if a[i] > zero else a[i] + alpha
    elif r[CODE] == SOFTPLUS_BACK:
        for i in range(d.size):
            d[i] *= -exp_minus_one(-a[i])
    elif r[CODE] == SIGMOID_BACK:
        for i in range(d.size):
            d[i] *= (one - a[i]) * a[i]
    elif r[CODE] == TANH_BACK:
        for i in range(d.size):
            d[i] *= one - a[i] * a[i]


@compiled
def update(r, start, stop, like):
    """Update parameters as the optimizers do; their numbers are the last array."""
    p, g = piece(r, 0, start, stop, like), piece(r, 1, start, stop, like)
    n = piece(r, 4, 0, 6, like)
    if r[CODE] == SGD:
        rate = n[0]
        for i in range(p.size):
            p[i] -= g[i] * rate
    elif r[CODE] == MOMENTUM:
        v = piece(r, 2, start, stop, like)
        rate, keep, add = n[0], n[1], n[2]
        for i in range(p.size):
            v[i] = v[i] * keep + g[i] * add
            p[i] -= v[i] * rate
    elif r[CODE] == RMSPROP:
        s = piece(r, 2, start, stop, like)
        rate, keep, add, eps = n[0], n[1], n[2], n[3]
        for i in range(p.size):
            s[i] = s[i] * keep + g[i] * g[i] * add
            p[i] -= g[i] / (math.sqrt(s[i]) + eps) * rate
    elif r[CODE] == ADAM:
        m, v = piece(r, 2, start, stop, like), piece(r, 3, start, stop, like)
        keep1, add1, keep2, add2, eps, rate = n[0], n[1], n[2], n[3], n[4], n[5]
        for i in range(p.size):
            m[i] = m[i] * keep1 + g[i] * add1
            v[i] = v[i] * keep2 + g[i] * g[i] * add2
            p[i] -= m[i] / (math.sqrt(v[i]) + eps) * rate
