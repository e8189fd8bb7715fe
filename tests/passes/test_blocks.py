"""Which layers a model computes in blocks, and that all its ways to run agree to the bit."""

import numpy as np
import pytest

import dagnet as dn
from dagnet.passes import block_wide_layers


def blocked(graph):
    """Return the names of the layers in blocks."""
    found = block_wide_layers(graph)
    assert list(found) == list(graph)
    return [v.name for v in found.vertices.values() if type(v.op) is dn.BlockedLinear]


def test_the_lesson_s_first_layer():
    assert blocked(dn.mlp([12288, 20, 7, 5, 1]).graph) == ["linear1"]


@pytest.mark.parametrize("sizes", [[784, 512, 256, 10], [2, 4, 1], [12288, 25, 1], [12288, 1]])
def test_no_layer_of_few_inputs_or_of_many_units_or_of_one(sizes):
    assert blocked(dn.mlp(sizes).graph) == []


def test_none_beside_a_layer_large_enough_for_the_threads_of_blas():
    # 273 examples are the most for 20 units: 20 * 96 * 273 is just below 2**19
    assert blocked(dn.mlp([12288, 20, 96, 1]).graph) == ["linear1"]
    assert blocked(dn.mlp([12288, 20, 97, 1]).graph) == []


def test_every_wide_layer_keeps_its_hyperparameters_and_its_name():
    a, b = dn.Input(9000, name="a"), dn.Input(7000, name="b")
    left = dn.Linear(3, bias=False, init=0.5, name="mine")(a)
    right = dn.Linear(2)(b)
    graph = dn.Graph.from_nodes(outputs=[dn.Concat()(left, right)])
    found = block_wide_layers(graph)
    assert blocked(graph) == ["mine", "linear1"]
    assert found["mine"].op.config == graph["mine"].op.config
    assert found["mine"].op.name == "mine"


def test_a_layer_of_one_s_own_is_left_alone():
    class Mine(dn.Linear):
        """A user's own op."""

    own = dn.Graph.from_nodes(outputs=[Mine(20)(dn.Input(12288))])
    assert blocked(own) == []


def test_a_fixed_number_of_examples_counts():
    """The other layer sees 7 examples at most, and is small for as many."""
    x, y = dn.Input(12288, name="x"), dn.Input(97, 7, examples=False, name="y")
    graph = dn.Graph.from_nodes(outputs=[dn.Linear(20)(x), dn.Linear(96)(y)])
    assert blocked(graph) == ["linear1"]
    assert blocked(dn.Graph.from_nodes(outputs=[dn.Linear(20)(x), dn.Linear(8000)(y)])) == []


def network(**options):
    return dn.mlp([5290, 20, 3, 1], seed=1, **options)


def data(m, order="C"):
    rng = np.random.default_rng(m)
    X = np.asarray(rng.standard_normal((5290, m)), order=order)
    return {"X": X, "Y": (rng.random((1, m)) < 0.4).astype(float)}


def trained(keep, executor):
    """Return all parameters after steps on a full batch, a small last one, and one in columns."""
    model, optimizer = network(executor=executor), dn.SGD(0.1)
    for feeds in (data(209), data(5), data(209, "F"), data(209)):
        model.train_step(feeds, optimizer, keep=keep)
    assert np.isfinite(model.store.data).all()
    return model.store.data.copy()


def test_all_ways_to_run_give_the_same_bits():
    expected = trained("needed", "compiled")
    for keep, executor in (("all", "compiled"), ("needed", "interpreted"), ("needed", "compiled")):
        assert np.array_equal(trained(keep, executor), expected)


def test_a_step_is_that_of_plain_products():
    model, feeds = network(), data(209)
    W = model.params["linear1"]["W"].copy()
    model.forward(feeds)
    model.backward()
    layer = model.layer(1)
    np.testing.assert_allclose(layer.Z, W @ feeds["X"] + layer.b, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(layer.dW, layer.dZ @ feeds["X"].T, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(layer.dA_prev, W.T @ layer.dZ, rtol=1e-9, atol=1e-12)


def test_a_prediction_has_the_bits_of_the_forward_pass():
    model, feeds = network(), data(209)
    model.forward(feeds)
    assert np.array_equal(model.predict(feeds["X"]), model.layer(3).A)
