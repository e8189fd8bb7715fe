"""Every step of a training can be looked at again, with the bits it had."""

import numpy as np
import pytest
from recorder_helpers import Keep, X, Y, adam, arrays_of, build, rows_of, state_of, straight, train

import dagnet as dn
from dagnet.errors import (
    ArgumentError,
    ArgumentTypeError,
    DagnetError,
    NotKeptError,
    RecordingError,
    UnknownNameError,
)
from dagnet.statistics import statistics


@pytest.fixture(scope="module")
def truth():
    return straight()


@pytest.fixture(scope="module")
def recorded():
    recorder, optimizer = dn.Recorder(every=10, select={"linear2": "grad_params"}), adam()
    model, history = train(recorder, optimizer=optimizer)
    return recorder, model, history, optimizer


def test_training_is_the_same_with_a_recorder(truth, recorded):
    keep, model, history = truth
    _, mine, rows, optimizer = recorded
    assert state_of(mine, optimizer) == keep.after[36]
    assert mine.store.data.tobytes() == model.store.data.tobytes()
    assert rows_of(rows) == rows_of(history)


@pytest.mark.parametrize("every", [1, 4, 10, 100])
def test_every_step_is_what_it_was(every, truth):
    recorder = dn.Recorder(every=every)
    model, _ = train(recorder)
    before = model.store.data.tobytes(), repr(model.rng.bit_generator.state)
    for step in (36, 1, 17, 4, 5, 11, 20):
        assert arrays_of(recorder.at(step)) == truth[0].caches[step], step
    assert (model.store.data.tobytes(), repr(model.rng.bit_generator.state)) == before
    assert recorder.steps == list(range(1, 37, every))


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": None},
        {"shuffle": False},
        {"batch_size": 40},
        {"keep": "all"},
        {"scaling": "standardize"},
        {"model": lambda: build(dtype="float32"), "data": (X.astype("f4"), Y.astype(int))},
        {"model": lambda: build(seed=np.random.RandomState(5))},
        {"model": lambda: build(seed=np.random.Generator(np.random.MT19937(5)))},
        {"model": lambda: build(executor="interpreted", l2=0.3)},
        {"optimizer": lambda: dn.SGD(dn.InverseTime(0.3, decay=0.1))},
        {"optimizer": lambda: dn.RMSProp(0.05)},
    ],
    ids=["full", "in order", "one", "all", "scaled", "f4", "legacy", "mt", "l2", "SGD", "RMSProp"],
)
def test_with_every_way_to_train(options):
    made = {k: v() if callable(v) else v for k, v in options.items()}
    keep, *_ = straight(**{k: v for k, v in made.items() if k != "keep"})
    made = {k: v() if callable(v) else v for k, v in options.items()}
    recorder = dn.Recorder(every=7)
    train(recorder, **made)
    for step in (recorder.last, 3):
        assert arrays_of(recorder.at(step)) == keep.caches[step]


def test_what_it_returns_reads_as_the_cache_does(recorded):
    recorder = recorded[0]
    cache = recorder.at(17)
    assert cache.layer(2).dW.shape == (1, 7)
    assert [record.name for record in cache.select(kind="linear")] == ["linear1", "linear2"]
    assert len(cache.statistics("relu1")) == 2
    earlier = cache["relu1"].output.tobytes()
    recorder.at(18)
    recorded[1].forward({"X": X, "Y": Y})
    assert cache["relu1"].output.tobytes() == earlier
    assert recorder.at(17) is cache


def test_series_are_those_of_the_single_steps(recorded, truth):
    recorder, caches = recorded[0], truth[0].caches
    assert recorder.steps == [1, 11, 21, 31]
    for node, value, stat in [
        ("linear2", "grad_params.W", "norm"),  # noted
        ("linear1", "params.W", "mean"),  # in the record
        ("relu1", "output", "zeros"),  # made again
        ("norm1", "state.running_mean", "max"),
        ("drop1", "grad_output", "std"),
        ("cost", "output", "value"),
    ]:
        series = recorder.series(node, value, stat)
        expected = []
        for step in recorder.steps:
            array = recorder.at(step)[node].array(value)
            assert caches[step][f"{node}.{value}"] == (
                array.dtype.str,
                array.shape,
                array.tobytes(),
            )
            of = array[()] if stat == "value" else getattr(statistics(array), stat)
            expected.append(float(of))
        assert series.steps.tolist() == recorder.steps
        assert series.values.tolist() == expected
    assert repr(series) == "<Series: value of cost.output, 4 steps, 1 to 31>"


