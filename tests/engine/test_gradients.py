"""Gradients against central differences: of parameters, of inputs, of every value in between."""

from itertools import count

import numpy as np
import pytest
from engine_helpers import bits, central, derivative, relative_error
from hypothesis import assume, given
from hypothesis import strategies as st
from random_networks import networks, random_dags

import dagnet as dn
from dagnet import passes
from dagnet.errors import NotKeptError
from dagnet.parameters import ParameterStore
from dagnet.planner import make_plan
from dagnet.scheduler import Scheduler

TOLERANCE = 1e-7


def rewound(model):
    """Return a function that puts the random numbers and the states back to where they are now."""
    rng = model.rng.bit_generator.state
    states = {(o, n): a.copy() for o, arrays in model.state.items() for n, a in arrays.items()}

    def rewind():
        model.rng.bit_generator.state = rng
        for (owner, name), array in states.items():
            model.state[owner][name][...] = array

    return rewind


def agree(given_slope, numeric, J):
    scale = max(abs(given_slope), abs(numeric), 1e-4 * max(1.0, abs(J)))
    assert abs(given_slope - numeric) <= TOLERANCE * scale, (given_slope, numeric)


# Random networks.


@random_dags
@given(networks(smooth=True), st.sampled_from(["needed", "all"]))
def test_parameter_gradients_of_random_networks(network, keep):
    """Along a random direction for each parameter, and along one for all of them."""
    model = network.model(l2=0.3)
    feeds = network.feeds(5)
    rewind = rewound(model)
    J = model.forward(feeds, keep=keep)
    model.backward()
    grad = model.store.grad.copy()
    start = model.store.data.copy()
    rng = np.random.default_rng(0)
    directions = [rng.standard_normal(start.size)]
    for array in model.store.arrays.values():
        model.store.data.fill(0)
        array[...] = rng.standard_normal(array.shape)
        directions.append(model.store.data.copy())
    for direction in directions:
        direction /= np.linalg.norm(direction)

        def value(t, direction=direction):
            np.copyto(model.store.data, start + t * direction)
            rewind()
            return model.forward(feeds, keep=keep)

        agree(grad @ direction, derivative(value), J)


@random_dags
@given(networks(smooth=True))
def test_input_gradients_of_random_networks(network):
    model = network.model()
    feeds = network.feeds(5)
    rewind = rewound(model)
    J = model.forward(feeds)
    model.backward()
    rng = np.random.default_rng(0)
    slopes = {}
    for name in model.graph.inputs:
        direction = rng.standard_normal(feeds[name].shape)
        try:
            gradient = model.cache[name].grad_output
        except NotKeptError:
            assert not _gets_gradient(network, name)
        else:
            assert gradient.shape == feeds[name].shape
            slopes[name] = direction, np.vdot(gradient, direction)
    assume(slopes)
    for name, (direction, slope) in slopes.items():

        def value(t, name=name, direction=direction):
            rewind()
            return model.forward(feeds | {name: feeds[name] + t * direction})

        agree(slope, derivative(value), J)


def _gets_gradient(network, name):
    return name in passes.needs_gradient(passes.fuse_logits(network.graph()), [name])


class Nudged:
    """Hooks that add something to one node's output right after it is computed.

    To probabilities a that logarithms are taken of, something in proportion to a (1 - a).
    """

    def __init__(self, binding, name):
        self.array = binding.arrays["output", name]
        self.name = name
        self.nudge = 0.0
        readers = binding.plan.graph.consumers[name]
        kinds = (dn.BinaryCrossEntropy, dn.CategoricalCrossEntropy)
        self.relative = any(isinstance(binding.plan.graph[n].op, kinds) for n, _ in readers)

    def slope(self, gradient, direction):
        return np.vdot(gradient, direction * self.scale())

    def scale(self):
        return self.array * (1 - self.array) if self.relative else 1.0

    def before_node(self, name, phase):
        pass

    def after_node(self, name, phase):
        if name == self.name:
            self.array += self.nudge * self.scale()


