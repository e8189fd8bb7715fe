"""gradcheck: a wrong backward turns its own node red, and nothing else; right ones stay green."""

from functools import partial

import numpy as np
import pytest
from engine_helpers import bits, here
from hypothesis import given
from random_networks import fewer, networks

import dagnet as dn
from dagnet import binding
from dagnet.debug.gradcheck import gradcheck
from dagnet.errors import (
    ArgumentError,
    ArgumentTypeError,
    FeedError,
    FeedTypeError,
    GraphError,
)


def branchy():
    """A model with shared layers, shortcuts, three losses, fused or not, and what is random."""
    x, u = dn.Input(5, name="x"), dn.Input(5, name="u")
    y, t, r = dn.Input(1, name="y"), dn.Input(3, name="t"), dn.Input(7, name="r")
    enc = dn.Linear(7, name="enc")
    a, b = dn.Tanh(name="tanh")(enc(x)), dn.GELU(name="gelu")(enc(u))
    c = dn.Multiply(name="gate")(a, dn.Sigmoid(name="open")(b))
    skip = dn.Add(name="skip")(a, c, a)
    d = dn.Dropout(0.3, name="drop")(dn.BatchNorm(name="norm")(skip))
    e = dn.ReLU(name="relu")(dn.Linear(3, name="down")(d))
    both = dn.Concat(name="both")(e, dn.LayerNorm(name="layer")(b))
    p = dn.Sigmoid(name="p")(dn.Linear(1, name="yes")(both))
    q = dn.Softmax(name="q")(dn.Linear(3, name="which")(both))
    losses = [
        dn.BinaryCrossEntropy(name="bce")(p, y),
        dn.CategoricalCrossEntropy(name="cce", weight=0.5)(q, t),
        dn.MeanAbsoluteError(name="mae")(skip, r),
    ]
    return dn.Model(losses, seed=3, l2=0.3)


def feeds_for_branchy(m=4, dtype="float64"):
    rng = np.random.default_rng(5)
    arrays = {"x": rng.normal(size=(5, m)), "u": rng.normal(size=(5, m))}
    arrays |= {"y": rng.integers(0, 2, (1, m)), "r": rng.normal(size=(7, m))}
    arrays["t"] = np.eye(3)[:, rng.integers(0, 3, m)]
    return {name: array.astype(dtype) for name, array in arrays.items()}


def sabotage(monkeypatch, op_class, name, spoil):
    """Let the backward of the op of this name do what it does, and then spoil it."""
    right = op_class.backward

    def backward(self, f):
        right(self, f)
        if self.name == name:
            spoil(f)

    monkeypatch.setattr(op_class, "backward", backward)


def stretched(f):
    """Make one element of the first gradient there is, the largest, a thousandth too large."""
    gradients = [*(g for g in f.grad_inputs if g is not None), *f.grad_params.values()]
    flat = gradients[0].reshape(-1)
    flat[np.argmax(np.abs(flat))] *= 1.001


def red(check):
    assert check.ok == (not check.failed and check.whole.verdict == "ok")
    return set(check.failed)


# What is wrong turns red.


BRANCHY = branchy()
OWN_NODES = [v.name for v in BRANCHY.graph.vertices.values() if not v.is_input]


@pytest.mark.parametrize("name", [n for n in OWN_NODES if n != "enc_2"])
def test_a_wrong_backward_turns_its_own_node_red(monkeypatch, name):
    model = branchy()
    op = model.graph[name].op
    sabotage(monkeypatch, type(op), op.name, stretched)
    check = gradcheck(model, feeds_for_branchy())
    assert red(check) == ({"enc", "enc_2"} if name == "enc" else {name})
    wrong = [row for row in check.rows if row.verdict == "wrong"]
    assert {row.source for row in wrong} == {model.graph[n].source for n in check.failed}
    for row in wrong:
        assert row.error == pytest.approx(1e-3, rel=0.01)


def test_the_same_model_is_green_without():
    check = gradcheck(branchy(), feeds_for_branchy())
    assert check.ok
    assert list(check.verdicts) == OWN_NODES
    assert set(check.verdicts.values()) == {"ok"}
    assert check.whole.error < 1e-6


@pytest.mark.parametrize("op", [dn.BinaryCrossEntropyWithLogits, dn.BinaryCrossEntropy])
def test_both_formulas_of_a_fused_loss_are_checked(monkeypatch, op):
    sabotage(monkeypatch, op, "bce", stretched)
    check = gradcheck(branchy(), feeds_for_branchy())
    assert red(check) == {"bce"}
    assert [row.op for row in check.rows if row.verdict == "wrong"] == [op.__name__]
    # Training runs the one on logits only.
    assert check.whole.verdict == ("ok" if op is dn.BinaryCrossEntropy else "wrong")


