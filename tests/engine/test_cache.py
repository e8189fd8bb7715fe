"""The cache: every array by name and by the lesson's letters, read-only, or a clear refusal."""

import copy
import pickle

import numpy as np
import pytest
from engine_helpers import bits, relative_error
from hypothesis import given
from random_networks import networks, random_dags

import dagnet as dn
from dagnet import passes, steps
from dagnet.errors import ArgumentError, NotKeptError, UnknownNameError
from dagnet.ops.frame import Frame

M = 7


def feeds(m=M):
    rng = np.random.default_rng(0)
    return {"X": rng.standard_normal((5, m)), "Y": rng.integers(0, 2, (3, m)).astype(float)}


def looked(keep="all", **options):
    """A model that has run forward and backward."""
    model = dn.mlp([5, 7, 3], seed=1, **options)
    model.forward(feeds(), keep=keep)
    model.backward()
    return model


class Still:
    """An optimizer that leaves the parameters alone."""

    def step(self, store):
        pass


def gradient_reaches(model, name):
    """Whether J depends on a value other than as labels."""
    return name in passes.needs_gradient(model.graph, [name])


def updated_later(model, name):
    """Whether a shared op's states move on after this use of it."""
    uses = [v.name for v in model.graph.vertices.values() if v.owner == model.graph[name].owner]
    return uses.index(name) < len(uses) - 1


# Every value of every node.


@random_dags
@given(networks())
def test_every_output_is_what_its_op_makes_of_its_inputs(network):
    model = network.model()
    model.forward(network.feeds(3))
    for name, record in model.cache.items():
        op = model.graph[name].op
        if not gradient_reaches(model, name):  # no loss depends on it: it is as in prediction
            op = op.in_prediction()
        if model.graph[name].is_input or isinstance(op, dn.Dropout):
            continue
        frame = Frame.allocate(op, *record.inputs, params=record.params)
        if isinstance(op, dn.FrozenBatchNorm):
            if updated_later(model, name):
                continue
            frame.state = record.state
        with np.errstate(all="ignore"):
            op.forward(frame)
        if op.kind == "loss":
            assert record.output == pytest.approx(frame.output, rel=1e-12)
        else:
            assert bits(record.output) == bits(frame.output)


@random_dags
@given(networks())
def test_inputs_are_the_outputs_of_the_nodes_that_are_read(network):
    model = network.model()
    arrays = network.feeds(3)
    model.forward(arrays)
    for name, record in model.cache.items():
        read = model.graph[name].inputs
        assert [bits(a) for a in record.inputs] == [bits(model.cache[n].output) for n in read]
    for name in model.graph.inputs:
        assert np.shares_memory(model.cache[name].output, arrays[name])


@random_dags
@given(networks())
def test_parameters_and_gradients_by_name(network):
    model = network.model()
    model.forward(network.feeds(3))
    model.backward()
    seen = set()
    for name, record in model.cache.items():
        owner = model.graph[name].owner
        assert record.params.keys() == record.grad_params.keys()
        for local, array in record.params.items():
            seen.add((owner, local))
            assert bits(array) == bits(model.params[owner][local])
            assert bits(record.grad_params[local]) == bits(model.store.grads[owner, local])
    assert seen == set(model.store.arrays)


@random_dags
@given(networks())
def test_shapes_of_all_gradients(network):
    model = network.model()
    model.forward(network.feeds(3))
    model.backward()
    for record in model.cache.values():
        for value, gradient in zip(record.inputs, record.grad_inputs, strict=True):
            assert gradient is None or gradient.shape == value.shape
        for name, array in record.params.items():
            assert record.grad_params[name].shape == array.shape
        if gradient_reaches(model, record.name):
            assert record.grad_output.shape == record.output.shape
        else:
            with pytest.raises(NotKeptError, match="no gradient flows"):
                record.grad_output  # noqa: B018


def test_facts_about_a_node():
    record = looked().cache["relu1"]
    assert (record.name, record.kind) == ("relu1", "activation")
    assert isinstance(record.op, dn.ReLU)
    assert record.source.file == __file__


