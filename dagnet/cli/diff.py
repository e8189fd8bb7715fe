"""``dagnet diff``: where two models differ, and how the difference spreads."""

from dataclasses import replace
from pathlib import Path

import click

from dagnet.cli.data import feeds_for
from dagnet.cli.networks import open_model
from dagnet.cli.options import SOURCES, classes_option, complete_source, target_option
from dagnet.cli.question import NO, Question
from dagnet.debug.diff import diff as diff_runs
from dagnet.debug.diff import diff_models, run_alike
from dagnet.debug.diff.align import align


@click.command(cls=Question, epilog=SOURCES)
@click.argument("path_a", metavar="A", type=click.Path(path_type=Path))
@click.argument("path_b", metavar="B", type=click.Path(path_type=Path))
@click.option(
    "--data",
    "source",
    metavar="SOURCE",
    shell_complete=complete_source,
    help="Run both on these examples.",
)
@target_option
@classes_option
@click.option(
    "--rtol", metavar="ERROR", type=float, default=0.0, help="Relative tolerance; default 0."
)
@click.option(
    "--atol", metavar="ERROR", type=float, default=0.0, help="Absolute tolerance; default 0."
)
def diff(
    path_a: Path,
    path_b: Path,
    source: str | None,
    target: str | None,
    classes: str | None,
    rtol: float,
    atol: float,
) -> None:
    """Compare the models A and B: their networks, parameters, and with --data every value.

    With --data, both run forward and backward over the examples, each with its own scaling, in
    training mode and with the same random numbers. The report names the first value that differs,
    in the order of execution, and then how far the values of every node are apart.

    The exit code is 0 if nothing differs, 1 if something does, and 2 on an error.

    A and B are .safetensors files, or .py files, which are run.
    """
    a, b = open_model(path_a), open_model(path_b)
    if source is None:
        result = diff_models(a, b, rtol=rtol, atol=atol)
    else:
        feeds_a, feeds_b = (feeds_for(model, source, target, classes) for model in (a, b))
        runs = run_alike(a, b, feeds_a, feeds_b, align(a.graph, b.graph).image)
        result = diff_runs(*runs, rtol=rtol, atol=atol)
    click.echo(str(replace(result, names=("A", "B"))))
    if not result.same:
        click.get_current_context().exit(NO)
