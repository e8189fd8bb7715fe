"""Running a training with a bar or with lines, and reporting it."""

import sys
from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from dagnet.cli.app import INTERRUPTED
from dagnet.cli.data import arrays_for, class_shares
from dagnet.cli.output import OutputDirectory
from dagnet.data import Dataset, Scaler
from dagnet.model import Model
from dagnet.text import number
from dagnet.training import Callback, History, Optimizer
from dagnet.training.callbacks import Run
from dagnet.training.progress import LogFile, format_metrics

if TYPE_CHECKING:
    from dagnet.debug.debugger import Debugger

#: Lines that a training prints and logs if the user does not say how often.
LINES = 25


class Lines(Callback):
    """Prints a line for every row of the history, where no bar is shown."""

    def on_epoch(self, run: Run) -> None:
        if run.logged:
            click.echo(f"epoch {run.epoch}  {format_metrics(run.metrics)}")


def run_training(
    model: Model,
    train: Dataset,
    test: Dataset | None,
    optimizer: Optimizer,
    epochs: int,
    scaling: Scaler | None,
    out: OutputDirectory | None,
    log_every: int | None = None,
    checkpoint_every: int | None = None,
    progress: bool = True,
    debugger: "Debugger | None" = None,
    **options: Any,
) -> None:
    """Train a model, print how it goes and ends, and write what there is to `out`.

    What the watches of a debugger have seen is printed, too.

    After Ctrl-C, too, everything is written, and the command ends with exit code 130.
    """
    X, Y = arrays_for(model, train, scaled=scaling is not None)
    model.classes, model.features = train.classes, train.feature_names
    if test is not None:
        options["validation"] = arrays_for(model, test, scaled=scaling is not None)
    if out is not None:
        out.begin(model)
    if out is not None and out.checkpoint is not None:
        options["checkpoint"] = out.checkpoint
        options["checkpoint_every"] = checkpoint_every or epochs
        options["resume"] = out.checkpoint if out.resume else None
    bar = progress and sys.stderr.isatty()
    callbacks: list[Callback] = [] if bar else [Lines()]
    if out is not None and out.log is not None:
        callbacks.append(LogFile(out.log))
    history = model.fit(
        X,
        Y,
        epochs=epochs,
        optimizer=optimizer,
        scaling=scaling,
        log_every=log_every or max(1, epochs // LINES),
        progress=bar,
        callbacks=callbacks,
        debugger=debugger,
        **options,
    )
    if debugger is not None:
        _report_alerts(debugger)
    measured = {"train": model.evaluate(X, Y)}
    if test is not None:
        measured["test"] = model.evaluate(*options["validation"])
    _report(measured, _trouble(history, measured, train, test))
    _finish(model, history, out)


def _report_alerts(debugger: "Debugger") -> None:
    """Print what the watches have seen, and what the first alert came from."""
    alerts = debugger.alerts
    click.echo(str(alerts) or "the watches saw nothing", err=True)
    if alerts:
        click.echo(f"\n{alerts[0].why()}\n", err=True)


def _report(measured: Mapping[str, Mapping[str, float]], trouble: str) -> None:
    """Print how a training ended, after what looks wrong about it."""
    if trouble:
        click.echo(trouble, err=True)
    for part, metrics in measured.items():
        click.echo(f"{part:<5}  {format_metrics(metrics)}")


def _trouble(
    history: History,
    measured: Mapping[str, Mapping[str, float]],
    train: Dataset,
    test: Dataset | None,
) -> str:
    """Return what tells that training came to nothing; empty if there is no sign of that."""
    costs = history.columns.get("cost", [])
    if costs and not isfinite(costs[-1]):
        return f"the cost is {costs[-1]}: try a smaller --lr; --watch all says where it began"
    if len(costs) > 1 and costs[-1] >= costs[0]:
        sign = f"the cost did not fall: {number(costs[0])} at first, {number(costs[-1])} at last"
    elif _is_constant(measured["train"], train):
        sign = "the accuracy is no better than that of one answer to every example"
    elif test is not None and _is_constant(measured["test"], test):
        return (
            "the test accuracy is no better than that of one answer to every example: "
            "too few of them to learn from, or targets that belong to others"
        )
    else:
        return ""
    return f"{sign}; --watch all says what went wrong, and where it began"


def _is_constant(measured: Mapping[str, float], dataset: Dataset) -> bool:
    """Return whether the most common class, said to every example, would be as accurate."""
    largest = max(class_shares(dataset).values(), default=0.0)
    return largest < 1 and measured.get("accuracy", 1.0) <= largest


def _finish(model: Model, history: History, out: OutputDirectory | None) -> None:
    """Write what there is to write, and end with the exit code of Ctrl-C if it ended training."""
    if out is not None:
        out.finish(model, history)
    if history.stopped == "interrupted":
        click.echo("interrupted", err=True)
        click.get_current_context().exit(INTERRUPTED)
