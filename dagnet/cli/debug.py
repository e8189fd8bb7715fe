"""``dagnet debug``: one training step, at the keyboard."""

from dataclasses import replace
from pathlib import Path

import click

from dagnet.cli.data import arrays_for, load_for
from dagnet.cli.networks import open_model
from dagnet.cli.optimizers import make_optimizer, optimizer_options
from dagnet.cli.options import SOURCES, on_data, path_option
from dagnet.cli.summary import summarize
from dagnet.data import Dataset
from dagnet.debug.console import interact, run_script
from dagnet.debug.debugger import Debugger
from dagnet.errors import FileAccessError, FileFormatError


@click.command(epilog=SOURCES)
@on_data
@optimizer_options
@click.option(
    "--examples", metavar="N", type=click.IntRange(min=1), help="Only the first N; default all."
)
@path_option(
    "--commands",
    metavar="FILE",
    help="Carry out what is in FILE (- is standard input), and end at what fails.",
)
def debug(
    model_path: Path,
    source: str,
    target: str | None,
    classes: str | None,
    lr: float | None,
    optimizer: str,
    examples: int | None,
    commands: Path | None,
) -> None:
    """Walk through one training step of MODEL on data, node by node, on and back.

    Commands are those of pdb where there is the same to do: n, c, b, p, l, q. Others go back, set
    values, and show what depends on what; h lists them.

    MODEL is a .safetensors file, or a .py file, which is run.
    """
    lines = None if commands is None else _lines(commands)
    updates = make_optimizer(optimizer, lr)
    model = open_model(model_path)
    dataset = _first(load_for(model, source, target, classes), examples)
    X, Y = arrays_for(model, dataset)
    debugger = Debugger(model, model.prepare(model.feeds(X, Y)), updates)
    click.echo(f"{dataset.name}: {len(dataset)} examples, {summarize(model)}")
    if lines is None:
        interact(debugger)
    else:
        run_script(debugger, lines, str(commands))


def _lines(path: Path) -> list[str]:
    try:
        with click.open_file(str(path), encoding="utf-8") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        raise FileAccessError(f"there is no file {path}") from None
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path}: commands are text in UTF-8: {error}") from None


def _first(dataset: Dataset, count: int | None) -> Dataset:
    if count is None:
        return dataset
    return replace(dataset, X=dataset.X[..., :count], Y=dataset.Y[..., :count])
