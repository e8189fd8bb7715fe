"""Normalisation in the compiled code: of rows, as batch norm, and of columns, as layer norm."""

import math

import numpy as np
from numba import carray

from dagnet.fused.compiled.addresses import at, compiled, pointer
from dagnet.fused.compiled.codes import (
    ARRAYS,
    BATCH_NORM_BACK,
    CODE,
    LAYER_NORM,
    LAYER_NORM_BACK,
    MOVE_STATISTIC,
    SCALE_ROWS,
    SCALE_SUMS,
    SIZES,
    STANDARDIZE_ROWS,
    STANDARDIZE_ROWS_BY,
)
from dagnet.fused.compiled.elementwise import piece, row
from dagnet.fused.compiled.products import total_of, total_of_products, total_of_squares

#: How many columns are done at a time, so that their sums stay near.
TOGETHER = 256


@compiled
def normalize(r, start, stop, number, area, like):
    """Do an instruction of a normalisation to some of the rows or, of layer norm, the columns."""
    if r[CODE] == STANDARDIZE_ROWS:
        standardize_rows(r, start, stop, number, like)
    elif r[CODE] == STANDARDIZE_ROWS_BY:
        standardize_rows_by(r, start, stop, number, like)
    elif r[CODE] == SCALE_ROWS:
        scale_rows(r, start, stop, like)
    elif r[CODE] == MOVE_STATISTIC:
        move_statistic(r, start, stop, number, like)
    elif r[CODE] == BATCH_NORM_BACK:
        batch_norm_back(r, start, stop, like)
    elif r[CODE] == LAYER_NORM:
        layer_norm(r, start, stop, number, area, like)
    elif r[CODE] == SCALE_SUMS:
        scale_sums(r, start, stop, like)
    elif r[CODE] == LAYER_NORM_BACK:
        layer_norm_back(r, start, stop, area, like)


@compiled
def line(r, place, i, like):
    """Return a row of an array whose rows all are as long as the second size says."""
    return at(r[ARRAYS + place] + i * r[SIZES + 1] * like.itemsize, r[SIZES + 1], like)


@compiled
def per_row(r, place, like):
    """Return an array with a number for each row."""
    return at(r[ARRAYS + place], r[SIZES], like)


@compiled
def standardize_rows(r, start, stop, eps, like):
    inverse, means = per_row(r, 2, like), per_row(r, 3, like)
    variances = per_row(r, 4, like)
    for i in range(start, stop):
        x, normalized = line(r, 0, i, like), line(r, 1, i, like)
        mean = total_of(x) / x.size
        for j in range(x.size):
            normalized[j] = x[j] - mean
        variance = total_of_squares(normalized) / x.size
        scale = 1.0 / math.sqrt(variance + eps)
        for j in range(x.size):
            normalized[j] = (x[j] - mean) * scale
        inverse[i], means[i], variances[i] = scale, mean, variance


@compiled
def standardize_rows_by(r, start, stop, eps, like):
    """Standardize rows by statistics that are given."""
    inverse, means = per_row(r, 2, like), per_row(r, 3, like)
    variances = per_row(r, 4, like)
    for i in range(start, stop):
        x, normalized = line(r, 0, i, like), line(r, 1, i, like)
        mean, scale = float(means[i]), 1.0 / math.sqrt(variances[i] + eps)
        inverse[i] = scale
        for j in range(x.size):
            normalized[j] = (x[j] - mean) * scale


@compiled
def scale_rows(r, start, stop, like):
    """Multiply each row by a number and, if there are any, add another."""
    scales = per_row(r, 2, like)
    for i in range(start, stop):
        x, a, scale = line(r, 0, i, like), line(r, 1, i, like), scales[i]
        if r[ARRAYS + 3]:
            shift = per_row(r, 3, like)[i]
            for j in range(a.size):
                a[j] = x[j] * scale + shift
        else:
            for j in range(a.size):
                a[j] = x[j] * scale


