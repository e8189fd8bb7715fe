"""Running the Python file in which a user defines a network."""

import runpy
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from traceback import TracebackException
from typing import IO, Any

import click

from dagnet.errors import ArgumentError, ArgumentTypeError, DagnetError, FileAccessError
from dagnet.model import Model
from dagnet.node import Node

#: ``__name__`` in the file while it runs: its ``if __name__ == "__main__"`` part does not.
RUN_NAME = "dagnet_model"

_PACKAGE = str(Path(__file__).parents[1])


class UserFileError(click.ClickException):
    """The user's file raised an error: their own traceback says where."""

    def __init__(self, path: Path, error: Exception):
        super().__init__(f"{path} does not run, see above")
        self.report = _trimmed(error)

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.report, file=file, err=file is None)
        super().show(file)


def model_from_file(
    path: Path, options: Mapping[str, Any] | None = None, given: Sequence[str] = ()
) -> Model:
    """Run a Python file and return the network it defines.

    Parameters
    ----------
    path : Path
        The file, which defines `model`, a `Model`, or `cost`, the node of the loss.
    options : mapping, optional
        Of `Model`, for a `cost`.
    given : sequence of str
        Which of them the user asked for: a finished `model` takes none.

    Raises
    ------
    UserFileError
        If the file raises an error.
    ArgumentError, ArgumentTypeError
        If it defines neither, or something else by that name.
    """
    defined = _run(path)
    if "model" in defined:
        model = defined["model"]
        if not isinstance(model, Model):
            raise ArgumentTypeError(f"{path}: model must be a dn.Model, got {_kind(model)}")
        if given:
            raise ArgumentError(
                f"{path} defines a finished model; --{', --'.join(given)} would change a cost only"
            )
        return model
    if "cost" in defined:
        cost = defined["cost"]
        if not isinstance(cost, Node):
            raise ArgumentTypeError(f"{path}: cost must be the node of a loss, got {_kind(cost)}")
        return Model(cost, **(options or {}))
    raise ArgumentError(f"{path} defines neither model nor cost{_hint(defined)}")


def _run(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileAccessError(f"there is no file {path}")
    try:
        with _importing_from(path.parent):
            return runpy.run_path(str(path), run_name=RUN_NAME)
    except SystemExit as error:
        raise DagnetError(f"{path} ended by itself: {error!r}") from error
    except Exception as error:
        raise UserFileError(path, error) from error


@contextmanager
def _importing_from(directory: Path) -> Iterator[None]:
    """Let the file import modules beside it, as ``python file.py`` would."""
    before = list(sys.path)
    sys.path.insert(0, str(directory.resolve()))
    try:
        yield
    finally:
        sys.path[:] = before


def _trimmed(error: Exception) -> str:
    """Return the traceback without dagnet's own lines, and those of no file."""
    report = TracebackException.from_exception(error)
    report.stack[:] = [f for f in report.stack if not f.filename.startswith((_PACKAGE, "<"))]
    return "".join(report.format(chain=False)).rstrip()


def _kind(value: object) -> str:
    return f"{type(value).__name__} {value!r}"[:80]


def _hint(defined: dict[str, Any]) -> str:
    likely = [name for name, value in defined.items() if isinstance(value, Model | Node)]
    return f"; rename {' or '.join(likely)}" if likely else ""
