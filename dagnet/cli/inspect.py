"""``dagnet inspect``: every value and gradient of one pass over data."""

from pathlib import Path

import click
import numpy as np

from dagnet.cache import Record
from dagnet.cli.data import arrays_for, load_for
from dagnet.cli.networks import open_model
from dagnet.cli.options import SOURCES, on_data, path_option
from dagnet.cli.tables import gradient_of, print_arrays, print_nodes
from dagnet.errors import ArgumentError
from dagnet.files import atomic_write, check_writable


@click.command(epilog=SOURCES)
@on_data
@click.option("--node", metavar="NAME", help="Show all arrays of this node only.")
@path_option("--save", metavar="FILE.npz", help="Write the arrays there.")
def inspect(
    model_path: Path,
    source: str,
    target: str | None,
    classes: str | None,
    node: str | None,
    save: Path | None,
) -> None:
    """Run MODEL forward and backward over data and show every node's values.

    The pass is one of training: dropout is on. Gradients are those of the cost. --save writes the
    arrays under names such as relu1.output, relu1.grad_output and linear1.grad_params.W. What a
    node reads is the output of other nodes, and saved again only for the one named by --node.

    MODEL is a .safetensors file, or a .py file, which is run.
    """
    if save is not None:
        _check_archive(save)
    model = open_model(model_path)
    X, Y = arrays_for(model, load_for(model, source, target, classes))
    cost = model.forward(model.prepare(model.feeds(X, Y)))
    model.backward()
    records = list(model.cache.values()) if node is None else [model.cache[node]]
    click.echo(f"cost {cost:.6g}")
    if node is None:
        print_nodes(model)
    else:
        place = f", made in {records[0].source}" if records[0].source else ""
        click.echo(f"{node} is {records[0].op}{place}")
        print_arrays(_inputs_of(records[0]) | _arrays_of(records[0]))
    if save is not None:
        arrays = {} if node is None else _inputs_of(records[0])
        for record in records:
            arrays |= _arrays_of(record)
        with atomic_write(save) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        click.echo(f"{len(arrays)} arrays written to {save}")


def _check_archive(path: Path) -> None:
    if path.suffix != ".npz":
        raise ArgumentError(f"--save writes a .npz file, got {path}")
    check_writable(path)


def _inputs_of(record: Record) -> dict[str, np.ndarray]:
    return {f"{record.name}.inputs.{i}": array for i, array in enumerate(record.inputs)}


def _arrays_of(record: Record) -> dict[str, np.ndarray]:
    """Return what a node made in the last run, by the names that `Record` gives it."""
    name = record.name
    arrays = {f"{name}.output": record.output}
    for attribute in ("params", "state", "saved", "grad_params"):
        for key, array in getattr(record, attribute).items():
            arrays[f"{name}.{attribute}.{key}"] = array
    gradient = gradient_of(record)
    if gradient is not None:
        arrays[f"{name}.grad_output"] = gradient
    for i, array in enumerate(record.grad_inputs):
        if array is not None:
            arrays[f"{name}.grad_inputs.{i}"] = array
    return arrays
