"""What a model is told once: its dtype, its seed, its executor, and other choices."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dagnet.errors import ArgumentError, ArgumentTypeError, UnknownNameError

DTYPES = ("float64", "float32")

EXECUTORS = ("compiled", "interpreted", "fused")

Seed = int | np.random.Generator | np.random.RandomState | None


def generators(
    seed: Seed,
) -> tuple[np.random.Generator | np.random.RandomState, np.random.Generator]:
    """Return the generator of the weights, and that of everything random afterwards.

    They are one and the same, except that a RandomState, whose stream of numbers older code draws
    its weights from, serves the weights only.
    """
    if isinstance(seed, np.random.RandomState):
        return seed, np.random.default_rng(seed.get_state(legacy=False)["state"]["key"])
    if isinstance(seed, np.random.Generator):
        return seed, seed
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int | np.integer)):
        raise ArgumentTypeError(
            f"seed must be an integer, a numpy Generator or RandomState, or None, "
            f"got {type(seed).__name__}"
        )
    if seed is not None and seed < 0:
        raise ArgumentError(f"seed must be 0 or more, got {seed}")
    rng = np.random.default_rng(seed)
    return rng, rng


def check_dtype(dtype: Any) -> str:
    """Return the dtype's name, or raise unless it is one that models have."""
    try:
        name = np.dtype(dtype).name
    except (TypeError, ValueError, SyntaxError):  # numpy reads some strings as lists of fields
        name = str(dtype)
    return check_choice("dtype", name, DTYPES)


def check_choice(what: str, value: str, choices: Sequence[str]) -> str:
    """Return the value, or raise with the nearest choices unless it is one of them."""
    if not isinstance(value, str) or value not in choices:
        raise UnknownNameError.of(what, value, choices)
    return value