def negated(f):
    f.grad_params["W"] *= -1


def transposed(f):
    f.grad_params["W"][:3, :3] = f.grad_params["W"][:3, :3].T.copy()


def halved(f):
    f.grad_params["b"] *= 0.5


def forgotten(f):
    f.grad_params["W"][:] = 0


def not_a_number(f):
    f.grad_params["W"][2, 4] = np.nan


def of_the_batch_before(f):
    f.grad_inputs[0][...] = np.roll(f.grad_inputs[0], 1, axis=-1)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (negated, "grad_params.W"),
        (transposed, "grad_params.W"),
        (forgotten, "grad_params.W"),
        (not_a_number, "grad_params.W"),
        (halved, "grad_params.b"),
        (of_the_batch_before, "grad_inputs.0"),
    ],
)
def test_it_says_which_gradient_is_wrong(monkeypatch, spoil, what):
    sabotage(monkeypatch, dn.Linear, "down", spoil)
    check = gradcheck(branchy(), feeds_for_branchy())
    wrong = [row for row in check.rows if row.verdict == "wrong"]
    assert [(row.node, row.what) for row in wrong] == [("down", what)]
    assert check.whole.verdict == "wrong"


def test_a_node_that_no_gradient_reaches_in_this_run_is_checked_all_the_same(monkeypatch):
    model = branchy()
    model.params["down"]["W"][...] = 0
    model.params["down"]["b"][...] = -1  # relu is off everywhere
    sabotage(monkeypatch, dn.Dropout, "drop", stretched)
    assert red(gradcheck(model, feeds_for_branchy())) == {"drop"}


def test_one_wrong_element_of_many():
    class Wide(dn.Linear):
        def backward(self, f):
            super().backward(f)
            if f.grad_params["W"].size == 300 * 784:
                f.grad_params["W"][17, 403] *= 2

    x, y = dn.Input(784, name="x"), dn.Input(1, name="y")
    guess = dn.Linear(1, name="last")(dn.Tanh(name="bend")(Wide(300, name="wide")(x)))
    model = dn.Model(dn.MeanSquaredError(name="cost")(guess, y), seed=1)
    rng = np.random.default_rng(2)
    check = gradcheck(model, {"x": rng.normal(size=(784, 3)), "y": rng.normal(size=(1, 3))})
    assert red(check) == {"wide"}
    (row,) = [row for row in check.rows if row.verdict == "wrong"]
    assert (row.what, row.size, row.elements) == ("grad_params.W", 235200, 64)
    assert row.note.startswith("[17, 403] is ")


# The whole.


def test_a_sum_that_forgets_a_share_is_wrong_as_a_whole(monkeypatch):
    def forgetful(total, part, first):
        return partial(np.copyto, total, part)

    monkeypatch.setattr(binding, "_add", forgetful)
    check = gradcheck(branchy(), feeds_for_branchy())
    assert check.failed == []
    assert check.whole.verdict == "wrong"
    assert not check.ok
    assert check.whole.note.split("[")[0] in {"enc.W", "enc.b"}  # where all shares end
    assert f"the whole model grad_params {check.whole.note}\n" in check.summary
    assert "right by itself" in check.summary


def test_an_undeclared_read_is_wrong_as_a_whole():
    class Square(dn.Op):
        kind, reads = "activation", frozenset()  # it should declare its inputs

        def output_shape(self, *inputs):
            return inputs[0]

        def forward(self, f):
            np.multiply(f.inputs[0], f.inputs[0], out=f.output)

        def backward(self, f):
            if f.grad_inputs[0] is not None:
                np.multiply(f.inputs[0], f.grad_output, out=f.grad_inputs[0])
                np.multiply(f.grad_inputs[0], 2.0, out=f.grad_inputs[0])

    x = dn.Input(5, name="x")
    a = Square(name="square")(dn.Linear(7)(x))
    cost = dn.MeanSquaredError()(dn.Linear(5)(dn.Tanh()(dn.Linear(7)(a))), x)
    check = gradcheck(dn.Model(cost, seed=1), {"x": np.random.default_rng(0).normal(size=(5, 3))})
    assert (check.failed, check.whole.verdict) == ([], "wrong")
    Square.reads = frozenset({"inputs"})
    assert gradcheck(dn.Model(cost, seed=1), {"x": np.ones((5, 3))}).ok


