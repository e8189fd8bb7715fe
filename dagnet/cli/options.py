"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

#: What the help of every command with a SOURCE ends in.
SOURCES = """SOURCE is the name of a data set (digits, planar, moons, circles, spirals, blobs, xor;
    with parameters: moons:m=500,noise=0.2) or the path of a .npz, .csv or .h5 file."""


def several(*decorators: Decorator) -> Decorator:
    """Return the decorators as one, the first of them first in the help."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def path_option(*names: str, **settings: Any) -> Decorator:
    """Return an option that takes a path."""
    return click.option(*names, type=click.Path(path_type=Path), **settings)


model_argument: Decorator = click.argument(
    "model_path", metavar="MODEL", type=click.Path(path_type=Path)
)

data_option: Decorator = click.option(
    "--data", "source", metavar="SOURCE", required=True, help="The examples and targets."
)

target_option: Decorator = click.option(
    "--target", metavar="COLUMN", help="The target column of a .csv file."
)

classes_option: Decorator = click.option(
    "--classes", metavar="A,B,...", help="Names of all classes, in the order of training."
)

#: What a command that looks at a trained network takes.
on_data = several(model_argument, data_option, target_option, classes_option)
