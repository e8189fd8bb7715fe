"""Evaluation: which numbers are measured, under which names, on which arrays."""

import numpy as np
import pytest

import dagnet as dn
from dagnet.errors import ArgumentError, ArgumentTypeError, FeedError, UnknownNameError
from dagnet.training import accuracy, f1, mae, precision, recall
from dagnet.training.evaluation import Judge

M = 13
RNG = np.random.default_rng(7)
X = RNG.standard_normal((5, M))
YES = (X[:1] + 0.3 * RNG.standard_normal((1, M)) > 0).astype(float)


def cross_entropy(p, y):
    return float(np.mean(-(y * np.log(p) + (1 - y) * np.log(1 - p))))


def test_binary_numbers_are_those_of_the_predictions():
    model = dn.mlp([5, 7, 1], seed=1)
    p = model.predict(X)
    found = model.evaluate(X, YES, ["accuracy", "precision", "recall", "f1"])
    assert list(found) == ["cost", "accuracy", "precision", "recall", "f1"]
    assert found["cost"] == pytest.approx(cross_entropy(p, YES), rel=1e-12)
    for metric in (accuracy, precision, recall, f1):
        assert found[metric.__name__] == metric(p, YES)
    assert 0 < found["accuracy"] < 1
    assert all(type(value) is float for value in found.values())


@pytest.mark.parametrize(
    ("output", "layers", "default"),
    [("sigmoid", [5, 1], "accuracy"), ("softmax", [5, 3], "accuracy"), ("identity", [5, 1], "mae")],
)
def test_what_is_measured_where_nobody_says(output, layers, default):
    model = dn.mlp(layers, output=output, seed=1)
    targets = np.argmax(X[:3], axis=0) if output == "softmax" else YES
    assert list(model.evaluate(X, targets)) == ["cost", default]
    assert list(model.evaluate(X, targets, [])) == ["cost"]
    assert list(model.evaluate(X, targets, ())) == ["cost"]


def test_labels_and_one_hot_columns_are_measured_alike():
    model = dn.mlp([5, 7, 3], output="softmax", seed=1)
    labels = np.argmax(X[:3], axis=0)
    one_hot = np.eye(3)[:, labels]
    names = ["accuracy", "precision", "recall", "f1"]
    found = model.evaluate(X, labels, names)
    assert found == model.evaluate(X, one_hot, names)
    hits = np.mean(np.argmax(model.predict(X), axis=0) == labels)
    assert found["accuracy"] == pytest.approx(hits, rel=1e-14)


def test_several_sigmoids_are_labels_independent_of_each_other():
    model = dn.mlp([5, 3], seed=1)
    targets = (X[:3] > 0).astype(float)
    expected = np.mean((model.predict(X) > 0.5) == targets)
    assert model.evaluate(X, targets)["accuracy"] == pytest.approx(expected, rel=1e-14)


def test_it_runs_in_prediction_mode_and_changes_nothing():
    x, y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    hidden = dn.Dropout(0.5, name="drop")(dn.BatchNorm(name="norm")(dn.Linear(7, name="z")(x)))
    guess = dn.Sigmoid(name="p")(dn.Linear(1, name="out")(hidden))
    model = dn.Model(dn.BinaryCrossEntropy(name="cost")(guess, y), outputs=[guess], seed=1)
    model.forward({"X": X, "Y": YES})
    state = {name: array.copy() for name, array in model.state["norm"].items()}
    generator = model.rng.bit_generator.state
    first, again = model.evaluate(X, YES), model.evaluate(X, YES)
    assert first == again
    assert first["cost"] == pytest.approx(cross_entropy(model.predict(X), YES), rel=1e-12)
    assert model.rng.bit_generator.state == generator
    assert all(np.array_equal(model.state["norm"][name], state[name]) for name in state)


def test_l2_is_part_of_the_cost():
    plain, penal = dn.mlp([5, 7, 1], seed=1), dn.mlp([5, 7, 1], seed=1, l2=0.7)
    squares = sum(np.sum(penal.params[f"linear{layer}"]["W"] ** 2) for layer in (1, 2))
    expected = plain.evaluate(X, YES)["cost"] + 0.7 / (2 * M) * squares
    assert penal.evaluate(X, YES)["cost"] == pytest.approx(expected, rel=1e-12)


def test_scaling_is_applied():
    raw = X * 30.0 + 100.0
    model = dn.mlp([5, 7, 1], seed=1)
    model.fit_scaling("standardize", {"X": raw})
    other = dn.mlp([5, 7, 1], seed=1)
    scaled = (raw - raw.mean(axis=1, keepdims=True)) / raw.std(axis=1, keepdims=True)
    assert model.evaluate(raw, YES) == other.evaluate(scaled, YES)


def two_outputs():
    x, yes, level = dn.Input(5, name="X"), dn.Input(1, name="yes"), dn.Input(2, name="level")
    p = dn.Sigmoid(name="p")(dn.Linear(1, name="z")(x))
    height = dn.Linear(2, name="height")(x)
    costs = [
        dn.BinaryCrossEntropy(name="cost_p")(p, yes),
        dn.MeanSquaredError(name="cost_height")(height, level),
    ]
    return dn.Model(costs, seed=1), {"yes": YES, "level": X[1:3] * 2.0}


def test_several_outputs_are_told_apart_by_name():
    model, targets = two_outputs()
    found = model.evaluate(X, targets)
    outputs = model.predict(X)
    assert found == {
        "cost": pytest.approx(
            cross_entropy(outputs["p"], YES)
            + np.mean(np.sum((outputs["height"] - targets["level"]) ** 2, axis=0)) / 2,
            rel=1e-12,
        ),
        "p_accuracy": accuracy(outputs["p"], YES),
        "height_mae": mae(outputs["height"], targets["level"]),
    }


