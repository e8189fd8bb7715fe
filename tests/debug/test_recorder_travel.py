"""A training goes on from any step it made: as it did, or as it might have."""

import numpy as np
import pytest
from recorder_helpers import (
    EPOCHS,
    Keep,
    X,
    Y,
    adam,
    arrays_of,
    build,
    rows_of,
    state_of,
    straight,
    train,
)

import dagnet as dn
from dagnet.errors import ArgumentTypeError, RecordingError


@pytest.fixture(scope="module")
def truth():
    return straight()


@pytest.mark.parametrize("step", [0, 1, 4, 5, 11, 14, 20, 21, 36])
@pytest.mark.parametrize("every", [1, 10])
def test_back_to_a_step_and_on_again(step, every, truth):
    recorder, optimizer = dn.Recorder(every=every), adam()
    model, history = train(recorder, optimizer=optimizer)
    end, rows = state_of(model, optimizer), rows_of(history)
    rewound = recorder.rewind(step)
    assert (rewound.step, rewound.model, rewound.optimizer) == (step, model, optimizer)
    if step:
        assert state_of(model, optimizer) == truth[0].after[step]
    again = rewound.run()
    assert state_of(model, optimizer) == end == truth[0].after[36]
    assert rows_of(again) == rows
    assert recorder.last == 36
    for each in (36, max(step, 1), min(step + 1, 36)):
        assert arrays_of(recorder.at(each)) == truth[0].caches[each]


def test_back_and_forth_before_it_goes_on(truth):
    recorder, optimizer = dn.Recorder(every=10), adam()
    model, _ = train(recorder, optimizer=optimizer)
    for step in (17, 3, 30, 9):
        recorder.rewind(step)
        assert state_of(model, optimizer) == truth[0].after[step]
    recorder.rewind(22).run()
    recorder.rewind(7).run()
    assert state_of(model, optimizer) == truth[0].after[36]


def test_a_full_batch_training_goes_on_with_a_plain_fit():
    options = {"batch_size": None, "epochs": 30}
    recorder, optimizer = dn.Recorder(every=8), adam()
    model, _ = train(recorder, optimizer=optimizer, **options)
    end = state_of(model, optimizer)
    recorder.rewind(13)
    assert state_of(model, optimizer) != end
    model.fit(X, Y, epochs=17, optimizer=optimizer, progress=False)
    assert state_of(model, optimizer) == end


def test_early_stopping_comes_to_the_same_end(truth):
    def stopping():
        return dn.EarlyStopping("val_cost", patience=2)

    options = {"validation": (X[:, :7], Y[:, :7]), "epochs": 40, "log_every": 1}
    stop, recorder, optimizer = stopping(), dn.Recorder(every=10), adam()
    model, history = train(recorder, stop, optimizer=optimizer, **options)
    assert history.stopped.startswith("early stopping")
    end, best = state_of(model, optimizer), (stop.best, stop.best_epoch)
    rows = rows_of(history)
    for step in (11, 8, 5, 2):
        again = recorder.rewind(step).run()
        assert rows_of(again) == rows
        assert (stop.best, stop.best_epoch) == best
        assert state_of(model, optimizer) == end


def test_what_is_changed_after_going_back_makes_another_training():
    recorder, optimizer = dn.Recorder(every=10), adam()
    model, _ = train(recorder, optimizer=optimizer)
    old = arrays_of(recorder.at(12))
    rewound = recorder.rewind(14)
    model.params["linear1"]["W"][3, 4] = 0.25
    optimizer.clip_norm = None
    rewound.run()
    assert recorder.steps == [1, 11, 15, 21, 31]
    assert recorder.at(15)["linear1"].params["W"][3, 4] == 0.25
    assert arrays_of(recorder.at(12)) == old
    assert recorder.at(19)["linear1"].params["W"][3, 4] != 0.25
    assert recorder.rewind(36).optimizer.clip_norm is None


def test_if_going_back_fails_nothing_has_changed():
    class Clip(dn.Callback):
        def on_batch(self, run):
            if run.step == 13:
                run.model.params["linear1"]["W"][...] *= 0.5

    recorder, optimizer = dn.Recorder(every=10), adam()
    model, _ = train(recorder, Clip(), optimizer=optimizer)
    end = state_of(model, optimizer)
    with pytest.raises(RecordingError, match="step 14 cannot be made again"):
        recorder.rewind(16)
    assert state_of(model, optimizer) == end
    assert recorder.rewind(36).run().stopped == "finished"


def test_other_callbacks_are_told_of_what_comes_again_only():
    class Tell(dn.Callback):
        def __init__(self):
            self.told = []

        def on_start(self, run):
            self.told.append("start")

        def on_batch(self, run):
            self.told.append(run.step)

        def on_end(self, run):
            self.told.append("end")

    tell, recorder = Tell(), dn.Recorder(every=10)
    train(recorder, tell)
    tell.told.clear()
    rewound = recorder.rewind(34)
    assert tell.told == []
    rewound.run()
    assert tell.told == ["start", 35, 36, "end"]


# Branches.