@random_dags
@given(networks(smooth=True))
def test_the_gradient_of_every_value_in_random_networks(network):
    """The cache of the fused run against differences of the network as it was defined."""
    model = network.model()
    feeds = network.feeds(3)
    rewind = rewound(model)
    J = model.forward(feeds)
    model.backward()

    graph = passes.quiet_branches(network.graph())
    shapes = passes.infer_shapes(graph)
    store = ParameterStore(passes.collect_parameters(graph, shapes), "float64")
    np.copyto(store.data, model.store.data)
    states = {(o, n): a for o, arrays in model.state.items() for n, a in arrays.items()}
    scheduler = Scheduler(make_plan(graph, "all", backward=False), store, states, model.rng)
    binding = scheduler.begin(feeds, 3)
    rng = np.random.default_rng(0)
    for name in graph:
        if graph[name].is_input:
            continue
        try:
            gradient = model.cache[name].grad_output
        except NotKeptError:
            assert not _reaches_loss(graph, name)
            continue
        direction = rng.standard_normal(gradient.shape)
        hooks = Nudged(binding, name)
        rewind()
        scheduler.forward(binding)
        slope = hooks.slope(gradient, direction)

        def value(t, hooks=hooks, direction=direction):
            rewind()
            hooks.nudge = t * direction
            scheduler.forward(binding, hooks)
            return binding.cost

        agree(slope, derivative(value), J)


def _reaches_loss(graph, name):
    return any(name in graph.ancestors([loss]) for loss in graph.losses)


@random_dags
@given(networks())
def test_what_the_readers_contribute_sums_to_the_gradient_of_a_value(network):
    model = network.model()
    model.forward(network.feeds(3))
    model.backward()
    graph = model.graph
    for name in graph:
        parts = [
            model.cache[reader].grad_inputs[slot]
            for reader, slot in graph.consumers[name]
            if _reaches_loss(graph, reader)
        ]
        parts = [part for part in parts if part is not None]
        if name in graph.losses:
            parts.append(np.ones(()))
        if parts:
            total = model.cache[name].grad_output
            np.testing.assert_allclose(
                np.sum(parts, axis=0), total, rtol=1e-9, atol=1e-9 * np.abs(parts).max(initial=0)
            )


@random_dags
@given(networks())
def test_float32_gradients_are_those_of_float64_rounded(network):
    """At the same numbers; relative to all gradients together, as single sums may cancel."""
    single = network.model(dtype="float32")
    double = network.model()
    np.copyto(double.store.data, single.store.data)
    feeds = network.feeds(5, dtype="float32")
    costs, grads = [], []
    for model, dtype in ((single, np.float32), (double, np.float64)):
        if any(isinstance(v.op, dn.Dropout) for v in model.graph.vertices.values()):
            return  # each dtype has its own random numbers
        costs.append(model.forward({n: a.astype(dtype) for n, a in feeds.items()}))
        model.backward()
        grads.append(model.store.grad)
    eps = float(np.finfo(np.float32).eps)
    assert grads[0].dtype == np.float32
    assert costs[0] == pytest.approx(costs[1], rel=100 * eps)
    assert relative_error(*grads) <= 500 * eps


# The network of the requirements.


def demanding_network(tanh=dn.Tanh):
    """A skip connection, weights used twice, two weighted losses, a sigmoid read twice.

    x -> linear1 -> tanh1 -> shared -> tanh2 -> add -> linear2 -> sigmoid -> BCE
                      |  \\                      /  |               \\-------> MSE with r
                      |   \\-> shared again -> /   \\
                      \\------- skip ---------/     softmax over linear3 -> CCE
    """
    x = dn.Input(3, name="x")
    y, t, r = dn.Input(1, name="y"), dn.Input(7, name="t"), dn.Input(1, name="r")
    shared = dn.Linear(5, name="shared")
    h = tanh()(dn.Linear(5, name="linear1")(x))
    joined = dn.Add(name="add")(tanh()(shared(h)), shared(h), h)
    a = dn.Sigmoid(name="sigmoid")(dn.Linear(1, name="linear2")(joined))
    p = dn.Softmax(name="softmax")(dn.Linear(7, name="linear3")(joined))
    losses = [
        dn.BinaryCrossEntropy(name="binary", weight=0.7)(a, y),
        dn.CategoricalCrossEntropy(name="categorical", weight=0.3)(p, t),
        dn.MeanSquaredError(name="square", weight=0.5)(a, r),
    ]
    return dn.Model(losses, outputs=[a, p], init="xavier", seed=1, l2=0.1)


