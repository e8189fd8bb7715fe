"""Running a training with a bar or with lines, and reporting it."""

import sys
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from dagnet.cli.app import INTERRUPTED
from dagnet.cli.data import arrays_for, most_common_class
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
    parts = {"train": (X, Y), "test": options.get("validation")}
    _report(model, train, parts, history, out)


def _report_alerts(debugger: "Debugger") -> None:
    """Print what the watches have seen, and what the first alert came from."""
    alerts = debugger.alerts
    click.echo(str(alerts) or "the watches saw nothing", err=True)
    if alerts:
        click.echo(f"\n{alerts[0].why()}\n", err=True)


def _report(
    model: Model,
    train: Dataset,
    data: dict[str, tuple[Any, Any] | None],
    history: History,
    out: OutputDirectory | None,
) -> None:
    measured = {
        part: model.evaluate(*arrays) for part, arrays in data.items() if arrays is not None
    }
    trouble = _trouble(history.columns.get("cost", []), measured["train"], train)
    if trouble:
        click.echo(trouble, err=True)
    for part, metrics in measured.items():
        click.echo(f"{part:<5}  {format_metrics(metrics)}")
    if out is not None:
        out.finish(model, history)
    if history.stopped == "interrupted":
        click.echo("interrupted", err=True)
        click.get_current_context().exit(INTERRUPTED)


def _trouble(costs: Sequence[float], measured: Mapping[str, float], train: Dataset) -> str:
    """Return what tells that training came to nothing; empty if there is no sign of that."""
    common = most_common_class(train)
    if costs and not isfinite(costs[-1]):
        return f"the cost is {costs[-1]}: try a smaller --lr; --watch all says where it began"
    if len(costs) > 1 and costs[-1] >= costs[0]:
        sign = f"the cost did not fall: {number(costs[0])} at first, {number(costs[-1])} at last"
    elif common is not None and measured.get("accuracy", 1.0) <= common.share:
        sign = f"the accuracy is no better than that of saying {common.name!r} to every example"
    else:
        return ""
    return f"{sign}; --watch all says what went wrong, and where it began"
