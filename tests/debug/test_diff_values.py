"""Runs are compared value by value: the first that differs, how much, and how it spreads."""

import copy

import numpy as np
import pytest

import dagnet as dn
from dagnet.debug.diff import diff, diff_models
from dagnet.debug.diff.measure import measure
from dagnet.errors import ArgumentError, ArgumentTypeError, FeedError, NotKeptError

M = 11


@pytest.fixture
def feeds():
    rng = np.random.default_rng(3)
    return {"X": rng.standard_normal((5, M)), "Y": rng.integers(0, 2, (1, M)).astype(float)}


def network(*extra, names="linear1 act1 linear2 act2 linear3", seed=1, dtype="float64"):
    """Return a model with further ops after its second activation, with its own weights."""
    X, Y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    linear1, act1, linear2, act2, linear3 = names.split()
    h = dn.Tanh(name=act1)(dn.Linear(7, name=linear1)(X))
    h = dn.Tanh(name=act2)(dn.Linear(3, name=linear2)(h))
    for op in extra:
        h = op(h)
    P = dn.Sigmoid(name="P")(dn.Linear(1, name=linear3)(h))
    model = dn.Model(dn.BinaryCrossEntropy(name="cost")(P, Y), dtype=dtype)
    rng = np.random.default_rng(seed)
    for name in (linear1, linear2, linear3):
        W = model.params[name]["W"]
        W[...] = rng.standard_normal(W.shape)
    return model


def different(values):
    return [f"{of.node}.{of.value}" for of in values if not of.same]


def test_a_model_is_itself_and_stays_as_it_is(feeds):
    model = network(dn.Dropout(0.5, name="drop"), dn.BatchNorm(name="norm"))
    model.forward(feeds)
    before = model.get_params(), model.get_state(), copy.deepcopy(model.rng)
    P = model.cache["P"].output.copy()
    found = diff(model, copy.deepcopy(model), {name: 2 * x / 2 for name, x in feeds.items()})
    assert found.same
    assert found.first is None
    assert all(of.max_abs == of.relative == of.count == 0 for of in found.values)
    np.testing.assert_equal((model.get_params(), model.get_state()), before[:2])
    assert model.rng.random() == before[2].random()
    np.testing.assert_array_equal(model.cache["P"].output, P)


def test_every_value_is_compared_in_the_order_of_execution(feeds):
    model = network()
    found = diff(model, model, feeds)
    assert [f"{of.node}.{of.value}" for of in found.values] == [
        *(f"{name}.output" for name in model.graph),
        "cost.grad_output", "cost.grad_inputs.0",
        "P.grad_output", "P.grad_inputs.0",
        "linear3.grad_output", "linear3.grad_params.W", "linear3.grad_params.b",
        "linear3.grad_inputs.0", "act2.grad_output", "act2.grad_inputs.0",
        "linear2.grad_output", "linear2.grad_params.W", "linear2.grad_params.b",
        "linear2.grad_inputs.0", "act1.grad_output", "act1.grad_inputs.0",
        "linear1.grad_output", "linear1.grad_params.W", "linear1.grad_params.b",
        "linear1.grad_inputs.0", "X.grad_output",
    ]  # fmt: skip
    assert found.missing == ()
    owned = [f"{of.node}.{of.value}" for of in found.parameters]
    assert owned == [f"linear{k}.params.{n}" for k in (1, 2, 3) for n in "Wb"]


def test_a_nudge_is_found_where_it_first_shows(feeds):
    model = network()
    nudged = copy.deepcopy(model)
    nudged.params["linear2"]["W"][1, 4] += 1e-6
    found = diff(model, nudged, feeds)
    assert not found.same
    (parameter,) = [of for of in found.parameters if not of.same]
    assert (parameter.node, parameter.value, parameter.index) == ("linear2", "params.W", (1, 4))
    assert parameter.max_abs == pytest.approx(1e-6, rel=1e-9)
    first = found.first
    assert (first.node, first.value, first.phase) == ("linear2", "output", "forward")
    # Unit 1 moves by 1e-6 times what it reads; the largest of these is where it is reported.
    model.forward(feeds)
    moved = 1e-6 * np.abs(model.cache["act1"].output[4])
    assert first.index == (1, int(moved.argmax()))
    assert first.count == M
    assert first.max_abs == pytest.approx(moved.max(), rel=1e-6)
    scale = np.abs(model.cache["linear2"].output).max()
    assert first.relative == pytest.approx(moved.max() / scale, rel=1e-5)
    assert first.b - first.a == pytest.approx(1e-6 * model.cache["act1"].output[4][first.index[1]])
    assert first.sources[0].file == __file__


