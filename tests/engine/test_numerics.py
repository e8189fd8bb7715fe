"""Saturated networks: cost and gradients stay exact, and nan never appears."""

from math import expm1, log1p

import numpy as np
import pytest

import dagnet as dn

#: From where the plain formulas round 1 - A to 0, to where exp overflows.
LOGITS = [0.0, 1.0, -1.0, 36.0, -36.0, 40.0, -40.0, 100.0, -100.0, 700.0, -700.0, 710.0, -710.0]


def binary(logits, labels, dtype="float64"):
    """Return a model of one sigmoid unit that has these logits, and its feeds."""
    x, y = dn.Input(1, name="x"), dn.Input(1, name="y")
    a = dn.Sigmoid(name="a")(dn.Linear(1, name="l")(x))
    model = dn.Model(dn.BinaryCrossEntropy(name="cost")(a, y), dtype=dtype)
    model.params["l"]["W"][...] = 1
    feeds = {"x": np.array([logits], dtype), "y": np.array([labels], dtype)}
    return model, feeds


def exact_cost(z, y):
    """-log(sigmoid(±z)), without cancellation."""
    return log1p(np.exp(-abs(z))) + (abs(z) if (z > 0) != (y == 1) else 0.0)


def exact_slope(z, y):
    """sigmoid(z) - y, without cancellation."""
    e = np.exp(-abs(z))
    small, large = e / (1 + e), 1 / (1 + e)
    return (large if z > 0 else small) if y == 0 else -(small if z > 0 else large)


@pytest.mark.parametrize("keep", ["needed", "all"])
@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize("z", LOGITS)
def test_a_saturated_sigmoid_has_an_exact_cost_and_gradient(z, label, keep):
    model, feeds = binary([z], [label])
    J = model.forward(feeds, keep=keep)
    model.backward()
    assert pytest.approx(exact_cost(z, label), rel=4e-16, abs=0) == J
    db = model.store.grads["l", "b"].item()
    assert db == pytest.approx(exact_slope(z, label), rel=4e-16, abs=0)
    if keep == "all":
        assert model.layer(1).dZ.item() == db


def test_the_cost_of_many_examples_is_the_mean_of_the_exact_ones():
    labels = [float(i % 2) for i in range(len(LOGITS))]
    model, feeds = binary(LOGITS, labels)
    exact = [exact_cost(z, y) for z, y in zip(LOGITS, labels, strict=True)]
    assert model.forward(feeds) == pytest.approx(np.mean(exact), rel=1e-15)
    model.backward()
    slopes = [exact_slope(z, y) / len(LOGITS) for z, y in zip(LOGITS, labels, strict=True)]
    np.testing.assert_allclose(model.layer(1).dZ, [slopes], rtol=1e-15, atol=0)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scale", [1.0, 40.0, 710.0, 1e30])
def test_nan_appears_nowhere_in_the_cache(scale, dtype):
    """Neither in values nor in gradients, dA of the saturated sigmoid among them."""
    z = np.array([1, -1, 0.5, -0.25, 0, 1, -1]) * scale
    model, feeds = binary(z, [1, 0, 0.5, 0.25, 1, 0, 1], dtype)
    assert np.isfinite(model.forward(feeds))
    model.backward()
    for record in model.cache.values():
        arrays = [record.output, *record.saved.values(), *record.params.values()]
        if record.name != "y":
            arrays += [record.grad_output, *record.grad_params.values()]
        arrays += [g for g in record.grad_inputs if g is not None]
        assert not any(np.isnan(array).any() for array in arrays), record.name
    assert np.isfinite(model.layer(1).dZ).all()


def test_the_gradient_of_a_saturated_probability_is_infinite_not_nan():
    """dJ/dA at A = 1 with label 0 is 1 / (1 - A): the logit's gradient is still 1."""
    model, feeds = binary([40.0], [0.0])
    model.forward(feeds)
    model.backward()
    assert model.cache["a"].output.item() == 1.0
    assert model.cache["a"].grad_output.item() == np.inf
    assert model.layer(1).dZ.item() == 1.0


