"""The optimizers that commands know by name."""

from collections.abc import Callable

import click

from dagnet.cli.options import name_option, several
from dagnet.errors import UnknownNameError
from dagnet.training import SGD, Adam, AdamW, Momentum, Optimizer, RMSProp

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
}

optimizer_options = several(
    click.option(
        "--lr", metavar="RATE", type=float, help="Learning rate; the optimizer's own if not given."
    ),
    name_option(
        "--optimizer",
        names=lambda: OPTIMIZERS,
        default="sgd",
        show_default=True,
        help="How gradients change the parameters",
    ),
)


def make_optimizer(name: str, lr: float | None) -> Optimizer:
    """Return the optimizer of these options."""
    if name not in OPTIMIZERS:
        raise UnknownNameError.of("optimizer", name, OPTIMIZERS)
    return OPTIMIZERS[name]() if lr is None else OPTIMIZERS[name](lr)
