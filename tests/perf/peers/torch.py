"""PyTorch: eagerly with its fused optimizers, or the whole step in one compiled graph.

Examples are rows.
"""

import torch
from torch.nn import functional as F  # noqa: N812
from workloads import Workload

from peers import Problem
from peers.chain import EPS, scores


def build(work: Workload, problem: Problem, compiled: bool = False):
    X, Y = (torch.from_numpy(array.T.copy()) for array in problem.data())
    params = [torch.from_numpy(array) for W, b in problem.layers() for array in (W, b.reshape(-1))]
    count = len(params)
    dtype = getattr(torch, work.dtype)
    params += [make(n, dtype=dtype) for n in work.normalized for make in (torch.ones, torch.zeros)]

    def cost(params, X, Y):
        def linear(number, A):
            return F.linear(A, *params[2 * number : 2 * number + 2])

        def hidden(number, Z):
            if work.hidden == "gelu":
                return F.gelu(Z)
            if work.hidden == "batchnorm":
                gamma, beta = params[count + 2 * number : count + 2 * number + 2]
                Z = F.batch_norm(Z, None, None, gamma, beta, training=True, eps=EPS)
            return torch.relu(Z)

        Z = scores(work, X, linear, hidden)
        if work.output == "sigmoid":
            return F.binary_cross_entropy_with_logits(Z, Y)
        return F.cross_entropy(Z, Y)

    def layers():
        arrays = [p.detach().numpy() for p in params[:count]]
        return [(W, b.reshape(-1, 1)) for W, b in zip(arrays[::2], arrays[1::2], strict=True)]

    make = compiled_step if compiled else eager_step
    return make(work, cost, params, X, Y), layers


def eager_step(work: Workload, cost, params, X, Y):
    for p in params:
        p.requires_grad_()
    make = torch.optim.Adam if work.optimizer == "adam" else torch.optim.SGD
    optimizer = make(params, lr=work.rate, fused=True)

    def step():
        optimizer.zero_grad()
        cost(params, X, Y).backward()
        optimizer.step()

    return step


def compiled_step(work: Workload, cost, params, X, Y):
    """Return a step of which gradients and update are one graph: faster than compiling the cost."""
    update = adam(work, params) if work.optimizer == "adam" else sgd(work)

    @torch.compile
    def update_all(params, X, Y):
        update(params, torch.func.grad(cost)(params, X, Y))

    def step():
        with torch.no_grad():
            update_all(params, X, Y)

    return step


def sgd(work: Workload):
    def update(params, grads):
        for p, g in zip(params, grads, strict=True):
            p.sub_(g, alpha=work.rate)

    return update


def adam(work: Workload, params):
    moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in params]
    steps = torch.zeros((), dtype=params[0].dtype)

    def update(params, grads):
        steps.add_(1)
        for p, g, (v, s) in zip(params, grads, moments, strict=True):
            v.mul_(0.9).add_(g, alpha=0.1)
            s.mul_(0.999).addcmul_(g, g, value=0.001)
            root = (s / (1 - 0.999**steps)).sqrt() + 1e-8
            p.sub_(work.rate * (v / (1 - 0.9**steps)) / root)

    return update
