"""The losses in the compiled code: each is one part, for its cost is one sum."""

import math

from dagnet.fused.compiled.addresses import at, compiled
from dagnet.fused.compiled.codes import (
    ARRAYS,
    BINARY,
    BINARY_BACK,
    CODE,
    NUMBER,
    SIZES,
    SQUARED,
    SQUARED_BACK,
)
from dagnet.fused.compiled.exponentials import exp, log_one_plus
from dagnet.fused.compiled.products import dot, total_of


@compiled
def array(r, place, size, like):
    return at(r[ARRAYS + place], size, like)


@compiled
def loss(r, constants, like):
    """Compute a loss, whose number is what the sum of its terms is divided by."""
    if r[CODE] == SQUARED:
        cost = squared(r, like)
    elif r[CODE] == BINARY:
        cost = binary(r, like)
    else:
        cost = categorical(r, like)
    array(r, 2, 1, like)[0] = cost / like.dtype.type(constants[r[NUMBER]])


@compiled
def loss_back(r, constants, like):
    """Compute a loss's gradients: its number times the gradient of the cost is their scale."""
    scale = like.dtype.type(array(r, 2, 1, like)[0] * constants[r[NUMBER]])
    if r[CODE] == SQUARED_BACK:
        squared_back(r, scale, like)
    elif r[CODE] == BINARY_BACK:
        binary_back(r, scale, like)
    else:
        categorical_back(r, scale, like)


@compiled
def squared(r, like):
    n = r[SIZES]
    a, y, difference = array(r, 0, n, like), array(r, 1, n, like), array(r, 3, n, like)
    for i in range(n):
        difference[i] = a[i] - y[i]
    return dot(difference, difference)


@compiled
def squared_back(r, scale, like):
    n = r[SIZES]
    difference = array(r, 0, n, like)
    if r[ARRAYS + 3]:
        grad = array(r, 3, n, like)
        for i in range(n):
            grad[i] = difference[i] * (2 * scale)
    if r[ARRAYS + 4]:
        grad = array(r, 4, n, like)
        for i in range(n):
            grad[i] = difference[i] * (-2 * scale)


@compiled
def binary(r, like):
    n = r[SIZES]
    z, y, terms = array(r, 0, n, like), array(r, 1, n, like), array(r, 6, n, like)
    e, sign, step = array(r, 3, n, like), array(r, 4, n, like), array(r, 5, n, like)
    one, zero, half = like.dtype.type(1), like.dtype.type(0), like.dtype.type(0.5)
    for i in range(n):
        sign[i] = one if z[i] > zero else (-one if z[i] < zero else z[i] * zero)
        step[i] = sign[i] * half + half - y[i]
    for i in range(n):
        e[i] = exp(-abs(z[i]))
        terms[i] = step[i] * z[i] + log_one_plus(e[i])
    return total_of(terms)


@compiled
def binary_back(r, scale, like):
    n = r[SIZES]
    e, sign, step = array(r, 0, n, like), array(r, 1, n, like), array(r, 4, n, like)
    grad, one = array(r, 3, n, like), like.dtype.type(1)
    for i in range(n):
        grad[i] = (step[i] - sign[i] * (e[i] / (e[i] + one))) * scale


@compiled
def categorical(r, like):
    rows, m = r[SIZES], r[SIZES + 1]
    z, y, p = array(r, 0, rows * m, like), array(r, 1, rows * m, like), array(r, 3, rows * m, like)
    shifted, peak, total = array(r, 4, rows * m, like), array(r, 5, m, like), array(r, 6, m, like)
    zero = like.dtype.type(0)
    for j in range(m):
        peak[j], total[j] = z[j], zero
    for i in range(1, rows):
        for j in range(m):
            v = z[i * m + j]
            peak[j] = v if v > peak[j] or v != v else peak[j]
    for i in range(rows):
        for j in range(m):
            shifted[i * m + j] = z[i * m + j] - peak[j]
        for j in range(i * m, (i + 1) * m):
            p[j] = exp(shifted[j])
        for j in range(m):
            total[j] += p[i * m + j]
    for i in range(rows):
        for j in range(m):
            p[i * m + j] /= total[j]
    for j in range(m):
        total[j] = math.log(total[j])
    for i in range(rows):
        for j in range(m):
            k = i * m + j
            shifted[k] = (total[j] - shifted[k]) * y[k] if y[k] != zero else zero
    return total_of(shifted)


@compiled
def categorical_back(r, scale, like):
    rows, m = r[SIZES], r[SIZES + 1]
    p, y, grad = (
        array(r, 0, rows * m, like),
        array(r, 1, rows * m, like),
        array(r, 3, rows * m, like),
    )
    sum_y = array(r, 4, m, like)
    for j in range(m):
        sum_y[j] = y[j]
    for i in range(1, rows):
        for j in range(m):
            sum_y[j] += y[i * m + j]
    for i in range(rows):
        for j in range(m):
            k = i * m + j
            grad[k] = (p[k] * sum_y[j] - y[k]) * scale