@pytest.mark.parametrize("keep", ["needed", "all"])
@pytest.mark.parametrize("z", [0.0, 40.0, 710.0, 1e300])
def test_a_saturated_softmax_has_an_exact_cost_and_gradient(z, keep):
    """Logits z, 0, -z: the label on each class in turn."""
    x, t = dn.Input(3, name="x"), dn.Input(3, name="t")
    p = dn.Softmax()(dn.Linear(3, name="l")(x))
    model = dn.Model(dn.CategoricalCrossEntropy()(p, t))
    model.params["l"]["W"][...] = np.eye(3)
    logits = np.array([z, 0.0, -z])
    weights = np.exp(logits - z)
    probabilities = weights / weights.sum()
    for label in range(3):
        feeds = {"x": logits.reshape(3, 1), "t": np.array([label])}
        J = model.forward(feeds, keep=keep)
        model.backward()
        rest = weights.sum() - weights[0]
        assert pytest.approx(log1p(rest) + (z - logits[label]), rel=4e-16, abs=0) == J
        slope = probabilities - (np.arange(3) == label)
        if label == 0:
            slope[0] = -rest / weights.sum()
        np.testing.assert_allclose(
            model.store.grads["l", "b"].ravel(), slope, rtol=1e-15, atol=2.3e-16
        )


def test_small_costs_keep_their_digits():
    """At z = 36.74 and beyond, log(A) of the plain formula is 0: the cost is exp(-z)."""
    for z in (37.0, 50.0, 300.0):
        model, feeds = binary([z], [1.0])
        assert model.forward(feeds) == pytest.approx(-expm1(-np.exp(-z)), rel=4e-16, abs=0)
        assert model.forward(feeds) > 0


def test_probabilities_from_elsewhere_are_exact_at_0_and_1():
    x, y = dn.Input(1, name="x"), dn.Input(1, name="y")
    a = dn.Linear(1, name="l")(x)
    model = dn.Model(dn.BinaryCrossEntropy(name="cost")(a, y), outputs=[a])
    model.params["l"]["W"][...] = 1
    feeds = {"x": np.array([[0.0, 1.0, 0.5]]), "y": np.array([[0.0, 1.0, 1.0]])}
    assert model.forward(feeds) == pytest.approx(np.log(2) / 3, rel=1e-15)
    model.backward()
    np.testing.assert_allclose(model.layer(1).dZ, [[1 / 3, -1 / 3, -2 / 3]], rtol=1e-15)


def test_training_from_saturation_finds_back():
    """With the plain formulas the first gradient would be nan, or 0 for good."""
    model, feeds = binary([60.0, -60.0], [0.0, 1.0])
    first = model.forward(feeds)
    optimizer = dn.SGD(0.01)
    costs = [model.train_step(feeds, optimizer) for _ in range(10)]
    assert costs[0] == first == 60.0
    assert costs[-1] < costs[0]


def test_relu_selects_instead_of_multiplying():
    """-inf before a relu gives 0 and the gradient 0; a product with a mask would give nan."""
    x, y = dn.Input(3, name="x"), dn.Input(5, name="y")
    node = dn.Linear(5, name="after")(dn.ReLU(name="relu")(dn.Linear(7, name="l")(x)))
    model = dn.Model(dn.MeanSquaredError()(node, y), seed=1)
    model.params["l"]["b"][0] = -np.inf
    feeds = {"x": np.ones((3, 2)), "y": np.zeros((5, 2))}
    assert np.isfinite(model.forward(feeds))
    model.backward()
    assert not model.cache["relu"].output[0].any()
    assert not model.layer("l").dZ[0].any()
    assert np.isfinite(model.store.grad).all()
