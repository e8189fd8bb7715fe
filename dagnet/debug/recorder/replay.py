"""Replays: steps of a training made again, aside or in its own place."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from dagnet.cache import Cache
from dagnet.debug.recorder.journal import AFTER_BATCH, AT_EPOCH, Journal
from dagnet.debug.recorder.record import Record
from dagnet.model import Model
from dagnet.training import Callback
from dagnet.training.config import hyperparameters
from dagnet.training.loop import Training
from dagnet.training.snapshot import restore_run


class Replay:
    """A training made again on a double of its model; nothing of the training is touched.

    Parameters
    ----------
    training : Training
    journal : Journal
        What the steps must come to.
    """

    def __init__(self, training: Training, journal: Journal):
        optimizer = type(training.optimizer).from_config(training.optimizer_config)
        self.training = training.another(_double(training.model), optimizer, [Following(journal)])
        self.training.keep = "needed"

    def start(self, record: Record) -> None:
        """Begin where a record says."""
        restore_run(record.snapshot, self.training)

    def run_to(self, step: int) -> None:
        """Make the updates up to this one, which is included."""
        self.training.run_to(step)

    def cache_of(self, step: int) -> Cache:
        """Go on to the end of a step and return its values, which the next run overwrites."""
        self.run_to(step - 1)
        self.training.keep = "all"
        self.run_to(step)
        self.training.keep = "needed"
        return self.training.model.cache


class Following(Callback):
    """Sees to it that steps made again are what they were: checks costs, repeats changes."""

    told_last = True

    def __init__(self, journal: Journal):
        self._journal = journal

    def on_batch(self, run: Any) -> None:
        self._journal.check(run.step, run.cost)
        self._change(run, AFTER_BATCH)

    def on_epoch_start(self, run: Any) -> None:
        self._change(run, AT_EPOCH)

    def _change(self, run: Any, moment: int) -> None:
        config = self._journal.changes.get((run.step, moment))
        if config is not None:
            changed = type(run.optimizer).from_config(config)
            for name in hyperparameters(type(changed)):
                setattr(run.optimizer, name, getattr(changed, name))


def keeping(callbacks: Sequence[Callback]) -> list[Callback]:
    """Return the callbacks that have something to keep in a snapshot."""
    return [c for c in callbacks if type(c).state_dict is not Callback.state_dict]


def _double(model: Model) -> Model:
    """Return a model of the same network with arrays and a generator of its own."""
    return Model.from_graph(
        model.graph,
        seed=deepcopy(model.rng),
        dtype=model.dtype,
        executor=model.executor,
        check_finite=model.check_finite,
    )
