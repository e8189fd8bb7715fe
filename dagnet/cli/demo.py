"""``dagnet demo``: a network from definition to a table of all its values."""

from pathlib import Path
from time import perf_counter

import click

import dagnet as dn
from dagnet.cli.data import arrays_for
from dagnet.cli.fitting import run_training
from dagnet.cli.options import path_option
from dagnet.cli.output import OutputDirectory
from dagnet.cli.summary import summarize
from dagnet.cli.tables import print_nodes


@click.command()
@path_option("--out", metavar="DIR", default=Path("."), help="Where to write; default here.")
@click.option("--seed", metavar="N", type=click.IntRange(min=0), default=1, show_default=True)
def demo(out: Path, seed: int) -> None:
    """Train a small network on handwritten digits and look inside it.

    Writes net.svg, model.safetensors and history.csv, and prints the values and gradients of every
    node for the digits that were held out.
    """
    begin = perf_counter()
    directory = OutputDirectory(out, results_only=True)
    train, test = dn.data.digits().split(test=0.2, seed=seed)
    model = digits_network(seed)
    click.echo(f"{len(train)} digits to train on, {len(test)} held out")
    click.echo(summarize(model))
    run_training(
        model,
        train,
        test,
        dn.Adam(0.003),
        epochs=30,
        scaling=dn.data.Divide(16),
        out=directory,
        log_every=3,
        batch_size=32,
    )
    click.echo("\nthe values of every node on the held-out digits, and the gradients' norms:\n")
    model.forward(model.prepare(model.feeds(*arrays_for(model, test))))
    model.backward()
    print_nodes(model)
    click.echo(f"\n{perf_counter() - begin:.1f} seconds in all")


def digits_network(seed: int) -> dn.Model:
    """Define a network that tells digits apart, and compile it."""
    X, Y = dn.Input(64, name="X"), dn.Input(10, name="Y")
    A = X
    for layer, units in enumerate([64, 32], start=1):
        A = dn.ReLU(name=f"relu{layer}")(dn.Linear(units, name=f"linear{layer}")(A))
    Y_hat = dn.Softmax(name="softmax3")(dn.Linear(10, name="linear3")(A))
    cost = dn.CategoricalCrossEntropy(name="cost")(Y_hat, Y)
    return dn.Model(cost, seed=seed)