def test_selected_values_are_read_and_not_made_again(recorded, monkeypatch):
    def fail(*args):
        raise AssertionError("made again")

    monkeypatch.setattr("dagnet.debug.recorder.recording.Replay", fail)
    assert len(recorded[0].series("linear2", "grad_params.b")) == 4
    assert len(recorded[0].series("linear1", "params.b")) == 4
    with pytest.raises(AssertionError, match="made again"):
        recorded[0].series("linear1", "grad_params.W")


def test_a_series_can_be_drawn(recorded):
    import matplotlib as mpl

    mpl.use("Agg")
    ax = recorded[0].series("linear2", "grad_params.W").plot()
    (line,) = ax.get_lines()
    assert line.get_xdata().tolist() == [1, 11, 21, 31]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "norm")
    mpl.pyplot.close(ax.figure)


def test_parameters_of_a_recorded_step(recorded, truth):
    params = recorded[0].params(11)
    assert params["linear1"]["W"].tobytes() == recorded[0].at(11)["linear1"].params["W"].tobytes()
    assert not np.array_equal(params["linear1"]["W"], recorded[1].params["linear1"]["W"])
    with pytest.raises(RecordingError, match=r"step 14 is not recorded itself; .* is 11"):
        recorded[0].params(14)


def test_while_training_runs_it_can_be_asked_and_makes_no_difference(truth):
    seen, refused = {}, []

    class Ask(dn.Callback):
        def before_node(self, run, name, phase):
            if run.step == 18 and (name, phase) == ("relu1", "backward"):
                seen.update({step: arrays_of(recorder.at(step)) for step in (18, 3, 11)})

        def on_batch(self, run):
            if run.step == 20:
                with pytest.raises(RecordingError, match="rewind: training is under way"):
                    recorder.rewind(5)
                refused.append(run.step)

    recorder, optimizer = dn.Recorder(every=10), adam()
    model, _ = train(recorder, Ask(), optimizer=optimizer)
    assert seen == {step: truth[0].caches[step] for step in (18, 3, 11)}
    assert state_of(model, optimizer) == truth[0].after[36]
    assert refused == [20]


class Halve(dn.Callback):
    """Changes the optimizer at one of its events."""

    def __init__(self, event, every):
        setattr(self, event, self._halve)
        self.every = every

    def _halve(self, run):
        if run.step % self.every == 0:
            run.optimizer.learning_rate /= 2


@pytest.mark.parametrize(
    ("event", "every"), [("on_batch", 3), ("on_epoch", 8), ("on_epoch_start", 4)]
)
def test_what_callbacks_make_of_the_optimizer_is_repeated(event, every):
    def optimizer():
        return dn.Adam(0.2)

    keep, *_ = straight_with(Halve(event, every), optimizer())
    recorder = dn.Recorder(every=20)
    train(recorder, Halve(event, every), optimizer=optimizer())
    for step in (36, 19, 8, 9, 10):
        assert arrays_of(recorder.at(step)) == keep.caches[step], step


def straight_with(callback, optimizer):
    keep = Keep()
    return keep, *train(None, callback, keep, keep="all", optimizer=optimizer)


def test_a_step_that_cannot_be_made_again_is_noticed():
    class Clip(dn.Callback):
        def on_batch(self, run):
            if run.step == 13:
                run.model.params["linear1"]["W"][...] *= 0.5

    recorder = dn.Recorder(every=10)
    train(recorder, Clip())
    assert recorder.at(13)["relu1"].output.shape == (7, 6)
    with pytest.raises(RecordingError, match="training step 14 cannot be made again: its cost"):
        recorder.at(15)
    assert recorder.at(22)["relu1"].output.shape == (7, 6)


def test_data_that_changed_since_are_noticed():
    recorder, data = dn.Recorder(), X.copy()
    train(recorder, data=(data, Y))
    data *= 1.5
    with pytest.raises(RecordingError, match="the data have changed"):
        recorder.at(12)


def test_a_training_that_diverged_is_recorded_as_it_was():
    model, options = dn.mlp([5, 3, 1], output="identity", seed=1), {"optimizer": dn.SGD(1e3)}
    recorder = dn.Recorder(every=5)
    train(recorder, model=model, data=(X * 1e200, Y), **options)
    assert np.isnan(recorder.series("cost", "output", "value").values[-1])
    assert np.isnan(recorder.at(33)["cost"].output)


