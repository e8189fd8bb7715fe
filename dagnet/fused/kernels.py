"""The compiled arithmetic of the fused executor: one function that runs any program, by numba.

A program is a table of integers with a row for each instruction: what to do, where in memory its
arrays start, how large they are. So one compilation, kept on disk, serves all networks of a dtype.
Everything that numba compiles is in this file, because it looks at no other to see whether what
it kept is still true. Nothing here may reorder or leave out what decides about NaN and Inf; only
sums may be taken in another order.

What an instruction computes is what the numpy code of its op computes; a test compares them all.
"""

# The addresses of arrays come as integers and `like`, an empty array, gives their dtype.

import math

import numpy as np
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

(
    COPY,
    ACCUMULATE,
    LINEAR,
    LINEAR_BACK,
    RELU,
    RELU_BACK,
    SIGMOID,
    SIGMOID_BACK,
    TANH,
    TANH_BACK,
    SQUARED,
    SQUARED_BACK,
    BINARY,
    BINARY_BACK,
    CATEGORICAL,
    CATEGORICAL_BACK,
) = range(16)


@intrinsic
def pointer(context, address):
    """Return an integer as an address."""

    def generate(context, builder, signature, args):
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(address), generate


def compiled(function):
    return njit(cache=True, error_model="numpy", nogil=True)(function)


#: For sums alone: terms may be added in another order, as BLAS and numpy do; NaN and Inf stay.
summing = njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc"})


