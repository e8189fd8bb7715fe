"""Options that several commands share."""

from collections.abc import Callable, Iterable
from copy import copy
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from dagnet.data import SETS
from dagnet.networks import ACTIVATIONS

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


class NameOption(click.Option):
    """An option that takes a name: its help lists all that there are, and Tab completes them.

    Whether the name is one of them is left to what takes it, which offers the nearest.

    Parameters
    ----------
    param_decls : sequence of str
    names : callable
        Returns the names; called when they are to be shown, for some are slow to load.
    **settings
        Of `click.Option`; the names follow the `help`.
    """

    def __init__(
        self, param_decls: Iterable[str], *, names: Callable[[], Iterable[str]], **settings: Any
    ):
        super().__init__(list(param_decls), **{"metavar": "NAME"} | settings)
        self._names = names

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        shown = copy(self)
        shown.help = f"{self.help}: {', '.join(self._names())}."
        return click.Option.get_help_record(shown, ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in self._names() if name.startswith(incomplete)]


def name_option(*declared: str, names: Callable[[], Iterable[str]], **settings: Any) -> Decorator:
    """Return a `NameOption`."""
    return click.option(*declared, cls=NameOption, names=names, **settings)


def complete_source(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the name of a data set, else that of a file."""
    names = [CompletionItem(name) for name in SETS if name.startswith(incomplete)]
    return names or [CompletionItem(incomplete, type="file")]


model_argument: Decorator = click.argument(
    "model_path", metavar="MODEL", type=click.Path(path_type=Path)
)

data_option: Decorator = click.option(
    "--data",
    "source",
    metavar="SOURCE",
    required=True,
    shell_complete=complete_source,
    help="The examples and targets.",
)

target_option: Decorator = click.option(
    "--target", metavar="COLUMN", help="The target column of a .csv file."
)

classes_option: Decorator = click.option(
    "--classes", metavar="A,B,...", help="Names of all classes, in the order of training."
)

hidden_option = name_option(
    "--hidden",
    names=lambda: ACTIVATIONS,
    default="relu",
    show_default=True,
    help="Activation between --layers",
)

json_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, in one line and with all digits."
)

#: What a command that looks at a trained network takes.
on_data = several(model_argument, data_option, target_option, classes_option)
