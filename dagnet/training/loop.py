"""The training loop."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np

from dagnet.executors import Hooks
from dagnet.model import Model
from dagnet.plan import Keep
from dagnet.training.batches import Batches
from dagnet.training.callbacks import Callback
from dagnet.training.checkpoint import Checkpoint, Saved, fingerprint, load
from dagnet.training.evaluation import Judge
from dagnet.training.history import History
from dagnet.training.interrupt import noticing_interrupts
from dagnet.training.optimizer import Optimizer
from dagnet.training.orders import Shuffle
from dagnet.training.snapshot import restore, snapshot

#: What makes one update, and returns the cost before it: `Model.train_step`, or a debugger's.
Stepping = Callable[[dict[str, np.ndarray], Optimizer, Keep, Hooks | None], float]


class Training:
    """One call of `fit`: what runs, how far it has come, and what callbacks see as `run`.

    Attributes
    ----------
    model : Model
    optimizer : Optimizer
    history : History
    epoch, step : int
        Epochs begun and updates made, from 1 while the first is under way.
    cost : float
        The cost of the last update's examples, before it.
    metrics : dict of float
        This epoch's numbers: always the cost, and the metrics where they are logged.
    logged : bool
        Whether this epoch got a row in the history.
    """

    def __init__(
        self,
        model: Model,
        batches: Batches,
        judge: Judge | None,
        optimizer: Optimizer,
        epochs: int,
        log_every: int,
        shuffle: Shuffle,
        keep: Keep,
        callbacks: Sequence[Callback],
        train_feeds: dict[str, Any],
        validation_feeds: dict[str, Any] | None,
        checkpoint: Checkpoint | None,
        resume: str | PathLike[str] | None,
        stepping: Stepping,
    ):
        self.model = model
        self.optimizer = optimizer
        self.history = History()
        self.epoch = 0
        self.step = 0
        self.cost = np.nan
        self.metrics: dict[str, float] = {}
        self.logged = False
        self.batches = batches
        self.judge = judge
        self.epochs = epochs
        self.log_every = log_every
        self.shuffle = shuffle
        self.keep = keep
        self.callbacks = sorted(callbacks, key=lambda callback: callback.told_last)
        self.checkpoint = checkpoint
        self.optimizer_config = optimizer.config  # as given; callbacks may change the optimizer
        self.feeds = train_feeds
        self._validation_feeds = validation_feeds
        self.stepping = stepping
        self._hooks = _NodeHooks(self) if any(c.wants_nodes for c in callbacks) else None
        self._stop_reason = ""
        #: Where this epoch stands: its order of examples, batches done, and sum of their costs.
        self.under_way = False
        self.order: np.ndarray | None = None
        self.batch = 0
        self.cost_sum = 0.0
        self._updating = False
        self._until: int | None = None
        self._saved = None if resume is None else load(resume, self)

    def another(
        self,
        model: Model,
        optimizer: Optimizer,
        callbacks: Sequence[Callback] = (),
        judge: Judge | None = None,
    ) -> "Training":
        """Return a training on the same data with the same settings, which has not begun.

        It writes no checkpoint, shares no memory that either writes to, and without a judge it
        measures nothing.
        """
        training = Training(
            model,
            self.batches.again(),
            judge,
            optimizer,
            self.epochs,
            self.log_every,
            self.shuffle,
            self.keep,
            callbacks,
            self.feeds,
            self._validation_feeds,
            None,
            None,
            model.train_step,
        )
        training.optimizer_config = self.optimizer_config
        return training

    @cached_property
    def fingerprint(self) -> int:
        """What tells this training's data from others'."""
        return fingerprint(self.feeds)

    def stop(self, reason: str) -> None:
        """End the training after this update, and say why in the history."""
        self._stop_reason = str(reason) or "stopped"

    @contextmanager
    def making_room(self) -> Iterator[None]:
        """Keep the callbacks from drawing on the terminal while someone talks with the user."""
        with ExitStack() as room:
            for callback in self.callbacks:
                room.enter_context(callback.making_room())
            yield

    def run(self) -> History:
        """Train to the end, an interruption, or a callback's stop."""
        told: list[Callback] = []
        with noticing_interrupts() as interrupted:
            try:
                for callback in self.callbacks:
                    told.append(callback)
                    callback.on_start(self)
                self._take_up()
                self._run_until_stopped(interrupted)
            finally:
                with ExitStack() as ends:  # everyone is told of the end, whatever another raises
                    for callback in reversed(told):
                        ends.callback(callback.on_end, self)
        return self.history

    def go_on(self) -> History:
        """Run to the end from where the training stands, as after an interruption."""
        self._saved = Saved(snapshot(self), self.history.columns)
        return self.run()

    def run_to(self, step: int) -> None:
        """Run until update number `step` is made, and stop before anything else happens."""
        if self.step < step:
            self._until = step
            self._run_epochs(lambda: False)
            self._until = None

    def _take_up(self) -> None:
        if self._saved is None:
            return
        saved, self._saved = self._saved, None
        restore(saved.snapshot, self)
        self.history.columns = saved.history
        self._tell("on_resume")

    def _run_until_stopped(self, interrupted: Callable[[], bool]) -> None:
        try:
            self._run_epochs(interrupted)
        except KeyboardInterrupt:
            if interrupted():  # the second Ctrl-C: at once, even in the middle of an update
                raise
        self.history.stopped = self._reason()
        if self.history.stopped == "interrupted":
            self._leave()

    def _leave(self) -> None:
        """Write the checkpoint, then a last row where the last updates have none."""
        if self.checkpoint and not self._updating:
            self.checkpoint.write(self)
        if self.step > self.history.last.get("step", 0) and self.metrics:
            self._log()

    def _reason(self) -> str:
        if self._stop_reason:
            return self._stop_reason
        return "interrupted" if self.under_way or self.epoch < self.epochs else "finished"

    def _run_epochs(self, interrupted: Callable[[], bool]) -> None:
        while not self._stop_reason and (self.under_way or self.epoch < self.epochs):
            if not self.under_way:
                self._begin_epoch()
            self._run_batches(interrupted)
            if self.step == self._until:
                return
            if self.batch == self.batches.count or self._stop_reason:
                self._end_epoch()
            if interrupted():
                return

    def _begin_epoch(self) -> None:
        self.epoch += 1
        self.under_way = True
        self.batch, self.cost_sum = 0, 0.0
        if not self.batches.whole:
            self.order = self.batches.order(self.shuffle, self.model.rng)
        self._tell("on_epoch_start")

    def _run_batches(self, interrupted: Callable[[], bool]) -> None:
        """Run the epoch's remaining batches, or until training is interrupted or stopped."""
        for feeds in self.batches.over(self.order, self.batch):
            self._updating = True
            self.cost = self.stepping(feeds, self.optimizer, self.keep, self._hooks)
            self._updating = False
            self.cost_sum += self.cost * self.batches.length(self.batch)
            self.batch += 1
            self.step += 1
            self.metrics = {"cost": self._cost()}
            self._tell("on_batch")
            if self._stop_reason or self.step == self._until or interrupted():
                break

    def _end_epoch(self) -> None:
        cut_short = self.batch < self.batches.count
        if cut_short:  # a training that goes on from here has the rest of the epoch before it
            self._write_checkpoint()
        self.metrics = {"cost": self._cost()}
        self.logged = self.epoch in (1, self.epochs) or self.epoch % self.log_every == 0
        if self.logged or self._stop_reason:
            self._log_measured()
        self.under_way = False
        self._tell("on_epoch")
        if self._stop_reason and not self.logged:  # it has become the last one just now
            self._log_measured()
        if not cut_short:
            self._write_checkpoint()

    def _write_checkpoint(self) -> None:
        if self.checkpoint and self.epoch % self.checkpoint.every == 0:
            self.checkpoint.write(self)

    def _cost(self) -> float:
        """Return the mean cost of this epoch's examples so far."""
        return self.cost_sum / self.batches.done(self.batch)

    def _log_measured(self) -> None:
        self.logged = True
        self.metrics |= self._measure()
        self._log()

    def _log(self) -> None:
        rate = self.optimizer.rate
        self.history.append(epoch=self.epoch, step=self.step, learning_rate=rate, **self.metrics)

    def _measure(self) -> dict[str, float]:
        """Return the metrics on the training data, and all numbers on the validation data."""
        if self.judge is None:
            return {}
        train: dict[str, float] = {}
        if self.judge.has_metrics:  # else a pass over all examples at once would be for nothing
            train = self.judge(self.feeds)
            del train["cost"]  # the cost of the epoch is that of its updates
        if self._validation_feeds is None:
            return train
        held_out = self.judge(self._validation_feeds)
        return train | {f"val_{name}": value for name, value in held_out.items()}

    def _tell(self, event: str) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self)


class _NodeHooks:
    """Passes the scheduler's hooks on to the callbacks."""

    def __init__(self, training: Training):
        self._training = training
        self._callbacks = [c for c in training.callbacks if c.wants_nodes]

    def before_node(self, name: str, phase: Any) -> None:
        for callback in self._callbacks:
            callback.before_node(self._training, name, phase)

    def after_node(self, name: str, phase: Any) -> None:
        for callback in self._callbacks:
            callback.after_node(self._training, name, phase)
