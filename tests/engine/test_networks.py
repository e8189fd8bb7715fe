"""Ready-made networks: names, structure, losses, and what they refuse."""

import numpy as np
import pytest
from engine_helpers import bits

import dagnet as dn
from dagnet.errors import ArgumentError, ArgumentTypeError, DagnetError, UnknownNameError


def test_names_and_order():
    model = dn.mlp([7, 5, 3, 1])
    assert list(model.graph) == [
        *("X", "Y", "linear1", "relu1", "linear2", "relu2", "linear3", "sigmoid3", "cost"),
    ]
    assert model.graph.inputs == ("X", "Y")
    assert model.graph.outputs == ("sigmoid3",)
    assert model.graph.losses == ("cost",)


def test_shapes():
    model = dn.mlp([7, 5, 3])
    assert {n: a.shape for n, a in model.store.arrays.items()} == {
        ("linear1", "W"): (5, 7),
        ("linear1", "b"): (5, 1),
        ("linear2", "W"): (3, 5),
        ("linear2", "b"): (3, 1),
    }


def test_it_is_the_network_written_out():
    """The definition of the design, line by line, gives the same bits."""
    X, Y = dn.Input(7, name="X"), dn.Input(1, name="Y")
    A = X
    for n, units in enumerate([5, 3], start=1):
        A = dn.ReLU(name=f"relu{n}")(dn.Linear(units, name=f"linear{n}")(A))
    Y_hat = dn.Sigmoid(name="sigmoid3")(dn.Linear(1, name="linear3")(A))
    cost = dn.BinaryCrossEntropy(name="cost")(Y_hat, Y)
    written = dn.Model(cost, outputs=[Y_hat], init="he", seed=1, dtype="float64")
    made = dn.mlp([7, 5, 3, 1], seed=1)
    assert list(written.graph) == list(made.graph)
    rng = np.random.default_rng(0)
    feeds = {"X": rng.standard_normal((7, 4)), "Y": rng.integers(0, 2, (1, 4)).astype(float)}
    for _ in range(3):
        assert written.train_step(feeds, dn.SGD(0.1)) == made.train_step(feeds, dn.SGD(0.1))
    assert bits(written.store.data) == bits(made.store.data)


@pytest.mark.parametrize(
    ("output", "loss"),
    [
        ("sigmoid", dn.BinaryCrossEntropy),
        ("softmax", dn.CategoricalCrossEntropy),
        ("identity", dn.MeanSquaredError),
        ("tanh", dn.MeanSquaredError),
    ],
)
def test_the_last_activation_decides_the_cost(output, loss):
    model = dn.mlp([5, 7, 3], output=output)
    assert isinstance(model.graph["cost"].op, loss)
    assert f"{output}2" in model.graph


@pytest.mark.parametrize("hidden", ["relu", "tanh", "sigmoid", "leakyrelu", "elu", "gelu"])
def test_hidden_activations_by_name(hidden):
    model = dn.mlp([5, 7, 3], hidden=hidden)
    assert f"{hidden}1" in model.graph


def test_one_hot_targets_and_labels_are_the_same():
    model = dn.mlp([5, 7, 3], output="softmax", seed=1)
    X = np.random.default_rng(0).standard_normal((5, 4))
    labels = np.array([2, 0, 1, 2])
    one_hot = np.eye(3)[:, labels]
    assert model.forward({"X": X, "Y": labels}) == model.forward({"X": X, "Y": one_hot})
    np.testing.assert_array_equal(model.cache["Y"].output, one_hot)


def test_any_number_of_outputs():
    model = dn.mlp([5, 3], seed=1)
    assert model.predict(np.ones((5, 7))).shape == (3, 7)


def test_options_reach_the_model():
    model = dn.mlp([5, 3], dtype="float32", init="zeros", l2=0.1, executor="interpreted")
    assert model.dtype == "float32"
    assert not model.store.data.any()
    assert model.graph.losses == ("cost", "l2")
    assert model.executor == "interpreted"


@pytest.mark.parametrize("size", [0, -5, 2.0, "3", None, True])
def test_a_size_that_is_no_positive_integer_is_named_by_its_position(size):
    with pytest.raises(ArgumentError, match=r"layers\[1\] must be a positive integer") as error:
        dn.mlp([5, size, 1])
    assert repr(size) in str(error.value)


@pytest.mark.parametrize("layers", [[], [5]])
def test_too_few_layers(layers):
    with pytest.raises(ArgumentError, match="one layer at least"):
        dn.mlp(layers)


@pytest.mark.parametrize("layers", [5, "5,3,1", None])
def test_layers_that_are_no_sequence(layers):
    with pytest.raises(ArgumentTypeError, match="sequence of sizes"):
        dn.mlp(layers)


def test_numpy_integers_are_sizes():
    assert dn.mlp(np.array([5, 3])).store.data.size == 18


@pytest.mark.parametrize("layers", [[5, 3, 1], [5, 1]])
@pytest.mark.parametrize("which", ["hidden", "output"])
def test_an_unknown_activation_gets_the_nearest_one(layers, which):
    """Also where no hidden layer would use it."""
    with pytest.raises(UnknownNameError, match=r"no activation named 'rleu'.*'relu'"):
        dn.mlp(layers, **{which: "rleu"})


def test_an_activation_that_is_no_name():
    with pytest.raises(DagnetError, match="activation"):
        dn.mlp([5, 3, 1], hidden=dn.ReLU())


@pytest.mark.parametrize("what", ["hidden", "output"])
@pytest.mark.parametrize("given", [["relu"], np.arange(2), None, 3])
def test_an_activation_of_another_type(what, given):
    with pytest.raises(UnknownNameError, match="no activation named"):
        dn.mlp([3, 2, 1], **{what: given})


def test_layers_in_an_array_without_axes():
    with pytest.raises(ArgumentTypeError, match="layers must be a sequence of sizes"):
        dn.mlp(np.array(3))
