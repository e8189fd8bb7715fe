"""The first bad value of a run is traced to its node, line, place and the numbers that made it."""

import pickle
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from engine_helpers import here

import dagnet as dn
from dagnet.diagnosis import diagnose, not_finite
from dagnet.diagnosis.places import find_places
from dagnet.diagnosis.rerun import Rerun
from dagnet.errors import NotKeptError, OpError

M = 7


class Elementwise(dn.Op):
    kind: ClassVar[str] = "activation"
    reads: ClassVar[frozenset[str]] = frozenset({"inputs"})

    def output_shape(self, *inputs):
        return inputs[0]


class Log(Elementwise):
    def forward(self, f):
        np.log(f.inputs[0], out=f.output)

    def backward(self, f):
        np.divide(f.grad_output, f.inputs[0], out=f.grad_inputs[0])


class Exp(Elementwise):
    def forward(self, f):
        np.exp(f.inputs[0], out=f.output)

    def backward(self, f):
        np.multiply(f.grad_output, np.exp(f.inputs[0]), out=f.grad_inputs[0])


class Root(Elementwise):
    """The square root: finite at 0, where its derivative is not."""

    def forward(self, f):
        np.sqrt(f.inputs[0], out=f.output)

    def backward(self, f):
        np.divide(f.grad_output, 2 * np.sqrt(f.inputs[0]), out=f.grad_inputs[0])


class Over(Elementwise):
    """Division by a trained number for each unit."""

    reads: ClassVar[frozenset[str]] = frozenset({"inputs", "params"})

    def parameters(self, *inputs):
        return {"w": dn.Parameter((inputs[0][0], 1), fill=1.0)}

    def forward(self, f):
        np.divide(f.inputs[0], f.params["w"], out=f.output)

    def backward(self, f):
        np.divide(f.grad_output, f.params["w"], out=f.grad_inputs[0])
        f.grad_params["w"].fill(0.0)


class Picky(Elementwise):
    """Refuses what is not finite, in one phase."""

    phase: str = "forward"

    def forward(self, f):
        if self.phase == "forward" and not np.isfinite(f.inputs[0]).all():
            raise ValueError("not for me")
        np.copyto(f.output, f.inputs[0])

    def backward(self, f):
        if self.phase == "backward":
            raise ValueError("not for me")
        np.copyto(f.grad_inputs[0], f.grad_output)


class Tally:
    """Hooks that ask why after every node, and keep the first answer."""

    def __init__(self, model):
        self.model = model
        self.answers = []

    def before_node(self, name, phase):
        pass

    def after_node(self, name, phase):
        self.answers.append((name, phase, self.model.why()))


def through(*ops, features=5, **options):
    """A model with an identity for weights, then the ops, then a mean squared error."""
    x, y = dn.Input(features, name="x"), dn.Input(features, name="y")
    a = dn.Linear(features, name="eye")(x)
    for op in ops:
        a = op(a)
    model = dn.Model(dn.MeanSquaredError(name="cost")(a, y), seed=1, **options)
    model.params["eye"]["W"][...] = np.eye(features)
    return model


def feeds(features=5, m=M):
    return {"x": np.full((features, m), 0.5), "y": np.zeros((features, m))}


def culprits(diagnosis):
    return [(e.node, e.value, e.index, e.number) for e in diagnosis.evidence if e.alone]


# The four faults that users plant.


def test_the_logarithm_of_zero_in_a_loss():
    x, y = dn.Input(3, name="x"), dn.Input(3, name="y")
    p = dn.Identity(name="p")(dn.Linear(3, name="eye")(x))
    cost, line = dn.BinaryCrossEntropy(name="cost")(p, y), here()
    model = dn.Model(cost, seed=1)
    model.params["eye"]["W"][...] = np.eye(3)
    X, Y = np.full((3, M), 0.3), np.zeros((3, M))
    X[2, 6] = X[1, 4] = 0.0
    Y[1, 4] = 1.0  # only there does the loss take the logarithm of 0
    assert model.forward({"x": X, "y": Y}) == np.inf
    model.backward()
    why = model.why()
    assert (why.node, why.phase, why.value, why.op) == (
        "cost",
        "forward",
        "output",
        "BinaryCrossEntropy",
    )
    assert str(why.source) == line
    assert why.line.startswith("cost, line = dn.BinaryCrossEntropy")
    assert culprits(why) == [("p", "output", (1, 4), 0.0), ("y", "output", (1, 4), 1.0)]
    assert "inf of p.output[1, 4] = 0 and y.output[1, 4] = 1" in why.message
    assert [(of.node, of.value, of.nan + of.inf) for of in why.table] == [
        ("cost", "output", 1),
        ("p", "output", 0),
        ("y", "output", 0),
    ]


