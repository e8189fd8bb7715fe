"""``dagnet render``: a drawing of a network."""

from pathlib import Path
from typing import Any

import click

from dagnet.cli.data import feeds_for
from dagnet.cli.networks import open_model, parse_sizes
from dagnet.cli.options import (
    SOURCES,
    classes_option,
    complete_source,
    hidden_option,
    name_option,
    path_option,
    target_option,
)
from dagnet.cli.output import standard_output
from dagnet.errors import UnknownNameError
from dagnet.files import check_writable
from dagnet.model import Model
from dagnet.networks import mlp
from dagnet.render import MEASURES, draw_text


@click.command(epilog=SOURCES)
@click.argument("model_path", metavar="[MODEL]", required=False, type=click.Path(path_type=Path))
@click.option("--layers", metavar="N,N,...", help="Sizes of all layers, the input's first.")
@path_option("--model", "model_file", metavar="FILE.py", help="The same as MODEL.")
@hidden_option
@path_option("-o", "--output", help="The .svg, .png, .dot or .pdf file to write; default net.svg.")
@click.option("--text", is_flag=True, help="Print the drawing as text instead.")
@click.option(
    "--direction",
    type=click.Choice(["down", "right"]),
    default="down",
    show_default=True,
    help="Where the values flow.",
)
@click.option("--fold/--no-fold", default=True, help="Draw a repeated block once (the default).")
@click.option("--depth", type=int, metavar="N", help="Open N levels of scopes and repeats only.")
@click.option(
    "--theme",
    type=click.Choice(["light", "dark", "auto"]),
    default="light",
    show_default=True,
    help="The colours.",
)
@click.option(
    "--language",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="The language of its words: English or Chinese.",
)
@click.option("--title", help="What stands above the drawing.")
@name_option("--overlay", names=lambda: MEASURES, help="Colour the nodes by this")
@click.option("--backward", is_flag=True, help="Draw the gradients, too.")
@click.option(
    "--data",
    "source",
    metavar="SOURCE",
    shell_complete=complete_source,
    help="Run the network on these examples first.",
)
@target_option
@classes_option
@path_option("--against", metavar="MODEL", help="Mark what is new since this older network.")
def render(
    model_path: Path | None,
    layers: str | None,
    model_file: Path | None,
    hidden: str,
    output: Path | None,
    text: bool,
    direction: str,
    fold: bool,
    depth: int | None,
    theme: str,
    language: str,
    title: str | None,
    overlay: str | None,
    backward: bool,
    source: str | None,
    target: str | None,
    classes: str | None,
    against: Path | None,
) -> None:
    """Draw a network into a file, or as text.

    The network is MODEL, a .safetensors file or a .py file, which is run; or that of --layers,
    which ends in a sigmoid for one unit, and in a softmax for more.

    Numbers of a run, for --overlay and --backward, need --data: the network goes forward and
    backward over all examples once, in training mode.
    """
    given = [g for g in (model_path, layers, model_file) if g is not None]
    if len(given) != 1:
        raise click.UsageError("give one network: MODEL, --layers or --model")
    if text and output is not None:
        raise click.UsageError("--text prints: it writes no --output")
    output = output or Path("net.svg")
    _check(None if text else output, overlay)
    path = model_path or model_file
    model = _of_sizes(layers or "", hidden) if path is None else open_model(path)
    options: dict[str, Any] = {
        "fold": fold if depth is None else depth,
        "language": language,
        "title": title,
        "overlay": overlay,
        "backward": backward,
        "against": None if against is None else open_model(against),
    }
    if source is not None:
        model.forward(feeds_for(model, source, target, classes))
        model.backward()
    if text:
        _print(model, options)
    else:
        written = model.render(output, direction=direction, theme=theme, **options)
        click.echo(f"written to {written}")


def _check(output: Path | None, overlay: str | None) -> None:
    """Raise now for what would fail after the network has run."""
    if output is not None:
        check_writable(output)
    if overlay is not None and overlay not in MEASURES:
        raise UnknownNameError.of("overlay", overlay, MEASURES)


def _of_sizes(layers: str, hidden: str) -> Model:
    sizes = parse_sizes(layers)
    return mlp(sizes, hidden=hidden, output="sigmoid" if sizes[-1] == 1 else "softmax")


def _print(model: Model, options: dict[str, Any]) -> None:
    """Print a drawing in the characters that the terminal has."""
    drawing = draw_text(model, **options)
    encoding = standard_output().encoding or "ascii"
    try:
        drawing.encode(encoding)
    except UnicodeEncodeError:
        drawing = draw_text(model, ascii=True, **options)
        drawing = drawing.encode(encoding, errors="replace").decode(encoding)
    click.echo(drawing)
