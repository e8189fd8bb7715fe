"""Commands that answer a question with their exit code, as diff and grep do."""

from typing import Any

import click

from dagnet.cli.app import said
from dagnet.errors import DagnetError

#: The exit code of a command whose answer is no; yes is 0.
NO = 1


class Trouble(click.ClickException):
    """An error that is not to be taken for the answer no."""

    exit_code = 2


class Question(click.Command):
    """A command that exits with 0 for yes and 1 for no, and so with 2 after an error."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError:
            raise
        except click.ClickException as error:
            raise Trouble(error.message) from error
        except (DagnetError, OSError) as error:
            raise Trouble(said(error)) from error