def test_states_and_saved_values():
    x, y = dn.Input(5, name="x"), dn.Input(5, name="y")
    node = dn.Dropout(0.5, name="drop")(dn.BatchNorm(name="bn")(x))
    model = dn.Model(dn.MeanSquaredError()(node, y), seed=1)
    data = np.random.default_rng(0).standard_normal((5, M))
    model.forward({"x": data, "y": data})
    state = model.cache["bn"].state
    np.testing.assert_allclose(state["running_mean"], 0.1 * data.mean(axis=1, keepdims=True))
    variance = data.var(axis=1, keepdims=True, ddof=1)
    np.testing.assert_allclose(state["running_var"], 0.9 + 0.1 * variance)
    mask = model.cache["drop"].saved["mask"]
    assert mask.dtype == bool
    np.testing.assert_array_equal(
        model.cache["drop"].output, np.where(mask, 2 * model.cache["bn"].output, 0)
    )
    assert set(model.cache["bn"].saved) == {"normalized", "inverse_std"}
    for array in (*state.values(), mask):
        assert not array.flags.writeable


def test_the_loss_of_the_cost():
    model = looked()
    assert model.cache["cost"].output == model.forward(feeds())
    model.backward()
    assert model.cache["cost"].grad_output == 1


def test_the_weight_of_a_loss_is_in_its_output():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    z = dn.Linear(3)(x)
    losses = [dn.MeanSquaredError(weight=w, name=f"w{w}")(z, y) for w in (1, 3)]
    model = dn.Model(losses, seed=1)
    rng = np.random.default_rng(0)
    J = model.forward({"x": rng.standard_normal((5, M)), "y": rng.standard_normal((3, M))})
    one, three = (model.cache[name].output.item() for name in ("w1", "w3"))
    assert three == pytest.approx(3 * one, rel=1e-15)
    assert one + three == J


# The lesson's letters.


def test_all_ten_letters_of_every_layer_against_plain_numpy():
    model = dn.mlp([5, 7, 3], seed=1)
    model.params["linear1"]["b"][...] = np.linspace(-0.5, 0.5, 7).reshape(7, 1)
    model.forward(feeds())
    model.backward()
    X, Y = feeds().values()
    W1, b1, W2, b2 = (model.params[n][p] for n in ("linear1", "linear2") for p in "Wb")
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    A2 = 1 / (1 + np.exp(-Z2))
    dA2 = -(Y / A2 - (1 - Y) / (1 - A2)) / M
    dZ2 = (A2 - Y) / M
    dA1 = W2.T @ dZ2
    dZ1 = dA1 * (Z1 > 0)
    names = ("A_prev", "W", "b", "Z", "A", "dA", "dZ", "dA_prev")
    expected = {
        1: dict(zip(names, (X, W1, b1, Z1, A1, dA1, dZ1, W1.T @ dZ1), strict=True)),
        2: dict(zip(names, (A1, W2, b2, Z2, A2, dA2, dZ2, dA1), strict=True)),
    }
    for letters in expected.values():
        letters["dW"] = letters["dZ"] @ letters["A_prev"].T
        letters["db"] = letters["dZ"].sum(axis=1, keepdims=True)
    for number, letters in expected.items():
        layer = model.layer(number)
        for letter, value in letters.items():
            got = getattr(layer, letter)
            assert got.shape == value.shape
            assert relative_error(got, value) < 1e-14, (number, letter)


def test_the_lesson_s_gradients_are_m_times_larger_except_the_parameters():
    model = looked()
    X, Y = feeds().values()
    parameters = {
        f"{p}{n}": model.params[f"linear{n}"][p].copy() for n in (1, 2) for p in ("W", "b")
    }
    AL, caches = steps.L_model_forward(X, parameters)
    assert bits(AL) == bits(model.layer(2).A)
    assert float(steps.compute_cost(AL, Y)) == pytest.approx(model.cache["cost"].output, rel=1e-13)
    grads = steps.L_model_backward(AL, Y, caches)
    for n in (1, 2):
        layer = model.layer(n)
        np.testing.assert_allclose(layer.dW, grads[f"dW{n}"], rtol=1e-12, atol=1e-17)
        np.testing.assert_allclose(layer.db, grads[f"db{n}"], rtol=1e-12, atol=1e-17)
        # The lesson keeps the gradient of A(l-1) under the key dA(l).
        np.testing.assert_allclose(M * layer.dA_prev, grads[f"dA{n}"], rtol=1e-12, atol=1e-16)
        (A_prev, W, b), Z = caches[n - 1]
        for letter, value in (("A_prev", A_prev), ("W", W), ("b", b), ("Z", Z)):
            assert bits(getattr(layer, letter)) == bits(value)


