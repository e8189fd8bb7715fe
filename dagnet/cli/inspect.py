"""``dagnet inspect``: every value and gradient of one pass over data."""

from pathlib import Path

import click
import numpy as np

from dagnet.cli.data import feeds_for
from dagnet.cli.networks import open_model
from dagnet.cli.options import SOURCES, json_option, on_data, path_option
from dagnet.cli.output import print_json
from dagnet.cli.tables import print_arrays, print_nodes
from dagnet.errors import ArgumentError
from dagnet.files import atomic_write, check_writable
from dagnet.record import belongs
from dagnet.statistics import statistics


@click.command(epilog=SOURCES)
@on_data
@click.option("--node", metavar="NAME", help="Show all arrays of this node only.")
@path_option("--save", metavar="FILE.npz", help="Write the arrays there.")
@json_option
def inspect(
    model_path: Path,
    source: str,
    target: str | None,
    classes: str | None,
    node: str | None,
    save: Path | None,
    as_json: bool,
) -> None:
    """Run MODEL forward and backward over data and show every node's values.

    The pass is one of training: dropout is on. Gradients are those of the cost. --save writes the
    arrays under names such as relu1.output, relu1.grad_output and linear1.grad_params.W. What a
    node reads is the output of other nodes, and saved again only for the one named by --node.
    --json prints the cost, and as values the statistics of these same arrays.

    MODEL is a .safetensors file, or a .py file, which is run.
    """
    if save is not None:
        _check_archive(save)
    model = open_model(model_path)
    cost = model.forward(feeds_for(model, source, target, classes))
    model.backward()
    records = list(model.cache.values()) if node is None else [model.cache[node]]
    chosen = [
        (record.name, name, array)
        for record in records
        for name, array in record.arrays().items()
        if node is not None or not belongs(name, ["inputs"])
    ]
    arrays = {f"{owner}.{name}": array for owner, name, array in chosen}
    if as_json:
        values = [
            {"node": owner, "value": name} | vars(statistics(array))
            for owner, name, array in chosen
        ]
        print_json({"cost": cost, "values": values})
    elif node is None:
        click.echo(f"cost {cost:.6g}")
        print_nodes(model)
    else:
        place = f", made in {records[0].source}" if records[0].source else ""
        click.echo(f"cost {cost:.6g}\n{node} is {records[0].op}{place}")
        print_arrays(arrays)
    if save is not None:
        with atomic_write(save) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        click.echo(f"{len(arrays)} arrays written to {save}", err=as_json)


def _check_archive(path: Path) -> None:
    if path.suffix != ".npz":
        raise ArgumentError(f"--save writes a .npz file, got {path}")
    check_writable(path)
