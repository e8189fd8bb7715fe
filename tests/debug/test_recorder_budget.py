"""A recording never takes more memory than it may, and keeps what matters most."""

import gc
from types import MethodType

import numpy as np
import pytest
from recorder_helpers import adam, arrays_of, build, state_of, straight, train

import dagnet as dn
from dagnet.debug.alerts import Alert
from dagnet.debug.recorder.journal import AFTER_BATCH, Journal
from dagnet.debug.recorder.record import OVERHEAD
from dagnet.errors import ArgumentError, RecordingError
from dagnet.graph import Graph
from dagnet.plan import Plan


@pytest.fixture(scope="module")
def truth():
    return straight()


def held(recorder):
    """Return the bytes of all arrays in the records, the recomputed steps and the journal."""
    found, seen = {}, set()
    waiting = [recorder._records, recorder._recent, recorder._journal]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, type | MethodType | Graph | Plan):
            continue
        seen.add(id(thing))
        if isinstance(thing, np.ndarray):
            owner = thing if thing.base is None else thing.base
            found[id(owner)] = owner.nbytes
        else:
            waiting += gc.get_referents(thing)
    return sum(found.values())


class Measure(dn.Callback):
    """Measures a recorder after every step, as it stands before the next."""

    def __init__(self, recorder, ask=()):
        self.recorder, self.ask = recorder, ask
        self.most, self.counted = 0, 0

    def on_batch(self, run):
        for step in self.ask:
            if step <= self.recorder.last:
                self.recorder.at(step)
        self.most = max(self.most, held(self.recorder))
        self.counted = max(self.counted, self.recorder.nbytes)


@pytest.mark.parametrize("max_bytes", [30_000, 60_000, 200_000])
@pytest.mark.parametrize("select", [None, {"relu1": ["output", "grad_output"]}])
def test_the_budget_is_never_exceeded(max_bytes, select, truth):
    recorder, optimizer = dn.Recorder(every=1, max_bytes=max_bytes, select=select), adam()
    measure = Measure(recorder, ask=(3, 9, 12, 20, 31))
    model, _ = train(recorder, measure, optimizer=optimizer)
    assert 0 < measure.most <= measure.counted <= max_bytes
    assert recorder.nbytes <= max_bytes
    assert state_of(model, optimizer) == truth[0].after[36]
    assert recorder.steps[0] == 1
    for step in (2, 19, 36):
        assert arrays_of(recorder.at(step)) == truth[0].caches[step]
        assert held(recorder) <= recorder.nbytes <= max_bytes


def test_what_is_counted_is_what_there_is():
    options = {"model": dn.mlp([5, 70, 50, 1], seed=1), "optimizer": dn.Adam()}
    recorder = dn.Recorder(every=4)
    train(recorder, **options)
    arrays = held(recorder)
    rest = len(recorder._records) * OVERHEAD
    assert recorder.nbytes - rest == pytest.approx(arrays, abs=600)
    assert arrays > 10 * 3 * options["model"].store.data.nbytes * 0.8


def test_thinned_records_lie_twice_as_far_apart():
    distances = set()
    for max_bytes in (30_000, 60_000, 120_000, 240_000):
        recorder = dn.Recorder(every=1, max_bytes=max_bytes)
        train(recorder, epochs=40)
        *steps, newest = recorder.steps
        (distance,) = set(np.diff(steps))
        assert steps[0] == 1
        assert 0 < newest - steps[-1] <= distance
        assert newest > 160 - 2 * distance
        distances.add(int(distance))
    assert sorted(distances) == [8, 16, 32, 64] or len(distances) == 4
    assert all(d & (d - 1) == 0 for d in distances)


def test_recomputed_steps_make_room_for_records():
    recorder = dn.Recorder(every=1, max_bytes=400_000)
    train(recorder)
    caches = [recorder.at(step) for step in (2, 3, 4)]
    assert recorder.at(2) is caches[0]
    outputs = sum(record.output.nbytes for record in caches[0].values())
    assert caches[0].run.nbytes > 2 * outputs
    recorder.max_bytes = recorder.nbytes
    kept = recorder.at(9)
    assert recorder.at(9) is kept
    assert recorder.at(3) is not caches[1]
    assert recorder.nbytes <= recorder.max_bytes