def test_a_layer_by_number_name_and_shape_of_the_network():
    model = looked()
    assert bits(model.layer("linear2").Z) == bits(model.layer(2).Z)
    assert bits(model.cache.layer(1).A) == bits(model.cache["relu1"].output)
    assert repr(model.layer(1)) == "<Layer linear1 -> relu1>"


def test_a_layer_without_an_activation_outputs_its_linear_part():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    model = dn.Model(dn.MeanSquaredError()(dn.Linear(3, bias=False, name="l")(x), y), seed=1)
    model.forward({"x": np.ones((5, M)), "y": np.zeros((3, M))})
    model.backward()
    assert bits(model.layer(1).A) == bits(model.layer(1).Z)
    assert bits(model.layer(1).dA) == bits(model.layer(1).dZ)
    for letter in ("b", "db"):
        with pytest.raises(NotKeptError, match=r"l has no d?b: it was made with bias=False"):
            getattr(model.layer(1), letter)


def test_a_layer_s_activation_is_found_through_normalisation():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    a = dn.Tanh(name="tanh")(dn.BatchNorm(name="bn")(dn.Linear(3, name="l")(x)))
    model = dn.Model(dn.MeanSquaredError()(a, y), seed=1)
    rng = np.random.default_rng(0)
    model.forward({"x": rng.standard_normal((5, M)), "y": np.zeros((3, M))})
    assert bits(model.layer(1).A) == bits(model.cache["tanh"].output)
    assert bits(model.layer(1).Z) == bits(model.cache["l"].output)


@pytest.mark.parametrize("key", [0, 3, -1, True, 1.0, None])
def test_a_layer_number_out_of_range(key):
    with pytest.raises(UnknownNameError, match="numbered 1 to 2"):
        looked().layer(key)


def test_a_layer_of_an_unknown_name():
    with pytest.raises(UnknownNameError, match="no layer named 'linaer2'; did you mean 'linear2'"):
        looked().layer("linaer2")


# Looking up and selecting.


def test_the_cache_is_a_mapping_over_all_nodes():
    model = looked()
    assert list(model.cache) == list(model.graph)
    assert len(model.cache) == 7
    assert "relu1" in model.cache
    assert "relu9" not in model.cache
    with pytest.raises(UnknownNameError, match="did you mean 'relu1'"):
        model.cache["relu9"]


def test_a_record_by_node():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    z = dn.Linear(3)(x)
    model = dn.Model(dn.MeanSquaredError()(z, y), seed=1)
    model.forward({"x": np.ones((5, M)), "y": np.zeros((3, M))})
    assert bits(model.cache[z].output) == bits(model.cache["linear1"].output)


def test_selecting_records():
    cache = looked().cache
    assert [r.name for r in cache.select("linear.*")] == ["linear1", "linear2"]
    assert [r.name for r in cache.select(kind="activation")] == ["relu1", "sigmoid2"]
    assert [r.name for r in cache.select(".*2", kind="linear")] == ["linear2"]
    assert [r.name for r in cache.select("linear")] == []
    assert len(cache.select()) == 7
    with pytest.raises(ArgumentError, match="no regular expression"):
        cache.select("(")
    with pytest.raises(UnknownNameError, match="did you mean 'linear'"):
        cache.select(kind="linaer")


# Read-only.


@random_dags
@given(networks())
def test_no_array_of_the_cache_can_be_written_to(network):
    model = network.model()
    model.forward(network.feeds(3))
    model.backward()
    for record in model.cache.values():
        arrays = [record.output, *record.inputs]
        arrays += [g for g in record.grad_inputs if g is not None]
        for named in (record.params, record.state, record.saved, record.grad_params):
            arrays += named.values()
        if gradient_reaches(model, record.name):
            arrays.append(record.grad_output)
        for array in arrays:
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0


