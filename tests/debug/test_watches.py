"""Every watch finds the fault it is for, first where it is, and says what it measured."""

import dataclasses

import numpy as np
import pytest
from watch_helpers import M, Moves, drawn, regression, seen

import dagnet as dn
from dagnet.debug.watches.catalogue import watch_of
from dagnet.debug.watches.facts import Facts, distance, norm
from dagnet.text import number


def of_first(alerts, node, phase, iteration, value=None, threshold=None):
    """Check the first alert: where and when, and that its message holds what was measured."""
    first = alerts[0]
    assert (first.node, first.phase, first.iteration) == (node, phase, iteration)
    if value is not None:
        assert first.value == pytest.approx(value, rel=1e-9)
        assert number(value) in first.message
    if threshold is not None:
        assert first.threshold == pytest.approx(threshold, rel=1e-6)
    return first


# Values.


def test_nan_in_what_was_fed():
    feeds = drawn()
    feeds["X"][2, 4] = np.nan
    alerts = seen(dn.mlp([3, 5, 1], seed=1, check_finite=False), "nan", feeds)
    first = of_first(alerts, "X", "forward", 1, 1.0)
    assert first.message == f"1 of {3 * M} elements of output is NaN, the first at [2, 4]"
    assert first.position == 0
    # From there it goes on, but the labels are clean.
    assert [a.node for a in alerts] == ["X", "linear1", "relu1", "linear2", "sigmoid2", "cost"]


class Steep(dn.ops.base.Unary):
    """Forward the identity, backward a division of 0 by 0 for example 3."""

    reads = frozenset()

    def forward(self, f):
        np.copyto(f.output, f.inputs[0])

    def backward(self, f):
        np.copyto(f.grad_inputs[0], f.grad_output)
        f.grad_inputs[0][:, 3] = np.divide(0.0, 0.0)


def test_nan_that_comes_about_backward():
    feeds = drawn(targets=2)
    first = of_first(seen(regression(Steep), "nan", feeds), "act1", "backward", 1, 5.0)
    assert (first.what, first.position) == ("grad_inputs.0", 7)
    assert f"5 of {5 * M}" in first.message
    assert first.message.endswith("[0, 3]")


def test_nan_of_an_update():
    def break_bias(arrays):
        arrays["linear2", "b"][1] = np.nan

    alerts = seen(regression(dn.Tanh), "nan", drawn(targets=2), optimizer=Moves(break_bias))
    assert of_first(alerts, "linear2", "update", 1, 1.0).what == "params.b"


def test_nan_in_a_sum_of_gradients_of_which_each_is_finite():
    x, y = dn.Input(3, name="x"), dn.Input(5, name="y")
    a = dn.Identity(name="a")(dn.Linear(5, name="h")(x))
    b = dn.Identity(name="b")(a)
    c = dn.Identity(name="c")(a)
    cost = [dn.MeanSquaredError(name="cost1")(b, y), dn.MeanSquaredError(name="cost2")(c, y)]
    model = dn.Model(cost, seed=1)
    debugger = dn.Debugger(model, {"x": np.ones((3, M)), "y": np.ones((5, M))})
    debugger.watch("inf")
    for node in ("b", "c"):
        debugger.set(node, "grad_output", np.full((5, M), 1e308))
    stop = debugger.run()
    (alert,) = stop.alerts
    assert (alert.node, alert.phase, alert.what) == ("a", "backward", "grad_output")


def test_inf_of_a_weight():
    model = dn.mlp([3, 5, 1], hidden="sigmoid", seed=1)
    model.params["linear2"]["W"][0, 4] = np.inf
    alerts = seen(model, "inf", drawn())
    assert of_first(alerts, "linear2", "forward", 1, float(M)).message.startswith("7 of 7")


def test_inf_beside_nan_is_found_and_nan_alone_is_none():
    feeds = drawn()
    feeds["X"][0, 1] = np.nan
    assert "X" not in {a.node for a in seen(_mlp_unchecked(), "inf", feeds)}
    feeds["X"][2, 5] = -np.inf
    assert of_first(seen(_mlp_unchecked(), "inf", feeds), "X", "forward", 1, 1.0)


def _mlp_unchecked():
    return dn.mlp([3, 5, 1], seed=1, check_finite=False)