# What is right stays green.


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_lesson_s_network(dtype):
    model = dn.mlp([12, 20, 7, 5, 1], seed=1, dtype=dtype)
    rng = np.random.default_rng(4)
    feeds = {"X": rng.normal(size=(12, 9)).astype(dtype), "Y": rng.integers(0, 2, (1, 9))}
    check = gradcheck(model, feeds)
    assert check.ok
    assert max(row.error for row in check.rows) < 1e-7
    assert model.dtype == dtype


def test_after_training_until_it_is_sure():
    moons = dn.data.moons(m=60, noise=0.05)
    model = dn.mlp([2, 12, 1], seed=1)
    model.fit(moons.X, moons.Y, epochs=400, optimizer=dn.Adam(0.1), progress=False)
    output = model.predict(moons.X)
    assert output.min() < 1e-6  # where steps of 1e-5 leave the probabilities
    check = gradcheck(model, {"X": moons.X, "Y": moons.Y})
    assert check.ok
    assert set(check.verdicts.values()) == {"ok"}


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_where_probabilities_are_exactly_0_and_1(output):
    model = dn.mlp([6, 9, 3 if output == "softmax" else 1], output=output, hidden="tanh", seed=1)
    model.store.data *= 1000
    rng = np.random.default_rng(1)
    Y = rng.integers(0, 3, 7) if output == "softmax" else rng.integers(0, 2, (1, 7))
    feeds = {"X": rng.normal(size=(6, 7)), "Y": Y}
    model.forward(feeds)
    assert model.cache[f"{output}2"].output.min() == 0
    check = gradcheck(model, feeds)
    assert check.ok
    assert set(check.verdicts.values()) == {"ok"}
    on_logits, on_probabilities = (row for row in check.rows if row.node == "cost")
    assert (on_logits.verdict, on_probabilities.verdict) == ("ok", "unchecked")
    assert "1 Inf" in on_probabilities.note


def test_values_so_large_that_differences_drown_in_rounding():
    model = dn.Model(
        dn.MeanSquaredError()(
            dn.Linear(2, name="line")(dn.Input(3, name="x")), dn.Input(2, name="y")
        )
    )
    model.params["line"]["b"][...] = 1e9
    rng = np.random.default_rng(1)
    assert gradcheck(model, {"x": rng.normal(size=(3, 5)), "y": rng.normal(size=(2, 5))}).ok


def on_states(factor):
    """A model with an op that multiplies by a state, which every forward run raises."""

    class Growing(dn.Op):
        kind, reads = "normalization", frozenset()

        def output_shape(self, *inputs):
            return inputs[0]

        def states(self, *inputs):
            return {"runs": dn.State((1,))}

        def forward(self, f):
            f.state["runs"] += 1
            np.multiply(f.inputs[0], f.state["runs"], out=f.output)

        def backward(self, f):
            if f.grad_inputs[0] is not None:
                wrong = factor if f.state["runs"] == 4 else 1
                np.multiply(f.grad_output, f.state["runs"] * wrong, out=f.grad_inputs[0])

    x = dn.Input(3, name="x")
    return dn.Model(dn.MeanSquaredError()(Growing(name="grow")(dn.Linear(3)(x)), x), seed=1)


@pytest.mark.parametrize(("factor", "failed"), [(1, []), (2, ["grow"])])
def test_states_are_those_of_the_model_at_every_step(factor, failed):
    model = on_states(factor)
    feeds = {"x": np.random.default_rng(0).normal(size=(3, 5))}
    assert gradcheck(model, feeds).ok
    for _ in range(3):
        model.forward(feeds)
    assert gradcheck(model, feeds).failed == failed
    assert model.state["grow"]["runs"] == 3


def test_labels_are_not_moved_with_what_is_on_a_kink():
    class Hinge(dn.Op):
        kind, arity, reads, constant_inputs = "loss", 2, frozenset({"inputs"}), frozenset({1})

        def output_shape(self, *inputs):
            return ()

        def kinks(self, *inputs):
            return np.abs(1 - inputs[0] * inputs[1])

        def forward(self, f):
            assert set(np.unique(f.inputs[1])) <= {-1.0, 1.0}
            f.output[...] = np.maximum(0, 1 - f.inputs[0] * f.inputs[1]).mean()

        def backward(self, f):
            slope = -f.inputs[1] * (f.inputs[0] * f.inputs[1] < 1)
            f.grad_inputs[0][...] = f.grad_output * slope / slope.size

    x, y = dn.Input(3, name="x"), dn.Input(1, name="y")
    model = dn.Model(Hinge(name="hinge")(dn.Linear(1, name="line")(x), y), init="zeros")
    model.params["line"]["b"][...] = 1
    check = gradcheck(model, {"x": np.ones((3, 4)), "y": np.array([[1, -1, 1, 1]])})
    assert check.verdicts == {"line": "ok", "hinge": "ok"}
    assert {row.moved for row in check.rows if row.node == "hinge"} == {3}