def test_the_logarithm_of_zero_in_a_softmax_row():
    x, t = dn.Input(3, name="x"), dn.Input(3, name="t")
    p = dn.Softmax(name="p")(dn.Linear(3, name="eye")(x))
    model = dn.Model(dn.BinaryCrossEntropy(name="cost")(p, t), seed=1)
    model.params["eye"]["W"][...] = np.eye(3)
    X = np.zeros((3, M))
    X[2, 5] = -800.0
    model.forward({"x": X, "t": np.eye(3)[:, [0, 1, 0, 1, 0, 2, 1]]})
    assert culprits(model.why()) == [("p", "output", (2, 5), 0.0), ("t", "output", (2, 5), 1.0)]


def test_an_op_s_logarithm_of_zero_though_all_later_values_are_clean():
    log = Log(name="log")
    x, y = dn.Input(5, name="x"), dn.Input(5, name="y")
    node, line = log(dn.Linear(5, name="eye")(x)), here()
    model = dn.Model(dn.MeanSquaredError(name="cost")(dn.ReLU(name="relu")(node), y), seed=1)
    model.params["eye"]["W"][...] = np.eye(5)
    arrays = feeds()
    arrays["x"][3, 2] = 0.0
    assert np.isfinite(model.forward(arrays))  # relu(-inf) = 0
    why = model.why()
    assert (why.node, str(why.source), why.phase) == ("log", line, "forward")
    assert why.places.indices == ((3, 2),)
    assert why.places.values == (-np.inf,)
    assert culprits(why) == [("eye", "output", (3, 2), 0.0)]


@pytest.mark.parametrize(("dtype", "small", "large"), [("float64", 720, 900), ("float32", 90, 99)])
def test_an_exponential_that_overflows(dtype, small, large):
    model = through(Exp(name="exp"), dtype=dtype)
    arrays = {name: array.astype(dtype) for name, array in feeds().items()}
    arrays["x"][1, 3], arrays["x"][4, 0], arrays["x"][2, 2] = small, large, -large
    assert model.forward(arrays) == np.inf
    why = model.why()
    assert (why.node, why.phase) == ("exp", "forward")
    assert (why.places.count, why.places.inf, why.places.nan) == (2, 2, 0)
    assert culprits(why) == [
        ("eye", "output", (1, 3), small),  # the first, and the largest
        ("eye", "output", (4, 0), large),
    ]
    assert f"exp overflows {dtype} beyond {np.log(np.finfo(dtype).max):.2f}" in why.message


@pytest.mark.parametrize("keep", ["all", "needed"])
def test_an_infinite_weight(keep):
    model = dn.mlp([5, 7, 3], seed=1)
    model.params["linear2"]["W"][1, 4] = np.inf
    model.forward({"X": np.ones((5, M)), "Y": np.zeros((3, M))}, keep=keep)
    why = model.why()
    assert (why.node, why.phase, why.value) == ("linear2", "parameters", "params.W")
    assert why.places.indices == ((1, 4),)
    assert why.places.pattern == ""
    assert "params.W is inf at [1, 4]" in why.message
    assert Path(why.source.file).name == Path(__file__).name


@pytest.mark.parametrize(
    ("where", "pattern"),
    [
        ((2, slice(None)), "all of row 2"),
        ((slice(None), 6), "all of example 6"),
        ((slice(1, 4), 6), "all in example 6"),
        (([1, 4], slice(None)), "all of rows 1 and 4"),
        ((slice(None), slice(None)), "every element"),
        (([0, 3, 4], [1, 5, 2]), ""),
    ],
)
def test_nan_in_the_data(where, pattern):
    model = through(dn.Tanh(), check_finite=False)
    arrays = feeds()
    arrays["x"][where] = np.nan
    model.forward(arrays)
    why = model.why()
    assert (why.node, why.phase, why.kind) == ("x", "feed", "input")
    assert why.places.pattern == pattern
    assert why.places.count == why.places.nan == np.isnan(arrays["x"]).sum()
    first = np.argwhere(np.isnan(arrays["x"]))[:5]
    assert why.places.indices == tuple(map(tuple, first))


# Which comes first.


