"""Early stopping: the callback that ends a training which gets no better."""

from math import inf
from typing import Any, Literal

import numpy as np

from dagnet.bounds import check_not_negative, check_size
from dagnet.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from dagnet.training.callbacks import Callback, Run
from dagnet.training.metrics import HIGHER_IS_BETTER

Params = dict[str, dict[str, np.ndarray]]


class EarlyStopping(Callback):
    """Stop when a number has not improved for a while, and go back to the best parameters.

    Parameters
    ----------
    monitor : str
        Name of a logged number: ``"cost"``, ``"val_cost"``, ``"val_accuracy"``, ...
    patience : int
        Stop after this many epochs in a row without improvement. An epoch that does not log the
        number does not count; one that logs nan counts as no improvement.
    min_delta : float
        Only a change by more than this is an improvement.
    mode : {"auto", "min", "max"}
        Whether the number should fall or rise; ``"auto"`` knows dagnet's own.
    restore_best : bool
        Whether to set the parameters of the best epoch at the end, however training ended.

    Attributes
    ----------
    best, best_epoch
        The best value of this training and its epoch; None before there is one.

    Examples
    --------
    >>> from dagnet.training import EarlyStopping
    >>> EarlyStopping("val_accuracy", patience=5).mode
    'max'
    """

    def __init__(
        self,
        monitor: str = "val_cost",
        patience: int = 10,
        min_delta: float = 0.0,
        mode: Literal["auto", "min", "max"] = "auto",
        restore_best: bool = True,
    ):
        if not isinstance(monitor, str):
            raise ArgumentTypeError(f"EarlyStopping: monitor must be a name, got {monitor!r}")
        self.monitor = monitor
        self.patience = check_size(patience, "EarlyStopping: patience")
        self.min_delta = check_not_negative(min_delta, "EarlyStopping: min_delta")
        self.mode = _direction(mode, monitor)
        self.restore_best = restore_best
        self._forget()

    def _forget(self) -> None:
        self.best: float | None = None
        self.best_epoch: int | None = None
        self._waited = 0
        self._seen = False
        self._kept: dict[str, Params] = {}

    def on_start(self, run: Run) -> None:
        self._forget()

    def on_epoch(self, run: Run) -> None:
        if self.monitor not in run.metrics:
            # Not every epoch measures everything, not even the first of a resumed training.
            if not self._seen and self.monitor not in run.history:
                raise _unknown_monitor(self.monitor, run.metrics)
            return
        self._seen = True
        value = float(run.metrics[self.monitor])
        if self._improves(value):
            self.best, self.best_epoch, self._waited = value, run.epoch, 0
            if self.restore_best:
                self._kept = {"params": run.model.get_params(), "state": run.model.get_state()}
            return
        self._waited += 1
        if self._waited >= self.patience:
            run.stop(self._reason())

    def on_end(self, run: Run) -> None:
        if self._kept:
            run.model.set_params(self._kept["params"])
            run.model.set_state(self._kept["state"])

    def state_dict(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        kept = {
            (what, node, name): array
            for what, nodes in self._kept.items()
            for node, arrays in nodes.items()
            for name, array in arrays.items()
        }
        values = {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "waited": self._waited,
            "seen": self._seen,
            "kept": [list(key) for key in kept],
        }
        return values, {str(i): array for i, array in enumerate(kept.values())}

    def load_state_dict(self, values: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.best, self.best_epoch = values["best"], values["best_epoch"]
        self._waited, self._seen = int(values["waited"]), bool(values["seen"])
        self._kept = {"params": {}, "state": {}} if values["kept"] else {}
        for i, (what, node, name) in enumerate(values["kept"]):
            self._kept[what].setdefault(node, {})[name] = arrays[str(i)]

    def _improves(self, value: float) -> bool:
        sign = 1.0 if self.mode == "min" else -1.0
        best = inf if self.best is None else sign * self.best
        return sign * value < best - self.min_delta

    def _reason(self) -> str:
        epochs = f"{self.patience} epoch{'' if self.patience == 1 else 's'}"
        if self.best is None:
            return f"early stopping: {self.monitor} was not a finite number for {epochs}"
        return (
            f"early stopping: {self.monitor} has not improved for {epochs}; "
            f"best {self.best:.6g} in epoch {self.best_epoch}"
        )


def _direction(mode: Literal["auto", "min", "max"], monitor: str) -> Literal["min", "max"]:
    """Return whether the number should fall or rise, or raise if nobody can tell."""
    if not isinstance(mode, str) or mode not in ("auto", "min", "max"):
        raise ArgumentError(f"EarlyStopping: mode must be 'auto', 'min' or 'max', got {mode!r}")
    if mode != "auto":
        return mode
    name = monitor.removeprefix("val_")
    if name not in HIGHER_IS_BETTER:
        raise ArgumentError(
            f"EarlyStopping: whether {monitor!r} should fall or rise is unknown; "
            "pass mode='min' or mode='max'"
        )
    return "max" if HIGHER_IS_BETTER[name] else "min"


def _unknown_monitor(monitor: str, metrics: dict[str, float]) -> UnknownNameError:
    message = f"EarlyStopping: {UnknownNameError.of('logged number', monitor, metrics)}"
    if monitor.startswith("val_") and not any(name.startswith("val_") for name in metrics):
        message += "; numbers with val_ are logged when there is validation data"
    return UnknownNameError(message)