def test_a_fresh_training_is_a_fresh_recording():
    recorder = dn.Recorder(every=5)
    train(recorder)
    train(recorder, epochs=2)
    assert (recorder.first, recorder.last, recorder.steps) == (1, 8, [1, 6])
    assert repr(recorder) == "<Recorder of training steps 1 to 8, 2 recorded>"


def test_early_stopping_and_failures_leave_what_was_recorded(truth):
    class Stop(dn.Callback):
        def on_batch(self, run):
            if run.step == 14:
                run.stop("enough")

    class Fail(dn.Callback):
        def on_batch(self, run):
            if run.step == 14:
                raise ZeroDivisionError

    class Interrupt(dn.Callback):
        def on_batch(self, run):
            if run.step == 14:
                raise KeyboardInterrupt

    for callback in (Stop(), Interrupt()):
        recorder = dn.Recorder(every=10)
        train(recorder, callback)
        assert recorder.last == 14
        assert arrays_of(recorder.at(13)) == truth[0].caches[13]
    recorder = dn.Recorder(every=10)
    with pytest.raises(ZeroDivisionError):
        train(recorder, Fail())
    assert arrays_of(recorder.at(13)) == truth[0].caches[13]
    assert recorder.rewind(13).step == 13


# What is refused.


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda r: r.at(0), RecordingError, "steps 1 to 36 are recorded, 0 is not among them"),
        (lambda r: r.at(37), RecordingError, "steps 1 to 36 are recorded, 37 is not"),
        (lambda r: r.rewind(-1), RecordingError, "steps 0 to 36 are recorded, -1 is not"),
        (lambda r: r.branch(37), RecordingError, "steps 0 to 36 are recorded, 37 is not"),
        (lambda r: r.mark(40), RecordingError, "steps 1 to 36 are recorded, 40 is not"),
        (lambda r: r.at("7"), ArgumentTypeError, "a training step must be an integer, got '7'"),
        (lambda r: r.at(True), ArgumentTypeError, "a training step must be an integer"),
        (lambda r: r.at(7)["relu"], UnknownNameError, "did you mean 'relu1'"),
        (lambda r: r.series("relu", "output"), UnknownNameError, "did you mean 'relu1'"),
        (lambda r: r.series("relu1", "outptu"), UnknownNameError, "did you mean 'output'"),
        (lambda r: r.series("linear1", "params.w"), UnknownNameError, "'params.W'"),
        (lambda r: r.series("relu1", "output", "nrm"), UnknownNameError, "did you mean 'norm'"),
        (lambda r: r.series("relu1", "output", "value"), ArgumentError, "holds 42 numbers"),
        (lambda r: r.series("Y", "grad_output"), NotKeptError, "no gradient"),
    ],
)
def test_what_a_recording_refuses(ask, error, message, recorded):
    with pytest.raises(error, match=message) as caught:
        ask(recorded[0])
    assert isinstance(caught.value, DagnetError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ask", ["at", "rewind", "branch", "mark", "params"])
def test_before_anything_is_recorded(ask):
    with pytest.raises(RecordingError, match="nothing is recorded yet"):
        getattr(dn.Recorder(), ask)(1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"every": 0}, "every must be a positive integer"),
        ({"max_bytes": 0.5}, "max_bytes must be"),
        ({"window": -1}, "window must be"),
        ({"select": ["relu1"]}, "select must be a dict"),
        ({"select": {"relu1": [3]}}, "select must hold names"),
    ],
)
def test_settings_that_make_no_sense(settings, message):
    with pytest.raises(DagnetError, match=message):
        dn.Recorder(**settings)


@pytest.mark.parametrize(
    ("select", "message"),
    [
        ({"relu": "output"}, "did you mean 'relu1'"),
        ({"linear.*": "grad_parms"}, "did you mean 'grad_params'"),
        ({"linear1": "params.V"}, "value of linear1 named 'params.V'"),
    ],
)
def test_a_selection_of_nothing_is_refused_before_training(select, message):
    model, optimizer = build(), adam()
    before = state_of(model, optimizer)
    with pytest.raises(UnknownNameError, match=message):
        train(dn.Recorder(select=select), model=model, optimizer=optimizer)
    assert state_of(model, optimizer) == before