@intrinsic
def as_float(context, bits):
    """Return the float64 of these 64 bits."""

    def generate(context, builder, signature, args):
        return builder.bitcast(args[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


@intrinsic
def as_bits(context, value):
    """Return the 64 bits of a float64."""

    def generate(context, builder, signature, args):
        return builder.bitcast(args[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generate


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


@compiled
def at(address, size, like):
    """Return the array of `size` elements at an address."""
    return carray(pointer(address), (size,), like.dtype)


@summing
def dot(a, b):
    total = a.dtype.type(0)
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@summing
def total_of(a):
    total = a.dtype.type(0)
    for i in range(a.size):
        total += a[i]
    return total


@compiled
def linear(r, like):
    n_out, m, n_in = r[8], r[9], r[10]
    W, X, Z = at(r[1], n_out * n_in, like), at(r[2], n_in * m, like), at(r[3], n_out * m, like)
    for i in range(n_out):
        z = Z[i * m : (i + 1) * m]
        w, x = W[i * n_in], X[:m]
        if r[4]:
            b = at(r[4], n_out, like)[i]
            for j in range(m):
                z[j] = w * x[j] + b
        else:
            for j in range(m):
                z[j] = w * x[j]
        for k in range(1, n_in):
            w, x = W[i * n_in + k], X[k * m : (k + 1) * m]
            for j in range(m):
                z[j] += w * x[j]


@compiled
def linear_one(r, like):
    """Compute `linear` on one example, along the rows of W."""
    n_out, n_in = r[8], r[10]
    W, x, z = at(r[1], n_out * n_in, like), at(r[2], n_in, like), at(r[3], n_out, like)
    for i in range(n_out):
        z[i] = dot(W[i * n_in : (i + 1) * n_in], x)
    if r[4]:
        b = at(r[4], n_out, like)
        for i in range(n_out):
            z[i] += b[i]


@compiled
def linear_one_back(r, like):
    """Compute `linear_back` on one example, along the rows of W."""
    n_out, n_in = r[8], r[10]
    dz = at(r[3], n_out, like)
    if r[5]:
        x, dW = at(r[2], n_in, like), at(r[5], n_out * n_in, like)
        for i in range(n_out):
            row, d = dW[i * n_in : (i + 1) * n_in], dz[i]
            for k in range(n_in):
                row[k] = d * x[k]
    if r[6]:
        db = at(r[6], n_out, like)
        for i in range(n_out):
            db[i] = dz[i]
    if r[7]:
        W, dx = at(r[1], n_out * n_in, like), at(r[7], n_in, like)
        for k in range(n_in):
            dx[k] = W[k] * dz[0]
        for i in range(1, n_out):
            row, d = W[i * n_in : (i + 1) * n_in], dz[i]
            for k in range(n_in):
                dx[k] += row[k] * d


@compiled
def linear_back(r, like):
    n_out, m, n_in = r[8], r[9], r[10]
    dZ = at(r[3], n_out * m, like)
    if r[5]:
        X, dW = at(r[2], n_in * m, like), at(r[5], n_out * n_in, like)
        for i in range(n_out):
            for k in range(n_in):
                dW[i * n_in + k] = dot(dZ[i * m : (i + 1) * m], X[k * m : (k + 1) * m])
    if r[6]:
        db = at(r[6], n_out, like)
        for i in range(n_out):
            db[i] = total_of(dZ[i * m : (i + 1) * m])
    if r[7]:
        W, dX = at(r[1], n_out * n_in, like), at(r[7], n_in * m, like)
        for k in range(n_in):
            d = dX[k * m : (k + 1) * m]
            w, z = W[k], dZ[:m]
            for j in range(m):
                d[j] = w * z[j]
            for i in range(1, n_out):
                w, z = W[i * n_in + k], dZ[i * m : (i + 1) * m]
                for j in range(m):
                    d[j] += w * z[j]


@compiled
def unary(r, like):
    z, a = at(r[1], r[8], like), at(r[2], r[8], like)
    one, zero = like.dtype.type(1), like.dtype.type(0)
    if r[0] == RELU:
        for i in range(z.size):
            a[i] = zero if z[i] <= zero else z[i]
    elif r[0] == SIGMOID:
        for i in range(z.size):
            a[i] = exp(min(z[i], zero)) / (one + exp(-abs(z[i])))
    else:
        for i in range(z.size):
            a[i] = math.tanh(z[i])


@compiled
def unary_back(r, like):
    a, da, dz = at(r[1], r[8], like), at(r[2], r[8], like), at(r[3], r[8], like)
    one, zero = like.dtype.type(1), like.dtype.type(0)
    if r[0] == RELU_BACK:
        for i in range(a.size):
            dz[i] = da[i] if a[i] > zero else zero
    elif r[0] == SIGMOID_BACK:
        for i in range(a.size):
            dz[i] = (one - a[i]) * a[i] * da[i]
    else:
        for i in range(a.size):
            dz[i] = (one - a[i] * a[i]) * da[i]


@compiled
def squared(r, like):
    n = r[8]
    a, y, difference = at(r[1], n, like), at(r[2], n, like), at(r[4], n, like)
    for i in range(n):
        difference[i] = a[i] - y[i]
    return dot(difference, difference)


@compiled
def squared_back(r, scale, like):
    n = r[8]
    difference = at(r[1], n, like)
    if r[4]:
        grad = at(r[4], n, like)
        for i in range(n):
            grad[i] = difference[i] * (2 * scale)
    if r[5]:
        grad = at(r[5], n, like)
        for i in range(n):
            grad[i] = difference[i] * (-2 * scale)


@compiled
def binary(r, like):
    n = r[8]
    z, y, terms = at(r[1], n, like), at(r[2], n, like), at(r[7], n, like)
    e, sign, step = at(r[4], n, like), at(r[5], n, like), at(r[6], n, like)
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
    n = r[8]
    e, sign, step = at(r[1], n, like), at(r[2], n, like), at(r[5], n, like)
    grad, one = at(r[4], n, like), like.dtype.type(1)
    for i in range(n):
        grad[i] = (step[i] - sign[i] * (e[i] / (e[i] + one))) * scale


@compiled
def categorical(r, like):
    rows, m = r[8], r[9]
    z, y, p = at(r[1], rows * m, like), at(r[2], rows * m, like), at(r[4], rows * m, like)
    shifted, peak, total = at(r[5], rows * m, like), at(r[6], m, like), at(r[7], m, like)
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
    rows, m = r[8], r[9]
    p, y, grad = at(r[1], rows * m, like), at(r[2], rows * m, like), at(r[4], rows * m, like)
    sum_y = at(r[5], m, like)
    for j in range(m):
        sum_y[j] = y[j]
    for i in range(1, rows):
        for j in range(m):
            sum_y[j] += y[i * m + j]
    for i in range(rows):
        for j in range(m):
            k = i * m + j
            grad[k] = (p[k] * sum_y[j] - y[k]) * scale


@compiled
def collect(r, like):
    part, total = at(r[1], r[8], like), at(r[2], r[8], like)
    if r[0] == COPY:
        for i in range(total.size):
            total[i] = part[i]
    else:
        for i in range(total.size):
            total[i] += part[i]


@compiled
def run(program, constants, like):
    """Carry out a program's instructions in order."""
    for i in range(program.shape[0]):
        r = program[i]
        code = r[0]
        if code <= ACCUMULATE:
            collect(r, like)
        elif code == LINEAR:
            if r[9] == 1:
                linear_one(r, like)
            else:
                linear(r, like)
        elif code == LINEAR_BACK:
            if r[9] == 1:
                linear_one_back(r, like)
            else:
                linear_back(r, like)
        elif code in (RELU, SIGMOID, TANH):
            unary(r, like)
        elif code in (RELU_BACK, SIGMOID_BACK, TANH_BACK):
            unary_back(r, like)
        elif code in (SQUARED, BINARY, CATEGORICAL):
            if code == SQUARED:
                cost = squared(r, like)
            elif code == BINARY:
                cost = binary(r, like)
            else:
                cost = categorical(r, like)
            at(r[3], 1, like)[0] = cost / like.dtype.type(constants[r[11]])
        else:
            scale = like.dtype.type(at(r[3], 1, like)[0] * constants[r[11]])
            if code == SQUARED_BACK:
                squared_back(r, scale, like)
            elif code == BINARY_BACK:
                binary_back(r, scale, like)
            else:
                categorical_back(r, scale, like)


@compiled
def sgd(p, g, numbers):
    (rate,) = numbers
    for i in range(p.size):
        p[i] -= g[i] * rate[()]


@compiled
def momentum(p, g, v, numbers):
    rate, keep, add = numbers
    for i in range(p.size):
        v[i] = v[i] * keep[()] + g[i] * add[()]
        p[i] -= v[i] * rate[()]


@compiled
def rmsprop(p, g, s, numbers):
    rate, keep, add, eps = numbers
    for i in range(p.size):
        s[i] = s[i] * keep[()] + g[i] * g[i] * add[()]
        p[i] -= g[i] / (math.sqrt(s[i]) + eps[()]) * rate[()]


@compiled
def adam(p, g, m, v, numbers):
    keep1, add1, keep2, add2, eps, rate = numbers
    for i in range(p.size):
        m[i] = m[i] * keep1[()] + g[i] * add1[()]
        v[i] = v[i] * keep2[()] + g[i] * g[i] * add2[()]
        p[i] -= m[i] / (math.sqrt(v[i]) + eps[()]) * rate[()]
