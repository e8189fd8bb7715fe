"""A recording in a directory: a checkpoint for every record, and an index in JSON.

``recording.json`` says what there is; ``step-0000000131.safetensors`` is the record that leads to
step 131. It is a checkpoint, which ``fit(resume=...)`` goes on from, with more arrays in it: the
noted values of the step, ``value.0``, and of each the numbers of its `Statistics`,
``statistics.0``; their names are in its metadata, under ``values`` and ``statistics``.
"""

from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dagnet.debug.recorder.record import Record, history_before
from dagnet.debug.recorder.selection import check_select
from dagnet.debug.recorder.series import STATS
from dagnet.errors import DagnetError, FileAccessError, FileFormatError, MissingFileError
from dagnet.files import atomic_write, check_writable
from dagnet.statistics import statistics
from dagnet.storage import Archive, read_archive, write_archive
from dagnet.storage.strict_json import dumps, expect, expect_keys, loads
from dagnet.training.checkpoint import KIND, Saved, described, from_archive, settings

if TYPE_CHECKING:
    from dagnet.debug.recorder.recorder import Recorder
    from dagnet.training.loop import Training

INDEX = "recording.json"
INDEX_KIND = "recording/1"

#: The numbers of an array's statistics, in the order in which a file has them.
NUMBERS = STATS[:-1]

_KEYS = (
    *("kind", "every", "max_bytes", "select", "epochs", "log_every"),
    *("last", "steps", "marks", "changes"),
)


class Directory:
    """Writes a recording while training runs; a reader always finds it whole.

    Parameters
    ----------
    path : str or PathLike
        It is made if there is none.
    training : Training

    Raises
    ------
    FileAccessError
        At once, if nothing can be written there.
    """

    def __init__(self, path: str | PathLike[str], training: "Training"):
        check_writable(path, directory=True)
        self._path = Path(path)
        self._made_with = settings(training)
        self._epochs = training.epochs
        self._log_every = training.log_every
        self._doomed: list[Path] = []

    def clear(self, recorder: "Recorder") -> None:
        """Let go of the files of records that the recorder does not have."""
        wanted = {record_file(self._path, step) for step in recorder.steps}
        self._doomed += [f for f in self._path.glob("step-*.safetensors") if f not in wanted]
        self.finish(recorder)

    def write(self, record: Record, training: "Training", recorder: "Recorder") -> None:
        """Write a record, and then the index."""
        columns = history_before(training.history.columns, record.step)
        arrays, metadata = described(Saved(record.snapshot, columns), self._made_with)
        for i, array in enumerate(record.values.values()):
            of = statistics(array)
            arrays[f"value.{i}"] = array
            arrays[f"statistics.{i}"] = np.array([getattr(of, name) for name in NUMBERS], float)
        metadata |= {
            "whole": record.whole,
            "values": [list(value) for value in record.values],
            "statistics": list(NUMBERS),
        }
        write_archive(record_file(self._path, record.step), KIND, arrays, metadata)
        self.finish(recorder)

    def forget(self, step: int) -> None:
        """Let go of a record's file when the index is written next."""
        self._doomed.append(record_file(self._path, step))

    def finish(self, recorder: "Recorder") -> None:
        """Write the index as things are, and remove what it does not list any more."""
        index = {
            "kind": INDEX_KIND,
            "every": recorder.every,
            "max_bytes": recorder.max_bytes,
            "select": recorder.select,
            "epochs": self._epochs,
            "log_every": self._log_every,
            "last": recorder.last,
            "steps": recorder.written,
            "marks": [list(marked) for marked in recorder.marks.items()],
            "changes": [[*at, config] for at, config in recorder.changes.items()],
        }
        with atomic_write(self._path / INDEX, "w") as file:
            file.write(dumps(index) + "\n")
        for file_of_old in self._doomed:
            file_of_old.unlink(missing_ok=True)
        self._doomed.clear()

    def earlier(self, step: int) -> Iterator[Record]:
        """Yield the records of this training that lead to a step up to this one."""
        try:
            found = [s for s in read_index(self._path)["steps"] if s <= step]
            for each in found:
                record, archive = read_record(self._path, each)
                if any(archive.metadata.get(k) != v for k, v in self._made_with.items()):
                    return
                yield record
        except DagnetError:  # there is no recording, or another one: it is written over
            return

    def changes(self, step: int) -> dict[tuple[int, int], dict[str, Any]]:
        """Return what became of the optimizer before a step, as it is written."""
        try:
            index = read_index(self._path)
        except DagnetError:
            return {}
        return {(s, m): config for s, m, config in index["changes"] if s <= step}


def record_file(path: Path, step: int) -> Path:
    return path / f"step-{step:010d}.safetensors"


def read_index(path: str | PathLike[str]) -> dict[str, Any]:
    """Read what there is in a directory.

    Raises
    ------
    FileAccessError, FileFormatError
        If there is no recording, or it cannot be read.
    """
    file = Path(path) / INDEX
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        raise MissingFileError(f"there is no recording in {path}: no file {file}") from None
    except OSError as error:
        raise FileAccessError(f"cannot read {file}: {error.strerror}") from error
    try:
        index = expect_keys(loads(text, "the index"), _KEYS, "the index")
        if index["kind"] != INDEX_KIND:
            raise FileFormatError(f"its kind is {index['kind']!r}, not {INDEX_KIND!r}")
        check_select(index["select"])
        for name in ("steps", "marks", "changes"):
            expect(index[name], list, name)
        for name in ("every", "max_bytes", "epochs", "log_every", "last"):
            expect(index[name], int, name)
        for step in index["steps"]:
            expect(step, int, "a step")
        for step, reasons in index["marks"]:
            expect(reasons, list, f"what is said of step {step}")
        for step, _, config in index["changes"]:
            expect(config, dict, f"the change at step {step}")
    except (DagnetError, ValueError, TypeError) as error:
        raise FileFormatError(f"{file}: not a usable index of a recording: {error}") from error
    return index


def read_record(path: str | PathLike[str], step: int) -> tuple[Record, Archive]:
    """Read the record that leads to a step, and the file's content.

    Raises
    ------
    FileAccessError, FileFormatError
        If it is gone, or damaged.
    """
    file = record_file(Path(path), step)
    archive = read_archive(file, KIND)
    try:
        snapshot = from_archive(archive).snapshot
        names: list = archive.metadata["values"]
        values = {(node, of): archive.arrays[f"value.{i}"] for i, (node, of) in enumerate(names)}
        record = Record(step, snapshot, bool(archive.metadata["whole"]), values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(f"{file}: not a usable record: {error!r}") from error
    return record, archive


class Files(Mapping[int, Record]):
    """The records in a directory by the step they lead to; each is read when it is asked for."""

    def __init__(self, path: str | PathLike[str], steps: list[int]):
        self._path = path
        self._steps = sorted(steps)

    def __getitem__(self, step: int) -> Record:
        if step not in self._steps:
            raise KeyError(step)
        return read_record(self._path, step)[0]

    def __iter__(self) -> Iterator[int]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)
