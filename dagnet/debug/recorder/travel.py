"""Going on from a step that is over: in the training itself, or in a branch of it."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any

from dagnet.cache import Cache
from dagnet.debug.debugger import Debugger
from dagnet.debug.recorder.journal import Journal
from dagnet.debug.recorder.record import Record, history_before
from dagnet.debug.recorder.replay import Following, keeping
from dagnet.errors import ArgumentTypeError
from dagnet.model import Model
from dagnet.training import Callback, History, Optimizer
from dagnet.training.evaluation import Judge
from dagnet.training.loop import Training
from dagnet.training.progress import LogFile, ProgressBar
from dagnet.training.snapshot import (
    restore,
    restore_callbacks,
    restore_run,
    saved_optimizer,
    snapshot,
)

if TYPE_CHECKING:
    from dagnet.debug.recorder.recorder import Recorder

#: Callbacks that show the user how a training does, which a branch does not.
REPORTING = (ProgressBar, LogFile)

#: Changes a model, or a model and its optimizer; may return another optimizer.
Edit = Callable[..., "Optimizer | None"]


class Rewound:
    """A training that was put back to a step.

    Attributes
    ----------
    model : Model
    optimizer : Optimizer
    step : int
        The last update that is made.
    """

    def __init__(self, training: Training):
        self._training = training
        self.model = training.model
        self.optimizer = training.optimizer
        self.step = training.step

    def __repr__(self) -> str:
        return f"<Rewound to after training step {self.step}>"

    def run(self) -> History:
        """Go on to the end of the training, and return its history from the first step on."""
        return self._training.go_on()


@dataclass(frozen=True)
class Branch:
    """A second end of a training.

    Attributes
    ----------
    model : Model
    optimizer : Optimizer
    history : History
        Up to where it parted it is the history of the first training.
    recorder : Recorder
        Of the steps from there on.
    step : int
        The last update that both have in common.
    """

    model: Model
    optimizer: Optimizer
    history: History
    recorder: "Recorder"
    step: int

    def at(self, step: int) -> Cache:
        """Return the values of a step of this branch, as `Recorder.at` does."""
        return self.recorder.at(step)


def rewind(training: Training, journal: Journal, record: Record, step: int) -> Rewound:
    """Put a training back to after a step, and return it; if that fails, nothing has changed."""
    before = snapshot(training)
    own = keeping(training.callbacks)
    judge = training.judge if own else None
    again = training.another(training.model, training.optimizer, [*own, Following(journal)], judge)
    try:
        restore_callbacks(record.snapshot, training.callbacks)
        restore_run(record.snapshot, again)
        again.run_to(step)
    except BaseException:
        restore(before, training)
        raise
    going = _from_there(again, training, training.callbacks, training.judge)
    going.checkpoint, going.stepping = training.checkpoint, training.stepping
    return Rewound(going)


def branch(
    training: Training,
    journal: Journal,
    record: Record,
    step: int,
    edit: Edit | None,
    callbacks: Sequence[Callback] | None,
    recorder: "Recorder",
) -> Branch:
    """Train a copy of a training's model from after a step, which `recorder` records."""
    model = deepcopy(training.model)
    optimizer = saved_optimizer(record.snapshot, type(training.optimizer))
    judge = training.judge and training.judge.of(model)
    copies = list(callbacks or ())
    if callbacks is None:
        copies = _copies(training, model, optimizer, (type(recorder), Debugger, *REPORTING))
    own = keeping(copies) if callbacks is None else []
    again = training.another(model, optimizer, [*own, Following(journal)], judge if own else None)
    if callbacks is None:
        restore_callbacks(record.snapshot, copies)
    restore_run(record.snapshot, again)
    again.run_to(step)
    again.optimizer = _edited(edit, model, optimizer)
    going = _from_there(again, training, [*copies, recorder], judge)
    return Branch(model, going.optimizer, going.go_on(), recorder, step)


def _from_there(
    again: Training, training: Training, callbacks: Sequence[Callback], judge: Judge | None
) -> Training:
    """Return a training that goes on from where another stands, with the history up to there."""
    going = training.another(again.model, again.optimizer, callbacks, judge)
    restore_run(snapshot(again), going)
    going.history.columns = history_before(training.history.columns, again.step + 1)
    return going


def _copies(
    training: Training, model: Model, optimizer: Optimizer, but: tuple[type, ...]
) -> list[Callback]:
    """Return copies of the callbacks for a branch, in their places, but for those of some classes.

    Where one refers to the model, its optimizer or the data, its copy refers to the branch's.
    """
    memo: dict[int, Any] = {id(training.model): model, id(training.optimizer): optimizer}
    memo |= {id(array): array for array in training.feeds.values()}
    copies = []
    for callback in training.callbacks:
        if isinstance(callback, but):
            copies.append(Callback())
            continue
        try:
            copies.append(deepcopy(callback, memo))
        except Exception as error:
            raise ArgumentTypeError(
                f"{type(callback).__name__} cannot be copied for a branch ({error}); say which "
                "callbacks it has: branch(..., callbacks=[])"
            ) from error
    return copies


def _edited(edit: Edit | None, model: Model, optimizer: Optimizer) -> Optimizer:
    """Let the user change model and optimizer of a branch, and return the optimizer to use."""
    if edit is None:
        return optimizer
    asked = [
        p
        for p in signature(edit).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
    ]
    chosen = edit(model, optimizer) if len(asked) > 1 else edit(model)
    if chosen is None:
        return optimizer
    if not isinstance(chosen, Optimizer):
        raise ArgumentTypeError(f"edit must return an optimizer or nothing, got {chosen!r}")
    return chosen