@fewer
@given(networks())
def test_random_networks(network):
    check = gradcheck(network.model(), network.feeds(m=3))
    assert check.ok, str(check)
    assert "unchecked" not in check.verdicts.values()


def test_values_on_kinks_are_moved_and_counted():
    x, y = dn.Input(3, name="x"), dn.Input(7, name="y")
    z = dn.ReLU(name="relu")(dn.Linear(7, name="line")(x))
    model = dn.Model(dn.MeanAbsoluteError(name="mae")(z, y), seed=1)
    X = np.random.default_rng(0).normal(size=(3, 4))
    X[:, 1] = 0  # so that relu is on its kink, and mae, too
    check = gradcheck(model, {"x": X, "y": np.maximum(X[[0] * 7], 0)})
    assert check.ok
    moved = {row.node: row.moved for row in check.rows}
    assert moved["line"] == 0
    assert moved["relu"] >= 7
    assert moved["mae"] >= 14
    assert all(row.elements == row.size for row in check.rows)


def test_a_steep_function_is_followed_with_smaller_steps():
    class Log(dn.Op):
        kind, reads = "activation", frozenset({"inputs"})

        def output_shape(self, *inputs):
            return inputs[0]

        def forward(self, f):
            np.log(f.inputs[0], out=f.output)

        def backward(self, f):
            if f.grad_inputs[0] is not None:
                np.divide(f.grad_output, f.inputs[0], out=f.grad_inputs[0])

    x, y = dn.Input(3, name="x"), dn.Input(1, name="y")
    cost = dn.MeanSquaredError(name="cost")(dn.Linear(1)(Log(name="log")(x)), y)
    feeds = {"x": 10.0 ** -np.arange(15.0).reshape(3, 5), "y": np.zeros((1, 5))}
    check = gradcheck(dn.Model(cost, seed=1), feeds)
    (row,) = [row for row in check.rows if row.node == "log"]
    assert row.verdict == "ok"
    assert 10 <= row.elements < 15
    assert row.elements + row.unresolved == 15


def test_what_cannot_be_moved_away_from_its_kinks_is_unchecked():
    class Rough(dn.ReLU):
        def kinks(self, *inputs):
            return np.zeros(inputs[0].shape)

    x, y = dn.Input(3, name="x"), dn.Input(1, name="y")
    line = dn.Linear(1, name="line")(Rough(name="rough")(x))
    model = dn.Model(dn.MeanSquaredError(name="cost")(line, y), seed=1)
    check = gradcheck(model, {"x": np.ones((3, 5)), "y": np.zeros((1, 5))})
    assert check.verdicts == {"rough": "unchecked", "line": "ok", "cost": "ok"}
    assert check.ok
    assert "unchecked: rough" in check.summary


def test_a_backward_that_raises_is_wrong():
    class Lazy(dn.Tanh):
        def backward(self, f):
            raise RuntimeError("not written yet")

    x, y = dn.Input(3, name="x"), dn.Input(1, name="y")
    line = dn.Linear(1, name="line")(Lazy(name="lazy")(x))
    model = dn.Model(dn.MeanSquaredError(name="cost")(line, y), seed=1)
    check = gradcheck(model, {"x": np.ones((3, 5)), "y": np.zeros((1, 5))})
    assert check.failed == ["lazy"]  # in training, it is never asked for the gradient of x
    assert check.whole.verdict == "ok"
    assert "RuntimeError: not written yet" in check.summary


# Nothing is left behind.


def everything(model):
    cache = {
        (name, what): bits(getattr(record, what))
        for name, record in model.cache.items()
        for what in ("output", "grad_output")
        if name not in ("x", "u", "y", "t", "r")
    }
    arrays = [bits(model.store.data), bits(model.store.grad)]
    arrays += [bits(a) for owner in model.state.values() for a in owner.values()]
    return cache, arrays, model.rng.bit_generator.state, model.cache.run.binding.position


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_model_is_as_before(dtype):
    model = branchy() if dtype == "float64" else dn.Model.from_graph(branchy().graph, dtype=dtype)
    model.store.data[...] = branchy().store.data
    feeds = feeds_for_branchy(dtype=dtype)
    model.forward(feeds)
    model.backward()
    before, run = everything(model), model.cache.run
    assert gradcheck(model, feeds).ok
    assert everything(model) == before
    assert model.cache.run is run


