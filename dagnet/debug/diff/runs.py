"""Running two models alike, so that only what differs between them makes a difference."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from dagnet.cache import Cache
from dagnet.errors import FeedError
from dagnet.executors import Hooks
from dagnet.model import Model

Feeds = Mapping[str, Any]


def run_alike(
    a: Model, b: Model, feeds_a: Feeds, feeds_b: Feeds, image: Mapping[str, str]
) -> tuple[Cache, Cache]:
    """Run two models forward and backward and return their caches; the models stay as they are.

    Nodes that correspond, by `image`, draw the same random numbers, those that `a` would draw
    next: masks of dropout do not differ because one more layer drew some before.
    """
    alike = _of_both_dtypes if a.dtype != b.dtype else deepcopy
    noting = _Noting(alike(a.rng))
    first = run_aside(a, feeds_a, noting.rng, noting)
    states = {image[name]: state for name, state in noting.states.items() if name in image}
    replaying = _Replaying(alike(a.rng), states)
    try:
        return first, run_aside(b, feeds_b, replaying.rng, replaying)
    except FeedError as error:
        raise type(error)(f"the second model: {error}") from error


def run_aside(
    model: Model, feeds: Feeds, rng: np.random.Generator, hooks: Hooks | None = None
) -> Cache:
    """Run a double of a model forward and backward, drawing from `rng`, and return its cache."""
    double = Model.from_graph(
        model.graph, seed=rng, dtype=model.dtype, check_finite=model.check_finite
    )
    double.set_params(model.params)
    double.set_state(model.state)
    double.forward(as_dtype(feeds, model.dtype), hooks=hooks)
    double.backward()
    return double.cache


def as_dtype(feeds: Feeds, dtype: str) -> Feeds:
    """Return the feeds with arrays of floats converted; what is no mapping, as it is."""
    if not isinstance(feeds, Mapping):
        return feeds  # the model says what is wrong
    with np.errstate(over="ignore"):  # the model refuses Inf
        return {
            name: array.astype(dtype, copy=False)
            if isinstance(array, np.ndarray) and array.dtype.kind == "f"
            else array
            for name, array in feeds.items()
        }


class _Wide(np.random.Generator):
    """A generator whose float32 are its float64 rounded, and not other numbers."""

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        if out is None:
            return np.asarray(super().random(size), dtype)[()]
        out[...] = super().random(out.shape)
        return out


def _of_both_dtypes(rng: np.random.Generator) -> np.random.Generator:
    return _Wide(deepcopy(rng).bit_generator)


class _Noting:
    """Hooks that note the state of a generator before every node."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.states: dict[str, Mapping[str, Any]] = {}

    def before_node(self, name: str, phase: str) -> None:
        self.states[name] = self.rng.bit_generator.state

    def after_node(self, name: str, phase: str) -> None:
        """Nothing to do."""


class _Replaying:
    """Hooks that put a generator into a noted state before the nodes that have one."""

    def __init__(self, rng: np.random.Generator, states: Mapping[str, Mapping[str, Any]]):
        self.rng = rng
        self._states = states

    def before_node(self, name: str, phase: str) -> None:
        if name in self._states:
            self.rng.bit_generator.state = self._states[name]

    def after_node(self, name: str, phase: str) -> None:
        """Nothing to do."""