def test_how_a_difference_spreads(feeds):
    model = network()
    nudged = copy.deepcopy(model)
    nudged.params["linear2"]["W"][1, 4] += 1e-6
    spread = {row.node: row for row in diff(model, nudged, feeds).spread}
    assert list(spread) == list(model.graph)
    for name in ("X", "Y", "linear1", "act1"):
        assert spread[name].forward == 0
    for name in ("linear2", "act2", "linear3", "P", "cost"):
        assert 0 < spread[name].forward < 1e-4
    assert spread["cost"].backward == 0
    assert spread["Y"].backward is None
    assert 0 < spread["linear1"].backward < 1e-4


def test_a_difference_that_dies(feeds):
    """Behind a clip by a ReLU far below 0 nothing is left of it."""

    def dying(shift):
        X, Y = dn.Input(5, name="X"), dn.Input(1, name="Y")
        low = dn.Linear(3, name="low")(X)
        guess = dn.Linear(1, name="guess")(dn.ReLU(name="clip")(low))
        model = dn.Model(dn.MeanSquaredError(name="cost")(guess, Y), seed=1)
        model.params["low"]["b"][...] = -100 + shift
        return model

    found = diff(dying(0), dying(1e-3), feeds)
    assert found.first.node == "low"
    assert [row.node for row in found.spread if row.forward] == ["low"]
    assert "low" in str(found)


def test_values_after_an_inserted_layer_are_compared(feeds):
    a, b = network(), network(dn.Identity(name="more"))
    found = diff(a, b, feeds)
    assert found.added == ("more",)
    assert not found.same
    assert different(found.parameters) == different(found.values) == []
    b.params["linear3"]["W"][0, 2] += 1
    assert diff(a, b, feeds).first.node == "linear3"
    assert diff(b, a, feeds).removed == ("more",)


def test_renamed_nodes_are_the_same(feeds):
    found = diff(network(), network(names="p q r s t"), feeds)
    assert found.same
    assert found.renamed["linear2"] == "r"
    assert {of.other for of in found.values if of.node == "act2"} == {"s"}


def test_renamed_inputs_are_fed(feeds):
    def line(x, y):
        guess = dn.Linear(1, name="line")(dn.Input(5, name=x))
        return dn.Model(dn.MeanSquaredError(name="cost")(guess, dn.Input(1, name=y)), seed=1)

    found = diff(line("X", "Y"), line("data", "truth"), feeds)
    assert found.same
    assert found.renamed == {"X": "data", "Y": "truth"}


def test_changed_activation_and_width(feeds):
    def mlp(units, hidden):
        return dn.mlp([5, units, 3, 1], hidden=hidden, seed=1)

    found = diff(mlp(7, "relu"), mlp(7, "tanh"), feeds)
    assert [c.node for c in found.changed] == ["relu1", "relu2"]
    assert (found.first.node, found.first.other) == ("relu1", "tanh1")
    wider = diff(mlp(7, "relu"), mlp(9, "relu"), feeds)
    assert [c.what for c in wider.changed] == [("units 7 -> 9",)]
    assert wider.first.shapes == ((7, M), (9, M))
    assert np.isnan(wider.first.max_abs)
    assert not wider.first.same
    last = [of for of in wider.values if of.node == "linear3" and of.value == "output"]
    assert last[0].shapes[0] == last[0].shapes[1]  # where shapes agree again, so do we


