"""What the recorder's tests share: a training with everything that draws or remembers."""

import numpy as np
from engine_helpers import bits

import dagnet as dn

M = 23
RNG = np.random.default_rng(3)
X = RNG.standard_normal((5, M))
Y = (RNG.random((1, M)) > 0.5).astype(float)
BATCH, EPOCHS = 6, 9  # 4 batches an epoch, the last of 5; 36 steps


def build(seed=13, units=7, **options):
    x, y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    hidden = dn.Linear(units, name="linear1")(x)
    hidden = dn.ReLU(name="relu1")(dn.BatchNorm(name="norm1")(hidden))
    dropped = dn.Dropout(0.3, name="drop1")(hidden)
    guess = dn.Sigmoid(name="sigmoid2")(dn.Linear(1, name="linear2")(dropped))
    cost = dn.BinaryCrossEntropy(name="cost")(guess, y)
    return dn.Model(cost, outputs=[guess], seed=seed, **options)


def adam():
    return dn.Adam(dn.Cosine(0.05, steps=50), clip_norm=0.5, weight_decay=0.01)


def train(recorder, *callbacks, model=None, optimizer=None, data=(X, Y), **options):
    """Train with a recorder, which stands first to see that it makes no difference."""
    model = model or build()
    settings = {"epochs": EPOCHS, "batch_size": BATCH, "log_every": 2, "progress": False}
    told = [recorder, *callbacks] if recorder is not None else list(callbacks)
    history = model.fit(*data, optimizer=optimizer or adam(), callbacks=told, **settings | options)
    return model, history


class Keep(dn.Callback):
    """Keeps every step's values, and all that a training is after it."""

    def __init__(self):
        self.caches, self.after = {}, {}

    def on_batch(self, run):
        self.caches[run.step] = arrays_of(run.model.cache)
        self.after[run.step] = state_of(run.model, run.optimizer)

    def __deepcopy__(self, memo):
        return Keep()


def straight(**options):
    """Return what a training without a recorder was at every step, its model and history."""
    keep = Keep()
    return keep, *train(None, keep, keep="all", **options)


def arrays_of(cache):
    return {
        f"{name}.{what}": bits(array)
        for name, record in cache.items()
        for what, array in record.arrays().items()
    }


def state_of(model, optimizer):
    """Return all that decides how a training goes on, but for its place in the epoch."""
    state = optimizer.state_dict()
    return {
        "params": bits(model.store.data),
        "state": [bits(a) for arrays in model.state.values() for a in arrays.values()],
        "generator": repr(model.rng.bit_generator.state),
        "steps": state.pop("steps"),
        "optimizer": {name: bits(array) for name, array in state.items()},
        "config": optimizer.config,
    }


def rows_of(history):
    return {name: repr(column) for name, column in history.columns.items()}, history.stopped