@pytest.mark.parametrize(("dtype", "size"), [("float64", 2e151), ("float32", 2e16)])
def test_values_near_the_largest_number(dtype, size):
    feeds = {k: v.astype(dtype) for k, v in drawn(targets=2).items()}
    model = regression(dn.Tanh, dtype)
    model.params["linear2"]["b"][1] = size
    first = of_first(seen(model, "near overflow", feeds), "linear2", "forward", 1)
    assert first.value == pytest.approx(size, rel=1e-6)
    assert number(first.value) in first.message
    assert first.threshold == pytest.approx(1e-3 * np.sqrt(float(np.finfo(dtype).max)))
    model.params["linear2"]["b"][1] = size / 100
    assert "linear2" not in {a.node for a in seen(model, "near overflow", feeds)}
    model.params["linear2"]["b"][1] = np.inf  # has overflown
    assert "linear2" not in {a.node for a in seen(model, "near overflow", feeds)}


def test_exponents_that_overflow_soon():
    model, feeds = regression(dn.Softplus), drawn(targets=2)
    model.params["linear1"]["b"][3] = 650.0
    model.forward(feeds)
    greatest = model.cache["linear1"].output.max()
    alerts = seen(model, "exp overflow", feeds)
    of_first(alerts, "linear1", "forward", 1, greatest, 0.9 * np.log(np.finfo(float).max))
    assert len(alerts) == 1
    model.params["linear1"]["b"][3] = -650.0
    assert not seen(model, "exp overflow", feeds)
    relu = regression(dn.ReLU)
    relu.params["linear1"]["b"][3] = 650.0
    assert not seen(relu, "exp overflow", feeds)  # has no exponential


def test_all_zero():
    model = dn.mlp([3, 5, 1], seed=1)
    model.params["linear1"]["b"][...] = -100.0
    feeds = drawn() | {"Y": np.zeros((1, M))}
    first = of_first(seen(model, "all zero", feeds), "relu1", "forward", 1, 0.0)
    assert str(5 * M) in first.message


def test_constant():
    model, feeds = dn.mlp([3, 5, 1], seed=1), drawn() | {"Y": np.ones((1, M))}
    feeds["X"][...] = 2.5
    of_first(seen(model, "constant", feeds), "X", "forward", 1, 2.5)
    feeds["X"][0, 0] = 3  # the ends alone do not decide
    feeds["X"][2, 6] = 3
    assert "X" not in {a.node for a in seen(model, "constant", feeds)}


def test_a_jump_from_one_step_to_the_next():
    model, feeds = dn.mlp([3, 5, 1], seed=1), drawn()

    def scale(iteration):
        if iteration == 3:
            model.params["linear1"]["W"][...] *= 101.0

    alerts = seen(model, "jump", feeds, steps=4, before=scale)
    of_first(alerts, "linear1", "forward", 3, 100.0, 10.0)
    assert {a.iteration for a in alerts} == {3}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_feature_that_is_not_scaled(dtype):
    feeds = {name: array.astype(dtype) for name, array in drawn(targets=2).items()}
    model = regression(dn.Tanh, dtype)
    assert not seen(model, "unscaled input", feeds)
    feeds["X"][1] *= 100
    rms = float(np.sqrt(np.mean(feeds["X"][1].astype(float) ** 2)))
    assert rms > 30
    first = seen(model, "unscaled input", feeds)[0]
    assert (first.node, first.position, first.units) == ("X", 0, (1,))
    assert first.value == pytest.approx(rms, rel=1e-6)
    assert "1 of 3 features has" in first.message


def test_a_feature_with_one_large_number_is_scaled():
    feeds = drawn(targets=2)
    feeds["X"][1, 4] = 70.0  # its rms is 27
    assert not seen(regression(dn.Tanh), "unscaled input", feeds)


def test_what_is_normalised_first_and_targets_may_be_large():
    X, Y = dn.Input(3, name="X"), dn.Input(2, name="Y")
    A = dn.Linear(2, name="linear1")(dn.BatchNorm(name="norm")(X))
    model = dn.Model(dn.MeanSquaredError(name="cost")(A, Y), seed=1)
    feeds = drawn(targets=2)
    assert not seen(model, "unscaled input", {name: a * 1e4 for name, a in feeds.items()})
    feeds["Y"] *= 1e4
    assert not seen(regression(dn.Tanh), "unscaled input", feeds)