def test_a_difference_in_the_backward_pass_only(feeds):
    a, b = network(), network()
    op = b.graph["act1"].op

    def wrong(f):
        type(op).backward(op, f)
        f.grad_inputs[0][2, 3] *= 1.5

    object.__setattr__(op, "backward", wrong)
    found = diff(a, b, feeds)
    assert not any(of.phase == "forward" for of in found.values if not of.same)
    first = found.first
    assert (first.node, first.value, first.phase) == ("act1", "grad_inputs.0", "backward")
    assert (first.count, first.index) == (1, (2, 3))
    assert first.b == pytest.approx(1.5 * first.a)


def test_dropout_does_not_differ_by_accident(feeds):
    def dropping(*extra):
        return network(*extra, dn.Dropout(0.5, name="drop"))

    a, b = dropping(), dropping()
    b.rng.random(100)
    assert diff(a, b, feeds).same
    # One more layer that draws random numbers before does not change the mask of the others.
    more = diff(a, dropping(dn.Dropout(0.0, name="none")), feeds)
    assert more.added == ("none",)
    assert more.first is None
    # float32 draws other numbers from the same generator; here it does not.
    narrow = diff(
        a, network(dn.Dropout(0.5, name="drop"), dtype="float32"), feeds, rtol=1e-3, atol=1e-6
    )
    assert narrow.first is None
    assert diff(a, dropping(dn.Tanh(name="t")), feeds).first is not None


def test_it_is_the_run_that_the_first_model_would_make(feeds):
    a = network(dn.Dropout(0.5, name="drop"))
    b = copy.deepcopy(a)
    b.params["linear3"]["W"][...] = 0
    found = diff(a, b, feeds)
    J = a.forward(feeds)
    cost = next(of for of in found.values if of.node == "cost")
    assert cost.a == J


def test_dtypes_are_converted_and_told(feeds):
    wide = network()
    narrow = network(dtype="float32")
    found = diff(wide, narrow, feeds)
    assert found.dtypes == ("float64", "float32")
    assert "float64" in str(found)
    assert "float32" in str(found)
    inputs = [of for of in found.values if of.node in "XY" and of.value == "output"]
    assert all(of.count == 0 for of in inputs)
    assert diff(wide, narrow, feeds, rtol=1e-4, atol=1e-6).same
    assert not diff(wide, narrow, feeds, rtol=1e-9).same


def test_states_are_compared(feeds):
    a, b = network(dn.BatchNorm(name="norm")), network(dn.BatchNorm(name="norm"))
    b.state["norm"]["running_mean"][1] = 0.25
    found = diff(a, b, feeds)
    assert different(found.parameters) == ["norm.state.running_mean"]
    (of,) = [of for of in found.parameters if not of.same]
    assert of.max_abs == pytest.approx(0.9 * 0.25)  # after the run, which moved it
    assert found.first is None


def test_branches_and_shared_weights(feeds):
    def model():
        X, Y = dn.Input(5, name="X"), dn.Input(1, name="Y")
        shared = dn.Linear(5, name="enc")
        one = dn.Tanh(name="one")(shared(X))
        two = dn.Tanh(name="two")(shared(one))
        guess = dn.Linear(1, name="guess")(dn.Add(name="sum")(one, two, X))
        loss = dn.MeanSquaredError(name="cost")(guess, Y)
        return dn.Model(loss, seed=1, l2=0.1)

    a, b = model(), model()
    assert diff(a, b, feeds).same
    owned = [f"{of.node}.{of.value}" for of in diff(a, b, feeds).parameters]
    assert owned == ["enc.params.W", "enc.params.b", "guess.params.W", "guess.params.b"]
    b.params["enc"]["b"][2] += 0.1
    found = diff(a, b, feeds)
    assert different(found.parameters) == ["enc.params.b"]
    assert found.first.node == "enc"
    gradients = [of.node for of in found.values if of.value == "grad_params.W"]
    assert gradients == ["guess", "enc"]


def test_nan_equals_nan(feeds):
    a, b = network(), network()
    for model in (a, b):
        model.params["linear2"]["W"][0, 0] = np.nan
    assert diff(a, b, feeds).same
    found = diff(a, network(), feeds)
    assert found.first.node == "linear2"
    assert found.first.max_abs == found.first.relative == np.inf
    assert np.isnan(found.first.a)
    assert found.first.count == M  # the unit whose weight is NaN, in every example
    assert "nan" in str(found)


