"""``dagnet render``: a drawing of a network."""

from pathlib import Path

import click

from dagnet.cli.networks import open_model, parse_sizes
from dagnet.cli.options import path_option
from dagnet.model import Model
from dagnet.networks import mlp


@click.command()
@click.argument("model_path", metavar="[MODEL]", required=False, type=click.Path(path_type=Path))
@click.option("--layers", metavar="N,N,...", help="Sizes of all layers, the input's first.")
@path_option("--model", "model_file", metavar="FILE.py", help="The same as MODEL.")
@click.option("--hidden", default="relu", show_default=True, help="Hidden layers of --layers.")
@path_option(
    "-o",
    "--output",
    default=Path("net.svg"),
    show_default=True,
    help="The .svg, .png, .dot or .pdf file to write.",
)
@click.option(
    "--direction",
    type=click.Choice(["down", "right"]),
    default="down",
    show_default=True,
    help="Where the values flow.",
)
@click.option("--fold/--no-fold", default=True, help="Draw a repeated block once (the default).")
def render(
    model_path: Path | None,
    layers: str | None,
    model_file: Path | None,
    hidden: str,
    output: Path,
    direction: str,
    fold: bool,
) -> None:
    """Draw a network into a file.

    The network is MODEL, a .safetensors file or a .py file, which is run; or that of --layers,
    which ends in a sigmoid for one unit, and in a softmax for more.
    """
    given = [g for g in (model_path, layers, model_file) if g is not None]
    if len(given) != 1:
        raise click.UsageError("give one network: MODEL, --layers or --model")
    path = model_path or model_file
    model = _of_sizes(layers or "", hidden) if path is None else open_model(path)
    written = model.render(output, direction=direction, fold=fold)
    click.echo(f"written to {written}")


def _of_sizes(layers: str, hidden: str) -> Model:
    sizes = parse_sizes(layers)
    return mlp(sizes, hidden=hidden, output="sigmoid" if sizes[-1] == 1 else "softmax")