def test_what_is_read_earlier_comes_first():
    x, u, y = dn.Input(5, name="x"), dn.Input(5, name="u"), dn.Input(3, name="y")
    a = dn.Linear(3, name="a")(x)
    b = dn.Linear(3, name="b")(u)
    model = dn.Model(dn.MeanSquaredError()(dn.Add()(a, b), y), seed=1, check_finite=False)
    arrays = {"x": np.ones((5, M)), "u": np.ones((5, M)), "y": np.zeros((3, M))}
    order = []
    for spoil in (
        lambda: arrays["y"].__setitem__((0, 0), np.nan),
        lambda: model.params["b"]["b"].__setitem__((0, 0), np.nan),
        lambda: model.params["b"]["W"].__setitem__((0, 0), np.nan),
        lambda: arrays["u"].__setitem__((0, 0), np.nan),
        lambda: model.params["a"]["W"].__setitem__((0, 0), np.nan),
        lambda: arrays["x"].__setitem__((0, 0), np.nan),
    ):
        spoil()
        model.forward(arrays)
        order.append((model.why().node, model.why().value, model.why().position))
    assert order == [
        ("y", "output", 3),
        ("b", "params.b", 1),
        ("b", "params.W", 1),
        ("u", "output", 1),
        ("a", "params.W", 0),
        ("x", "output", 0),
    ]


def test_overflow_in_a_linear_layer_takes_an_input_and_a_weight():
    model = through(features=3)
    model.params["eye"]["W"][2, 1] = 1e200
    arrays = feeds(3)
    arrays["x"][1, 6] = 1e200
    model.forward(arrays)
    why = model.why()
    assert (why.node, why.phase, why.places.indices) == ("eye", "forward", ((2, 6),))
    assert culprits(why) == [("x", "output", (1, 6), 1e200)]
    assert "eye.params.W[2, 1] = 1e+200" in why.message


class Counted(dn.Op):
    """A doubling that counts the examples it is run on."""

    examples_run: ClassVar[list[int]] = []
    kind: ClassVar[str] = "linear"

    def output_shape(self, *inputs):
        return inputs[0]

    def forward(self, f):
        self.examples_run.append(f.m)
        np.multiply(f.inputs[0], 2.0, out=f.output)

    def backward(self, f):
        np.multiply(f.grad_output, 2.0, out=f.grad_inputs[0])


def test_a_step_is_run_again_on_few_examples():
    x, y = dn.Input(4, name="x"), dn.Input(4, name="y")
    Z = Counted(name="twice")(dn.Linear(4, name="linear")(x))
    model = dn.Model(dn.MeanSquaredError(name="cost")(Z, y), seed=1)
    model.params["linear"]["W"][...] = np.eye(4)
    data = np.ones((4, 1000))
    data[2, 700] = 1.5e308
    model.forward({"x": data, "y": np.zeros((4, 1000))})
    Counted.examples_run.clear()
    why = model.why()
    assert (why.node, why.places.indices) == ("twice", ((2, 700),))
    assert culprits(why) == [("linear", "output", (2, 700), 1.5e308)]
    assert Counted.examples_run.count(1000) <= 3  # as in the run, and at the end to make sure
    assert sum(Counted.examples_run) < 3100


def test_a_gradient_of_parameters_that_one_of_many_examples_makes_bad(monkeypatch):
    searched, search = [], Rerun._search

    def counted(rerun, index):
        searched.append(rerun.m)
        return search(rerun, index)

    monkeypatch.setattr(Rerun, "_search", counted)
    x, y = dn.Input(4, name="x"), dn.Input(1, name="y")
    model = dn.Model(dn.MeanSquaredError(name="cost")(dn.Linear(1, name="linear")(x), y), seed=1)
    model.params["linear"]["W"][...] = 0.0
    data, targets = np.ones((4, 1000)), np.zeros((1, 1000))
    data[3, 701], targets[0, 701] = 1e300, 1e12
    model.forward({"x": data, "y": targets})
    model.backward()
    why = model.why()
    assert (why.node, why.value, why.places.indices) == ("linear", "grad_params.W", ((0, 3),))
    assert culprits(why) == [("x", "output", (3, 701), 1e300)]
    assert searched == [1]


def test_a_bad_parameter_says_that_an_update_may_have_made_it():
    model = through(features=3)
    model.params["eye"]["W"][2, 1] = np.nan
    model.forward(feeds(3))
    assert "so when this run began" in str(model.why())
    arrays = feeds(3)
    model.params["eye"]["W"][2, 1] = 1e200
    arrays["x"][1, 6] = 1e200
    model.forward(arrays)
    assert "so when this run began" not in str(model.why())


