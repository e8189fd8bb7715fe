"""The training loop: what it computes, when it logs, what callbacks see, what it refuses."""

import re
import threading

import numpy as np
import pytest

import dagnet as dn
from dagnet import steps
from dagnet.errors import (
    ArgumentError,
    ArgumentTypeError,
    DataError,
    FeedError,
    FeedTypeError,
    FileAccessError,
    UnknownNameError,
)

M, M_VAL = 23, 11


def cases(seed, m, features=5):
    """Return separable points and their labels, with some noise."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((features, m))
    return X, (X[:1] - X[1:2] + 0.5 * rng.standard_normal((1, m)) > 0).astype(float)


X, Y = cases(3, M)
X_VAL, Y_VAL = cases(4, M_VAL)


def random_net(seed=1, **options):
    """Return a network with everything that draws or remembers."""
    x, y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    hidden = dn.ReLU(name="relu1")(dn.BatchNorm(name="norm1")(dn.Linear(7, name="linear1")(x)))
    dropped = dn.Dropout(0.3, name="drop1")(hidden)
    guess = dn.Sigmoid(name="sigmoid2")(dn.Linear(1, name="linear2")(dropped))
    cost = dn.BinaryCrossEntropy(name="cost")(guess, y)
    return dn.Model(cost, outputs=[guess], seed=seed, **options)


def bits(model):
    """Return copies of all that training changes in a model."""
    return {
        "params": model.store.data.copy(),
        "state": [a.copy() for named in model.state.values() for a in named.values()],
        "rng": model.rng.bit_generator.state,
        "scaling": dict(model.scaling),
    }


def assert_same_bits(model, before):
    now = bits(model)
    assert np.array_equal(now.pop("params"), before["params"])
    assert all(map(np.array_equal, now.pop("state"), before["state"]))
    assert now == {key: before[key] for key in now}


def fit(model, *data, **options):
    return model.fit(*(data or (X, Y)), **{"progress": False, "epochs": 4} | options)


def columns(array, chosen):
    """Return columns in C order: another order gives other roundings."""
    return np.ascontiguousarray(array[:, chosen])


class Recorder(dn.Callback):
    """Writes down every event, and does something at one of them."""

    def __init__(self, at=None, action=None):
        self.events = []
        self.at = at
        self.action = action

    def _note(self, event, run):
        self.events.append((event, run.epoch, run.step))
        if event == self.at:
            self.action(run)

    def on_start(self, run):
        self._note("start", run)

    def on_epoch_start(self, run):
        self._note("epoch_start", run)

    def on_batch(self, run):
        self._note("batch", run)

    def on_epoch(self, run):
        self._note("epoch", run)

    def on_end(self, run):
        self._note("end", run)

    @property
    def names(self):
        return [event for event, _, _ in self.events]


# What is computed.


@pytest.mark.parametrize("batch_size", [None, 6])
def test_one_seed_gives_the_same_bits_and_another_gives_others(batch_size):
    runs = []
    for seed in (1, 1, 2):
        model = random_net(seed)
        history = fit(model, optimizer=dn.Adam(0.01), batch_size=batch_size)
        runs.append((bits(model), history.columns))
    (first, columns), (again, columns_again), (other, _) = runs
    assert np.array_equal(first["params"], again["params"])
    assert first["rng"] == again["rng"]
    assert columns == columns_again
    assert not np.any(first["params"][:35] == other["params"][:35])


def test_full_batch_is_the_lessons_loop():
    dims, rate, epochs = [5, 7, 3, 1], 0.3, 40
    model = dn.mlp(dims, seed=1)
    parameters = {}
    for layer in range(1, len(dims)):
        parameters[f"W{layer}"] = model.params[f"linear{layer}"]["W"].copy()
        parameters[f"b{layer}"] = model.params[f"linear{layer}"]["b"].copy()
    costs = []
    for _ in range(epochs):
        AL, caches = steps.L_model_forward(X, parameters)
        costs.append(float(steps.compute_cost(AL, Y)))
        grads = steps.L_model_backward(AL, Y, caches)
        parameters = steps.update_parameters(parameters, grads, rate)

    history = fit(model, optimizer=dn.SGD(rate), epochs=epochs, log_every=1)
    assert costs[-1] < 0.7 * costs[0]
    np.testing.assert_allclose(history["cost"], costs, rtol=1e-12)
    for layer in range(1, len(dims)):
        for name in "Wb":
            expected = parameters[f"{name}{layer}"]
            actual = model.params[f"linear{layer}"][name]
            np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("shuffle", [True, False])
def test_mini_batches_are_the_plain_loop_in_an_order_from_the_models_generator(shuffle):
    model, plain = random_net(), random_net()
    history = fit(
        model, optimizer=dn.Momentum(0.05), batch_size=6, shuffle=shuffle, epochs=3, log_every=1
    )
    optimizer, costs = dn.Momentum(0.05), []
    for _ in range(3):
        order = plain.rng.permutation(M) if shuffle else np.arange(M)
        total = 0.0
        for chosen in np.split(order, [6, 12, 18]):
            J = plain.train_step({"X": columns(X, chosen), "Y": columns(Y, chosen)}, optimizer)
            total += J * len(chosen)
        costs.append(total / M)
    assert_same_bits(model, bits(plain))
    np.testing.assert_allclose(history["cost"], costs, rtol=1e-14)


def test_defaults_are_100_epochs_of_sgd_on_all_examples():
    model, plain = dn.mlp([5, 3, 1], seed=1), dn.mlp([5, 3, 1], seed=1)
    history = model.fit(X, Y, progress=False)
    for _ in range(100):
        plain.train_step({"X": X, "Y": Y}, dn.SGD(0.01))
    assert_same_bits(model, bits(plain))
    assert history["epoch"].tolist() == list(range(1, 101))
    assert set(history["learning_rate"]) == {0.01}


def test_an_optimizer_goes_on_where_it_was():
    model, once, optimizer = dn.mlp([5, 3, 1], seed=1), dn.mlp([5, 3, 1], seed=1), dn.Adam(0.01)
    fit(model, optimizer=optimizer, epochs=3)
    fit(model, optimizer=optimizer, epochs=4)
    fit(once, optimizer=dn.Adam(0.01), epochs=7)
    assert_same_bits(model, bits(once))


def test_a_batch_larger_than_the_data_is_all_of_it():
    model, other = dn.mlp([5, 3, 1], seed=1), dn.mlp([5, 3, 1], seed=1)
    history = fit(model, batch_size=M + 5)
    fit(other, batch_size=M)
    assert history["step"].tolist() == [1, 2, 3, 4]
    assert_same_bits(model, bits(other))


@pytest.mark.parametrize("batch_size", [6, np.int64(6), np.int32(6)])
def test_numpy_integers_are_integers(batch_size):
    history = fit(random_net(), batch_size=batch_size, epochs=np.int64(3), log_every=np.int64(2))
    assert history["step"].tolist() == [4, 8, 12]


def test_training_in_float32_stays_in_float32():
    model = random_net(dtype="float32")
    history = fit(model, X.astype("f4"), Y.astype("f4"), batch_size=6, optimizer=dn.Adam(0.05))
    assert model.store.data.dtype == np.float32
    assert history["cost"][-1] < history["cost"][0]


@pytest.mark.parametrize("dtype", ["int64", "bool", "uint8"])
def test_labels_of_any_type_give_the_bits_of_floats(dtype):
    model, other = random_net(), random_net()
    fit(model, X, Y.astype(dtype), batch_size=6)
    fit(other, batch_size=6)
    assert_same_bits(model, bits(other))


@pytest.mark.parametrize("batch_size", [None, 6])
def test_integer_labels_are_one_hot_columns(batch_size):
    labels = np.argmax(X[:3], axis=0)
    one_hot = (labels == np.arange(3)[:, np.newaxis]).astype(float)
    models = [dn.mlp([5, 7, 3], output="softmax", seed=1) for _ in range(2)]
    histories = [
        fit(model, X, targets, batch_size=batch_size, validation=(X, targets))
        for model, targets in zip(models, [labels, one_hot], strict=True)
    ]
    assert_same_bits(models[0], bits(models[1]))
    assert histories[0].columns == histories[1].columns


def two_inputs(seed=1):
    """Return a network of two inputs and two targets, and data for it."""
    left, right = dn.Input(5, name="left"), dn.Input(2, name="right")
    label, level = dn.Input(1, name="label"), dn.Input(3, name="level")
    trunk = dn.Tanh(name="tanh")(dn.Linear(7, name="join")(dn.Concat(name="both")(left, right)))
    yes = dn.Sigmoid(name="yes")(dn.Linear(1, name="yes_z")(trunk))
    height = dn.Linear(3, name="height")(trunk)
    costs = [
        dn.BinaryCrossEntropy(name="cost_yes")(yes, label),
        dn.MeanSquaredError(name="cost_height")(height, level),
    ]
    rng = np.random.default_rng(8)
    inputs = {"left": X, "right": rng.standard_normal((2, M))}
    targets = {"label": Y, "level": rng.standard_normal((3, M))}
    return dn.Model(costs, seed=seed), inputs, targets


@pytest.mark.parametrize("batch_size", [None, 6])
def test_several_inputs_and_targets_by_name(batch_size):
    model, inputs, targets = two_inputs()
    plain, _, _ = two_inputs()
    history = fit(model, inputs, targets, batch_size=batch_size, optimizer=dn.SGD(0.1), epochs=2)
    for _ in range(2):
        order = plain.rng.permutation(M) if batch_size else np.arange(M)
        for start in range(0, M, batch_size or M):
            chosen = order[start : start + (batch_size or M)]
            feeds = {name: columns(array, chosen) for name, array in (inputs | targets).items()}
            plain.train_step(feeds, dn.SGD(0.1))
    assert_same_bits(model, bits(plain))
    assert {"yes_accuracy", "height_mae"} < set(history)


def test_a_target_that_is_also_the_input_needs_no_Y():  # noqa: N802
    x = dn.Input(5, name="x")
    copy = dn.Linear(5, name="copy")(dn.Linear(2, name="narrow")(x))
    model = dn.Model(dn.MeanSquaredError(name="cost")(copy, x), seed=1)
    history = fit(model, X, None, batch_size=6, epochs=60, optimizer=dn.Adam(0.03))
    assert history["cost"][-1] < 0.8 * history["cost"][0]
    assert history.last["mae"] == model.evaluate(X)["mae"]


def with_fixed_inputs():
    """Return a network with inputs that have no examples axis, and arrays for them."""
    x, y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    table, levels = (dn.Input(n, 4, name=f"n{n}", examples=False) for n in (3, 2))
    guess, fitted = dn.Linear(1, name="line")(x), dn.Linear(2, name="plane")(table)
    square, near = dn.MeanSquaredError(name="square"), dn.MeanSquaredError(name="near")
    rng = np.random.default_rng(6)
    fixed = {"n3": rng.standard_normal((3, 4)), "n2": rng.standard_normal((2, 4))}
    return dn.Model([square(guess, y), near(fitted, levels)], seed=1), fixed


@pytest.mark.parametrize("scaling", [None, "standardize"])
def test_an_input_without_examples_goes_into_every_batch_whole(scaling):
    (model, fixed), (plain, _) = with_fixed_inputs(), with_fixed_inputs()
    inputs, targets = {"X": X, "n3": fixed["n3"]}, {"Y": Y, "n2": fixed["n2"]}
    fit(model, inputs, targets, batch_size=6, epochs=1, scaling=scaling)
    scaled = X
    if scaling:
        plain.scaling = {"X": dn.data.Standardize().fit(X)}
        scaled = plain.scaling["X"].transform(X)
    for chosen in np.split(plain.rng.permutation(M), [6, 12, 18]):
        feeds = {"X": columns(scaled, chosen), "Y": columns(Y, chosen), **fixed}
        plain.train_step(feeds, dn.SGD(0.01))
    assert_same_bits(model, bits(plain))


def test_the_bits_do_not_depend_on_how_it_runs():
    models = [random_net(), random_net(executor="interpreted"), random_net()]
    for model, keep in zip(models, ["needed", "needed", "all"], strict=True):
        fit(model, batch_size=6, keep=keep)
    assert_same_bits(models[1], bits(models[0]))
    assert_same_bits(models[2], bits(models[0]))


def test_keeping_all_leaves_the_last_update_to_look_at():
    model, plain = dn.mlp([5, 7, 1], seed=1), dn.mlp([5, 7, 1], seed=1)
    fit(model, epochs=3, keep="all", optimizer=dn.SGD(0.1))
    fit(plain, epochs=2, optimizer=dn.SGD(0.1))
    plain.forward({"X": X, "Y": Y})
    plain.backward()
    for letter in ("Z", "A", "dA", "dZ", "dW"):
        assert np.array_equal(getattr(model.layer(1), letter), getattr(plain.layer(1), letter))


def test_training_that_diverges_goes_on_and_says_so():
    model = dn.mlp([5, 3, 1], output="identity", seed=1)
    history = fit(model, X * 1e200, Y, optimizer=dn.SGD(1e3), epochs=4, callbacks=[Recorder()])
    assert history.stopped == "finished"
    assert np.isnan(history["cost"][-1])


def test_training_in_a_thread_gives_the_same_bits():
    model, other = random_net(), random_net()
    found = []
    thread = threading.Thread(target=lambda: found.append(fit(model, batch_size=6)))
    thread.start()
    thread.join()
    assert found[0].columns == fit(other, batch_size=6).columns
    assert_same_bits(model, bits(other))


def test_normalised_networks_learn():
    model = random_net()
    before = model.evaluate(X, Y)
    fit(model, batch_size=6, epochs=60, optimizer=dn.Adam(0.02))
    after = model.evaluate(X, Y)
    assert after["cost"] < 0.5 * before["cost"]
    assert np.ptp(model.predict(X)) > 0.5


# What is logged.


@pytest.mark.parametrize(
    ("epochs", "log_every", "rows"),
    [
        (10, 4, [1, 4, 8, 10]),
        (10, 5, [1, 5, 10]),
        (3, 9, [1, 3]),
        (1, 1, [1]),
        (7, None, [1, 2, 3, 4, 5, 6, 7]),
        (250, None, [1, *range(2, 251, 2)]),
    ],
)
def test_rows_of_the_history(epochs, log_every, rows):
    logged = []

    class Watch(dn.Callback):
        def on_epoch(self, run):
            if run.logged:
                logged.append(run.epoch)
            assert ("accuracy" in run.metrics) == run.logged
            assert "cost" in run.metrics

    history = fit(
        dn.mlp([5, 1], seed=1),
        epochs=epochs,
        log_every=log_every,
        batch_size=12,
        callbacks=[Watch()],
    )
    assert history["epoch"].tolist() == rows == logged
    assert history["step"].tolist() == [2 * epoch for epoch in rows]
    assert list(history) == ["epoch", "step", "learning_rate", "cost", "accuracy"]
    assert history.stopped == "finished"


def test_the_learning_rate_logged_is_the_schedules():
    history = fit(random_net(), optimizer=dn.SGD(dn.StepDecay(0.5, every=2, factor=0.1)), epochs=5)
    # After update n comes the rate of update n + 1, counted from 0: of step n.
    expected = [0.5 * 0.1 ** (n // 2) for n in (1, 2, 3, 4, 5)]
    np.testing.assert_allclose(history["learning_rate"], expected, rtol=1e-15)


def test_metrics_are_those_of_evaluate_at_that_point():
    names = ["accuracy", "precision", "recall", "f1"]
    compared = []

    class Compare(dn.Callback):
        def on_epoch(self, run):
            train = run.model.evaluate(X, Y, names)
            held_out = run.model.evaluate(X_VAL, Y_VAL, names)
            expected = {name: train[name] for name in names}
            expected |= {f"val_{name}": held_out[name] for name in ["cost", *names]}
            found = {name: run.metrics[name] for name in run.metrics if name != "cost"}
            assert found == expected
            assert found.items() <= run.history.last.items()
            compared.append(run.epoch)

    fit(
        random_net(),
        batch_size=6,
        optimizer=dn.Adam(0.05),
        validation=(X_VAL, Y_VAL),
        metrics=names,
        callbacks=[Compare()],
        log_every=1,
    )
    assert compared == [1, 2, 3, 4]


def test_validation_changes_no_bits():
    model, other = random_net(), random_net()
    fit(model, batch_size=6, validation=(X_VAL, Y_VAL))
    fit(other, batch_size=6)
    assert_same_bits(model, bits(other))


def test_a_metric_of_ones_own_is_called_with_predictions_and_targets():
    seen = []

    def spread(predictions, targets):
        seen.append((predictions.shape, np.array_equal(targets, Y)))
        return np.float32(predictions.max() - predictions.min())

    model = dn.mlp([5, 1], seed=1)
    history = fit(model, epochs=1, metrics=[spread, "recall"])
    assert list(history)[3:] == ["cost", "spread", "recall"]
    assert seen == [((1, M), True)]
    assert history.last["spread"] == pytest.approx(np.ptp(model.predict(X)), rel=1e-6)


def test_the_cost_logged_counts_examples_not_batches():
    class Costs(dn.Callback):
        def __init__(self):
            self.running = []

        def on_batch(self, run):
            self.running.append(run.metrics["cost"])

    costs, frozen = Costs(), dn.mlp([5, 1], seed=1)
    history = fit(
        frozen, batch_size=20, epochs=1, optimizer=dn.SGD(1e-300), callbacks=[costs]
    )  # the parameters stay, so the cost of the epoch is that of all examples
    expected = frozen.evaluate(X, Y)["cost"]
    assert history.last["cost"] == pytest.approx(expected, rel=1e-14)
    assert costs.running[-1] == history.last["cost"]
    assert costs.running[0] != pytest.approx(expected, rel=1e-6)


# Scaling.


def test_scaling_is_fitted_to_the_training_data_and_predict_takes_raw_input():
    raw, raw_val = X * 30.0 + 100.0, X_VAL * 30.0 + 100.0
    model, other = random_net(), random_net()
    history = fit(model, raw, Y, scaling="standardize", batch_size=6, validation=(raw_val, Y_VAL))
    mean, std = raw.mean(axis=1, keepdims=True), raw.std(axis=1, keepdims=True)
    expected = fit(
        other, (raw - mean) / std, Y, batch_size=6, validation=((raw_val - mean) / std, Y_VAL)
    )
    assert np.array_equal(model.store.data, other.store.data)
    assert history.columns == expected.columns
    assert np.array_equal(model.predict(raw_val), other.predict((raw_val - mean) / std))
    assert model.evaluate(raw_val, Y_VAL)["cost"] == history.last["val_cost"]
    assert list(model.scaling) == ["X"]


def test_a_scaling_learned_before_stays_when_training_goes_on():
    raw = X * 30.0 + 100.0
    model, other = dn.mlp([5, 3, 1], seed=1), dn.mlp([5, 3, 1], seed=1)
    fit(model, raw, Y, scaling="minmax", epochs=2)
    fit(model, raw[:, :7], Y[:, :7], epochs=2)
    fit(other, raw, Y, scaling="minmax", epochs=2)
    scaled = other.scaling["X"].transform(raw[:, :7])
    for _ in range(2):
        other.train_step({"X": scaled, "Y": Y[:, :7]}, dn.SGD(0.01))
    assert_same_bits(model, bits(other))


def test_every_input_gets_its_own_scaling_and_targets_none():
    model, inputs, targets = two_inputs()
    fit(model, inputs, targets, scaling="standardize", epochs=1)
    assert set(model.scaling) == {"left", "right"}
    for name, scaler in model.scaling.items():
        np.testing.assert_allclose(scaler.arrays["mean"], inputs[name].mean(axis=1), rtol=1e-12)


# What is refused, before anything has changed.


def wrong_columns(array):
    return array[:, :3]


def with_nan(array):
    spoiled = array.copy()
    spoiled[2, 7] = np.nan
    spoiled[3, 1] = -np.inf
    return spoiled


def no_name():
    class Nameless:
        def __call__(self, predictions, targets):
            return 0.0

    return Nameless()


def cost(predictions, targets):
    return 0.0


BAD = {
    "no epochs": ({"epochs": 0}, ArgumentError, "epochs must be a positive integer, got 0"),
    "negative epochs": ({"epochs": -3}, ArgumentError, "epochs must be"),
    "half an epoch": ({"epochs": 1.5}, ArgumentError, "epochs must be a positive integer, got 1.5"),
    "epochs of truth": ({"epochs": True}, ArgumentError, "epochs must be"),
    "epochs in words": ({"epochs": "many"}, ArgumentError, "epochs must be .* got 'many'"),
    "epochs None": ({"epochs": None}, ArgumentError, "epochs must be .* got None"),
    "no batch": ({"batch_size": 0}, ArgumentError, "batch_size must be a positive integer or None"),
    "negative batch": ({"batch_size": -1}, ArgumentError, "batch_size must be .* got -1"),
    "batch of truth": ({"batch_size": True}, ArgumentError, "batch_size must be .* got True"),
    "half a batch": ({"batch_size": 1.5}, ArgumentError, "batch_size must be .* got 1.5"),
    "log never": ({"log_every": 0}, ArgumentError, "log_every must be .* got 0"),
    "log backwards": ({"log_every": -2}, ArgumentError, "log_every must be .* got -2"),
    "log of truth": ({"log_every": False}, ArgumentError, "log_every must be .* got False"),
    "log fraction": ({"log_every": 2.0}, ArgumentError, "log_every must be .* got 2.0"),
    "checkpoint never": ({"checkpoint_every": 0}, ArgumentError, "checkpoint_every must be"),
    "checkpoint fraction": ({"checkpoint_every": 0.5}, ArgumentError, "checkpoint_every must be"),
    "optimizer by name": ({"optimizer": "adam"}, ArgumentTypeError, "optimizer .* got 'adam'"),
    "optimizer class": ({"optimizer": dn.SGD}, ArgumentTypeError, "optimizer .* got <class"),
    "rate alone": ({"optimizer": 0.1}, ArgumentTypeError, "optimizer .* got 0.1"),
    "callback class": ({"callbacks": [Recorder]}, ArgumentTypeError, "a callback must be an obj"),
    "callback function": ({"callbacks": [print]}, ArgumentTypeError, "a callback must be an obj"),
    "callback alone": ({"callbacks": Recorder()}, ArgumentTypeError, "callbacks must be a list"),
    "callbacks None": ({"callbacks": None}, ArgumentTypeError, "callbacks must be a list"),
    "unknown keyword": (
        {"batchsize": 3},
        TypeError,
        "no option of fit named 'batchsize'; did you mean 'batch_size'",
    ),
    "unknown metric": (
        {"metrics": ["acuracy"]},
        UnknownNameError,
        "no binary metric named 'acuracy'; did you mean 'accuracy'",
    ),
    "metric of another kind": ({"metrics": ["r2"]}, UnknownNameError, "no binary metric named"),
    "metric by number": ({"metrics": [3]}, ArgumentTypeError, "a name or a function, got 3"),
    "metrics in one string": ({"metrics": "f1"}, ArgumentTypeError, "metrics must be a list"),
    "metric alone": ({"metrics": cost}, ArgumentTypeError, "metrics must be a list"),
    "metric without a name": ({"metrics": [no_name()]}, ArgumentError, "needs a __name__"),
    "metric of a taken name": ({"metrics": [cost]}, ArgumentError, "cannot be named 'cost'"),
    "metric twice": ({"metrics": ["f1", "f1"]}, ArgumentError, "two metrics are named 'f1'"),
    "keep": ({"keep": "al"}, UnknownNameError, "no way to keep values named 'al'.*'all'"),
    "unknown scaler": ({"scaling": "standardise"}, UnknownNameError, "mean 'standardize'"),
    "scaler of truth": ({"scaling": True}, UnknownNameError, "no scaler named True"),
    "validation X": ({"validation": X_VAL}, ArgumentTypeError, "validation must be a pair"),
    "validation triple": ({"validation": (X, Y, Y)}, ArgumentTypeError, "must be a pair"),
    "validation fraction": ({"validation": 0.2}, ArgumentTypeError, "must be a pair"),
    "validation without Y": ({"validation": (X_VAL, None)}, FeedError, "nothing was fed for Y"),
    "validation shapes": (
        {"validation": (X_VAL, wrong_columns(Y_VAL))},
        FeedError,
        "different numbers of examples: X .* has 11, Y .* has 3",
    ),
    "validation features": ({"validation": (X_VAL[:3], Y_VAL)}, FeedError, "5, m.* got .3, 11."),
    "validation nan": ({"validation": (with_nan(X_VAL), Y_VAL)}, FeedError, "1 NaN and 1 Inf"),
    "checkpoint": ({"checkpoint": "no/such/place/c"}, FileAccessError, "cannot write no/such"),
    "checkpoint number": ({"checkpoint": 3}, ArgumentTypeError, "a path must be"),
    "no file to resume": ({"resume": "no/such/file"}, FileAccessError, "no file no/such/file"),
}


@pytest.mark.parametrize(("options", "error", "message"), BAD.values(), ids=list(BAD))
def test_a_bad_option_is_refused_before_anything_changed(options, error, message):
    model, watch, optimizer = random_net(), Recorder(), dn.Adam(0.1)
    fit(model, scaling="minmax", epochs=1)
    before = bits(model)
    given = {"batch_size": 6, "scaling": "standardize", "optimizer": optimizer}
    with pytest.raises(error, match=message):
        fit(model, **given | {"callbacks": [watch]} | options)
    assert_same_bits(model, before)
    assert watch.events == []
    assert optimizer.steps == 0


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ((with_nan(X), Y), DataError, "1 NaN and 1 Inf"),
        ((X, wrong_columns(Y)), FeedError, "different numbers of examples"),
        ((X, Y * 2.0), FeedError, "Y"),
        ((X.T, Y), FeedError, "X"),
        ((X[:, :0], Y[:, :0]), DataError, "an example at least"),
        ((X,), FeedError, "nothing was fed for Y"),
        ((X.astype(str), Y), (FeedTypeError, DataError), "numbers"),
        (({"Z": X}, Y), FeedError, "no input named 'Z'"),
        (({"X": X, "Z": X}, Y), FeedError, "no input named 'Z'"),
    ],
)
def test_bad_data_is_refused_before_anything_changed(data, error, message):
    model, watch = random_net(), Recorder()
    before = bits(model)
    with pytest.raises(error, match=message):
        fit(model, *data, scaling="standardize", callbacks=[watch])
    assert_same_bits(model, before)
    assert watch.events == []


def test_nan_in_the_data_is_counted():
    with pytest.raises(FeedError, match=r"X .*1 NaN and 1 Inf among .*feature 3, example 1"):
        fit(random_net(), with_nan(X), Y)


def test_an_optimizer_of_another_model_is_refused_before_training():
    optimizer = dn.Adam(0.1)
    fit(dn.mlp([5, 3, 1], seed=1), optimizer=optimizer)
    model = random_net()
    before = bits(model)
    with pytest.raises(ArgumentError, match="Adam: it holds the state of another model"):
        fit(model, optimizer=optimizer, scaling="standardize", batch_size=6)
    assert_same_bits(model, before)


def test_a_network_without_a_cost_cannot_train():
    model = dn.Model(outputs=dn.Linear(1, name="linear")(dn.Input(5, name="X")), seed=1)
    with pytest.raises(dn.DagnetError, match="no cost"):
        fit(model, X, None, scaling="standardize")
    assert model.scaling == {}


# Callbacks.


def test_callbacks_are_told_of_everything_in_order():
    watch = Recorder()
    fit(random_net(), batch_size=12, epochs=2, callbacks=[watch])
    assert watch.events == [
        ("start", 0, 0),
        ("epoch_start", 1, 0),
        ("batch", 1, 1),
        ("batch", 1, 2),
        ("epoch", 1, 2),
        ("epoch_start", 2, 2),
        ("batch", 2, 3),
        ("batch", 2, 4),
        ("epoch", 2, 4),
        ("end", 2, 4),
    ]


def test_what_a_callback_sees():
    seen = []

    class See(dn.Callback):
        def on_batch(self, run):
            assert np.shares_memory(run.model.store.data, model.store.data)
            assert run.optimizer is optimizer
            seen.append((run.epoch, run.step, list(run.metrics), len(run.history)))

        def on_end(self, run):
            seen.append((run.history.stopped, run.history.last["epoch"]))
            self.history = run.history

    model, optimizer, see = random_net(), dn.SGD(0.1), See()
    history = fit(model, batch_size=12, epochs=2, optimizer=optimizer, callbacks=[see])
    assert seen == [
        (1, 1, ["cost"], 0),
        (1, 2, ["cost"], 0),
        (2, 3, ["cost"], 1),
        (2, 4, ["cost"], 1),
        ("finished", 2),
    ]
    assert see.history is history


def test_a_callback_may_change_the_learning_rate():
    class Halve(dn.Callback):
        def on_epoch(self, run):
            run.optimizer.learning_rate /= 2

    model, plain = dn.mlp([5, 3, 1], seed=1), dn.mlp([5, 3, 1], seed=1)
    fit(model, optimizer=dn.SGD(0.5), epochs=3, callbacks=[Halve()])
    for rate in (0.5, 0.25, 0.125):
        plain.train_step({"X": X, "Y": Y}, dn.SGD(rate))
    assert_same_bits(model, bits(plain))


@pytest.mark.parametrize("at", ["start", "epoch_start", "batch", "epoch", "end"])
def test_what_a_callback_raises_comes_out_after_everyone_was_told_of_the_end(at):
    def fail(run):
        raise ZeroDivisionError("in the callback")

    first, failing, last = Recorder(), Recorder(at, fail), Recorder()
    with pytest.raises(ZeroDivisionError, match="in the callback"):
        fit(random_net(), batch_size=12, callbacks=[first, failing, last])
    assert first.names.count("end") == failing.names.count("end") == 1
    # Whoever was not told of the start is not told of the end.
    assert last.names.count("end") == last.names.count("start") == (at != "start")


def test_an_error_while_starting_leaves_the_best_of_an_earlier_training_alone():
    def fail(run):
        raise ZeroDivisionError

    stopping, model = dn.EarlyStopping("cost", patience=2), random_net()
    fit(model, callbacks=[stopping], epochs=2)
    fit(model, epochs=3)
    before = bits(model)
    with pytest.raises(ZeroDivisionError):
        fit(model, callbacks=[Recorder("start", fail), stopping])
    assert_same_bits(model, before)


@pytest.mark.parametrize(
    ("at", "epochs", "updates"),
    [("start", 0, 0), ("epoch_start", 1, 1), ("batch", 1, 1), ("epoch", 1, 4), ("end", 4, 16)],
)
def test_a_callback_may_stop_training(at, epochs, updates):
    stop = Recorder(at, lambda run: run.stop("enough"))
    history = fit(random_net(), batch_size=6, callbacks=[stop], log_every=3)
    assert stop.events[-1] == ("end", epochs, updates)
    assert history.stopped == ("finished" if at == "end" else "enough")
    assert len(history) == (0 if at == "start" else 1 if epochs == 1 else 3)
    if epochs:
        assert (history.last["epoch"], history.last["step"]) == (epochs, updates)
        assert not np.isnan(history.last["accuracy"])


def test_the_epoch_a_callback_stops_at_is_logged():
    class Stop(dn.Callback):
        def on_epoch(self, run):
            if run.epoch == 5:
                run.stop("five are enough")

    model = random_net()
    history = fit(model, epochs=20, log_every=4, callbacks=[Stop()], validation=(X_VAL, Y_VAL))
    assert history["epoch"].tolist() == [1, 4, 5]
    assert history.last["val_cost"] == model.evaluate(X_VAL, Y_VAL)["cost"]


def test_stopping_without_a_reason_stops():
    stop = Recorder("batch", lambda run: run.stop(""))
    history = fit(random_net(), callbacks=[stop])
    assert len(history) == 1
    assert history.stopped == "stopped"


class Nodes(dn.Callback):
    def __init__(self):
        self.calls = []

    def before_node(self, run, name, phase):
        self.calls.append(("before", name, phase, run.step))

    def after_node(self, run, name, phase):
        self.calls.append(("after", name, phase, run.step))


@pytest.mark.parametrize("keep", ["needed", "all"])
def test_node_callbacks_come_before_and_after_every_node_in_order(keep):
    model, nodes = dn.mlp([5, 7, 3, 1], seed=1), Nodes()
    fit(model, epochs=2, callbacks=[dn.Callback(), nodes], keep=keep)
    forward = ["linear1", "relu1", "linear2", "relu2", "linear3", "sigmoid3", "cost"]
    # The cost is computed from the logits: the sigmoid runs only to be looked at, never backward.
    backward = [name for name in reversed(forward) if name != "sigmoid3"]
    if keep == "needed":
        forward.remove("sigmoid3")
    expected = [
        (when, name, phase, step)
        for step in (0, 1)
        for phase, names in (("forward", forward), ("backward", backward))
        for name in names
        for when in ("before", "after")
    ]
    assert nodes.calls == expected


@pytest.mark.parametrize("keep", ["needed", "all"])
def test_node_callbacks_can_look_at_what_the_node_has_just_computed(keep):
    seen = []

    class Look(dn.Callback):
        def after_node(self, run, name, phase):
            record = run.model.cache[name]
            if (name, phase) == ("linear1", "forward"):
                W, b = run.model.params[name].values()
                seen.append(np.array_equal(record.output, W @ X + b))
            elif (name, phase) == ("linear1", "backward"):
                seen.append(np.any(record.grad_params["W"] != 0))
                if keep == "all":
                    expected = record.grad_output @ X.T
                    seen.append(np.array_equal(record.grad_params["W"], expected))

    fit(dn.mlp([5, 7, 3, 1], seed=1), epochs=2, keep=keep, callbacks=[Look()])
    assert seen == [True] * (6 if keep == "all" else 4)


def test_node_callbacks_do_not_change_the_bits():
    model, other = random_net(), random_net()
    fit(model, batch_size=6, callbacks=[Nodes()], optimizer=dn.Adam(0.05))
    fit(other, batch_size=6, optimizer=dn.Adam(0.05))
    assert_same_bits(model, bits(other))


def test_every_callback_that_wants_nodes_gets_them():
    class Before(dn.Callback):
        count = 0

        def before_node(self, run, name, phase):
            self.count += 1

    before, nodes = Before(), Nodes()
    fit(random_net(), epochs=1, callbacks=[before, nodes])
    assert before.count == len(nodes.calls) // 2 > 0


# Early stopping.


def overfit(model, stopping, **options):
    """Train on random labels, so that the validation cost rises soon."""
    rng = np.random.default_rng(11)
    labels = (rng.random((1, M)) > 0.5).astype(float)
    return fit(
        model,
        X,
        labels,
        epochs=200,
        log_every=1,
        optimizer=dn.Adam(0.05),
        validation=(X_VAL, Y_VAL),
        callbacks=[stopping],
        **options,
    )


def test_early_stopping_goes_back_to_the_best_epoch():
    stopping, model, again = dn.EarlyStopping(patience=4), dn.mlp([5, 7, 1], seed=1), None
    history = overfit(model, stopping)
    values = history["val_cost"]
    assert stopping.best_epoch == 1 + int(np.argmin(values)) < 100
    assert len(history) == stopping.best_epoch + 4
    assert model.evaluate(X_VAL, Y_VAL)["cost"] == stopping.best == values.min()
    assert re.match("early stopping: val_cost has not improved for 4 epochs", history.stopped)

    again = dn.mlp([5, 7, 1], seed=1)
    overfit(again, dn.EarlyStopping(patience=4, restore_best=False))
    assert again.evaluate(X_VAL, Y_VAL)["cost"] == values[-1] > values.min()


def test_early_stopping_restores_the_running_statistics_too():
    stopping, model, last = dn.EarlyStopping(patience=4), random_net(), random_net()
    history = overfit(model, stopping, batch_size=6)
    assert stopping.best_epoch < history.last["epoch"]
    assert model.evaluate(X_VAL, Y_VAL)["cost"] == stopping.best
    overfit(last, dn.EarlyStopping(patience=4, restore_best=False), batch_size=6)
    last.set_params(model.get_params())  # the best ones, with the statistics of the last epoch
    assert last.evaluate(X_VAL, Y_VAL)["cost"] != stopping.best


def test_early_stopping_on_a_number_nobody_logs_is_an_error():
    with pytest.raises(UnknownNameError, match="val_ are logged when there is validation data"):
        fit(random_net(), callbacks=[dn.EarlyStopping("val_cost")])
