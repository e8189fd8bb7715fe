"""The losses in the compiled code: their terms, the total of these, their gradients."""

import math

from dagnet.fused.compiled.addresses import at, compiled
from dagnet.fused.compiled.codes import (
    ARRAYS,
    BINARY,
    BINARY_BACK,
    CATEGORICAL,
    CATEGORICAL_BACK,
    CODE,
    SIZES,
    SQUARED,
    SQUARED_BACK,
    TOTAL_OF_SQUARES,
)
from dagnet.fused.compiled.elementwise import piece, row
from dagnet.fused.compiled.exponentials import exp, log_one_plus
from dagnet.fused.compiled.products import total_of, total_of_squares


@compiled
def loss(r, start, stop, like):
    """Compute the terms of a loss for some of its elements, or of its examples."""
    if r[CODE] == SQUARED:
        squared(r, start, stop, like)
    elif r[CODE] == BINARY:
        binary(r, start, stop, like)
    elif r[CODE] == CATEGORICAL:
        categorical(r, start, stop, like)


@compiled
def total(r, number, like):
    """Compute a cost: the sum of the terms, divided by a number."""
    terms, cost = piece(r, 0, 0, r[SIZES + 1], like), piece(r, 1, 0, 1, like)
    whole = total_of_squares(terms) if r[CODE] == TOTAL_OF_SQUARES else total_of(terms)
    cost[0] = like.dtype.type(whole) / like.dtype.type(number)


@compiled
def loss_back(r, start, stop, number, like):
    """Compute a loss's gradients: the number times the gradient of the cost is their scale."""
    scale = like.dtype.type(piece(r, 2, 0, 1, like)[0] * number)
    if r[CODE] == SQUARED_BACK:
        squared_back(r, start, stop, scale, like)
    elif r[CODE] == BINARY_BACK:
        binary_back(r, start, stop, scale, like)
    elif r[CODE] == CATEGORICAL_BACK:
        categorical_back(r, start, stop, scale, like)


@compiled
def squared(r, start, stop, like):
    a, y = piece(r, 0, start, stop, like), piece(r, 1, start, stop, like)
    difference = piece(r, 2, start, stop, like)
    for i in range(a.size):
        difference[i] = a[i] - y[i]


@compiled
def squared_back(r, start, stop, scale, like):
    difference = piece(r, 0, start, stop, like)
    if r[ARRAYS + 3]:
        grad = piece(r, 3, start, stop, like)
        for i in range(grad.size):
            grad[i] = difference[i] * (2 * scale)
    if r[ARRAYS + 4]:
        grad = piece(r, 4, start, stop, like)
        for i in range(grad.size):
            grad[i] = difference[i] * (-2 * scale)


@compiled
def binary(r, start, stop, like):
    z, y = piece(r, 0, start, stop, like), piece(r, 1, start, stop, like)
    e, sign = piece(r, 2, start, stop, like), piece(r, 3, start, stop, like)
    step, terms = piece(r, 4, start, stop, like), piece(r, 5, start, stop, like)
    one, zero, half = like.dtype.type(1), like.dtype.type(0), like.dtype.type(0.5)
    for i in range(z.size):
        sign[i] = one if z[i] > zero else (-one if z[i] < zero else z[i] * zero)
        step[i] = sign[i] * half + half - y[i]
    for i in range(z.size):
        e[i] = exp(-abs(z[i]))
        terms[i] = step[i] * z[i] + log_one_plus(e[i])


@compiled
def binary_back(r, start, stop, scale, like):
    e, sign = piece(r, 0, start, stop, like), piece(r, 1, start, stop, like)
    grad, step = piece(r, 3, start, stop, like), piece(r, 4, start, stop, like)
    one = like.dtype.type(1)
    for i in range(e.size):
        grad[i] = (step[i] - sign[i] * (e[i] / (e[i] + one))) * scale


@compiled
def target_row(r, i, start, stop, like):
    """Return a part of a row of the targets, which may lie in any order, and how far each is from
    the one before."""
    down, step = r[SIZES + 2], r[SIZES + 3]
    size = (stop - start - 1) * step + 1
    return at(r[ARRAYS + 1] + (i * down + start * step) * like.itemsize, size, like), step


@compiled
def categorical(r, start, stop, like):
    classes = r[SIZES + 1]
    peak, total = piece(r, 4, start, stop, like), piece(r, 5, start, stop, like)
    zero = like.dtype.type(0)
    z = row(r, 0, 0, start, stop, like)
    for j in range(z.size):
        peak[j], total[j] = z[j], zero
    for i in range(1, classes):
        z = row(r, 0, i, start, stop, like)
        for j in range(z.size):
            peak[j] = z[j] if z[j] > peak[j] or z[j] != z[j] else peak[j]
    for i in range(classes):
        z, p = row(r, 0, i, start, stop, like), row(r, 2, i, start, stop, like)
        shifted = row(r, 3, i, start, stop, like)
        for j in range(z.size):
            shifted[j] = z[j] - peak[j]
        for j in range(z.size):
            p[j] = exp(shifted[j])
        for j in range(z.size):
            total[j] += p[j]
    for i in range(classes):
        p = row(r, 2, i, start, stop, like)
        for j in range(p.size):
            p[j] /= total[j]
    for j in range(total.size):
        total[j] = math.log(total[j])
    for i in range(classes):
        (y, step), shifted = target_row(r, i, start, stop, like), row(r, 3, i, start, stop, like)
        for j in range(shifted.size):
            wanted = y[j * step]
            shifted[j] = (total[j] - shifted[j]) * wanted if wanted != zero else zero


@compiled
def categorical_back(r, start, stop, scale, like):
    classes, sum_y = r[SIZES + 1], piece(r, 4, start, stop, like)
    y, step = target_row(r, 0, start, stop, like)
    for j in range(sum_y.size):
        sum_y[j] = y[j * step]
    for i in range(1, classes):
        y, step = target_row(r, i, start, stop, like)
        for j in range(sum_y.size):
            sum_y[j] += y[j * step]
    for i in range(classes):
        p, (y, step) = row(r, 0, i, start, stop, like), target_row(r, i, start, stop, like)
        grad = row(r, 3, i, start, stop, like)
        for j in range(grad.size):
            grad[j] = (p[j] * sum_y[j] - y[j * step]) * scale