def test_two_runs_of_one_model(feeds):
    model = network()
    model.forward(feeds)
    model.backward()
    before = model.cache.copy()
    assert diff(before, model).same
    model.forward({**feeds, "X": feeds["X"] + (np.arange(5) == 3)[:, None]})
    model.backward()
    found = diff(before, model)
    assert (found.first.node, found.first.index[0], found.first.count) == ("X", 3, M)
    assert different(found.parameters) == []
    assert "grad_params.W" in {of.value for of in found.values}


def test_a_copy_keeps_all_that_the_cache_had(feeds):
    model = network(dn.Dropout(0.5, name="drop"), dn.BatchNorm(name="norm"))
    model.forward(feeds)
    model.backward()
    kept = model.cache.copy()
    values = ("output", "grad_output", "grad_inputs", "params", "grad_params", "state", "saved")
    there = {
        (name, value): copy.deepcopy(getattr(record, value))
        for name, record in model.cache.items()
        for value in values
        if (name, value) != ("Y", "grad_output")
    }
    model.train_step({"X": 9 - feeds["X"], "Y": 1 - feeds["Y"]}, dn.SGD(1.0), keep="all")
    for (name, value), array in there.items():
        np.testing.assert_equal(getattr(kept[name], value), array)
    assert kept.layer(2).dW.shape == (3, 7)


def test_a_copy_of_a_run_half_way_reads_just_as_far(feeds):
    model = network()
    model.forward(feeds)
    kept = model.cache.copy()
    model.backward()
    assert kept["P"].output.shape == (1, M)
    with pytest.raises(NotKeptError, match="backward"):
        kept["linear1"].grad_output  # noqa: B018


def test_what_was_not_kept_is_told(feeds):
    a, b = network(), network()
    a.forward(feeds)
    b.forward(feeds)
    found = diff(a, b)
    assert found.same
    assert {of.value for of in found.missing} == {"grad_output", "grad_params", "grad_inputs"}
    assert "backward pass has not run" in str(found)
    b.train_step(feeds, dn.SGD(0.1))  # keeps only what it needs
    assert ("linear2", "output") in {(of.node, of.value) for of in diff(a, b).missing}


def test_models_without_running_them():
    a, b = network(dn.BatchNorm(name="norm")), network(dn.BatchNorm(name="norm"))
    assert diff_models(a, b).same
    b.params["linear1"]["b"][3] = 0.5
    b.state["norm"]["running_mean"][1] = 0.25
    found = diff_models(a, b)
    assert different(found.parameters) == ["linear1.params.b", "norm.state.running_mean"]
    assert found.values == ()
    assert found.first is None
    assert diff_models(a, b, atol=0.5).same


class TestBadInput:
    def test_no_model(self, feeds):
        with pytest.raises(ArgumentTypeError, match=r"second is neither a model nor a run.*list"):
            diff(network(), [1, 2], feeds)
        with pytest.raises(ArgumentTypeError, match=r"first is no model, but dict"):
            diff_models({}, network())

    def test_nothing_has_run(self, feeds):
        a, b = network(), network()
        a.forward(feeds)
        with pytest.raises(NotKeptError, match=r"the second: nothing has run yet.*feeds"):
            diff(a, b)

    def test_other_numbers_of_examples(self, feeds):
        a, b = network(), network()
        a.forward(feeds)
        b.forward({name: array[:, :4] for name, array in feeds.items()})
        with pytest.raises(ArgumentError, match=f"on {M} and on 4 examples"):
            diff(a, b)

    def test_overwritten_runs(self, feeds):
        model = network()
        model.forward(feeds)
        early = model.cache
        model.forward(feeds)
        with pytest.raises(NotKeptError, match=r"overwritten.*cache.copy"):
            diff(early, model.cache)
        model.forward({name: array[:, :4] for name, array in feeds.items()})
        late = network()
        late.forward(feeds)
        with pytest.raises(NotKeptError, match="gone"):
            diff(early, late)

    def test_feeds(self, feeds):
        a = network()
        with pytest.raises(FeedError, match="no input named 'x'"):
            diff(a, network(), {**feeds, "x": feeds["X"]})
        wider = dn.mlp([6, 1])
        with pytest.raises(FeedError, match=r"second model: X.*\(6, m\)"):
            diff(a, wider, feeds)
        with pytest.raises(FeedError, match="dict"):
            diff(a, a, 3)
        a.forward(feeds)
        with pytest.raises(ArgumentError, match="runs already"):
            diff(a.cache, a.cache, feeds)

    def test_tolerance(self, feeds):
        for options in ({"rtol": -1}, {"atol": float("nan")}):
            with pytest.raises(ArgumentError):
                diff(network(), network(), feeds, **options)