@compiled
def move_statistic(r, start, stop, momentum, like):
    """Fold a new statistic into a running one; if it is a variance, of so many values, unbiased."""
    new, running = piece(r, 0, start, stop, like), piece(r, 1, start, stop, like)
    n = r[SIZES + 1]
    keep = like.dtype.type(1.0 - momentum)
    add = like.dtype.type(momentum * (n / (n - 1)) if n > 1 else momentum)
    for i in range(running.size):
        running[i] = running[i] * keep + new[i] * add


@compiled
def batch_norm_back(r, start, stop, like):
    inverse, gamma = per_row(r, 2, like), per_row(r, 3, like)
    for i in range(start, stop):
        g, normalized = line(r, 0, i, like), line(r, 1, i, like)
        total, product = total_of(g), total_of_products(g, normalized)
        if r[ARRAYS + 4]:
            per_row(r, 4, like)[i] = product
        if r[ARRAYS + 5]:
            per_row(r, 5, like)[i] = total
        if r[ARRAYS + 6]:
            d, scale = line(r, 6, i, like), float(gamma[i]) * inverse[i]
            mean, mean_product = total / g.size, product / g.size
            for j in range(d.size):
                d[j] = (g[j] - mean - normalized[j] * mean_product) * scale


@compiled
def scale_sums(r, start, stop, like):
    """Compute the gradients of gamma and of beta: sums along rows."""
    for i in range(start, stop):
        g = line(r, 0, i, like)
        if r[ARRAYS + 2]:
            per_row(r, 2, like)[i] = total_of_products(g, line(r, 1, i, like))
        if r[ARRAYS + 3]:
            per_row(r, 3, like)[i] = total_of(g)


@compiled
def layer_norm(r, start, stop, eps, area, like):
    units = r[SIZES + 1]
    gamma, beta = at(r[ARRAYS + 4], units, like), at(r[ARRAYS + 5], units, like)
    for left in range(start, stop, TOGETHER):
        right = min(left + TOGETHER, stop)
        mean, inverse = sums(area, 0, right - left), sums(area, 1, right - left)
        for i in range(units):
            x = row(r, 0, i, left, right, like)
            for j in range(x.size):
                mean[j] += x[j]
        for j in range(mean.size):
            mean[j] /= units
        for i in range(units):
            x = row(r, 0, i, left, right, like)
            for j in range(x.size):
                inverse[j] += (x[j] - mean[j]) ** 2
        kept = piece(r, 3, left, right, like)
        for j in range(inverse.size):
            inverse[j] = 1.0 / math.sqrt(inverse[j] / units + eps)
            kept[j] = inverse[j]
        for i in range(units):
            x, a = row(r, 0, i, left, right, like), row(r, 1, i, left, right, like)
            normalized, scale, shift = row(r, 2, i, left, right, like), gamma[i], beta[i]
            for j in range(x.size):
                normalized[j] = (x[j] - mean[j]) * inverse[j]
            for j in range(x.size):
                a[j] = normalized[j] * scale + shift


@compiled
def layer_norm_back(r, start, stop, area, like):
    units = r[SIZES + 1]
    gamma = at(r[ARRAYS + 3], units, like)
    for left in range(start, stop, TOGETHER):
        right = min(left + TOGETHER, stop)
        mean, mean_product = sums(area, 0, right - left), sums(area, 1, right - left)
        for i in range(units):
            g, normalized = row(r, 0, i, left, right, like), row(r, 1, i, left, right, like)
            scale = float(gamma[i])
            for j in range(g.size):
                mean[j] += g[j] * scale
                mean_product[j] += g[j] * scale * normalized[j]
        for j in range(mean.size):
            mean[j] /= units
            mean_product[j] /= units
        inverse = piece(r, 2, left, right, like)
        for i in range(units):
            g, normalized = row(r, 0, i, left, right, like), row(r, 1, i, left, right, like)
            d, scale = row(r, 4, i, left, right, like), float(gamma[i])
            for j in range(d.size):
                d[j] = (g[j] * scale - mean[j] - normalized[j] * mean_product[j]) * inverse[j]


@compiled
def sums(area, number, size):
    """Return sums of a thread's own, all 0 yet, in double precision."""
    found = carray(pointer(area + number * TOGETHER * 8), (size,), np.float64)
    found[:] = 0.0
    return found
