"""What a model holds on to, and what becomes of it: copies, failures, arrays of earlier runs."""

import copy
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import dagnet as dn
from dagnet.errors import NotKeptError

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((5, 11)), (RNG.random((1, 11)) < 0.5).astype(float)
FEEDS = {"X": X, "Y": Y}


def network():
    return dn.mlp([5, 7, 3, 1], seed=1)


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_trains_as_the_original_and_leaves_it_alone(clone):
    model = network()
    model.train_step(FEEDS, dn.SGD(0.5))
    before = model.get_params()
    other = clone(model)
    costs = [other.train_step(FEEDS, dn.SGD(0.5)) for _ in range(3)]
    np.testing.assert_equal(model.get_params(), before)
    assert costs == [model.train_step(FEEDS, dn.SGD(0.5)) for _ in range(3)]
    assert costs[2] < costs[0]


class FailsOnce(dn.Op):
    """Passes everything on, but its first backward raises."""

    kind = "activation"

    def output_shape(self, *inputs):
        return inputs[0]

    def forward(self, f):
        f.output[...] = f.inputs[0]

    def backward(self, f):
        if not FAILED:
            FAILED.append(True)
            raise RuntimeError("planted")
        f.grad_inputs[0][...] = f.grad_output


FAILED: list[bool] = []


@pytest.mark.parametrize("executor", ["compiled", "interpreted"])
def test_after_a_failure_nothing_of_the_run_is_used(executor):
    FAILED.clear()
    x, y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    h = FailsOnce(name="fails")(dn.Tanh()(dn.Linear(7)(x)))
    model = dn.Model(dn.MeanSquaredError()(dn.Linear(1)(h), y), seed=1, executor=executor)
    model.forward(FEEDS, keep="needed")
    with pytest.raises(dn.DagnetError, match=r"fails \(test_held\.py:\d+\): .*planted"):
        model.backward()
    with pytest.raises(NotKeptError, match=r"call model\.forward\(feeds\) again"):
        model.backward()
    model.forward(FEEDS)
    model.backward()
    assert model.cache["fails"].grad_output.shape == (7, 11)


def test_a_value_from_the_cache_may_be_fed():
    x, y = dn.Input(5, name="X"), dn.Input(3, name="Y")
    out = dn.Tanh(name="out")(dn.Linear(3)(x))
    model = dn.Model(dn.MeanSquaredError()(out, y), seed=1)
    model.forward({"X": X, "Y": np.zeros((3, 11))})
    value = model.cache["out"].output
    expected = model.forward({"X": 2 * X, "Y": value.copy()})
    model.forward({"X": X, "Y": np.zeros((3, 11))})
    assert model.forward({"X": 2 * X, "Y": model.cache["out"].output}) == expected > 0


def test_a_record_of_a_run_with_other_examples_is_gone():
    model = network()
    model.forward(FEEDS)
    record, layer = model.cache["relu1"], model.layer(1)
    model.forward({"X": X[:, :4], "Y": Y[:, :4]})
    for read in (lambda: record.output, lambda: layer.A):
        with pytest.raises(NotKeptError, match="another one took its memory"):
            read()


def test_losses_and_activations_of_ones_own_are_not_fused():
    class Hot(dn.Sigmoid):
        """A sigmoid of ten times its input."""

        def forward(self, f):
            np.multiply(f.inputs[0], 10.0, out=f.output)
            np.negative(f.output, out=f.output)
            np.exp(f.output, out=f.output)
            np.add(f.output, 1.0, out=f.output)
            np.divide(1.0, f.output, out=f.output)

    x, y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    model = dn.Model(dn.BinaryCrossEntropy()(Hot()(dn.Linear(1)(x)), y), seed=1)
    p = model.predict(X)
    cost = -np.mean(Y * np.log(p) + (1 - Y) * np.log(1 - p))
    np.testing.assert_allclose(model.forward(FEEDS), cost, rtol=1e-12)


def test_predictions_may_come_from_several_threads():
    model = network()
    inputs = [RNG.standard_normal((5, 11)) for _ in range(8)]
    expected = [model.predict(x) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(model.predict, inputs * 30))
    for i, result in enumerate(results):
        np.testing.assert_array_equal(result, expected[i % 8])


def test_a_cost_that_joins_losses_is_measured_like_the_list():
    x, y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    p = dn.Sigmoid(name="p")(dn.Linear(1)(x))
    joined = dn.Add()(dn.BinaryCrossEntropy()(p, y), dn.MeanSquaredError()(p, y))
    assert "accuracy" in dn.Model(joined, seed=1).evaluate(X, Y)


def test_data_made_bad_between_two_trainings_changes_nothing():
    model, data = network(), X.copy()
    model.fit(data, Y, epochs=2, progress=False)
    before = model.get_params()
    data[0, 0] = np.nan
    with pytest.raises(dn.DagnetError, match="1 NaN"):
        model.fit(data, Y, epochs=2, progress=False)
    np.testing.assert_equal(model.get_params(), before)


@pytest.mark.parametrize("executor", ["interpreted", "compiled", "fused"])
def test_no_fed_array_is_held_after_a_prediction_or_an_evaluation(executor):
    model = dn.mlp([5, 7, 1], seed=1, executor=executor)
    fed = X.copy(), Y.copy()
    watched = [weakref.ref(array) for array in fed]
    model.predict(fed[0])
    model.evaluate(*fed)
    del fed
    assert [watch() for watch in watched] == [None, None]