def test_letters_cannot_be_written_to():
    layer = looked().layer(2)
    for letter in ("A_prev", "W", "b", "Z", "A", "dA", "dZ", "dW", "db", "dA_prev"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(layer, letter)[0, 0] = 7


def test_reading_does_not_lock_the_model_s_own_arrays():
    model = looked()
    model.cache["linear1"].params["W"]
    model.params["linear1"]["W"][0, 0] = 7
    data = feeds()
    model.forward(data)
    model.cache["X"].output  # noqa: B018
    data["X"][0, 0] = 7


# What was not kept.


def test_before_the_first_run():
    model = dn.mlp([5, 3], seed=1)
    with pytest.raises(NotKeptError, match=r"nothing has run yet: call model.forward\(feeds\)"):
        model.cache["linear1"].output  # noqa: B018
    with pytest.raises(NotKeptError, match="forward"):
        model.backward()


@pytest.mark.parametrize("what", ["grad_output", "grad_inputs", "grad_params"])
def test_gradients_before_backward(what):
    model = looked()
    model.forward(feeds())
    with pytest.raises(NotKeptError, match=f"linear1.{what}.*model.backward"):
        getattr(model.cache["linear1"], what)


def unkept():
    """Every array that a needed run gave up."""
    return [
        (lambda m: m.cache["linear1"].output, "linear1.output"),
        (lambda m: m.cache["sigmoid2"].output, "sigmoid2.output"),
        (lambda m: m.cache["sigmoid2"].inputs, "linear2.output"),
        (lambda m: m.cache["relu1"].grad_output, "relu1.grad_output"),
        (lambda m: m.cache["sigmoid2"].grad_output, ""),
        (lambda m: m.cache["linear2"].grad_inputs, "linear2.grad_inputs"),
        (lambda m: m.cache["X"].grad_output, ""),
        (lambda m: m.layer(1).Z, "linear1.output"),
        (lambda m: m.layer(2).A, "sigmoid2.output"),
        (lambda m: m.layer(1).dZ, "linear1.grad_output"),
        (lambda m: m.layer(2).dA, ""),
        (lambda m: m.layer(1).dA_prev, "linear1.grad_"),
    ]


@pytest.mark.parametrize(("read", "name"), unkept())
def test_what_was_not_kept_says_how_to_keep_it(read, name):
    model = dn.mlp([5, 7, 3], seed=1)
    model.train_step(feeds(), dn.SGD(0.1))
    with pytest.raises(NotKeptError, match="keep='all'") as error:
        read(model)
    assert name in str(error.value)
    model.train_step(feeds(), dn.SGD(0.1), keep="all")
    read(model)


def test_what_a_needed_run_did_keep_can_be_read():
    model = looked(keep="needed")
    everything = looked(keep="all")
    assert bits(model.cache["cost"].output) == bits(everything.cache["cost"].output)
    assert bits(model.layer(1).dW) == bits(everything.layer(1).dW)
    assert bits(model.cache["X"].output) == bits(everything.cache["X"].output)


@pytest.mark.parametrize("keep", ["needed", "all"])
def test_parameters_of_a_use_that_the_run_left_out(keep):
    """The first use of a shared op, which owns its parameters, is on no path to the loss."""
    x, u, y = dn.Input(5, name="x"), dn.Input(5, name="u"), dn.Input(3, name="y")
    shared = dn.Linear(3, name="shared")
    side = shared(u)
    model = dn.Model(dn.MeanSquaredError()(shared(x), y), outputs=[side], seed=1)
    rng = np.random.default_rng(0)
    arrays = {"x": rng.standard_normal((5, M)), "y": rng.standard_normal((3, M))}
    model.train_step(arrays | {"u": arrays["x"]}, Still(), keep=keep)
    for name in ("shared", "shared_2"):
        record = model.cache[name]
        assert bits(record.params["W"]) == bits(model.params["shared"]["W"])
        assert bits(record.grad_params["W"]) == bits(model.store.grads["shared", "W"])
        assert model.layer(name).dW.any()


@random_dags
@given(networks())
def test_nothing_that_a_needed_run_shows_differs_from_a_run_that_keeps_all(network):
    """Whatever can be read is right; the rest is refused, derived gradients too."""
    needed, everything = network.model(), network.model()
    for model, keep in ((needed, "needed"), (everything, "all")):
        model.forward(network.feeds(3), keep=keep)
        model.backward()
    for name in needed.graph:
        for what in ("output", "inputs", "grad_output", "grad_inputs", "saved", "grad_params"):
            try:
                shown = getattr(needed.cache[name], what)
            except NotKeptError:
                continue
            kept = getattr(everything.cache[name], what)
            if isinstance(shown, dict):
                assert {n: bits(a) for n, a in shown.items()} == {n: bits(kept[n]) for n in shown}
            elif isinstance(shown, tuple):
                assert [a is None or bits(a) for a in shown] == [a is None or bits(a) for a in kept]
            else:
                assert bits(shown) == bits(kept)


@pytest.mark.parametrize("loss", [dn.MeanSquaredError, dn.MeanAbsoluteError, dn.Huber])
def test_nothing_derived_on_demand_reads_what_was_overwritten(loss):
    """The gradient of the targets is worked out from what the loss has saved."""
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    model = dn.Model(loss(name="cost")(dn.Tanh()(dn.Linear(3)(x)), y), seed=1)
    rng = np.random.default_rng(0)
    arrays = {"x": rng.standard_normal((5, M)), "y": rng.standard_normal((3, M))}
    model.train_step(arrays, Still(), keep="all")
    expected = model.cache["y"].grad_output.copy()
    model.train_step(arrays, Still())
    try:
        shown = model.cache["y"].grad_output
    except NotKeptError as error:
        assert "keep='all'" in str(error)  # noqa: PT017
    else:
        assert bits(shown) == bits(expected)


# Whose values they are.


def test_after_a_training_step_the_record_shows_the_parameters_that_made_the_values():
    model = dn.mlp([5, 7, 3], seed=1)
    before = model.get_params()
    model.train_step(feeds(), dn.SGD(0.5), keep="all")
    for n in (1, 2):
        layer = model.layer(n)
        np.testing.assert_array_equal(layer.W, before[f"linear{n}"]["W"])
        np.testing.assert_allclose(layer.Z, layer.W @ layer.A_prev + layer.b, rtol=1e-15)
        np.testing.assert_allclose(layer.dA_prev, layer.W.T @ layer.dZ, rtol=1e-14)
        assert not np.array_equal(model.params[f"linear{n}"]["W"], layer.W)
        np.testing.assert_allclose(
            model.params[f"linear{n}"]["W"], layer.W - 0.5 * layer.dW, rtol=1e-15
        )


def test_a_plain_step_shows_the_parameters_of_now():
    model = dn.mlp([5, 7, 3], seed=1)
    model.train_step(feeds(), dn.SGD(0.5))
    assert bits(model.cache["linear1"].params["W"]) == bits(model.params["linear1"]["W"])


def test_prediction_leaves_the_cache_alone():
    model = looked()
    before = {name: bits(r.output) for name, r in model.cache.items()}
    model.predict(np.ones((5, 3)))
    model.evaluate(np.ones((5, 3)), np.ones((3, 3)))
    assert {name: bits(r.output) for name, r in model.cache.items()} == before


def test_a_refused_feed_leaves_the_cache_alone():
    model = looked()
    before = {name: bits(r.output) for name, r in model.cache.items()}
    with pytest.raises(dn.DagnetError):
        model.forward({"X": np.full((5, 3), np.nan), "Y": np.ones((3, 3))})
    assert {name: bits(r.output) for name, r in model.cache.items()} == before


def test_a_smaller_batch_is_shown_with_its_own_size():
    model = dn.mlp([5, 7, 3], seed=1)
    for m in (7, 3, 7, 4):
        model.forward(feeds(m))
        assert model.layer(1).A.shape == (7, m)
        fresh = dn.mlp([5, 7, 3], seed=1)
        fresh.forward(feeds(m))
        assert bits(model.layer(2).A) == bits(fresh.layer(2).A)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_what_can_be_read_can_be_copied_and_pickled(again):
    model = dn.mlp([5, 4, 3], seed=1)
    model.forward(feeds())
    model.backward()
    for looked_at in (model.cache, model.cache["relu1"], model.layer(1)):
        shown, copied = str(looked_at), again(looked_at)
        assert str(copied) == shown
    model.forward(feeds(3))
    assert str(copied) == shown != str(model.layer(1))