class TestMeasure:
    def test_by_hand(self):
        of = measure(np.array([[1.0, -8.0, 3.0]]), np.array([[1.0, -7.0, 3.5]]))
        assert (of.size, of.count, of.index, of.a, of.b) == (3, 2, (0, 1), -8.0, -7.0)
        assert (of.max_abs, of.relative) == (1.0, 0.125)

    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_ulps(self, dtype):
        one = np.ones((), dtype)
        assert measure(one, np.nextafter(one, np.asarray(2, dtype))).ulps == 1
        tiny = np.nextafter(np.zeros((), dtype), one)
        assert measure(-tiny, tiny).ulps == 2
        assert measure(one, -one).ulps > 2**30

    def test_infinities_and_nan(self):
        inf, nan = np.inf, np.nan
        a = np.array([inf, -inf, nan, nan, 1.0, inf])
        assert measure(a, a.copy()).same
        for i, other in ((0, -inf), (0, 5.0), (2, 7.0), (4, nan), (4, inf)):
            b = a.copy()
            b[i] = other
            of = measure(a, b, rtol=0.5, atol=1.0)
            assert (of.count, of.index, of.max_abs, of.ulps) == (1, (i,), inf, None)

    def test_tolerance_is_relative_to_the_larger(self):
        a, b = np.array([100.0, 0.0]), np.array([101.0, 0.5])
        assert measure(a, b, rtol=0.01).count == 1
        assert measure(a, b, rtol=0.01, atol=0.5).same
        assert measure(a, b, rtol=0.0099, atol=0.0).count == 2
        assert measure(a, b, rtol=0.01, atol=0.5).max_abs == 1.0

    def test_zeros_of_either_sign_are_equal(self):
        assert measure(np.array([0.0]), np.array([-0.0])).same

    def test_empty_and_mismatched(self):
        assert measure(np.empty((0, 3)), np.empty((0, 3))).same
        assert not measure(np.empty((0, 3)), np.empty((0, 4))).same


class TestReport:
    def test_it_is_readable(self, feeds):
        a, b = network(), network(dn.LeakyReLU(0.25, name="more"))
        b.params["linear2"]["W"][0, 0] += 1
        text = str(diff(a, b, feeds))
        assert "+ more (test_diff_values.py:" in text
        assert "LeakyReLU(slope=0.25)" in text
        assert "output of linear2 (test_diff_values.py:" in text
        assert "linear2.params.W" in text
        assert text.index("linear2.params.W") < text.index("first different value")
        assert not any(line != line.rstrip() for line in text.splitlines())

    def test_html_is_escaped(self, feeds):
        names = "<b> act1 linear2 act2 linear3"
        a, b = network(names=names), network(names=names, seed=2)
        html = diff(a, b, feeds)._repr_html_()
        assert "&lt;b&gt;.output" in html
        assert "<b>" not in html

    def test_long_tables_lose_their_middle(self):
        a, b = dn.mlp([3] * 60 + [1], seed=1), dn.mlp([3] * 60 + [1], seed=2)
        lines = str(diff_models(a, b)).splitlines()
        assert len(lines) < 60
        assert any("more" in line for line in lines)

    def test_the_short_form(self, feeds):
        a, b = network(), network()
        assert repr(diff(a, b, feeds)) == "<Diff: the same in 36 values>"
        b.params["linear3"]["b"][...] = 1
        assert "first linear3.output" in repr(diff(a, b, feeds))