def test_a_parameter_that_makes_it_bad_whatever_the_inputs_are():
    model = through(Over(name="over"))
    model.params["over"]["w"][3] = 0.0
    model.forward(feeds())
    why = model.why()
    assert (why.node, why.phase, why.places.pattern) == ("over", "forward", "all of row 3")
    assert culprits(why) == [("over", "params.w", (3, 0), 0.0)]


def test_a_sum_that_no_single_number_makes_overflow():
    model = through(features=3)
    arrays = feeds(3)
    arrays["x"][...] = 6e153  # its square is finite, the sum of 21 squares is not
    model.forward(arrays)
    why = model.why()
    assert (why.node, why.phase) == ("cost", "forward")
    assert culprits(why) == []
    assert "the largest are eye.output[0, 0] = 6e+153" in why.message


def test_nothing_is_bad():
    model = through(dn.Tanh())
    model.forward(feeds())
    assert model.why() is None
    model.backward()
    assert model.why() is None
    model.train_step(feeds(), dn.SGD(0.1))
    assert model.why() is None


# Backward.


def test_a_derivative_that_divides_by_zero():
    model = through(Root(name="root"))
    arrays = feeds()
    arrays["x"][2, 4] = 0.0
    arrays["y"][...] = 1.0
    model.forward(arrays)
    assert model.why() is None
    model.backward()
    why = model.why()
    assert (why.node, why.phase, why.value) == ("root", "backward", "grad_inputs.0")
    assert why.places.indices == ((2, 4),)
    assert culprits(why) == [("eye", "output", (2, 4), 0.0)]
    assert ("root", "grad_output") in [(of.node, of.value) for of in why.table]


def test_gradients_that_are_finite_one_by_one_and_not_in_sum():
    x, y = dn.Input(1, name="x"), dn.Input(1, name="y")
    a = dn.Linear(1, name="eye")(x)
    losses = [dn.MeanSquaredError(name=name, weight=0.85e308)(a, y) for name in ("one", "two")]
    model = dn.Model(losses, seed=1)
    model.params["eye"]["W"][...] = 1.0
    assert np.isfinite(model.forward({"x": np.full((1, 1), 0.9), "y": np.zeros((1, 1))}))
    model.backward()
    why = model.why()
    assert (why.node, why.phase, why.value) == ("eye", "backward", "grad_output")
    assert why.position == 5  # three steps forward and the two losses back
    assert why.message == "2 gradients that are not bad add up to inf at [0, 0]"
    parts = [(of.node, of.value, of.max) for of in why.table][1:]
    assert parts == [
        (name, "grad_inputs.0", pytest.approx(1.53e308, rel=1e-12)) for name in ("one", "two")
    ]


def test_a_sum_is_not_taken_for_the_part_whose_memory_it_is_made_in():
    x, y = dn.Input(1, name="x"), dn.Input(1, name="y")
    a = dn.Linear(1, name="eye")(x)
    losses = [dn.MeanSquaredError(name=name, weight=0.85e308)(a, y) for name in ("one", "two")]
    model = dn.Model(losses, seed=1)
    model.params["eye"]["W"][...] = 1.0
    model.forward({"x": np.full((1, 1), 0.9), "y": np.zeros((1, 1))}, keep="needed")
    tally = Tally(model)
    model.backward(hooks=tally)
    assert [(name, why and (why.node, why.value)) for name, _, why in tally.answers] == [
        ("two", None),
        ("one", ("eye", "grad_output")),
        ("eye", ("eye", "grad_params.W")),  # by now, the sum is gone
    ]


@pytest.mark.parametrize("keep", ["all", "needed"])
def test_shares_in_a_parameter_s_gradient_that_are_finite_one_by_one_and_not_in_sum(keep):
    x, y = dn.Input(1, name="x"), dn.Input(1, name="y")
    op = dn.Linear(1, bias=False, name="op")
    losses = [dn.MeanSquaredError(name=name, weight=0.85e308)(op(x), y) for name in ("one", "two")]
    model = dn.Model(losses, seed=1)
    model.params["op"]["W"][...] = 0.9
    model.forward({"x": np.ones((1, 1)), "y": np.zeros((1, 1))}, keep=keep)
    model.backward()
    why = model.why()
    assert (why.node, why.phase, why.value) == ("op", "backward", "grad_params.W")
    number = "2 gradients that are not bad" if keep == "all" else "gradients of which not all"
    assert why.message.startswith(number)
    assert len(why.table.entries) == 3