def test_a_function_measures_every_output_against_its_own_target():
    def gap(predictions, targets):
        return np.max(np.abs(predictions - targets))

    model, targets = two_outputs()
    outputs = model.predict(X)
    found = model.evaluate(X, targets, [gap])
    assert list(found) == ["cost", "p_gap", "height_gap"]
    assert found["p_gap"] == np.max(np.abs(outputs["p"] - YES))
    assert found["height_gap"] == np.max(np.abs(outputs["height"] - targets["level"]))


def test_one_output_compared_with_two_targets():
    x, low, high = dn.Input(5, name="X"), dn.Input(1, name="low"), dn.Input(1, name="high")
    guess = dn.Linear(1, name="guess")(x)
    costs = [
        dn.MeanSquaredError(name="cost_low")(guess, low),
        dn.MeanSquaredError(name="cost_high")(guess, high),
    ]
    model = dn.Model(costs, seed=1)
    targets = {"low": YES - 1.0, "high": YES + 2.0}
    guesses = model.predict(X)
    assert model.evaluate(X, targets, ["mae"]) == {
        "cost": model.evaluate(X, targets)["cost"],
        "guess_low_mae": mae(guesses, targets["low"]),
        "guess_high_mae": mae(guesses, targets["high"]),
    }


def test_one_pair_compared_by_two_losses_is_measured_once_as_the_first_says():
    x, y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    guess = dn.Sigmoid(name="guess")(dn.Linear(1, name="line")(x))
    costs = [
        dn.BinaryCrossEntropy(name="bits")(guess, y),
        dn.MeanSquaredError(name="square")(guess, y),
    ]
    assert list(dn.Model(costs, seed=1).evaluate(X, YES)) == ["cost", "accuracy"]
    assert list(dn.Model(costs[::-1], seed=1).evaluate(X, YES)) == ["cost", "mae"]


def test_losses_from_logits_are_measured_by_their_decisions():
    x, y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    logits = dn.Linear(1, name="logits")(x)
    loss = dn.BinaryCrossEntropyWithLogits(name="cost")(logits, y)
    model, other = dn.Model(loss, seed=1), dn.mlp([5, 1], seed=1)
    # Between logits of 0 and of 0.5 lies the difference: make some fall there.
    for params in (model.params["logits"], other.params["linear1"]):
        params["W"][...] = [[0.3, 0.1, -0.2, 0.05, 0.1]]
    z = model.predict(X)
    assert np.any((z > 0) & (z < 0.5))
    names = ["accuracy", "precision", "recall", "f1"]
    found, expected = model.evaluate(X, YES, names), other.evaluate(X, YES, names)
    assert found == pytest.approx(expected, rel=1e-14)
    model.params["logits"]["W"][0, 0] = np.nan
    assert np.isnan(model.evaluate(X, YES, names)["f1"])


def test_a_function_gets_the_logits_themselves():
    def largest(predictions, targets):
        return predictions.max()

    x, y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    loss = dn.BinaryCrossEntropyWithLogits(name="cost")(dn.Linear(1, name="logits")(x), y)
    model = dn.Model(loss, seed=1)
    assert model.evaluate(X, YES, [largest])["largest"] == model.predict(X).max()


def test_categorical_logits():
    x, y = dn.Input(5, name="X"), dn.Input(3, name="Y")
    logits = dn.Linear(3, name="logits")(x)
    model = dn.Model(dn.CategoricalCrossEntropyWithLogits(name="cost")(logits, y), seed=1)
    labels = np.argmax(X[:3], axis=0)
    hits = np.mean(np.argmax(model.predict(X), axis=0) == labels)
    assert model.evaluate(X, labels)["accuracy"] == pytest.approx(hits, rel=1e-14)


def test_a_nan_prediction_gives_nan_not_an_error():
    model = dn.mlp([5, 1], seed=1)
    model.params["linear1"]["W"][0, 2] = np.nan
    found = model.evaluate(X, YES)
    assert np.isnan(found["cost"])
    assert np.isnan(found["accuracy"])


def test_a_loss_of_two_computed_values_has_a_cost_and_no_metrics():
    x, y = dn.Input(5, name="X"), dn.Input(5, name="Y")
    near = dn.MeanSquaredError(name="cost")(
        dn.Linear(3, name="left")(x), dn.Linear(3, name="right")(y)
    )
    model = dn.Model(near, seed=1)
    assert list(Judge(model)({"X": X, "Y": X + 1.0})) == ["cost"]
    with pytest.raises(ArgumentError, match="there is nothing to measure"):
        Judge(model, ["mae"])


def cost(predictions, targets):
    return 0.0


@pytest.mark.parametrize(
    ("metrics", "error", "message"),
    [
        (["acuracy"], UnknownNameError, "no binary metric named 'acuracy'; did you mean 'acc"),
        (["mae"], UnknownNameError, "no binary metric named 'mae'"),
        ("accuracy", ArgumentTypeError, r"metrics must be a list such as \['accuracy'\]"),
        (accuracy, ArgumentTypeError, "metrics must be a list"),
        ([3], ArgumentTypeError, "a name or a function, got 3"),
        ([None], ArgumentTypeError, "a name or a function, got None"),
        (["f1", f1], ArgumentError, "two metrics are named 'f1'"),
        ([cost], ArgumentError, "a metric cannot be named 'cost'"),
    ],
)
def test_metrics_that_cannot_be(metrics, error, message):
    with pytest.raises(error, match=message):
        dn.mlp([5, 1], seed=1).evaluate(X, YES, metrics)


def test_targets_are_needed():
    with pytest.raises(FeedError, match="nothing was fed for Y"):
        dn.mlp([5, 1], seed=1).evaluate(X)
