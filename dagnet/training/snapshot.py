"""Snapshots: all that changes while a training runs, taken out and put back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dagnet.errors import ArgumentTypeError
from dagnet.training.callbacks import Callback
from dagnet.training.config import hyperparameters
from dagnet.training.optimizer import Optimizer

if TYPE_CHECKING:
    from dagnet.training.loop import Training

#: Where a training stands, as whole numbers.
POSITION = ("epoch", "batch", "step")


@dataclass(frozen=True)
class Snapshot:
    """A training at one moment, in arrays that nothing writes to.

    Attributes
    ----------
    arrays : dict of ndarray
        ``params``; ``state.0`` and so on; ``optimizer.m`` and so on; ``order``, the examples of
        the epoch, unless all are one batch; ``cost_sum``; ``callback.0.`` and what one keeps.
    values : dict
        The position, ``under_way``, the optimizer as it is now, the generator's state, and of
        every callback its name and its values as JSON.
    """

    arrays: Mapping[str, np.ndarray]
    values: Mapping[str, Any]


def snapshot(training: "Training") -> Snapshot:
    """Return where a training stands, but for its history.

    Raises
    ------
    ArgumentTypeError
        If what a callback keeps is not JSON.
    """
    model = training.model
    state = training.optimizer.state_dict()
    steps = state.pop("steps")
    arrays = {"params": model.store.data.copy()}
    arrays |= {f"optimizer.{name}": array for name, array in state.items()}
    arrays |= {name: array.copy() for name, array in states(training).items()}
    # Not among the values, which are JSON and know no nan: training may have diverged.
    arrays["cost_sum"] = np.array(training.cost_sum)
    if training.order is not None:
        arrays["order"] = training.order  # every epoch makes a new one
    callbacks = []
    for i, callback in enumerate(training.callbacks):
        own, kept = _kept(callback)
        callbacks.append({"name": type(callback).__name__, "values": own})
        arrays |= {f"callback.{i}.{key}": np.array(array) for key, array in kept.items()}
    values = {
        **{name: int(getattr(training, name)) for name in POSITION},
        "under_way": training.under_way,
        "optimizer_now": training.optimizer.config,
        "optimizer_steps": steps,
        "generator": model.rng.bit_generator.state,
        "callbacks": callbacks,
    }
    return Snapshot(arrays, values)


def _kept(callback: Callback) -> tuple[str, Mapping[str, np.ndarray]]:
    values, arrays = callback.state_dict()
    try:
        return json.dumps(values), arrays
    except (TypeError, ValueError) as error:
        name = type(callback).__name__
        raise ArgumentTypeError(f"{name}: state_dict is not JSON: {error}") from error


def restore(saved: Snapshot, training: "Training") -> None:
    """Put a training, with its model, optimizer and callbacks, where a snapshot says."""
    restore_callbacks(saved, training.callbacks)
    restore_run(saved, training)


def restore_run(saved: Snapshot, training: "Training") -> None:
    """Put a training with its model and optimizer where a snapshot says; callbacks stay."""
    arrays, values, model = saved.arrays, saved.values, training.model
    optimizer = saved_optimizer(saved, type(training.optimizer))
    for name in hyperparameters(type(optimizer)):  # a callback may have changed them
        setattr(training.optimizer, name, getattr(optimizer, name))
    training.optimizer.load_state_dict(optimizer.state_dict())
    model.store.data[...] = arrays["params"]
    for name, mine in states(training).items():
        mine[...] = arrays[name]
    model.rng.bit_generator.state = values["generator"]
    training.order = arrays.get("order")
    training.cost_sum = float(arrays["cost_sum"])
    training.under_way = values["under_way"]
    training.epoch, training.batch, training.step = (values[name] for name in POSITION)


def restore_callbacks(saved: Snapshot, callbacks: Sequence[Callback]) -> None:
    """Give callbacks back what they kept, to each by its place and the name of its class."""
    pairs = zip(callbacks, saved.values["callbacks"], strict=False)
    for i, (callback, theirs) in enumerate(pairs):
        if theirs["name"] == type(callback).__name__:
            kept = {n: a.copy() for n, a in below(f"callback.{i}.", saved.arrays).items()}
            callback.load_state_dict(json.loads(theirs["values"]), kept)


def saved_optimizer(saved: Snapshot, cls: type[Optimizer]) -> Optimizer:
    """Return a new optimizer that is as the training's was, with its state."""
    optimizer = cls.from_config(saved.values["optimizer_now"])
    steps = saved.values["optimizer_steps"]
    optimizer.load_state_dict({"steps": steps, **below("optimizer.", saved.arrays)})
    return optimizer


def below(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays whose names begin with `prefix`, by the rest of the name."""
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def states(training: "Training") -> dict[str, np.ndarray]:
    """Return the arrays of the model's states by their names in a snapshot."""
    every = [array for arrays in training.model.state.values() for array in arrays.values()]
    return {f"state.{i}": array for i, array in enumerate(every)}
