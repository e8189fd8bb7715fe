"""``dagnet evaluate``: the cost and the metrics of a model on data."""

from pathlib import Path

import click

from dagnet.cli.data import arrays_for, load_for, predicts_classes
from dagnet.cli.networks import open_model
from dagnet.cli.options import SOURCES, json_option, on_data
from dagnet.cli.output import print_json
from dagnet.training import metrics_for


@click.command(epilog=SOURCES)
@on_data
@json_option
def evaluate(
    model_path: Path, source: str, target: str | None, classes: str | None, as_json: bool
) -> None:
    """Print what MODEL achieves on data.

    That is the cost, and accuracy, precision, recall and F1 of a classifier; the mean absolute and
    the mean squared error and R2 of a regression. Every number is on a line of its own.

    MODEL is a .safetensors file, or a .py file, which is run.
    """
    model = open_model(model_path)
    X, Y = arrays_for(model, load_for(model, source, target, classes))
    kind = "categorical" if predicts_classes(model) else "regression"
    measured = model.evaluate(X, Y, metrics=list(metrics_for(kind)))
    if as_json:
        print_json(measured)
        return
    for name, value in measured.items():
        click.echo(f"{name:<10} {value:.6g}")