@pytest.mark.parametrize("keep", ["all", "needed"])
def test_a_shared_parameter_s_bad_share_is_found_at_its_use(keep):
    """Two uses of one op add to one gradient; what the first adds, last, is beyond the floats."""
    x, u, y = dn.Input(5, name="x"), dn.Input(5, name="u"), dn.Input(3, name="y")
    shared = dn.Linear(3, bias=False, name="shared")
    total = dn.Add(name="sum")(shared(x), dn.LeakyReLU(1e-300)(shared(u)))
    model = dn.Model(dn.MeanSquaredError(name="cost", weight=1e100)(total, y), seed=1)
    model.params["shared"]["W"][...] = 0.0
    arrays = {"x": np.full((5, M), 1e250), "u": np.ones((5, M)), "y": np.ones((3, M))}
    model.forward(arrays, keep=keep)
    model.backward()
    why = model.why()
    assert (why.node, why.phase, why.value) == ("shared", "backward", "grad_params.W")
    if keep == "all":
        assert culprits(why) == [("x", "output", (0, 0), 1e250)]


def test_a_fused_loss_is_diagnosed_on_its_logits():
    model = dn.mlp([5, 3], seed=1, check_finite=False)
    model.params["linear1"]["W"][...] = 1e308
    model.forward({"X": np.ones((5, M)), "Y": np.zeros((3, M))})
    assert model.why().node == "linear1"
    model.params["linear1"]["W"][...] = 0.5e308
    model.forward({"X": np.ones((5, M)) / 3, "Y": np.zeros((3, M))})
    why = model.why()
    assert (why.node, why.phase, why.op) == ("cost", "forward", "BinaryCrossEntropy")
    assert "computed from the logits before sigmoid1" in why.message
    assert [of.node for of in why.table] == ["cost", "linear1", "Y"]
    assert np.isfinite(model.cache["sigmoid1"].output).all()


def test_a_saturated_probability_is_no_fault_of_the_run():
    """What would flow between a fused loss and its activation is infinite, but never computed."""
    model = dn.mlp([1, 1], seed=1)
    model.params["linear1"]["W"][...] = 1.0
    model.forward({"X": np.full((1, 3), -800.0), "Y": np.ones((1, 3))})
    model.backward()
    assert np.isinf(model.cache["sigmoid1"].grad_output).all()
    assert model.why() is None


# Runs that are not over, or did not keep.


def test_after_every_node_of_a_run():
    model = through(Log(name="log"), dn.ReLU(name="relu"))
    arrays = feeds()
    arrays["x"][0, 0] = 0.0
    tally = Tally(model)
    model.forward(arrays, hooks=tally)
    assert [(name, why and why.node) for name, _, why in tally.answers] == [
        ("eye", None),
        ("log", "log"),
        ("relu", "log"),
        ("cost", "log"),
    ]


def test_what_a_run_has_not_come_to_is_not_looked_at():
    model = through(dn.Tanh(name="tanh"), dn.Linear(5, name="late"), check_finite=False)
    arrays = feeds()
    model.params["late"]["W"][0, 0] = np.inf
    tally = Tally(model)
    model.forward(arrays, hooks=tally)
    assert [why and why.node for _, _, why in tally.answers] == [None, None, "late", "late"]


def test_a_run_that_is_advanced_step_by_step():
    model = through(Root(name="root"))
    arrays = feeds()
    arrays["x"][2, 4] = 0.0
    arrays["y"][...] = 1.0
    run = model.begin(arrays)
    found = []
    while run.binding.position < len(run.binding.plan.steps):
        with np.errstate(all="ignore"):
            step = run.binding.advance()
        why = model.why()
        found.append((step.name, step.phase, why and why.position))
    assert found == [
        ("eye", "forward", None),
        ("root", "forward", None),
        ("cost", "forward", None),
        ("cost", "backward", None),
        ("root", "backward", 5),
        ("eye", "backward", 5),
    ]


def test_a_run_that_kept_only_what_is_needed_says_what_is_gone():
    model = dn.mlp([5, 7, 3], seed=1)
    arrays = {"X": np.ones((5, M)), "Y": np.zeros((3, M))}
    model.params["linear1"]["W"][2, 1] = np.inf
    model.train_step(arrays, dn.SGD(0.1))
    why = model.why()  # the parameters are those after the update, and prove nothing
    assert (why.node, why.value) == ("cost", "output")
    assert why.unseen[:3] == ("linear1.params.W", "linear1.params.b", "linear1.output")
    assert "keep='all'" in why.message
    assert [of.node for of in why.table.missing] == ["linear2"]
    assert "not looked at: linear1.params.W" in str(why)