def demanding_feeds(m=5):
    rng = np.random.default_rng(0)
    return {
        "x": rng.standard_normal((3, m)),
        "y": rng.integers(0, 2, (1, m)).astype(float),
        "t": np.eye(7)[:, rng.integers(0, 7, m)],
        "r": rng.uniform(0, 1, (1, m)),
    }


@pytest.mark.parametrize("keep", ["needed", "all"])
def test_a_skip_shared_weights_and_several_losses_at_1e_7(keep):
    model, feeds = demanding_network(), demanding_feeds()
    model.store.data[:] += 0.1 * np.random.default_rng(1).standard_normal(model.store.data.size)
    model.forward(feeds, keep=keep)
    model.backward()
    grads = {key: grad.copy() for key, grad in model.store.grads.items()}
    for key, array in model.store.arrays.items():
        numeric = central(lambda: model.forward(feeds, keep=keep), array)
        assert relative_error(grads[key], numeric) < 1e-7, key


def test_its_input_gradients_at_1e_7():
    model, feeds = demanding_network(), demanding_feeds()
    model.forward(feeds)
    model.backward()
    got = {name: model.cache[name].grad_output.copy() for name in ("x", "r")}
    dx = model.layer("linear1").dA_prev.copy()
    assert bits(dx) == bits(model.cache["linear1"].grad_inputs[0]) == bits(got["x"])
    for name, gradient in got.items():
        numeric = central(lambda: model.forward(feeds), feeds[name])
        assert relative_error(gradient, numeric) < 1e-7, name


def test_the_gradient_of_a_probability_that_two_losses_read():
    """dA of the fused loss by its own formula, plus the gradient of the other reader."""
    model, feeds = demanding_network(), demanding_feeds()
    model.forward(feeds)
    model.backward()
    A, m = model.cache["sigmoid"].output.copy(), 5

    def cost_of_a():
        y, r = feeds["y"], feeds["r"]
        binary = -np.sum(y * np.log(A) + (1 - y) * np.log(1 - A)) / m
        return 0.7 * binary + 0.5 * np.mean((A - r) ** 2)

    assert relative_error(model.cache["sigmoid"].grad_output, central(cost_of_a, A)) < 1e-7
    assert relative_error(model.layer("linear2").dA, central(cost_of_a, A)) < 1e-7
    parts = model.cache["binary"].grad_inputs[0], model.cache["square"].grad_inputs[0]
    np.testing.assert_allclose(np.sum(parts, axis=0), model.layer("linear2").dA, rtol=1e-14)
    A, dA = model.cache["sigmoid"].output, model.cache["sigmoid"].grad_output
    np.testing.assert_allclose(dA * A * (1 - A), model.layer("linear2").dZ, rtol=1e-12)
    P, dP, dZ = (
        model.cache["softmax"].output,
        model.cache["softmax"].grad_output,
        model.layer("linear3").dZ,
    )
    np.testing.assert_allclose(P * (dP - (dP * P).sum(axis=0)), dZ, rtol=1e-12, atol=1e-16)


# Kinks, with margins.


def test_relu_networks_away_from_their_kinks():
    """Numbers whose hidden values all keep a distance from 0 that the step does not cross."""
    rng = np.random.default_rng(0)
    feeds = {"X": rng.standard_normal((3, 5)), "Y": rng.integers(0, 2, (1, 5)).astype(float)}
    for seed in count():
        model = dn.mlp([3, 7, 5, 1], seed=seed)
        J = model.forward(feeds)
        if min(np.abs(model.layer(n).Z).min() for n in (1, 2)) > 1e-2:
            break
    model.backward()
    grad = model.store.grad.copy()
    numeric = central(lambda: model.forward(feeds), model.store.data)
    assert J > 0
    assert relative_error(grad, numeric) < 1e-7


