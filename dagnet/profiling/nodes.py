"""What every node of the last run takes: time and memory."""

from collections.abc import Mapping

import numpy as np

from dagnet.cache import Cache
from dagnet.model import Model
from dagnet.node import resolve
from dagnet.profiling.profile import Profile
from dagnet.profiling.timing import NodeTimer, profile

#: How many runs are timed.
RUNS = 5


def node_seconds(model: Model, cache: Cache) -> Mapping[str, float]:
    """Time a double of the model on what a run was fed, forward and backward together.

    Each node's shortest time counts. Nothing of the model changes.

    Examples
    --------
    >>> import numpy as np, dagnet as dn
    >>> model = dn.mlp([5, 3, 1], seed=1)
    >>> J = model.forward({"X": np.ones((5, 7)), "Y": np.ones((1, 7))})
    >>> sorted(node_seconds(model, model.cache))
    ['cost', 'linear1', 'linear2', 'relu1', 'sigmoid2']
    """
    double, feeds = _double(model, cache)
    timer = NodeTimer()
    for _ in range(RUNS):
        double.forward(feeds, hooks=timer)
        double.backward(hooks=timer)
    runs: dict[str, list[float]] = {}
    for (name, _), seconds in timer.seconds.items():
        runs[name] = [a + b for a, b in zip(runs.get(name, [0.0] * RUNS), seconds, strict=True)]
    return {name: min(seconds) for name, seconds in runs.items()}


def last_step(model: Model, cache: Cache) -> Profile:
    """Profile training steps of a double of the model on what a run was fed.

    Examples
    --------
    >>> import numpy as np, dagnet as dn
    >>> model = dn.mlp([5, 3, 1], seed=1)
    >>> J = model.forward({"X": np.ones((5, 7)), "Y": np.ones((1, 7))})
    >>> list(last_step(model, model.cache).node_shares)
    ['linear1', 'relu1', 'linear2', 'cost']
    """
    double, feeds = _double(model, cache)
    return profile(double, feeds, steps=RUNS)


def node_bytes(cache: Cache) -> dict[str, int]:
    """Return the bytes of the memory that each node's values and gradients have in a run."""
    totals: dict[str, int] = {}
    for key, array in cache.run.binding.arrays.items():
        totals[str(key[1])] = totals.get(str(key[1]), 0) + array.nbytes
    return totals


def _double(model: Model, cache: Cache) -> tuple[Model, dict[str, np.ndarray]]:
    """Return a copy of the model, and what the run was fed."""
    double = Model.from_graph(model.graph, dtype=model.dtype, check_finite=False)
    double.set_params(model.params)
    double.set_state(model.state)
    return double, {name: _fed(model, cache, name) for name in model.graph.inputs}


def _fed(model: Model, cache: Cache, name: str) -> np.ndarray:
    """Return what an input was fed; zeros for one that the run left out, having no need of it."""
    if cache.frame(name) is not None:
        return cache[name].output
    return np.zeros(resolve(model.shapes[name], cache.run.binding.m), model.dtype)
