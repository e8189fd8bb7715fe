"""``dagnet profile``: where the time of a training step goes, node by node."""

from pathlib import Path

import click

from dagnet.cli.data import feeds_for
from dagnet.cli.networks import open_model
from dagnet.cli.options import SOURCES, on_data


@click.command(epilog=SOURCES)
@on_data
@click.option(
    "--steps",
    metavar="N",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="How many steps to time.",
)
def profile(
    model_path: Path, source: str, target: str | None, classes: str | None, steps: int
) -> None:
    """Time every node of MODEL in training steps over data, and show what limits each.

    A row is one node forward or backward: its median time, its operations and bytes, and how much
    of what this machine can do at best it reaches. Nothing is trained.

    MODEL is a .safetensors file, or a .py file, which is run.
    """
    model = open_model(model_path)
    found = model.profile(feeds_for(model, source, target, classes), steps=steps)
    click.echo(str(found))
    click.echo(f"\na step takes {found.seconds * 1e6:.0f} us, the median of {steps}")
