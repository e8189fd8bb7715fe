"""PyTensor: the whole step is one compiled function over shared variables. Examples are rows."""

import numpy as np
import pytensor
from pytensor import tensor as pt
from workloads import Workload

from peers import Problem
from peers.chain import scores


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

    def relu(Z):
        return pt.maximum(Z, np.zeros((), work.dtype))

    Z = scores(work, X, linear, relu)
    if work.output == "sigmoid":
        J = pt.mean(pt.softplus(Z) - Y * Z)
    else:
        J = -pt.mean(pt.sum(Y * pt.special.log_softmax(Z, axis=1), axis=1))
    params = [p for pair in pairs for p in pair]
    grads = pt.grad(J, params)
    rule = adam if work.optimizer == "adam" else sgd
    step = pytensor.function([], J, updates=rule(params, grads, np.dtype(work.dtype).type, work))
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
