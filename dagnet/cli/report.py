"""``dagnet report``: one HTML file that shows every value of a network."""

from pathlib import Path
from typing import Any

import click

from dagnet.cli.data import arrays_for, load_for
from dagnet.cli.networks import open_model
from dagnet.cli.options import SOURCES, on_data, path_option, several
from dagnet.files import check_writable
from dagnet.model import Model

image_option = click.option(
    "--image", metavar="HxW[xC]", help="What picture an example is; some SOURCEs say so themselves."
)

max_mb_option = click.option(
    "--max-mb",
    metavar="SIZE",
    type=click.FloatRange(0, min_open=True),
    default=20,
    show_default=True,
    help="How large the file may be.",
)

recording_option = path_option(
    "--recording", metavar="DIRECTORY", help="Show the steps that dn.Recorder wrote there."
)

#: What a command that makes a page takes.
of_page = several(on_data, recording_option, image_option, max_mb_option)


@click.command(epilog=SOURCES)
@of_page
@path_option("-o", "--output", default=Path("report.html"), show_default=True, help="The file.")
def report(
    model_path: Path,
    source: str,
    target: str | None,
    classes: str | None,
    recording: Path | None,
    image: str | None,
    max_mb: float,
    output: Path,
) -> None:
    """Run MODEL forward and backward over data and write a page with every value.

    The file needs nothing but a browser. It has the drawing of the network, and every array of
    every node, with the exact numbers. Of large arrays, if the file would be larger than --max-mb,
    it has samples, and says so; statistics are of everything. With --recording, it shows the steps
    of a training on these data, with a slider.

    MODEL is a .safetensors file, or a .py file, which is run.
    """
    from dagnet.inspector import report as write

    check_writable(output)
    model, options = page_of(model_path, source, target, classes, recording, image)
    written = write(model, output, max_mb=max_mb, title=model_path.stem, **options)
    click.echo(f"written to {written}: {written.path.stat().st_size / 1e6:.1f} MB")


def page_of(
    model_path: Path,
    source: str,
    target: str | None,
    classes: str | None,
    recording: Path | None,
    image: str | None,
) -> tuple[Model, dict[str, Any]]:
    """Return the model that a page is to show, and the arguments that say what of it."""
    from dagnet.debug.recorder import Recorder

    model = open_model(model_path)
    dataset = load_for(model, source, target, classes)
    X, Y = arrays_for(model, dataset)
    picture = dataset.picture if image is None else _sizes(image)
    recorder = None if recording is None else Recorder.open(recording, model, X, Y)
    return model, {"X": X, "Y": Y, "recorder": recorder, "image": picture}


def _sizes(image: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in image.split("x"))
    except ValueError:
        raise click.BadParameter(
            f"{image!r} is no size such as 64x64x3", param_hint="--image"
        ) from None