def test_too_small_a_budget_is_refused_before_training():
    model, optimizer = build(), adam()
    before = state_of(model, optimizer)
    with pytest.raises(ArgumentError, match=r"is 9000, needed are at least \d+") as caught:
        train(dn.Recorder(max_bytes=9000), model=model, optimizer=optimizer)
    assert state_of(model, optimizer) == before
    needed = int(str(caught.value).split()[-1])
    recorder = dn.Recorder(every=1, max_bytes=needed)
    train(recorder, model=model, optimizer=optimizer)
    assert list(recorder._records) == [1, 37]  # the first, and what would come next


def test_around_a_marked_step_every_step_is_recorded(truth):
    class Mark(dn.Callback):
        def on_batch(self, run):
            if run.step == 17:
                recorder.mark(17, "odd")

    recorder = dn.Recorder(every=10, window=2)
    train(recorder, Mark())
    assert recorder.steps == [1, 11, 15, 16, 17, 18, 19, 21, 31]
    assert recorder.marks == {17: ["odd"]}
    for step in (15, 17, 19, 20):
        assert arrays_of(recorder.at(step)) == truth[0].caches[step]
    recorder.mark(26)
    assert recorder.steps == [1, 11, 15, 16, 17, 18, 19, 21, 24, 25, 26, 27, 28, 31]
    recorder.rewind(25).run()
    assert arrays_of(recorder.at(36)) == truth[0].caches[36]


def test_windows_are_thinned_after_all_others():
    class Mark(dn.Callback):
        def on_batch(self, run):
            if run.step == 50:
                recorder.mark(50)

    recorder = dn.Recorder(every=1, window=2, max_bytes=100_000)
    train(recorder, Mark(), epochs=60)
    assert {48, 49, 50, 51, 52} <= set(recorder.steps)
    others = [s for s in recorder.steps if not 48 <= s <= 52]
    assert others[0] == 1
    assert min(np.diff(others)) >= 16
    assert recorder.nbytes <= 100_000


def test_windows_take_at_most_about_half_of_the_room():
    class Mark(dn.Callback):
        def on_batch(self, run):
            if run.step > 20:
                recorder.mark(run.step)

    recorder = dn.Recorder(every=1, window=2, max_bytes=150_000)
    measure = Measure(recorder)
    train(recorder, Mark(), measure, epochs=60)
    assert {19, 20, 21, 22, 23} <= set(recorder.steps)
    assert recorder.steps[-1] > 240 - 2 * recorder._records.distance
    assert measure.most <= measure.counted <= 150_000


def test_alerts_of_a_debugger_mark_their_steps():
    model, recorder = build(), dn.Recorder(every=10, window=1)
    debugger = dn.Debugger(model, on_stop=lambda debugger: None)

    class Watch(dn.Callback):
        def after_node(self, run, name, phase):
            if run.step == 23 and (name, phase) == ("relu1", "forward"):
                alert = Alert("nan", name, phase, 24, 4, "a nan", 1.0, 0.0)
                debugger.alerts.append(alert)

    train(recorder, Watch(), model=model, debugger=debugger)
    assert recorder.marks == {24: ["a nan"]}
    assert recorder.steps == [1, 11, 21, 23, 24, 25, 31]


class TestJournal:
    def test_costs_are_kept_to_the_bit(self):
        journal = Journal()
        for step in range(1, 50):
            journal.note(step, step / 7)
        journal.check(21, 3.0)
        with pytest.raises(RecordingError, match="step 22 cannot be made again"):
            journal.check(22, np.nextafter(22 / 7, 9))
        journal.check(50, 0.0)  # nothing is known of it

    @pytest.mark.parametrize("first", [1, 14])
    def test_it_forgets_every_second_cost_and_then_changes(self, first):
        journal = Journal(first - 1)
        for step in range(first, first + 3000):
            journal.note(step, step / 7)
        journal.changes = {(step, AFTER_BATCH): {} for step in range(5)}
        journal.shrink(8000)
        assert journal.nbytes <= 8000
        known = [step for step in range(first, first + 3000) if self.knows(journal, step)]
        assert len(known) in range(100, 400)
        assert len(set(np.diff(known))) == 1
        journal.truncate(1000)
        assert [s for s in range(first, first + 3000) if self.knows(journal, s)] == [
            s for s in known if s <= 1000
        ]
        for step in range(1001, 1400):
            journal.note(step, step / 7)
        assert [s for s in range(first, first + 3000) if self.knows(journal, s)] == [
            s for s in known if s < 1400
        ]
        journal.shrink(2000)
        assert len(journal.changes) < 5

    @staticmethod
    def knows(journal, step):
        journal.check(step, step / 7)
        try:
            journal.check(step, -1.0)
        except RecordingError:
            return True
        return False
