"""A recording read from a directory."""

from os import PathLike
from typing import Any

import numpy as np

from dagnet.debug.recorder.directory import Files, read_index, read_record
from dagnet.debug.recorder.journal import Journal
from dagnet.debug.recorder.recent import Recent
from dagnet.debug.recorder.recorder import Recorder
from dagnet.debug.recorder.recording import Recording
from dagnet.debug.recorder.selection import check_select
from dagnet.errors import FileFormatError, RecordingError
from dagnet.model import Model
from dagnet.storage import Archive, graph_from_json
from dagnet.training.checkpoint import definition, difference, from_archive, settings
from dagnet.training.fitting import prepare
from dagnet.training.loop import Training
from dagnet.training.optimizer import Optimizer


class Opened(Recording):
    """The recording in a directory, as it was when it was opened.

    Parameters
    ----------
    path : str or PathLike
    index : dict
    model : Model
    training : Training or None
        None without data.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        index: dict[str, Any],
        model: Model,
        training: Training | None,
    ):
        self.path = path
        self.every = index["every"]
        self.select = check_select(index["select"])
        self.max_bytes = index["max_bytes"]
        self.marks = dict(index["marks"])
        self._records = Files(path, index["steps"])
        self._journal = Journal(index["last"])
        self._journal.changes = {(s, moment): config for s, moment, config in index["changes"]}
        self._recent = Recent()
        self._model = model
        self._with_data = training

    @property
    def model(self) -> Model:
        return self._model

    @property
    def _training(self) -> Training:
        if self._with_data is None:
            raise RecordingError(
                f"{self.path}: making a step again takes the training data: "
                "dn.Recorder.open(path, model, X, Y); without them there are the parameters and "
                f"the noted values of the steps {_listed(list(self._records))}"
            )
        return self._with_data

    def _fresh(self) -> Recorder:
        return Recorder(self.every, self.select, self.max_bytes)

    def _check_idle(self, what: str) -> None:
        """Another process may train; this one does not."""


def open_recording(
    path: str | PathLike[str], model: Model | None, X: Any = None, Y: Any = None
) -> Recording:
    """Return the recording in a directory; see `Recorder.open`."""
    index = read_index(path)
    if not index["steps"]:
        raise FileFormatError(f"{path}: nothing is recorded there yet")
    archive = read_record(path, index["steps"][-1])[1]
    try:
        model = _model_of(archive) if model is None else model
        mine = {"graph": definition(model.graph), "dtype": model.dtype}
        _check_same(path, archive, mine)
        training = None if X is None else _training_of(index, archive, model, X, Y)
    except RecordingError:
        raise
    except (KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(f"{path}: not a usable recording: {error!r}") from error
    if training is not None:
        _check_same(path, archive, settings(training))
    return Opened(path, index, model, training)


def _check_same(path: Any, archive: Archive, mine: dict[str, Any]) -> None:
    found = difference(archive.metadata, mine)
    if found:
        raise RecordingError(f"{path}: this recording {found}")


def _model_of(archive: Archive) -> Model:
    """Return a model of the recorded network."""
    described = archive.metadata["graph"]
    vertices = [{**v, "source": None} for v in described["vertices"]]
    graph = graph_from_json(described | {"vertices": vertices})
    bits = getattr(np.random, archive.metadata["bit_generator"], None)
    if not (isinstance(bits, type) and issubclass(bits, np.random.BitGenerator)):
        raise FileFormatError(f"its generator is {archive.metadata['bit_generator']!r}")
    rng = np.random.Generator(bits())
    return Model.from_graph(graph, seed=rng, dtype=archive.metadata["dtype"])


def _training_of(index: dict[str, Any], archive: Archive, model: Model, X: Any, Y: Any) -> Training:
    metadata = archive.metadata
    training = prepare(
        model,
        X,
        Y,
        epochs=index["epochs"],
        log_every=index["log_every"],
        batch_size=metadata["batch_size"],
        shuffle=metadata["shuffle"],
        optimizer=Optimizer.from_config(metadata["optimizer"]),
        progress=False,
    )
    training.history.columns = from_archive(archive).history
    return training


def _listed(steps: list[int]) -> str:
    shown = ", ".join(map(str, steps[:5]))
    return f"{shown}, ... {steps[-1]}" if len(steps) > 5 else shown
