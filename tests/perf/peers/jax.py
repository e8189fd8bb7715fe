"""JAX: the whole step is one jitted function, which may write over the old parameters."""

import jax
import numpy as np
from jax import numpy as jnp
from workloads import Workload

from peers import Problem
from peers.chain import EPS, scores


def build(work: Workload, problem: Problem):
    jax.config.update("jax_enable_x64", work.dtype == "float64")
    X, Y = (jnp.asarray(array.T.copy()) for array in problem.data())
    params = [(jnp.asarray(W), jnp.asarray(b.reshape(-1))) for W, b in problem.layers()]
    count = len(params)
    params += [(jnp.ones(n, work.dtype), jnp.zeros(n, work.dtype)) for n in work.normalized]
    zeros = jax.tree.map(jnp.zeros_like, params) if work.optimizer == "adam" else None
    state = [params, zeros, jax.tree.map(jnp.copy, zeros), jnp.zeros((), work.dtype)]

    def cost(params, X, Y):
        def linear(number, A):
            W, b = params[number]
            return A @ W.T + b

        def hidden(number, Z):
            if work.hidden == "gelu":
                return jax.nn.gelu(Z, approximate=False)
            if work.hidden == "batchnorm":
                gamma, beta = params[count + number]
                scale = gamma * jax.lax.rsqrt(Z.var(axis=0) + EPS)
                Z = (Z - Z.mean(axis=0)) * scale + beta
            return jax.nn.relu(Z)

        Z = scores(work, X, linear, hidden)
        if work.output == "sigmoid":
            return jnp.mean(jax.nn.softplus(Z) - Y * Z)
        return -jnp.mean(jnp.sum(Y * jax.nn.log_softmax(Z), axis=1))

    def updated(params, v, s, steps, X, Y):
        J, grads = jax.value_and_grad(cost)(params, X, Y)
        steps = steps + 1
        if v is None:
            return J, (jax.tree.map(lambda p, g: p - work.rate * g, params, grads), v, s, steps)
        v = jax.tree.map(lambda v, g: 0.9 * v + 0.1 * g, v, grads)
        s = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, s, grads)

        def moved(p, v, s):
            s = s / (1 - 0.999**steps)
            return p - work.rate * v / (1 - 0.9**steps) / (jnp.sqrt(s) + 1e-8)

        return J, (jax.tree.map(moved, params, v, s), v, s, steps)

    update = jax.jit(updated, donate_argnums=(0, 1, 2, 3))

    def step():
        J, state[:] = update(*state, X, Y)
        jax.block_until_ready((J, state))

    def layers():
        return [(np.asarray(W), np.asarray(b).reshape(-1, 1)) for W, b in state[0][:count]]

    return step, layers