def test_a_branch_with_nothing_changed_is_the_same_training(truth):
    recorder, optimizer = dn.Recorder(every=10), adam()
    model, history = train(recorder, optimizer=optimizer)
    branch = recorder.branch(14)
    assert branch.model is not model
    assert state_of(branch.model, branch.optimizer) == truth[0].after[36]
    assert rows_of(branch.history) == rows_of(history)
    for step in (15, 22, 36):
        assert arrays_of(branch.at(step)) == truth[0].caches[step]
    with pytest.raises(RecordingError, match="steps 15 to 36 are recorded"):
        branch.at(14)


def test_a_branch_with_something_changed_leaves_the_training_alone(truth):
    recorder, optimizer = dn.Recorder(every=10), adam()
    model, history = train(recorder, optimizer=optimizer)
    rows = rows_of(history)

    def edit(copy, optimizer):
        assert state_of(copy, optimizer) == truth[0].after[14]
        copy.params["linear1"]["W"][2] = 0
        optimizer.learning_rate = 0.5

    branch = recorder.branch(14, edit)
    assert state_of(model, optimizer) == truth[0].after[36]
    assert rows_of(history) == rows
    assert arrays_of(recorder.at(20)) == truth[0].caches[20]
    assert not branch.at(15)["linear1"].params["W"][2].any()
    assert branch.optimizer.learning_rate == 0.5
    assert branch.history["step"][-1] == 36
    assert branch.history["cost"][-1] != history["cost"][-1]
    early = history["step"] < 14
    assert branch.history["cost"][: early.sum()].tolist() == history["cost"][early].tolist()
    found = dn.diff(recorder.at(15), branch.at(15))
    assert (found.first.node, found.first.value) == ("linear1", "output")


def test_a_branch_with_another_optimizer():
    recorder = dn.Recorder(every=10)
    train(recorder)
    branch = recorder.branch(4, lambda model: dn.SGD(0.1))
    assert type(branch.optimizer) is dn.SGD
    assert branch.optimizer.steps == 32
    with pytest.raises(ArgumentTypeError, match="edit must return an optimizer or nothing"):
        recorder.branch(4, lambda model: 0.1)


def test_the_callbacks_of_a_branch_are_copies_that_know_its_model_and_optimizer():
    class Halve(dn.Callback):
        def __init__(self, model, optimizer):
            self.model, self.optimizer = model, optimizer
            self.seen = 0

        def on_epoch(self, run):
            assert run.model is self.model
            self.optimizer.learning_rate /= 2
            self.seen += 1

    model, optimizer, recorder = build(), dn.Adam(0.1), dn.Recorder(every=10)
    halve, stop = Halve(model, optimizer), dn.EarlyStopping("cost", patience=50)
    train(recorder, halve, stop, model=model, optimizer=optimizer)
    end, best = state_of(model, optimizer), (stop.best, stop.best_epoch)
    branch = recorder.branch(17)
    assert state_of(branch.model, branch.optimizer) == end == state_of(model, optimizer)
    assert (halve.seen, stop.best, stop.best_epoch) == (EPOCHS, *best)


def test_a_callback_that_cannot_be_copied_is_named():
    class Hold(dn.Callback):
        def __init__(self):
            self.of = (i for i in ())

    recorder = dn.Recorder()
    train(recorder, Hold())
    with pytest.raises(ArgumentTypeError, match="Hold cannot be copied for a branch"):
        recorder.branch(3)
    keep = Keep()
    recorder.branch(34, callbacks=[keep])
    assert list(keep.after) == [35, 36]


# A training that was interrupted, and one with a debugger.


def test_a_resumed_training_is_recorded_on(truth, tmp_path):
    class Interrupt(dn.Callback):
        def on_batch(self, run):
            if run.step == 14:
                raise KeyboardInterrupt

    recorder, path = dn.Recorder(every=10), tmp_path / "training"
    train(recorder, Interrupt(), checkpoint=path)
    assert recorder.last == 14
    model, optimizer = build(), adam()
    train(recorder, dn.Callback(), model=model, optimizer=optimizer, resume=path)
    assert state_of(model, optimizer) == truth[0].after[36]
    for step in (3, 13, 15, 33):
        assert arrays_of(recorder.at(step)) == truth[0].caches[step]
    fresh = dn.Recorder(every=10)
    train(fresh, dn.Callback(), resume=path)
    assert (fresh.first, fresh.last, fresh.steps) == (15, 36, [15, 21, 31])
    assert arrays_of(fresh.at(15)) == truth[0].caches[15]


def test_in_a_training_that_a_debugger_steps_through(truth):
    model, optimizer, recorder = build(), adam(), dn.Recorder(every=10)
    stops = []
    debugger = dn.Debugger(model, on_stop=lambda d: stops.append(arrays_of(recorder.at(20))))
    debugger.break_at("relu1", when=lambda record: debugger.iteration == 21)
    train(recorder, model=model, optimizer=optimizer, debugger=debugger)
    assert stops == [truth[0].caches[20]]
    assert state_of(model, optimizer) == truth[0].after[36]
    recorder.rewind(20).run()
    assert len(stops) == 2
    assert np.array_equal(recorder.at(36)["relu1"].output.shape, (7, 5))
