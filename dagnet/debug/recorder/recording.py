"""A recording: the steps of a training, to look at and to go on from."""

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dagnet.bounds import check_integer
from dagnet.cache import Cache
from dagnet.debug.recorder.journal import Journal
from dagnet.debug.recorder.recent import Recent
from dagnet.debug.recorder.record import Record
from dagnet.debug.recorder.replay import Replay
from dagnet.debug.recorder.selection import check_value
from dagnet.debug.recorder.series import Series, check_stat, measured
from dagnet.debug.recorder.travel import Branch, Edit, Rewound, branch, rewind
from dagnet.errors import RecordingError
from dagnet.model import Model
from dagnet.node import Node
from dagnet.training import Callback
from dagnet.training.loop import Training

if TYPE_CHECKING:
    from dagnet.debug.recorder.recorder import Recorder

NOTHING = "nothing is recorded yet: model.fit(..., callbacks=[recorder])"


class Recording(ABC):
    """What a `Recorder` recorded, or `Recorder.open` found in a directory.

    Step t is the t-th update. Its values are those of the forward and backward pass that led to
    the update, with the parameters before it.

    Attributes
    ----------
    every : int
        Updates from one record to the next, as asked for.
    select : dict
        What is noted of the recorded steps.
    max_bytes : int
    marks : dict of list of str
        Steps around which every step is recorded, and why.
    """

    every: int
    select: Mapping[str, list[str]]
    max_bytes: int
    marks: dict[int, list[str]]
    _records: Mapping[int, Record]
    _journal: Journal
    _recent: Recent

    @property
    def model(self) -> Model:
        """The model that was trained."""
        return self._training.model

    @property
    @abstractmethod
    def _training(self) -> Training:
        """The training, with its data."""

    @property
    def first(self) -> int:
        """The first step that can be looked at."""
        return next(iter(self._records), 1)

    @property
    def last(self) -> int:
        """The last step that was made; 0 before there is one."""
        return self._journal.last

    @property
    def steps(self) -> list[int]:
        """The recorded steps; those between are made again from the nearest before."""
        return [step for step in self._records if step <= self.last]

    def at(self, step: int) -> Cache:
        """Return the values of a training step, as ``model.cache`` shows those of a run.

        The step is made again on a double of the model, from the nearest record before, with the
        same examples and random numbers; it has the same bits. The model and a training that is
        under way are untouched, and no later run overwrites what is returned.

        Raises
        ------
        RecordingError
            If the step was not recorded, or cannot be made again.
        """
        self._check(step, self.first)
        cache = self._recent.get(step)
        if cache is None:
            replay = Replay(self._training, self._journal)
            replay.start(self._nearest(step))
            cache = replay.cache_of(step).copy()
            self._recent.put(step, cache, self._room())
        return cache

    def series(self, node: str | Node, value: str, stat: str = "norm") -> Series:
        """Return a number of a value over all recorded steps.

        Selected values and parameters are in the records; for others, each of the recorded steps
        is made again.

        Parameters
        ----------
        node : str or Node
        value : str
            ``"output"``, ``"grad_params.W"``, as in ``Record.array``.
        stat : str
            A field of `Statistics`, or ``"value"`` of what is one number, such as a cost.

        Raises
        ------
        UnknownNameError
            If there is no such node, value or statistic; it offers the nearest names.
        NotKeptError
            If no gradient flows there.
        ArgumentError
            If the value of several numbers is asked for.
        """
        name = self.model.graph.name_of(node)
        check_value(self.model, name, value)
        check_stat(stat)
        read = _Reader(self.model, lambda: Replay(self._training, self._journal), name, value)
        steps = self.steps
        what = f"{name}.{value}"
        numbers = [measured(read(self._records[step]), stat, what) for step in steps]
        return Series(name, value, stat, np.array(steps, int), np.array(numbers, float))

    def params(self, step: int) -> dict[str, dict[str, np.ndarray]]:
        """Return the parameters before a recorded step; no data are needed.

        Raises
        ------
        RecordingError
            If the step is not among `steps`.
        """
        self._check(step, self.first)
        if step not in self._records:
            raise RecordingError(
                f"training step {step} is not recorded itself; the nearest before it is "
                f"{self._nearest(step).step}"
            )
        params: dict[str, dict[str, np.ndarray]] = {}
        flat = self._records[step].snapshot.arrays["params"].copy()
        for (owner, name), array in self.model.store.views(flat).items():
            params.setdefault(owner, {})[name] = array
        return params

    def rewind(self, step: int) -> Rewound:
        """Put the model back to after a training step, with optimizer, generator and callbacks.

        Parameters
        ----------
        step : int
            0 for before the first update, if it was recorded.

        Returns
        -------
        Rewound
            Its ``run()`` goes on with the training from there, to the same bits as the first
            time; or change the model, and to others.

        Raises
        ------
        RecordingError
            If the step was not recorded, or cannot be made again, or training is under way.
        """
        self._check(step, self.first - 1)
        self._check_idle("rewind")
        return rewind(self._training, self._journal, self._nearest(step + 1, whole=True), step)

    def branch(
        self,
        step: int,
        edit: Edit | None = None,
        callbacks: "list[Callback] | None" = None,
    ) -> Branch:
        """Train a copy of the model from after a step to the same end, with something changed.

        Parameters
        ----------
        step : int
        edit : callable, optional
            Takes the copy of the model and, if it has a second parameter, the copy of the
            optimizer, and changes them. If it returns an optimizer, that is used instead.
        callbacks : list of Callback, optional
            By default copies of the training's own.

        Returns
        -------
        Branch
            With the model, its history and its own recorder. The training, its model and this
            recording stay as they are.

        Raises
        ------
        RecordingError
            If the step was not recorded, or cannot be made again.
        """
        self._check(step, self.first - 1)
        record = self._nearest(step + 1, whole=True)
        fresh = self._fresh()
        return branch(self._training, self._journal, record, step, edit, callbacks, fresh)

    @property
    def nbytes(self) -> int:
        """What the records, the noted values and the recomputed steps take."""
        return self._records_nbytes + self._journal.nbytes + self._recent.nbytes

    def __repr__(self) -> str:
        if not self.last:
            return f"<{type(self).__name__}, nothing recorded>"
        return (
            f"<{type(self).__name__} of training steps {self.first} to {self.last}, "
            f"{len(self.steps)} recorded>"
        )

    @property
    def _records_nbytes(self) -> int:
        return 0

    def _room(self) -> int:
        """Return how many bytes the records leave for recomputed steps."""
        return self.max_bytes - self._records_nbytes - self._journal.nbytes

    @abstractmethod
    def _fresh(self) -> "Recorder":
        """Return a recorder with the same settings, which writes no files."""

    @abstractmethod
    def _check_idle(self, what: str) -> None:
        """Raise if training is under way."""

    def _check(self, step: Any, first: int, last: int | None = None) -> None:
        last = self.last if last is None else last
        check_integer(step, "a training step")
        if not last:
            raise RecordingError(NOTHING)
        if not first <= step <= last:
            raise RecordingError(
                f"training steps {first} to {last} are recorded, {step} is not among them"
            )

    def _nearest(self, step: int, whole: bool = False) -> Record:
        """Return the last record that leads to a step up to this one."""
        steps = list(self._records)
        for earlier in reversed(steps[: bisect_right(steps, step)]):
            if self._records[earlier].whole or not whole:
                return self._records[earlier]
        raise RecordingError(f"nothing is recorded of training step {step} or before")


class _Reader:
    """Reads one value out of records, and makes a step again only where it has to."""

    def __init__(self, model: Model, replay: Callable[[], Replay], node: str, value: str):
        self._model = model
        self._make = replay
        self._replay: Replay | None = None
        self._node = node
        self._value = value

    def __call__(self, record: Record) -> np.ndarray:
        noted = record.values.get((self._node, self._value))
        if noted is not None:
            return noted
        group, _, key = self._value.partition(".")
        if group == "params":
            params = self._model.store.views(record.snapshot.arrays["params"])
            return params[self._model.keys[self._node][key]]
        self._replay = self._replay or self._make()
        self._replay.start(record)
        return self._replay.cache_of(record.step)[self._node].array(self._value)
