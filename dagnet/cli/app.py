"""The group of commands, and how it ends: with an error in one line, or with Ctrl-C."""

import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click

from dagnet import __version__
from dagnet.errors import DagnetError, UnknownNameError

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

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DagnetError as error:
            raise click.ClickException(one_line(str(error))) from error
        except MemoryError as error:
            raise click.ClickException(f"not enough memory: {one_line(str(error))}") from error
        except BrokenPipeError:
            raise  # whoever read the output has left: click ends quietly
        except OSError as error:
            raise click.ClickException(one_line(str(error))) from error
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)


def one_line(message: str) -> str:
    """Return a message without line ends.

    >>> one_line("no node\\n  named 'x'")
    "no node named 'x'"
    """
    return " ".join(message.split())


@click.group("dagnet", cls=Commands)
@click.version_option(__version__, prog_name="dagnet")
def main() -> None:
    """See a neural network work: train it, draw it, read every value in it."""
    if isinstance(sys.stdout, TextIOWrapper):  # names may be in letters that a terminal lacks
        sys.stdout.reconfigure(errors="backslashreplace")
