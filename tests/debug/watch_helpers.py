"""What the tests of watches share: faulty networks, and an optimizer that obeys."""

import numpy as np

import dagnet as dn

M = 7


class Moves:
    """An optimizer that calls a function with the parameters by node and name."""

    def __init__(self, move=lambda arrays: None):
        self._move = move

    def step(self, store):
        self._move(store.arrays)


def drawn(rows=3, seed=0, targets=1):
    """Return feeds of a network from X to Y."""
    rng = np.random.default_rng(seed)
    Y = rng.integers(0, 2, (targets, M)).astype(float)
    if targets > 1:
        Y = np.eye(targets)[:, rng.integers(0, targets, M)]
    return {"X": rng.standard_normal((rows, M)), "Y": Y}


def regression(activation, dtype="float64", **options):
    """Return X (3, m) -> linear1 (5) -> act1 -> linear2 (2), and the mean squared error to Y."""
    X, Y = dn.Input(3, name="X"), dn.Input(2, name="Y")
    A = activation(name="act1")(dn.Linear(5, name="linear1")(X))
    Z = dn.Linear(2, name="linear2")(A)
    cost = dn.MeanSquaredError(name="cost")(Z, Y)
    return dn.Model(cost, seed=1, dtype=dtype, **options)


def seen(model, watch, feeds, steps=1, optimizer=None, before=None, **options):
    """Return the alerts of a watch over some training steps; `before` is called before each."""
    optimizer = optimizer or Moves()
    debugger = dn.Debugger(model, None, optimizer)
    debugger.watch(watch, stop=False, **options)
    for iteration in range(1, steps + 1):
        if before is not None:
            before(iteration)
        debugger.restart(feeds)
        debugger.run()
    return debugger.alerts
