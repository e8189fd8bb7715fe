"""What the debugger's tests share: everything that can be read at a position, as bits."""

import numpy as np
from engine_helpers import bits

import dagnet as dn
from dagnet.errors import NotKeptError


def generator_of(model):
    state = model.rng.bit_generator.state
    return repr(sorted((k, repr(v)) for k, v in state.items()))


def seen(model):
    """Return all that is readable of a run where it stands, with parameters, states, generator."""
    found = {"data": bits(model.store.data), "generator": generator_of(model)}
    found |= {f"state {o}.{n}": bits(a) for o, s in model.state.items() for n, a in s.items()}
    for name, record in model.cache.items():
        for what in ("inputs", "output", "grad_output", "grad_inputs", "params", "grad_params"):
            try:
                value = getattr(record, what)
            except NotKeptError:
                continue
            found[f"{name}.{what}"] = _as_bits(value)
        found[f"{name}.saved"] = _as_bits(record.saved)
    return found


def _as_bits(value):
    if value is None:
        return None
    if isinstance(value, dict):
        return {key: bits(array) for key, array in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_as_bits, value))
    return bits(value)


def branchy(seed=3, dtype="float64"):
    """Return a model with a skip connection, shared weights, two losses, dropout and batch norm."""
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    t = dn.Input(1, name="t")
    shared = dn.Linear(5, name="shared")
    a = dn.ReLU(name="relu1")(shared(x))
    a = dn.Dropout(0.3, name="drop")(a)
    a = dn.Add(name="skip")(a, dn.Tanh(name="tanh")(shared(a)))
    a = dn.BatchNorm(name="norm")(a)
    guess = dn.Linear(3, name="guess")(a)
    p = dn.Sigmoid(name="p")(dn.Linear(1, name="logit")(a))
    losses = [
        dn.MeanSquaredError(name="mse")(guess, y),
        dn.BinaryCrossEntropy(name="bce")(p, t),
    ]
    return dn.Model(losses, outputs=[p, guess], seed=seed, dtype=dtype)


def branchy_feeds(m=7, seed=1, dtype="float64"):
    rng = np.random.default_rng(seed)
    return {
        "x": rng.standard_normal((5, m)).astype(dtype),
        "y": rng.standard_normal((3, m)).astype(dtype),
        "t": rng.integers(0, 2, (1, m)).astype(dtype),
    }
