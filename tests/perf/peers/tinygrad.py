"""tinygrad: the whole step is recorded by its TinyJit and replayed. Examples are rows."""

import os

os.environ |= {"DEV": "CPU", "TRAINING": "1"}  # read when it is imported

import numpy as np
from tinygrad import Tensor, TinyJit, nn
from workloads import Workload

from peers import Problem
from peers.chain import EPS, scores


def build(work: Workload, problem: Problem):
    X, Y = (Tensor(np.ascontiguousarray(array.T)).realize() for array in problem.data())
    params = [
        Tensor(array).is_param_().realize()
        for W, b in problem.layers()
        for array in (W, b.reshape(-1))
    ]
    count = len(params)
    params += [
        make(n).is_param_().realize()
        for n in work.normalized
        for make in (Tensor.ones, Tensor.zeros)
    ]
    make = nn.optim.Adam if work.optimizer == "adam" else nn.optim.SGD
    optimizer = make(params, lr=work.rate)

    def linear(number, A):
        W, b = params[2 * number : 2 * number + 2]
        return A @ W.T + b

    def hidden(number, Z):
        if work.hidden == "gelu":
            return Z * (0.5 + 0.5 * (Z * 0.5**0.5).erf())
        if work.hidden == "batchnorm":
            gamma, beta = params[count + 2 * number : count + 2 * number + 2]
            scale = gamma * (Z.var(axis=0, correction=0) + EPS).rsqrt()
            Z = (Z - Z.mean(axis=0)) * scale + beta
        return Z.relu()

    @TinyJit
    def update():
        Z = scores(work, X, linear, hidden)
        loss = Z.binary_crossentropy_logits if work.output == "sigmoid" else Z.cross_entropy
        J = loss(Y)
        for p, grad in zip(params, J.gradient(*params), strict=True):
            p.grad = grad
        return J.realize(*optimizer.schedule_step())

    def layers():
        arrays = [p.numpy() for p in params[:count]]
        return [(W, b.reshape(-1, 1)) for W, b in zip(arrays[::2], arrays[1::2], strict=True)]

    return lambda: update().item(), layers
