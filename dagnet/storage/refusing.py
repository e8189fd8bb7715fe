"""Turning whatever goes wrong over a file's content into one error that says so."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagnet.errors import DagnetError, FileFormatError

#: So that a stranger's file cannot fill the screen.
_LONGEST_MESSAGE = 400
_LONGEST_NAME = 60


@contextmanager
def loading(path: str | os.PathLike[str]) -> Iterator[None]:
    """Let an error about the content name the file.

    >>> with loading("cat.safetensors"):
    ...     raise FileFormatError("it is empty")
    Traceback (most recent call last):
    ...
    dagnet.errors.FileFormatError: cannot load cat.safetensors: it is empty
    """
    try:
        yield
    except FileFormatError as error:
        reason = brief(str(error))
        raise FileFormatError(f"cannot load {os.fspath(path)}: {reason}") from error.__cause__


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Turn any error of code that works on a file's content into a `FileFormatError`.

    An op may meet hyperparameters and shapes that its author never thought of, and raise anything.
    """
    try:
        yield
    except DagnetError as error:
        raise FileFormatError(f"{what}: {brief(str(error))}") from None
    except Exception as error:
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise FileFormatError(f"{what}: {brief(reason)}") from error


def brief(message: str) -> str:
    """Return a message as one printable line of bounded length."""
    line = "".join(c if c.isprintable() else " " for c in message[: _LONGEST_MESSAGE + 1])
    return line if len(line) <= _LONGEST_MESSAGE else line[:_LONGEST_MESSAGE] + "..."


def shown(name: Any) -> str:
    """Return a name from a file as a message quotes it.

    >>> shown("linear1"), shown("a" * 100) == repr("a" * 60 + "...")
    ("'linear1'", True)
    """
    name = str(name)
    return repr(name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "...")
