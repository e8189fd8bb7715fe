"""`fit`: what the user asked for, checked, and the training made of it."""

from collections.abc import Mapping, Sequence
from inspect import signature
from os import PathLike
from typing import TYPE_CHECKING, Any

from dagnet.bounds import check_size
from dagnet.errors import ArgumentTypeError, UnknownNameError
from dagnet.model import Model
from dagnet.node import is_scaled
from dagnet.plan import KEEPS, Keep
from dagnet.settings import check_choice
from dagnet.training.batches import Batches
from dagnet.training.callbacks import Callback
from dagnet.training.checkpoint import Checkpoint
from dagnet.training.evaluation import Judge
from dagnet.training.history import History
from dagnet.training.loop import Training
from dagnet.training.metrics import Metric
from dagnet.training.optimizer import Optimizer
from dagnet.training.optimizers import SGD
from dagnet.training.orders import Shuffle, check_shuffle
from dagnet.training.progress import ProgressBar

if TYPE_CHECKING:
    from dagnet.data import Scaler
    from dagnet.debug.debugger import Debugger

#: Rows a history gets if the user does not say how often to log.
ROWS = 100


def fit(model: Model, X: Any, Y: Any = None, **options: Any) -> History:
    """Train a model; see `Model.fit`."""
    return prepare(model, X, Y, **options).run()


def prepare(
    model: Model,
    X: Any,
    Y: Any = None,
    *,
    epochs: int = 100,
    batch_size: int | None = None,
    optimizer: Optimizer | None = None,
    validation: tuple[Any, Any] | None = None,
    metrics: Sequence[str | Metric] | None = None,
    callbacks: Sequence[Callback] = (),
    scaling: "Scaler | str | None" = None,
    shuffle: Shuffle = True,
    log_every: int | None = None,
    progress: bool = True,
    keep: Keep = "needed",
    checkpoint: str | PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    resume: str | PathLike[str] | None = None,
    debugger: "Debugger | None" = None,
) -> Training:
    """Check what `fit` is given and return the training, which has not begun."""
    epochs = check_size(epochs, "epochs")
    log_every = max(1, epochs // ROWS) if log_every is None else check_size(log_every, "log_every")
    every = checkpoint_every
    every = log_every if every is None else check_size(every, "checkpoint_every")
    optimizer = SGD(0.01) if optimizer is None else optimizer
    watching = [] if debugger is None else [debugger]
    _check_objects(optimizer, [*_listed(callbacks), *watching])
    optimizer.check(model.store)
    check_choice("way to keep values", keep, KEEPS)
    shuffle = check_shuffle(shuffle)
    file = None if checkpoint is None else Checkpoint(checkpoint, every)
    bar = [ProgressBar(epochs)] if progress else []

    before = model.scaling
    try:
        raw = model.feeds(X, Y)
        if scaling is not None:
            model.fit_scaling(scaling, raw)
        if batch_size is None:  # all at once is in memory anyway
            feeds, m = model.check_feeds(model.prepare(raw))
        else:
            feeds, m = model.sources(raw)
        held_out = None if validation is None else _held_out(model, validation)
        scaled = {name for name in feeds if is_scaled(model.shapes[name])}
        return Training(
            model,
            Batches(feeds, scaled, m, batch_size),
            Judge(model, metrics),
            optimizer,
            epochs,
            log_every,
            shuffle,
            keep,
            [*callbacks, *watching, *bar],
            feeds,
            held_out,
            file,
            resume,
            model.train_step if debugger is None else debugger.train_step,
        )
    except BaseException:
        model.scaling = before
        raise


def check_options(options: Mapping[str, Any]) -> None:
    """Raise with the nearest name unless `fit` has all these options."""
    known = [p.name for p in signature(prepare).parameters.values() if p.kind is p.KEYWORD_ONLY]
    for name in options:
        if name not in known:
            raise ArgumentTypeError(str(UnknownNameError.of("option of fit", name, known)))


def _listed(callbacks: Any) -> Sequence[Any]:
    if not isinstance(callbacks, Sequence):
        raise ArgumentTypeError(f"callbacks must be a list of callbacks, got {callbacks!r}")
    return callbacks


def _check_objects(optimizer: Any, callbacks: Sequence[Any]) -> None:
    if not isinstance(optimizer, Optimizer):
        raise ArgumentTypeError(
            f"optimizer must be an object such as dn.SGD(0.01), got {optimizer!r}"
        )
    for callback in callbacks:
        if not isinstance(callback, Callback):
            raise ArgumentTypeError(
                f"a callback must be an object of a subclass of dn.Callback, got {callback!r}"
            )


def _held_out(model: Model, validation: Any) -> dict[str, Any]:
    """Return validation data as checked feeds or streams."""
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise ArgumentTypeError("validation must be a pair (X, Y)")
    return model.sources(model.feeds(*validation))[0]
