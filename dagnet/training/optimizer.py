"""What every optimizer does: hyperparameters, weight decay, clipping, state, one step."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import field
from math import inf, isfinite, sqrt
from typing import Any, ClassVar

import numpy as np

from dagnet.bounds import check_fraction, check_not_negative, check_positive
from dagnet.errors import ArgumentError
from dagnet.training.config import Check, Configurable
from dagnet.training.optimizer_state import (
    Array,
    Arrays,
    Block,
    OptimizerState,
    ParameterStore,
    Sweep,
    check_state,
    check_store,
)
from dagnet.training.schedules import Schedule


def _rate(value: Any, what: str) -> float | Schedule:
    return (
        value
        if isinstance(value, Schedule)
        else check_positive(value, what, "a positive number or a Schedule")
    )


def _limit(value: Any, what: str) -> float | None:
    return None if value is None else check_positive(value, what)


def _no_sweep(arrays: Arrays, numbers: Array) -> Sweep | None:
    return None


class Optimizer(Configurable, ABC):
    """Base class of the optimizers.

    A class of your own needs its hyperparameters as fields, the names of its state arrays in
    `slots`, and the methods `numbers` and `update`.

    Parameters
    ----------
    learning_rate : float or Schedule
        Every hyperparameter may be set again between two steps.
    weight_decay : float
        Adds ``weight_decay · W`` to the gradient of the weights W; biases never decay.
    clip_norm : float, optional
        If the L2 norm over all gradients together is above it, all are scaled down to it, before
        the weight decay. A gradient that holds nan or inf stays as it is.

    Notes
    -----
    A step changes the parameters and never the gradients. All arithmetic is in the dtype of the
    parameters; nothing is allocated after the first step.
    """

    learning_rate: float | Schedule
    weight_decay: float = field(default=0.0, kw_only=True)
    clip_norm: float | None = field(default=None, kw_only=True)

    checks: ClassVar[Mapping[str, Check]] = {
        "learning_rate": _rate,
        "weight_decay": check_not_negative,
        "clip_norm": _limit,
        "beta": check_fraction,
        "beta1": check_fraction,
        "beta2": check_fraction,
        "eps": check_positive,
    }
    slots: ClassVar[tuple[str, ...]] = ()
    decoupled: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self._run = OptimizerState()

    @abstractmethod
    def numbers(self, rate: float, step: int) -> tuple[float, ...]:
        """Return the numbers that `update` needs in update number `step`, the first being 1."""

    @abstractmethod
    def update(self, p: Array, g: Array, slots: Arrays, scratch: Array, numbers: Arrays) -> None:
        """Change the parameters `p` and the `slots` in place, without writing into `g`.

        Called with one stretch of all arrays at a time. `numbers` are those of the method of
        this name as 0-d arrays, with which numpy computes faster than with Python's numbers.
        """

    @property
    def steps(self) -> int:
        """Updates made so far."""
        return self._run.steps

    @property
    def rate(self) -> float:
        """The learning rate of the next update."""
        given = self.learning_rate
        if isinstance(given, float):
            return given
        rate = given.rate(self._run.steps)
        if not 0.0 <= rate < inf:
            raise ArgumentError(
                f"{type(self).__name__}: learning_rate must not be negative, nan or infinite; "
                f"{self.learning_rate!r} gave {rate!r} for step {self._run.steps}"
            )
        return rate

    def step(self, store: ParameterStore) -> None:
        """Make one update of ``store.data``, in place.

        Raises
        ------
        ArgumentError
            If the optimizer holds the state of another store.
        """
        if not self._run.is_bound_to(store):
            self._bind(store)
        run, rate = self._run, self.rate
        values = self.numbers(rate, run.steps + 1)
        if values != run.values:
            for array, value in zip(run.numbers, values, strict=True):
                array[()] = value
            run.values = values
        scale = None if self.clip_norm is None else self._clip_scale(store.grad, self.clip_norm)
        if self.weight_decay and self.decoupled:
            weights = store.data[: store.n_weights]
            np.multiply(weights, 1.0 - rate * self.weight_decay, weights)
        direct = scale is None and (self.decoupled or not self.weight_decay)
        if direct and run.sweep is not None:
            run.sweep()
        else:
            for block in run.blocks:
                g = block.grad if direct else self._changed_gradient(block, scale)
                self.update(block.data, g, block.slots, block.scratch, run.numbers)
        run.steps += 1

    def _changed_gradient(self, block: Block, scale: float | None) -> Array:
        """Return the block's gradient after clipping, and after a decay that goes through it."""
        w, g = block.data[: block.weights], block.changed_grad
        if scale is None:
            np.copyto(g, block.grad)
        else:
            np.multiply(block.grad, scale, g)
        if self.weight_decay and not self.decoupled:
            decay = block.scratch[: block.weights]
            np.multiply(w, self.weight_decay, decay)
            np.add(g[: block.weights], decay, g[: block.weights])
        return g

    def _clip_scale(self, grad: Array, limit: float) -> float | None:
        with np.errstate(over="ignore"):
            norm = sqrt(np.dot(grad, grad))
        if norm == inf:
            norm = self._norm_of_large(grad)
        return limit / norm if limit < norm < inf else None

    def _norm_of_large(self, grad: Array) -> float:
        """Return the norm of a gradient whose squares overflow."""
        peak = max(float(grad.max()), -float(grad.min()))
        if not isfinite(peak):
            return peak
        total = 0.0
        for block in self._run.blocks:
            np.divide(block.grad, peak, block.scratch)
            total += float(np.dot(block.scratch, block.scratch))
        return peak * sqrt(total)

    def check(self, store: ParameterStore) -> None:
        """Raise `ArgumentError` if a step on this store would; nothing changes."""
        run, name = self._run, type(self).__name__
        check_store(store, name)
        if self._is_of_another(store):
            if run.steps and (self.slots or isinstance(self.learning_rate, Schedule)):
                raise ArgumentError(
                    f"{name}: it holds the state of another model, after {run.steps} steps; "
                    f"make a new {name} for this one, or call reset() first; "
                    "to go on with its state, give the new one load_state_dict(old.state_dict())"
                )
            return
        for slot, array in run.slots.items():
            if (array.shape, array.dtype) != (store.data.shape, store.data.dtype):
                raise ArgumentError(
                    f"{name}: its state {slot!r} is of {array.size} parameters of "
                    f"{array.dtype}, the model has {store.data.size} of {store.data.dtype}"
                )

    def _is_of_another(self, store: ParameterStore) -> bool:
        return self._run.store is not None and self._run.store() is not store

    def _bind(self, store: ParameterStore) -> None:
        self.check(store)
        if self._is_of_another(store):
            self._run = OptimizerState()
        sweep = self._sweep if getattr(store, "fused", False) else _no_sweep
        self._run.bind(store, self.slots, len(self.numbers(0.0, 1)), sweep)

    def _sweep(self, arrays: Arrays, numbers: Array) -> Sweep | None:
        from dagnet.training.fused_updates import sweep  # here, because it loads LLVM

        return sweep(self, arrays, numbers)

    def reset(self) -> None:
        """Forget all state: the next step is the first, of any model."""
        self._run = OptimizerState()

    def state_dict(self) -> dict[str, Any]:
        """Return the state as copies: ``steps``, and an array for each name in `slots`."""
        run = self._run
        return {"steps": run.steps} | {name: array.copy() for name, array in run.slots.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the state that `state_dict` gave; the next step continues from there.

        Raises
        ------
        ArgumentError
            If the names, shapes or dtypes do not fit; nothing has changed then.
        """
        self._run = OptimizerState(
            *check_state(state, self.slots, self._run.slots, type(self).__name__)
        )

    def __getstate__(self) -> dict[str, Any]:
        # A copy or pickle takes the state along, but is not tied to the same arrays.
        slots = {name: array.copy() for name, array in self._run.slots.items()}
        return self.__dict__ | {"_run": OptimizerState(self._run.steps, slots)}