def test_the_gradient_of_relu_at_0_is_0():
    model = dn.mlp([3, 5, 1], seed=1)
    feeds = {"X": np.zeros((3, 2)), "Y": np.ones((1, 2))}
    model.forward(feeds)
    model.backward()
    assert not model.layer(1).Z.any()
    assert not model.layer(1).dZ.any()
    assert model.layer(1).dA.any()


# Input gradients on demand.


@pytest.mark.parametrize(
    "first",
    [dn.Flatten, dn.Tanh, dn.Identity, lambda: dn.Dropout(0.3), lambda: dn.LayerNorm(eps=0.1)],
)
def test_input_gradients_pass_nodes_before_the_first_parameters(first):
    """x -> first -> tanh -> linear: nothing before linear needs a gradient for training."""
    x, y = dn.Input(3, name="x"), dn.Input(5, name="y")
    before = dn.Tanh(name="tanh")(first()(x, name="first"))
    model = dn.Model(dn.MeanSquaredError()(dn.Linear(5, name="linear")(before), y), seed=1)
    rng = np.random.default_rng(0)
    feeds = {"x": rng.standard_normal((3, 7)), "y": rng.standard_normal((5, 7))}
    rewind = rewound(model)
    model.forward(feeds)
    model.backward()
    dx = model.cache["x"].grad_output.copy()
    assert bits(model.cache["first"].grad_inputs[0]) == bits(dx)
    assert bits(model.cache["first"].grad_output) == bits(model.cache["tanh"].grad_inputs[0])

    def rerun():
        rewind()
        return model.forward(feeds)

    assert relative_error(dx, central(rerun, feeds["x"])) < 1e-7


def test_the_input_gradient_through_two_branches():
    """x -> tanh -> linear1 -> add -> mse
    x ----------> linear2 --/   and y of the loss itself.
    """
    x, y = dn.Input(3, name="x"), dn.Input(5, name="y")
    joined = dn.Add()(dn.Linear(5)(dn.Tanh()(x)), dn.Linear(5)(x))
    model = dn.Model(dn.MeanSquaredError(name="cost")(joined, y), seed=1)
    rng = np.random.default_rng(0)
    feeds = {"x": rng.standard_normal((3, 7)), "y": rng.standard_normal((5, 7))}
    model.forward(feeds)
    model.backward()
    for name in ("x", "y"):
        gradient = model.cache[name].grad_output.copy()
        numeric = central(lambda: model.forward(feeds), feeds[name])
        assert relative_error(gradient, numeric) < 1e-7
        model.forward(feeds)
        model.backward()


def test_a_fixed_input_has_a_gradient_too():
    x, c = dn.Input(3, name="x"), dn.Input(5, 7, name="c", examples=False)
    y = dn.Input(5, name="y")
    trained = dn.MeanSquaredError()(dn.Linear(5)(x), y)
    fixed = dn.MeanSquaredError()(dn.Tanh()(dn.Linear(5, name="l")(c)), c)
    model = dn.Model([trained, fixed], seed=1)
    rng = np.random.default_rng(0)
    shapes = {"x": (3, 2), "y": (5, 2), "c": (5, 7)}
    feeds = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    model.forward(feeds)
    model.backward()
    gradient = model.cache["c"].grad_output.copy()
    assert relative_error(gradient, central(lambda: model.forward(feeds), feeds["c"])) < 1e-7


def test_no_gradient_flows_to_labels():
    model, feeds = demanding_network(), demanding_feeds()
    model.forward(feeds)
    model.backward()
    assert model.cache["binary"].grad_inputs[1] is None
    with pytest.raises(NotKeptError, match=r"y.grad_output: no gradient flows"):
        model.cache["y"].grad_output  # noqa: B018