def test_without_a_run_or_after_a_failed_one():
    model = through(Picky(name="picky"))
    with pytest.raises(NotKeptError, match="nothing has run yet"):
        model.why()
    model = through(Log(name="log"), Picky(name="picky"))
    with pytest.raises(OpError):
        model.forward({"x": np.zeros((5, M)), "y": np.zeros((5, M))})
    with pytest.raises(NotKeptError, match="the run failed"):
        model.why()


def test_an_interpreted_run_that_failed_is_looked_at_as_far_as_it_came():
    model = through(Log(name="log"), Picky(name="picky"), executor="interpreted")
    with pytest.raises(OpError, match="picky"):
        model.forward({"x": np.zeros((5, M)), "y": np.zeros((5, M))})
    assert model.why().node == "log"


# Other things than NaN.


def test_another_idea_of_bad():
    model = through(dn.Tanh(name="tanh"), dn.Linear(5, name="wide"))
    model.params["wide"]["W"][...] = 0.0
    model.params["wide"]["b"][3] = 50.0
    model.forward(feeds())
    why = diagnose(model.cache, lambda array: np.abs(array) > 40)
    assert (why.node, why.value, why.places.indices) == ("wide", "params.b", ((3, 0),))
    model.params["wide"]["b"][3] = 0.0
    model.forward(feeds())
    assert diagnose(model.cache, lambda array: np.abs(array) > 40) is None
    why = diagnose(model.cache, lambda array: array.ndim == 2 and not array.any())
    assert (why.node, why.value) == ("eye", "params.b")  # bad as a whole
    assert why.places.pattern == "every element"
    assert why.places.count == 5


def test_places_in_arrays_of_other_shapes():
    cube = np.zeros((3, 5, M))
    cube[1, 2, 4] = cube[1, 3, 4] = np.inf
    assert find_places(cube, not_finite, True).pattern == "all in place on axis 0 1 and example 4"
    assert find_places(np.zeros((3, 5)), not_finite, True) is None
    assert find_places(np.ones(3, bool), not_finite, False) is None
    number = find_places(np.array(np.nan), not_finite, False)
    assert (number.indices, number.pattern, number.count) == (((),), "", 1)


# What is shown.


def test_the_report_shows_everything_and_escapes_names():
    model = through(Log(name="<log>"))
    arrays = feeds()
    arrays["x"][0, 5] = arrays["x"][4, 5] = 0.0
    model.forward(arrays)
    why = model.why()
    for part in ("<log> (test_diagnosis.py:", "all in example 5", "eye.output[0, 5] = 0", "2 Inf"):
        assert part in str(why)
    html = why._repr_html_()
    assert "<log>" not in html
    assert "&lt;log&gt;" in html
    assert html.count("<tr>") == 3
    assert f"<pre>    {why.line}</pre>" in html


# Ops that raise.


@pytest.mark.parametrize("executor", ["compiled", "interpreted"])
def test_an_op_that_raises_tells_what_it_was_given(executor):
    model = through(Log(name="log"), Picky(name="picky"), executor=executor)
    arrays = feeds()
    arrays["x"][2, 6] = 0.0
    with pytest.raises(OpError) as caught:
        model.forward(arrays)
    error = pickle.loads(pickle.dumps(caught.value))
    model.forward(feeds())  # it is of the moment when the op failed
    for shown in (caught.value, error):
        why = shown.why()
        assert (shown.node, shown.phase, shown.source) == ("picky", "forward", why.source)
        assert (why.value, why.places.indices, why.places.values) == (
            "inputs.0",
            ((2, 6),),
            (-np.inf,),
        )
        assert why.message == "ValueError: not for me; inputs.0 is -inf at [2, 6]"


def test_an_op_that_raises_backward_on_finite_values():
    model = through(Picky(phase="backward", name="picky"))
    model.forward(feeds())
    with pytest.raises(OpError) as caught:
        model.backward()
    why = caught.value.why()
    assert (caught.value.phase, why.phase, why.value, why.places) == (
        "backward",
        "backward",
        "",
        None,
    )
    assert [of.value for of in why.table] == ["grad_output", "inputs.0"]
    assert "finite" in str(why)
