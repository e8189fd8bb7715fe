"""The recorder: a callback that makes it possible to go back in a training."""

from os import PathLike
from typing import Any

from dagnet.bounds import check_size
from dagnet.debug.debugger import Debugger
from dagnet.debug.recorder.directory import Directory
from dagnet.debug.recorder.journal import AFTER_BATCH, AT_EPOCH, Journal
from dagnet.debug.recorder.recent import Recent
from dagnet.debug.recorder.record import Record, Value, expected_nbytes
from dagnet.debug.recorder.recording import NOTHING, Recording
from dagnet.debug.recorder.records import Records
from dagnet.debug.recorder.replay import Replay, keeping
from dagnet.debug.recorder.selection import Select, check_select, found, selected
from dagnet.errors import ArgumentError, RecordingError
from dagnet.model import Model
from dagnet.training import Callback
from dagnet.training.checkpoint import difference, settings
from dagnet.training.loop import Training


class Recorder(Recording, Callback):
    """Records a training, so that every step of it can be looked at again, and gone on from.

    Parameters
    ----------
    every : int
        Updates from one record to the next. A record holds the parameters, the states, those of
        the optimizer and the generator, and the order of the examples; steps between are made
        again when they are asked for.
    select : dict, optional
        Values to note of every recorded step, by nodes or patterns for their names:
        ``{"linear.*": ["grad_params", "output"]}``.
    max_bytes : int
        What the recording may take in memory. When it is full, every second record goes.
    path : str or PathLike, optional
        A directory to write the records to as well, which `Recorder.open` reads.
    window : int
        Steps before and after an alert, or one that is marked, that are all recorded.

    Notes
    -----
    It is told of everything after all other callbacks. Callbacks that change the optimizer or end
    the training may do so; whatever else changes the model between two steps is noticed, and the
    step after it cannot be made again.

    Examples
    --------
    >>> import dagnet as dn
    >>> train = dn.data.moons(m=50)
    >>> model = dn.mlp([2, 5, 1], seed=1)
    >>> recorder = dn.Recorder(every=10)
    >>> history = model.fit(train.X, train.Y, epochs=200, callbacks=[recorder])
    >>> recorder.at(137)["relu1"].output.shape
    (5, 50)
    >>> recorder.series("cost", "output", "value").steps[:3]
    array([ 1, 11, 21])
    >>> end = model.get_params()
    >>> again = recorder.rewind(137).run()
    >>> bool((model.params["linear1"]["W"] == end["linear1"]["W"]).all())
    True
    """

    told_last = True

    def __init__(
        self,
        every: int = 10,
        select: Select | None = None,
        max_bytes: int = 2**28,
        path: str | PathLike[str] | None = None,
        *,
        window: int = 3,
    ):
        self.every = check_size(every, "Recorder: every")
        self.select = check_select({} if select is None else select)
        self.max_bytes = check_size(max_bytes, "Recorder: max_bytes")
        self.window = check_size(window, "Recorder: window")
        self.path = path
        self._recorded: Training | None = None
        self._under_way: Training | None = None
        self._pending: Record | None = None
        self._directory: Directory | None = None
        self._forget_all(0)

    @staticmethod
    def open(
        path: str | PathLike[str], model: Model | None = None, X: Any = None, Y: Any = None
    ) -> Recording:
        """Return the recording in a directory, of a training that is over or still runs.

        Parameters
        ----------
        path : str or PathLike
        model : Model, optional
            Of the same network, with the scaling that training used; else one is made. `rewind`
            changes it.
        X, Y : ndarray or dict of ndarray, optional
            The training data. Without them there are parameters and noted values, but no step can
            be made again.

        Raises
        ------
        FileAccessError, FileFormatError
            If there is no recording, or it is damaged.
        RecordingError
            If it is of another network or other data; the first difference is named.
        """
        from dagnet.debug.recorder.opened import open_recording

        return open_recording(path, model, X, Y)

    def mark(self, step: int, reason: str = "marked") -> None:
        """Record every step around this one, and let those records go last.

        Raises
        ------
        RecordingError
            If the step was not recorded.
        """
        here = self._under_way
        self._check(step, self.first, self.last if here is None else here.step)
        self._mark(step, reason)

    # As a callback.

    def on_start(self, run: Any) -> None:
        self._selected = selected(run.model, self.select)
        self._names: list[Value] = []  # of the values that are selected, once they are there
        self._check_budget(run)
        self._directory = None if self.path is None else Directory(self.path, run)
        self._debuggers = [c for c in run.callbacks if isinstance(c, Debugger)]
        self._heard = self._alerts()
        self._keep = run.keep
        self._under_way = run
        self._pending = None

    def on_resume(self, run: Any) -> None:
        if self._continues(run):
            self._journal.truncate(run.step)
            self._records.truncate(run.step)
            self._recent.clear()
            self.marks = {s: why for s, why in self.marks.items() if s <= run.step}
        else:
            self._forget_all(run.step)
            self._take_over(run)
        self._begin(run)
        self._records.pinned.add(run.step + 1)  # from here it may be another training

    def on_epoch_start(self, run: Any) -> None:
        if run.step == 0:
            self._forget_all(0)
            self._begin(run)
        elif self._seen != vars(run.optimizer):
            self._note_change(run, AT_EPOCH)

    def on_batch(self, run: Any) -> None:
        step = run.step
        self._journal.note(step, run.cost)
        if self._seen != vars(run.optimizer):
            self._note_change(run, AFTER_BATCH)
        if step >= self._wake or (self._debuggers and self._alerts() != self._heard):
            self._awake(run)

    def on_end(self, run: Any) -> None:
        here = self._under_way
        if here is not None and here is self._recorded:
            if here.step > self.last:  # another callback raised before we were told
                self._journal.note(here.step, here.cost)
            self._finish_pending(here)
            if self._directory is not None:
                self._directory.finish(self)
        self._under_way = None

    # Recording.

    def _forget_all(self, step: int) -> None:
        """Begin a new recording after an update."""
        self._journal = Journal(step)
        self._recent = Recent()
        self._records: Records = Records(self.every, self._forget)
        self.marks = {}
        self._dense_until = 0
        self._wake = 0

    def _begin(self, run: Training) -> None:
        self._recorded = run
        self._seen = dict(vars(run.optimizer))
        self._config = run.optimizer.config
        if self._directory is not None:
            self._directory.clear(self)
        self._record(run)
        self._set_alarm(run.step)

    def _awake(self, run: Training) -> None:
        self._finish_pending(run)
        for debugger in self._debuggers:
            for alert in debugger.alerts[self._heard :]:
                self._mark(alert.iteration, alert.message)
        self._heard = self._alerts()
        if self._records.on_grid(run.step + 1) or run.step < self._dense_until:
            self._record(run)
        self._set_alarm(run.step)

    def _set_alarm(self, step: int) -> None:
        """Set after which update there is something to do next."""
        dense = self._pending is not None or step < self._dense_until
        due = step + 1 if dense else self._records.next_on_grid(step + 1) - 1
        self._wake = min(due, step + 1 + self.max_bytes // 1024)  # the journal grows, too

    def _record(self, run: Training) -> None:
        record = Record.of(run)
        if self._keep_record(record):
            if self._selected:
                run.keep, self._pending = "all", record
            elif self._directory is not None:
                self._directory.write(record, run, self)

    def _keep_record(self, record: Record) -> bool:
        limit = self._limit()
        kept = self._records.add(record, limit)
        self._recent.shrink(limit - self._records.nbytes)
        return kept

    def _finish_pending(self, run: Training) -> None:
        """Note the selected values of the step that a record led to."""
        record, self._pending = self._pending, None
        if record is None:
            return
        run.keep = self._keep
        if record.step not in self._records:
            return
        if record.step == run.step and run.model.cache.run.binding.plan.keep == "all":
            limit, cache = self._limit(), run.model.cache
            self._names = self._names or found(cache, self._selected)
            values = {(node, of): cache[node].array(of).copy() for node, of in self._names}
            self._records.add_values(record, values, limit)
            self._recent.shrink(limit - self._records.nbytes)
        if self._directory is not None:
            self._directory.write(record, run, self)

    def _limit(self) -> int:
        """Return what records may take: the rest is for the journal."""
        self._journal.shrink(self.max_bytes // 8 - self.max_bytes // 32)
        return self.max_bytes - self.max_bytes // 8

    def _forget(self, step: int) -> None:
        if self._directory is not None:
            self._directory.forget(step)

    def _note_change(self, run: Training, moment: int) -> None:
        self._seen = dict(vars(run.optimizer))
        if run.optimizer.config != self._config:
            self._config = run.optimizer.config
            self._journal.changes[run.step, moment] = self._config

    def _take_over(self, run: Training) -> None:
        """Take what an earlier process recorded of this training from the directory."""
        if self._directory is None:
            return
        for record in self._directory.earlier(run.step):
            self._records.add(record, self._limit())
        self._journal.changes = self._directory.changes(run.step)

    # Alerts.

    def _alerts(self) -> int:
        return sum(len(debugger.alerts) for debugger in self._debuggers)

    def _mark(self, step: int, reason: str) -> None:
        """Record the steps around one, as long as that leaves half of the room for the others."""
        if self._pinned_nbytes() > self._limit() // 2:
            return
        self.marks.setdefault(step, []).append(reason)
        first, last = max(self.first, step - self.window), step + self.window
        self._records.pinned.update(range(first, last + 1))
        try:
            self._fill(first, min(last, self._now))
        except RecordingError as error:  # training must not end for that
            self.marks[step].append(f"the steps before it: {error}")
        if self._under_way is not None:
            self._dense_until = max(self._dense_until, last)
            self._wake = 0

    @property
    def _now(self) -> int:
        """The last step whose record can be made from earlier ones."""
        return self.last + 1 if self._under_way is None else self._under_way.step

    def _pinned_nbytes(self) -> int:
        records = self._records
        return sum(records[step].nbytes for step in records.pinned if step in records)

    def _fill(self, first: int, last: int) -> None:
        """Make records of steps that have none."""
        missing = [step for step in range(first, last + 1) if step not in self._records]
        if not missing:
            return
        training = self._training
        replay = Replay(training, self._journal)
        replay.start(self._nearest(missing[0]))
        for step in missing:
            replay.run_to(step - 1)
            record = Record.of(replay.training, whole=not keeping(training.callbacks))
            if not self._keep_record(record):
                return
            if self._directory is not None:
                self._directory.write(record, training, self)

    # What a recording is asked for.

    @property
    def changes(self) -> dict[tuple[int, int], dict[str, Any]]:
        """What callbacks made of the optimizer, by update and moment."""
        return self._journal.changes

    @property
    def written(self) -> list[int]:
        """The steps whose records are in the directory."""
        return [step for step in self._records if self._pending is not self._records[step]]

    @property
    def _training(self) -> Training:
        if self._recorded is None:
            raise RecordingError(NOTHING)
        return self._recorded

    @property
    def _records_nbytes(self) -> int:
        return self._records.nbytes

    def _fresh(self) -> "Recorder":
        return Recorder(self.every, self.select, self.max_bytes, window=self.window)

    def _check_idle(self, what: str) -> None:
        if self._under_way is not None:
            raise RecordingError(f"{what}: training is under way; wait for its end, or stop it")

    def _check_budget(self, run: Training) -> None:
        one = expected_nbytes(run)
        needed = 2 * one * 8 // 7 + 8  # an eighth is for the journal
        if needed > self.max_bytes:
            raise ArgumentError(
                f"Recorder: a record of this training takes {one} bytes, and there must be room "
                f"for two and for what is noted of the steps; max_bytes is {self.max_bytes}, "
                f"needed are at least {needed}"
            )

    def _continues(self, run: Training) -> bool:
        """Return whether a training goes on from a step of the one that is recorded."""
        before = self._recorded
        if before is None or not self.first <= run.step + 1 <= self.last + 1:
            return False
        if run.model is before.model and run.feeds is before.feeds:
            return True
        return not difference(settings(before), settings(run))