# Activations.


def test_dead_units_are_named():
    model, feeds = dn.mlp([3, 5, 1], seed=1), drawn()
    model.params["linear1"]["b"][[1, 4]] = -100.0
    one = dn.watches.DeadUnits(share=0.0)
    first = of_first(seen(model, one, feeds, 10), "relu1", "forward", 10, 2.0, 0.0)
    assert first.units == (1, 4)
    assert "units 1, 4" in first.message
    assert not seen(model, "dead relu", feeds, 12)
    model.params["linear1"]["b"][2] = -100.0  # three of five are more than half
    of_first(seen(model, "dead relu", feeds, 10), "relu1", "forward", 10, 3.0, 2.5)


def test_a_unit_is_dead_only_if_it_is_so_in_every_batch():
    model, feeds = dn.mlp([3, 5, 1], seed=1), drawn()

    def kill(iteration):
        b = model.params["linear1"]["b"]
        b[...] = 100.0
        b[2 if iteration % 2 else 3] = -100.0
        b[0] = -100.0 if iteration > 2 else 100.0

    alerts = seen(model, dn.watches.DeadUnits(share=0.0, over=3), feeds, 6, before=kill)
    assert [(a.iteration, a.units) for a in alerts] == [(5, (0,)), (6, (0,))]


def test_a_dead_layer():
    model, feeds = dn.mlp([3, 5, 4, 1], hidden="tanh", seed=1), drawn()
    model.params["linear2"]["W"][...] = 0.0
    model.params["linear2"]["b"][:, 0] = [0.1, 0.2, 0.3, 0.4]
    first = of_first(seen(model, "dead layer", feeds), "tanh2", "forward", 1)
    assert f"4 units give the same output for all {M} examples" in first.message
    model.params["linear2"]["W"][3] = 1.0
    feeds["X"][:, 1] = feeds["X"][:, 0]  # of equal examples, two are not all
    assert not seen(model, "dead layer", feeds)


@pytest.mark.parametrize("activation", [dn.Sigmoid, dn.Tanh])
def test_saturation(activation):
    model, feeds = regression(activation), drawn(targets=2)
    model.params["linear1"]["b"][:4] = [[6.0], [-6.0], [6.0], [-6.0]]
    model.params["linear1"]["W"][...] *= 0.01  # so four units of five are near an end
    assert not seen(model, "saturated", feeds, 5)
    alerts = seen(model, dn.watches.Saturated(share=0.7), feeds, 5)
    first = of_first(alerts, "act1", "forward", 3)
    assert first.value == pytest.approx(0.8)
    assert "80.0%" in first.message


def test_the_output_may_be_saturated():
    model, feeds = dn.mlp([3, 5, 1], seed=1), drawn()
    model.params["linear2"]["b"][...] = 50.0
    assert not seen(model, "saturated", feeds, 5)


def test_a_softmax_of_one_class():
    model, feeds = dn.mlp([3, 5, 4], output="softmax", seed=1), drawn(targets=4)
    model.params["linear2"]["b"][2] = 8.0
    model.forward(feeds)
    share = model.cache["softmax2"].output[2].mean()
    assert 0.95 < share < 0.9999
    first = of_first(
        seen(model, "softmax collapsed", feeds, 3), "softmax2", "forward", 3, share, 0.95
    )
    assert first.units == (2,)
    model.params["linear2"]["b"][2] = 1.0
    assert not seen(model, "softmax collapsed", feeds, 3)


@pytest.mark.parametrize(("factor", "threshold"), [(50.0, 30.0), (0.02, 1 / 30)])
def test_a_range_that_drifts(factor, threshold):
    model, feeds = regression(dn.ReLU), drawn(targets=2)

    def scale(iteration):
        if iteration == 4:
            model.params["linear1"]["W"][...] *= factor

    alerts = seen(model, "range drift", feeds, 6, before=scale)
    first = of_first(alerts, "act1", "forward", 6)
    assert (first.value, first.threshold) == pytest.approx((factor, threshold))
    assert "50 times" in first.message


