"""The group of commands, and how it ends: with an error in one line, or with Ctrl-C."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click
from click.exceptions import Exit

from dagnet import __version__
from dagnet.errors import DagnetError, UnknownNameError

#: How the arguments of `dagnet.data.load` that messages name are written here.
_OPTIONS = {
    "target=": "--target",
    "classes=": "--classes",
    "regression=": "--targets",
    "regression=True": "--targets numbers",
    "regression=False": "--targets classes",
}

#: Exit code after Ctrl-C, as of a program that the signal ended.
INTERRUPTED = 130

#: Every command, in the module of its name, which is imported when the command is asked for.
COMMANDS = {
    "demo": "Train a small network on handwritten digits and look inside it.",
    "train": "Train a network on data.",
    "evaluate": "Measure a trained network on data.",
    "predict": "Write a trained network's predictions as CSV.",
    "inspect": "Show the values and gradients of every node.",
    "debug": "Walk through a training step, node by node.",
    "diff": "Show where two networks differ.",
    "gradcheck": "Check the gradients of every node.",
    "profile": "Show where the time of a training step goes.",
    "render": "Draw a network.",
    "report": "Write one HTML file that shows every value of a network.",
    "view": "Show every value of a network in the browser.",
}


class Commands(click.Group):
    """A group that imports a command when it is used, and knows the errors of dagnet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"dagnet.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(str(UnknownNameError.of("command", args[0], COMMANDS)))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def make_context(self, *arguments: Any, **settings: Any) -> click.Context:
        with errors_in_one_line():  # --help and --version print here
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        with errors_in_one_line():
            return super().invoke(ctx)


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Turn what a command raises into what click prints in one line."""
    try:
        yield
    except DagnetError as error:
        raise click.ClickException(said(error)) from error
    except MemoryError as error:
        raise click.ClickException(f"not enough memory: {said(error)}") from error
    except BrokenPipeError:
        raise  # whoever read the output has left: click ends quietly
    except OSError as error:
        raise click.ClickException(said(error)) from error
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        raise Exit(INTERRUPTED) from None


def said(error: Exception) -> str:
    """Return an error's message in one line, in which arguments of Python are options.

    >>> said(ValueError("no column is the target;\\n  give target=, one of 'a', 'b'"))
    "no column is the target; give --target, one of 'a', 'b'"
    """
    line = " ".join(str(error).split())
    return re.sub(r"\b\w+=\w*(?!')", lambda m: _OPTIONS.get(m[0], m[0]), line)


@click.group("dagnet", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dagnet")
def main() -> None:
    """See a neural network work: train it, draw it, read every value in it."""
    if isinstance(sys.stdout, TextIOWrapper):  # names may be in letters that a terminal lacks
        sys.stdout.reconfigure(errors="backslashreplace")
