"""PyTensor: the whole step is one compiled function over shared variables. Examples are rows."""

import numpy as np
import pytensor
from pytensor import tensor as pt
from workloads import Workload

from peers import Problem
from peers.chain import EPS, scores


def build(work: Workload, problem: Problem):
    pytensor.config.floatX = work.dtype
    X, Y = (pytensor.shared(array.T.copy(), borrow=True) for array in problem.data())
    pairs = [
        (pytensor.shared(W, borrow=True), pytensor.shared(b.reshape(-1), borrow=True))
        for W, b in problem.layers()
    ]

    def linear(number, A):
        W, b = pairs[number]
        return A @ W.T + b

    norms = [
        tuple(pytensor.shared(make(n, work.dtype)) for make in (np.ones, np.zeros))
        for n in work.normalized
    ]
    number_of = np.dtype(work.dtype).type

    def hidden(number, Z):
        if work.hidden == "gelu":
            half, root = number_of(0.5), number_of(0.5**0.5)
            return Z * (half + half * pt.erf(Z * root))
        if work.hidden == "batchnorm":
            gamma, beta = norms[number]
            scale = gamma / pt.sqrt(pt.var(Z, axis=0) + number_of(EPS))
            Z = (Z - pt.mean(Z, axis=0)) * scale + beta
        return pt.maximum(Z, number_of(0))

    Z = scores(work, X, linear, hidden)
    if work.output == "sigmoid":
        J = pt.mean(pt.softplus(Z) - Y * Z)
    else:
        J = -pt.mean(pt.sum(Y * pt.special.log_softmax(Z, axis=1), axis=1))
    params = [p for pair in pairs + norms for p in pair]
    grads = pt.grad(J, params)
    rule = adam if work.optimizer == "adam" else sgd
    step = pytensor.function([], J, updates=rule(params, grads, number_of, work))
    return step, lambda: [(W.get_value(), b.get_value().reshape(-1, 1)) for W, b in pairs]


def sgd(params, grads, number, work: Workload):
    return [(p, p - number(work.rate) * g) for p, g in zip(params, grads, strict=True)]


def adam(params, grads, number, work: Workload):
    steps = pytensor.shared(number(0))
    updates = [(steps, steps + number(1))]
    for p, g in zip(params, grads, strict=True):
        v, s = (pytensor.shared(np.zeros_like(p.get_value())) for _ in range(2))
        v_new = number(0.9) * v + number(0.1) * g
        s_new = number(0.999) * s + number(0.001) * g * g
        v_hat = v_new / (number(1) - number(0.9) ** updates[0][1])
        s_hat = s_new / (number(1) - number(0.999) ** updates[0][1])
        updates += [(v, v_new), (s, s_new)]
        updates += [(p, p - number(work.rate) * v_hat / (pt.sqrt(s_hat) + number(1e-8)))]
    return updates