@pytest.mark.parametrize(("m", "numbers"), [(1, "1 number "), (3, "3 numbers ")])
def test_a_batch_normalization_over_few_examples(m, numbers):
    X, Y = dn.Input(3, name="X"), dn.Input(2, name="Y")
    A = dn.BatchNorm(name="norm")(dn.Linear(5, name="linear1")(X))
    cost = dn.MeanSquaredError(name="cost")(dn.Linear(2, name="linear2")(A), Y)
    model, feeds = dn.Model(cost, seed=1), drawn(targets=2)
    few = {name: array[:, :m] for name, array in feeds.items()}
    first = of_first(seen(model, "few to normalize", few, 3), "norm", "forward", 3, m, 4.0)
    assert numbers in first.message
    assert not seen(model, "few to normalize", feeds, 3)


# Gradients.


def deep(layers=9, seed=1):
    """Return a chain of sigmoids whose gradient gets about ten times smaller at every layer."""
    return dn.mlp([3, *[5] * layers, 1], hidden="sigmoid", init=0.2, seed=seed)


def weight_gradients(model, feeds):
    model.forward(feeds)
    model.backward()
    return {n: model.cache[n].grad_params["W"] for n in model.params if n.startswith("linear")}


def rms(array):
    return float(np.sqrt(np.mean(array**2)))


def test_a_vanishing_gradient():
    model, feeds = deep(), drawn()
    sizes = {n: rms(g) for n, g in weight_gradients(model, feeds).items()}
    expected = [n for n in reversed(sizes) if sizes[n] < 1e-9]
    assert 0 < len(expected) < 9
    alerts = seen(model, "vanishing gradient", feeds, 3)
    assert [a.node for a in alerts] == expected
    of_first(alerts, expected[0], "backward", 3, sizes[expected[0]], 1e-9)


def test_a_fading_gradient():
    model, feeds = deep(), drawn()
    sizes = {n: rms(g) for n, g in weight_gradients(model, feeds).items()}
    ratios = {n: size / sizes["linear10"] for n, size in sizes.items()}
    expected = [n for n in reversed(ratios) if ratios[n] < 1e-4]
    assert 0 < len(expected) < 9
    alerts = seen(model, "fading gradient", feeds, 3)
    assert [a.node for a in alerts] == expected
    first = of_first(alerts, expected[0], "backward", 3, ratios[expected[0]], 1e-4)
    assert "linear10" in first.message


def test_an_exploding_gradient():
    model, feeds = regression(dn.Tanh), drawn(targets=2)
    feeds["Y"] *= 1e5
    size = float(np.linalg.norm(weight_gradients(model, feeds)["linear2"]))
    first = of_first(
        seen(model, "exploding gradient", feeds), "linear2", "backward", 1, size, 1000.0
    )
    assert first.what == "grad_params.W"


def test_a_gradient_of_zeros():
    model, feeds = dn.mlp([3, 5, 1], seed=1), drawn()
    model.params["linear2"]["W"][...] = 0.0
    first = of_first(seen(model, "zero gradient", feeds), "linear2", "backward", 1, 0.0)
    assert first.what == "grad_inputs.0"
    assert str(5 * M) in first.message
    model.params["linear2"]["W"][...] = 1e-200
    assert "linear2" not in {a.node for a in seen(model, "zero gradient", feeds)}


# Weights.


def scaled(factor, node="linear2"):
    def scale(arrays):
        for (owner, _), array in arrays.items():
            array *= factor if owner == node else 1.01

    return Moves(scale)


def test_frozen_weights():
    alerts = seen(dn.mlp([3, 5, 1], seed=1), "frozen weights", drawn(), 4, scaled(1.0))
    first = of_first(alerts, "linear2", "update", 3, 0.0)
    assert {a.node for a in alerts} == {"linear2"}
    assert "W by 0, in all its 5 elements" in first.message


@pytest.mark.parametrize(
    ("watch", "factor", "iteration", "value", "threshold"),
    [
        ("large update", 1.5, 5, 0.5, 0.2),
        ("large update", 0.25, 5, 0.75, 0.2),
        ("growing weights", 1.25, 10, 1.25, 1.1),
        ("small update", 1 + 2**-30, 10, 2**-30, 1e-6),
    ],
)
def test_updates_measured_by_the_weights(watch, factor, iteration, value, threshold):
    model = dn.mlp([3, 5, 1], seed=1)
    alerts = seen(model, watch, drawn(), iteration, scaled(factor))
    of_first(alerts, "linear2", "update", iteration, value, threshold)
    assert {a.node for a in alerts} == {"linear2"}


