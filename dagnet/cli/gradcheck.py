"""``dagnet gradcheck``: every gradient of a model against central differences."""

from pathlib import Path

import click

from dagnet.cli.data import arrays_for, load_for
from dagnet.cli.networks import open_model
from dagnet.cli.options import SOURCES, on_data
from dagnet.cli.question import NO, Question


@click.command(cls=Question, epilog=SOURCES)
@on_data
@click.option(
    "--examples",
    metavar="N",
    type=click.IntRange(1),
    default=32,
    show_default=True,
    help="How many of the examples to check on, the first ones.",
)
@click.option(
    "--tolerance",
    metavar="ERROR",
    type=click.FloatRange(0, min_open=True),
    default=1e-6,
    show_default=True,
    help="The largest relative error of a gradient that is right.",
)
@click.pass_context
def gradcheck(
    ctx: click.Context,
    model_path: Path,
    source: str,
    target: str | None,
    classes: str | None,
    examples: int,
    tolerance: float,
) -> None:
    """Check the gradients of MODEL on data, node by node.

    The backward of each node is compared with central differences of its forward, in float64, at
    the values it has in a training pass; and the gradient of the cost by all parameters with
    differences of the cost. The exit code is 0 if all are right, 1 if one is
    wrong, and 2 on an error.

    MODEL is a .safetensors file, or a .py file, which is run.
    """
    from dagnet.debug.gradcheck import gradcheck as check

    model = open_model(model_path)
    X, Y = arrays_for(model, load_for(model, source, target, classes))
    raw = model.feeds(X[..., :examples], None if Y is None else Y[..., :examples])
    found = check(model, model.prepare(raw), tolerance=tolerance)
    click.echo(str(found))
    if not found.ok:
        ctx.exit(NO)