def test_a_run_half_done_goes_on_after_it():
    model, other = branchy(), branchy()
    for one in (model, other):
        one.forward(feeds_for_branchy())
    gradcheck(model, feeds_for_branchy(m=7))
    for one in (model, other):
        one.backward()
    assert everything(model) == everything(other)


def test_the_same_seed_gives_the_same_check():
    checks = [gradcheck(branchy(), feeds_for_branchy(), seed=s) for s in (1, 1, 2)]
    assert checks[0] == checks[1]
    assert checks[0] != checks[2]


# The report.


def test_the_report(monkeypatch):
    sabotage(monkeypatch, dn.Tanh, "<b>", stretched)
    x, y = dn.Input(3, name="x"), dn.Input(1, name="y")
    bend = dn.Tanh(name="<b>")(dn.Linear(1, name="[line]")(x))
    place = here(-1)
    model = dn.Model(dn.MeanSquaredError(name="cost")(bend, y), seed=1)
    check = gradcheck(model, {"x": np.ones((3, 5)), "y": np.zeros((1, 5))})
    lines = str(check).splitlines()
    names = [line.split()[0] for line in lines[2 : lines.index("")]]
    assert names == ["[line]"] * 3 + ["<b>"] + ["cost"] * 2 + ["(whole"]
    (row,) = [row for row in check.rows if row.verdict == "wrong"]
    noted = [line for line in lines if line.startswith("wrong")]
    assert noted[0] == f"wrong: <b> ({place}) Tanh grad_inputs.0 {row.note}"
    assert noted[1:] == [f"wrong: the whole model grad_params {check.whole.note}"]
    html = check._repr_html_()
    assert html.count("<tr>") == 1 + len(check.rows) + 1
    assert "<b>" not in html
    assert "&lt;b&gt;" in html


def test_the_tolerance_decides(monkeypatch):
    sabotage(monkeypatch, dn.Tanh, "tanh", stretched)
    model, feeds = branchy(), feeds_for_branchy()
    assert gradcheck(model, feeds, tolerance=2e-3).ok
    assert gradcheck(model, feeds, tolerance=5e-4).failed == ["tanh"]


# What users get wrong.


def test_what_is_no_model():
    with pytest.raises(ArgumentTypeError, match=r"a dn\.Model, not Graph"):
        gradcheck(branchy().graph, {})


def test_a_model_without_a_cost():
    model = dn.Model(outputs=dn.Linear(3)(dn.Input(5, name="x")), seed=1)
    with pytest.raises(GraphError, match="has no cost"):
        gradcheck(model, {"x": np.ones((5, 3))})


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"z": 1}, FeedError, "fed for 'z'"),
        ({"x": np.ones((4, 4))}, FeedError, r"x \(.*\): takes an array of shape \(5, m\)"),
        ({"x": np.ones((5, 4), "float32")}, FeedTypeError, "float32 was fed"),
        ({"x": np.full((5, 4), np.nan)}, FeedError, r"x \(.*\): holds 20 NaN"),
    ],
)
def test_feeds_that_do_not_fit(change, error, words):
    with pytest.raises(error, match=words):
        gradcheck(branchy(), feeds_for_branchy() | change)


def test_values_that_are_not_finite():
    x, y = dn.Input(3, name="x"), dn.Input(1, name="y")
    cost = dn.MeanSquaredError(name="cost")(dn.Linear(1, name="line")(x), y)
    place = here(-1)
    model = dn.Model(cost, seed=1, check_finite=False)
    feeds = {"x": np.ones((3, 5)), "y": np.zeros((1, 5))}
    with pytest.raises(FeedError, match=r"x \(.*\): holds 15 NaN"):
        gradcheck(model, feeds | {"x": np.full((3, 5), np.nan)})
    model.params["line"]["W"][0, 1] = 1e200
    with pytest.raises(ArgumentError, match=rf"cost \({place}\): its output holds 0 NaN and 1 Inf"):
        gradcheck(model, feeds)
    model.params["line"]["W"][0, 1] = np.inf
    with pytest.raises(ArgumentError, match=r"parameter line\.W holds 0 NaN and 1 Inf"):
        gradcheck(model, feeds)


@pytest.mark.parametrize("options", [{"tolerance": 0}, {"tolerance": -1.0}, {"seed": -1}])
def test_options_that_make_no_sense(options):
    with pytest.raises(ArgumentError, match=f"gradcheck: {next(iter(options))}"):
        gradcheck(branchy(), feeds_for_branchy(), **options)