def test_weights_that_shrink_or_were_0_do_not_grow():
    assert not seen(dn.mlp([3, 5, 1], seed=1), "growing weights", drawn(), 12, scaled(0.8))
    model = dn.mlp([3, 5, 1], seed=1)
    for watch in ("growing weights", "large update", "small update"):
        model.params["linear2"]["W"][...] = 0.0
        at_once = dataclasses.replace(watch_of(watch), over=1)
        assert not seen(model, at_once, drawn(), 1, Moves(_to_ones), nodes="linear2")


def _to_ones(arrays):
    arrays["linear2", "W"][...] = 1.0


def test_units_with_equal_weights():
    model = dn.mlp([3, 5, 1], seed=1)
    W = model.params["linear1"]["W"]
    W[3] = W[0]
    W[2, 0] = W[1, 0]  # beginning alike is not enough
    alerts = seen(model, "symmetric units", drawn(), 2)
    first = of_first(alerts, "linear1", "forward", 2)
    assert first.units == (0, 3)
    assert "units 0, 3" in first.message
    W[3, 2] = np.nextafter(W[3, 2], 2)
    assert not seen(model, "symmetric units", drawn(), 3)


# The cost.


def test_a_cost_that_is_not_finite():
    X, Y = dn.Input(3, name="X"), dn.Input(1, name="Y")
    P = dn.ReLU(name="p")(dn.Linear(1, name="linear")(X))
    model = dn.Model(dn.BinaryCrossEntropy(name="cost")(P, Y), seed=1)
    model.params["linear"]["b"][...] = -100.0
    first = of_first(
        seen(model, "cost not finite", drawn() | {"Y": np.ones((1, M))}), "cost", "forward", 1
    )
    assert first.value == np.inf
    assert "inf" in first.message


def test_a_flat_cost():
    model, feeds = dn.mlp([3, 5, 1], seed=1), drawn()
    J = model.forward(feeds)
    first = of_first(seen(model, "cost flat", feeds, 21), "cost", "forward", 21, 0.0, 1e-6)
    assert number(J) in first.message
    tiny = dn.SGD(1e-9)
    assert seen(model, "cost flat", feeds, 21, tiny)
    assert not seen(model, "cost flat", feeds, 25, dn.SGD(0.1))


def test_a_rising_cost():
    model, feeds = dn.mlp([3, 5, 1], seed=1), drawn()
    keep = model.get_params()

    def climb(arrays):
        for key, array in arrays.items():
            array += 0.1 * model.store.grads[key]

    costs = []
    for _ in range(11):
        costs.append(model.train_step(feeds, Moves(climb)))
    assert costs == sorted(costs)
    model.set_params(keep)
    first = of_first(seen(model, "cost rising", feeds, 11, Moves(climb)), "cost", "forward", 11)
    assert first.value == pytest.approx(costs[-1] - costs[-2], rel=1e-9)
    assert number(costs[-1]) in first.message


@pytest.mark.parametrize(("bias", "bound"), [(100.0, 1.0), (-100.0, 0.0)])
def test_a_loss_of_what_is_no_probability(bias, bound):
    X, Y = dn.Input(3, name="X"), dn.Input(1, name="Y")
    Z = dn.Linear(1, name="linear")(X)
    model = dn.Model(dn.BinaryCrossEntropy(name="cost")(Z, Y), seed=1)
    model.params["linear"]["b"][...] = bias
    feeds = drawn()
    model.forward(feeds)
    Z = model.cache["linear"].output
    value = Z.max() if bias > 0 else Z.min()
    first = of_first(seen(model, "loss domain", feeds), "cost", "forward", 1, value, bound)
    assert str([0, int(np.argmax(value == Z))]) in first.message


def test_a_loss_of_computed_targets_that_are_negative():
    X, Y = dn.Input(3, name="X"), dn.Input(3, name="Y")
    P = dn.Sigmoid(name="p")(dn.Linear(3, name="linear")(X))
    cost = dn.BinaryCrossEntropy(name="cost")(P, dn.Identity(name="targets")(Y))
    model = dn.Model(cost, seed=1)
    feeds = {"X": np.ones((3, M)), "Y": np.full((3, M), 0.5)}
    assert not seen(model, "loss domain", feeds)
    feeds["Y"][1, 4] = -0.25
    first = of_first(seen(model, "loss domain", feeds), "cost", "forward", 1)
    assert first.what == "inputs.1"
    assert "[1, 4]: -0.25" in first.message


