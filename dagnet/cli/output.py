"""Where commands write: the directory of a training, and standard output."""

import json
import sys
from math import isfinite
from pathlib import Path
from typing import Any, TextIO

import click

from dagnet.errors import FileAccessError
from dagnet.files import check_writable
from dagnet.model import Model
from dagnet.training import History


class OutputDirectory:
    """The files of one training, each of which is known to be writable before it starts.

    Parameters
    ----------
    path : Path
        Created when the training begins, if it is not there.
    resume : bool
        Whether training goes on from the checkpoint in it.
    results_only : bool
        Whether to leave out the log and the checkpoint.

    Raises
    ------
    FileAccessError
        If one of the files could not be written, or the checkpoint is missing.
    """

    def __init__(self, path: Path, resume: bool = False, results_only: bool = False):
        self.path = path
        self.model = path / "model.safetensors"
        self.drawing = path / "net.svg"
        self.history = path / "history.csv"
        self.log = None if results_only else path / "train.log"
        self.checkpoint = None if results_only else path / "checkpoint.safetensors"
        self.resume = resume
        there = next(p for p in (path, *path.absolute().parents) if p.exists())
        check_writable(there, directory=True)
        for file in self._files() if there == path else ():
            check_writable(file)
        if resume and not (self.checkpoint and self.checkpoint.is_file()):
            raise FileAccessError(f"nothing to resume: there is no {self.checkpoint}")

    def begin(self, model: Model) -> None:
        """Create the directory, draw the network, and start a new log unless training goes on.

        What could not be saved or drawn is found out here, before the training.
        """
        from dagnet.storage import graph_to_json

        graph_to_json(model.graph)
        check_writable(self.path, directory=True)
        model.render(self.drawing)
        if self.log and not self.resume:
            self.log.unlink(missing_ok=True)

    def finish(self, model: Model, history: History) -> None:
        """Write the model and the history, and say what there is."""
        model.save(self.model)
        history.to_csv(self.history)
        names = ", ".join(file.name for file in self._files() if file.is_file())
        click.echo(f"written to {self.path}: {names}")

    def _files(self) -> list[Path]:
        files = (self.model, self.drawing, self.history, self.log, self.checkpoint)
        return [file for file in files if file is not None]


def print_json(document: Any) -> None:
    """Print JSON in one line; a number that is not finite is null, for JSON has no name for it."""
    click.echo(json.dumps(_finite(document), allow_nan=False))


def _finite(value: Any) -> Any:
    """Return a document with None for what is not finite.

    >>> _finite({"cost": float("nan"), "values": [{"shape": (2, 3), "max": 1.5}]})
    {'cost': None, 'values': [{'shape': [2, 3], 'max': 1.5}]}
    """
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def standard_output() -> TextIO:
    """Return standard output, or raise if whoever started the program has closed it."""
    if sys.stdout is None:
        raise FileAccessError("standard output is closed; --output names a file to write")
    return sys.stdout
