"""Callbacks: what looks on while a model trains, and may stop it."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, Literal, Protocol

import numpy as np

from dagnet.training.history import History


class Run(Protocol):
    """A training in progress, as callbacks see it.

    Attributes
    ----------
    model : Model
    history : History
    epoch, step : int
        Epochs and updates made in this training.
    metrics : dict of float
        This epoch's numbers: always the cost, and the metrics if they are logged.
    logged : bool
        Whether this epoch got a row in the history.
    """

    model: Any
    history: History
    epoch: int
    step: int
    metrics: dict[str, float]
    logged: bool

    def stop(self, reason: str) -> None:
        """End the training after this update, and say why in the history."""

    def making_room(self) -> AbstractContextManager[object]:
        """Keep the callbacks from drawing on the terminal while someone talks with the user."""


class Callback:
    """Base class of the callbacks: override what you need, the rest does nothing.

    Examples
    --------
    >>> from dagnet.training import Callback
    >>> class Print(Callback):
    ...     def on_epoch(self, run):
    ...         print(run.epoch, run.metrics["cost"])

    Attributes
    ----------
    told_last : bool
        Whether it is told of every event after all others, and so sees what they changed.
    """

    told_last: ClassVar[bool] = False

    def on_start(self, run: Run) -> None:
        """Before the first epoch."""

    def on_resume(self, run: Run) -> None:
        """After `on_start`, when the training has taken up where another left off."""

    def on_epoch_start(self, run: Run) -> None:
        """Before each epoch."""

    def before_node(self, run: Run, name: str, phase: Literal["forward", "backward"]) -> None:
        """Before each node runs; nodes run one by one only if a callback overrides this."""

    def after_node(self, run: Run, name: str, phase: Literal["forward", "backward"]) -> None:
        """After each node has run; nodes run one by one only if a callback overrides this."""

    def on_batch(self, run: Run) -> None:
        """After each update."""

    def on_epoch(self, run: Run) -> None:
        """After each epoch, when its numbers are in ``run.metrics``."""

    def on_end(self, run: Run) -> None:
        """After the last epoch, however training ended."""

    def making_room(self) -> AbstractContextManager[object]:
        """Draw nothing on the terminal within this context: someone talks with the user there."""
        return nullcontext()

    def state_dict(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what a checkpoint must hold of this callback: JSON values, and arrays by name."""
        return {}, {}

    def load_state_dict(self, values: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Take over what `state_dict` gave; called after `on_start` when a training resumes."""

    @property
    def wants_nodes(self) -> bool:
        """Whether `before_node` or `after_node` is overridden, in a class or on this object."""
        return any(
            getattr(getattr(self, hook), "__func__", None) is not getattr(Callback, hook)
            for hook in ("before_node", "after_node")
        )