# Facts.


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_the_norm_is_right_where_squares_leave_the_floats(dtype, size):
    array = (np.array([[3.0, 0.0, -4.0]]) * size).astype(dtype)
    with np.errstate(all="ignore"):
        assert norm(array) == pytest.approx(5 * size, rel=1e-6)
        assert Facts(array).is_finite
        assert not Facts(array).has_inf
        assert Facts(array).exceeds(3.9 * size)
        assert not Facts(array).exceeds(4.1 * size)
        assert not Facts(array).exceeds(5.1 * size)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_norms_of_many_elements(dtype):
    """Of several blocks, the last one not full; in memory in either order."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 301, 77)).astype(dtype)
    whole = np.sqrt(np.sum((a.astype("float64") - b) ** 2))
    for x, y in ((a, b), (np.asfortranarray(a), b), (a[:, ::-1], b[:, ::-1])):
        assert norm(x) == pytest.approx(np.linalg.norm(a.astype("float64")), rel=1e-6)
        assert distance(x, y) == pytest.approx(whole, rel=1e-6)
    assert distance(a, a.copy()) == 0.0
    moved = a.copy()
    moved[300, 76] = np.nextafter(a[300, 76], a.dtype.type(9))
    assert 0 < distance(a, moved) < 1e-5


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_facts_of_what_is_not_finite(bad):
    facts = Facts(np.array([1.0, bad, 1.0]))
    assert not facts.is_finite
    assert not facts.is_zero
    assert not facts.is_constant
    assert facts.has_nan == np.isnan(bad)
    assert facts.has_inf == np.isinf(bad)


def test_weights_that_shrink():
    def shrink(arrays):
        arrays["linear1", "W"] *= 0.9

    model, feeds = dn.mlp([3, 5, 1], seed=1), drawn()
    alerts = seen(model, "shrinking weights", feeds, 10, Moves(shrink))
    first = of_first(alerts, "linear1", "update", 10, 0.9, 0.97)
    assert first.what == "params.W"
    assert not seen(model, "shrinking weights", feeds, 9, Moves(shrink))
    assert seen(model, "shrinking weights", feeds, 10, dn.SGD(0.1, weight_decay=1.0))
    assert not seen(model, "shrinking weights", feeds, 10, dn.SGD(0.1, weight_decay=0.1))


@pytest.mark.parametrize(("units", "told"), [(2, False), (4, True), (9, True)])
def test_a_linear_layer_on_a_linear_layer(units, told):
    X, Y = dn.Input(3, name="X"), dn.Input(5, name="Y")
    Z = dn.Linear(5, name="last")(dn.Linear(units, name="first")(X))
    model = dn.Model(dn.MeanSquaredError(name="cost")(Z, Y), seed=1)
    alerts = seen(model, "linear on linear", drawn(targets=5))
    assert [a.node for a in alerts] == ["last"] * told
    assert all("first and last compute" in a.message for a in alerts)


def test_a_linear_layer_that_others_read_too_is_needed():
    X, Y = dn.Input(3, name="X"), dn.Input(5, name="Y")
    first = dn.Linear(7, name="first")(X)
    Z = dn.Linear(5, name="last")(first)
    Z = dn.Add(name="sum")(Z, dn.Linear(5, name="other")(dn.Tanh(name="tanh")(first)))
    model = dn.Model(dn.MeanSquaredError(name="cost")(Z, Y), seed=1)
    assert not seen(model, "linear on linear", drawn(targets=5))


# Targets.


def linear_classifier(loss, activation, classes=4):
    X, Y = dn.Input(3, name="X"), dn.Input(classes, name="Y")
    P = activation(name="P")(dn.Linear(classes, name="linear")(X))
    return dn.Model(loss(name="cost")(P, Y), seed=1)


def test_probabilities_of_classes_that_do_not_sum_to_one():
    model = linear_classifier(dn.CategoricalCrossEntropy, dn.Sigmoid)
    feeds = drawn(targets=4)
    first = of_first(seen(model, "loss domain", feeds), "cost", "forward", 1)
    sums = model.cache["P"].output.sum(axis=0)
    worst = int(np.argmax(abs(sums - 1)))
    assert first.message.endswith(f"those of P sum to {number(float(sums[worst]))} at [{worst}]")
    assert not seen(linear_classifier(dn.CategoricalCrossEntropy, dn.Softmax), "loss domain", feeds)
    assert not seen(linear_classifier(dn.BinaryCrossEntropy, dn.Sigmoid), "loss domain", feeds)


def test_a_softmax_over_one_class_is_told_at_the_loss():
    model = linear_classifier(dn.BinaryCrossEntropy, dn.Softmax, classes=1)
    first = of_first(seen(model, "loss domain", drawn()), "cost", "forward", 1)
    assert first.message == "P is a softmax over one class, which is always 1"


def guessing(loss, targets, answer):
    """Return a network that gives one answer, the target being the mean of which it tells."""
    model = linear_classifier(loss, dn.Identity, len(targets))
    model.params["linear"]["W"][...] = 0.0
    model.params["linear"]["b"][...] = np.reshape(answer, (-1, 1))
    return model, {"X": drawn()["X"][:, : targets.shape[1]], "Y": targets}


@pytest.mark.parametrize(
    ("loss", "answer", "cost"),
    [
        (dn.CategoricalCrossEntropy, [0.25, 0.75], -0.25 * np.log(0.25) - 0.75 * np.log(0.75)),
        (dn.BinaryCrossEntropy, [0.25, 0.75], -0.5 * np.log(0.25) - 1.5 * np.log(0.75)),
        (dn.MeanSquaredError, [0.25, 0.75], 0.1875),
        (dn.CategoricalCrossEntropyWithLogits, np.log([0.25, 0.75]), 0.5623351446),
        (dn.BinaryCrossEntropyWithLogits, [-np.log(3), np.log(3)], 2 * 0.5623351446),
    ],
)
def test_a_cost_that_the_mean_of_the_targets_has_too(loss, answer, cost):
    model, feeds = guessing(loss, np.eye(2)[:, [0, 1, 1, 1]], answer)
    watch = dn.watches.Guessing(over=3)
    alerts = seen(model, watch, feeds, 6)
    first = of_first(alerts, "cost", "forward", 6, cost, 0.98 * cost)
    assert first.message.count(number(cost)) == 2
    lower = 0.97 if loss is not dn.MeanSquaredError else 0.5
    assert not seen(model, watch, feeds, 6, before=lambda _: _better(model, feeds, lower * cost))
    assert not seen(model, watch, feeds, 5)


def _better(model, feeds, cost):
    """Let weights tell the examples apart until the cost is below."""
    Y, X = feeds["Y"], np.vstack([feeds["X"], np.ones(feeds["X"].shape[1])])
    W = (Y - Y.mean(axis=1, keepdims=True)) @ np.linalg.pinv(X)
    for _ in range(100):
        if model.forward(feeds) < cost:
            return
        model.params["linear"]["W"][...] += 0.05 * W[:, :-1]
        model.params["linear"]["b"][...] += 0.05 * W[:, -1:]
    raise AssertionError("no lower cost")


def test_examples_in_the_order_of_their_classes():
    rng = np.random.default_rng(1)
    labels = np.sort(rng.integers(0, 4, 400))
    model = linear_classifier(dn.CategoricalCrossEntropy, dn.Softmax)

    def trained(order):
        debugger = dn.Debugger(model)
        debugger.watch("sorted batches", stop=False)
        X, Y = rng.standard_normal((3, 400)), np.eye(4)[:, labels[order]]
        model.fit(X, Y, epochs=4, batch_size=20, shuffle=False, debugger=debugger)
        return debugger.alerts

    first = trained(np.arange(400))[0]
    assert (first.node, first.threshold) == ("cost", 3.0)
    assert number(first.value) in first.message
    assert not trained(rng.permutation(400))


def test_batches_of_one_example_differ_by_chance():
    rng = np.random.default_rng(1)
    model = linear_classifier(dn.CategoricalCrossEntropy, dn.Softmax)
    debugger = dn.Debugger(model)
    debugger.watch(dn.watches.SortedBatches(over=2), stop=False)
    X, Y = rng.standard_normal((3, 200)), np.eye(4)[:, rng.integers(0, 4, 200)]
    model.fit(X, Y, epochs=2, batch_size=1, debugger=debugger)
    assert not debugger.alerts
