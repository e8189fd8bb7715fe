"""``dagnet view``: the page of ``dagnet report``, in the browser at once."""

from pathlib import Path

import click

from dagnet.cli.options import SOURCES
from dagnet.cli.report import of_page, page_of


@click.command(epilog=SOURCES)
@of_page
def view(
    model_path: Path,
    source: str,
    target: str | None,
    classes: str | None,
    recording: Path | None,
    image: str | None,
    max_mb: float,
) -> None:
    """Show every value of a pass of MODEL over data in the browser.

    This is what `dagnet report` writes, in a temporary file.

    MODEL is a .safetensors file, or a .py file, which is run.
    """
    from dagnet.inspector import view as show

    model, options = page_of(model_path, source, target, classes, recording, image)
    click.echo(str(show(model, max_mb=max_mb, title=model_path.stem, **options)))
