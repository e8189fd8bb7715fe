"""Callbacks, run by the smallest loop there is."""

import math

import numpy as np
import pytest

from dagnet.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from dagnet.training import Callback, EarlyStopping, History


class Model:
    """Parameters that remember the epoch, in arrays that are reused."""

    def __init__(self):
        self.params = {"linear1": {"W": np.zeros((3, 5)), "b": np.zeros((3, 1))}}

    def get_params(self):
        return {n: {k: a.copy() for k, a in arrays.items()} for n, arrays in self.params.items()}

    def set_params(self, params):
        for node, arrays in params.items():
            for name, array in arrays.items():
                self.params[node][name][...] = array

    def get_state(self):
        return {}

    def set_state(self, state):
        assert state == {}


class Run:
    def __init__(self):
        self.model = Model()
        self.history = History()
        self.epoch = self.step = 0
        self.metrics = {}

    def stop(self, reason):
        self.history.stopped = reason


def train(callback, values, name="val_cost", run=None):
    """Log one value an epoch (None: none) until stopped."""
    run = run or Run()
    callback.on_start(run)
    for value in values:
        run.epoch += 1
        for array in run.model.params["linear1"].values():
            array[...] = run.epoch
        run.metrics = {"cost": 1.0} if value is None else {"cost": 1.0, name: value}
        run.history.append(**run.metrics)
        callback.on_epoch(run)
        if run.history.stopped:
            break
    callback.on_end(run)
    return run


def epoch_of(run):
    values = {float(v) for a in run.model.params["linear1"].values() for v in a.ravel()}
    assert len(values) == 1
    return values.pop()


def test_stops_after_patience_and_restores_the_best():
    stopping = EarlyStopping(patience=3)
    run = train(stopping, [5.0, 4.0, 3.0, 3.5, 3.0, 3.2, 1.0])
    assert run.epoch == 6
    assert epoch_of(run) == 3
    assert (stopping.best, stopping.best_epoch) == (3.0, 3)
    assert run.history.stopped == (
        "early stopping: val_cost has not improved for 3 epochs; best 3 in epoch 3"
    )


def test_an_improvement_starts_the_count_again():
    run = train(EarlyStopping(patience=2), [5.0, 6.0, 4.0, 6.0, 3.0, 6.0, 2.0])
    assert run.epoch == 7
    assert run.history.stopped == ""


def test_without_restoring_the_last_parameters_stay():
    run = train(EarlyStopping(patience=1, restore_best=False), [1.0, 2.0, 3.0])
    assert epoch_of(run) == run.epoch == 2


def test_restores_also_if_training_ended_by_itself():
    assert epoch_of(train(EarlyStopping(patience=9), [3.0, 1.0, 2.0])) == 2


@pytest.mark.parametrize(
    ("monitor", "mode", "best"),
    [
        ("val_accuracy", "auto", 3),
        ("r2", "auto", 3),
        ("f1", "auto", 3),
        ("cost", "auto", 2),
        ("val_mae", "auto", 2),
        ("anything", "max", 3),
        ("val_accuracy", "min", 2),
    ],
)
def test_direction(monitor, mode, best):
    run = train(EarlyStopping(monitor, mode=mode), [0.5, 0.1, 0.9, 0.4], name=monitor)
    assert epoch_of(run) == best


def test_an_unknown_direction_must_be_given():
    with pytest.raises(ArgumentError, match="pass mode='min' or mode='max'"):
        EarlyStopping("val_profit")


@pytest.mark.parametrize("mode", ["min", "max"])
def test_small_changes_are_no_improvement(mode):
    sign = 1.0 if mode == "max" else -1.0
    values = [sign * v for v in (1.0, 1.25, 1.5, 1.75, 1.8)]
    stopping = EarlyStopping("score", patience=9, min_delta=0.5, mode=mode)
    train(stopping, values, name="score")
    assert (stopping.best, stopping.best_epoch) == (values[3], 4)


def test_nan_counts_as_no_improvement():
    run = train(EarlyStopping(patience=2), [math.nan, math.nan, 1.0])
    assert run.epoch == 2
    assert "was not a finite number for 2 epochs" in run.history.stopped
    assert epoch_of(train(EarlyStopping(patience=2), [1.0, math.nan, math.nan])) == 1


def test_epochs_that_do_not_log_it_do_not_count():
    run = train(EarlyStopping(patience=2), [1.0, None, None, None, 2.0, None, 2.0])
    assert run.epoch == 7
    assert run.history.stopped


def test_a_resumed_training_may_begin_with_an_epoch_that_does_not_log_it():
    run = Run()
    run.history.append(cost=1.0, val_cost=1.0)
    train(EarlyStopping(patience=1), [None, 2.0, 1.0, 3.0], run=run)
    assert run.epoch == 4
    assert epoch_of(run) == 3


def test_the_monitor_must_be_logged():
    with pytest.raises(UnknownNameError) as error:
        train(EarlyStopping("val_cost"), [None])
    assert str(error.value) == (
        "EarlyStopping: no logged number named 'val_cost'; did you mean 'cost'?; "
        "numbers with val_ are logged when there is validation data"
    )
    with pytest.raises(UnknownNameError, match="did you mean 'accuracy'"):
        train(EarlyStopping("acuracy", mode="max"), [0.5], name="accuracy")


def test_used_again_it_starts_afresh():
    stopping = EarlyStopping(patience=2)
    train(stopping, [0.1, 0.2, 0.3])
    run = train(stopping, [5.0, 4.0, 3.0])
    assert run.history.stopped == ""
    assert stopping.best == 3.0
    assert epoch_of(run) == 3


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"patience": 0}, ArgumentError, "EarlyStopping: patience must be a positive integer"),
        ({"min_delta": -1.0}, ArgumentError, "EarlyStopping: min_delta"),
        ({"mode": "down"}, ArgumentError, "mode must be 'auto', 'min' or 'max', got 'down'"),
        ({"monitor": 3}, ArgumentTypeError, "monitor must be a name, got 3"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        EarlyStopping(**arguments)


def test_the_base_does_nothing_and_wants_no_nodes():
    callback, run = Callback(), Run()
    for hook in (
        callback.on_start,
        callback.on_epoch_start,
        callback.on_batch,
        callback.on_epoch,
        callback.on_end,
    ):
        assert hook(run) is None
    assert callback.before_node(run, "relu1", "forward") is None
    assert callback.after_node(run, "relu1", "backward") is None
    assert not callback.wants_nodes
    assert not EarlyStopping().wants_nodes


def test_overriding_a_node_hook_is_noticed():
    class Before(Callback):
        def before_node(self, run, name, phase):
            pass

    class Below(Before):
        pass

    on_object = Callback()
    on_object.after_node = print
    assert Before().wants_nodes
    assert Below().wants_nodes
    assert on_object.wants_nodes
