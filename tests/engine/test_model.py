"""The model: parameters, seeds, dtypes, penalties, prediction, several outputs, memory."""

import gc
import threading
import tracemalloc

import numpy as np
import pytest
from engine_helpers import bits

import dagnet as dn
from dagnet import runners, scheduler
from dagnet.errors import (
    ArgumentError,
    ArgumentTypeError,
    DagnetError,
    FeedError,
    FeedTypeError,
    GraphError,
    NotKeptError,
    ShapeError,
    UnknownNameError,
)

M = 7


def feeds(m=M, dtype="float64"):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((5, m)), rng.integers(0, 2, (3, m))
    return {"X": X.astype(dtype), "Y": Y.astype(dtype)}


def regression(op, seed=1, **options):
    """x -> op -> linear -> mse."""
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    node = dn.Linear(3, name="linear")(op(x))
    return dn.Model(dn.MeanSquaredError()(node, y), outputs=[node], seed=seed, **options)


# Parameters.


def test_params_are_the_live_arrays():
    model = dn.mlp([5, 7, 3], seed=1)
    J = model.forward(feeds())
    model.params["linear1"]["W"][...] *= 2
    assert model.forward(feeds()) != J
    assert list(model.params) == ["linear1", "linear2"]
    assert set(model.params["linear1"]) == {"W", "b"}
    assert all(np.shares_memory(a, model.store.data) for a in model.params["linear1"].values())


def test_parameters_cannot_be_rebound_by_accident():
    model = dn.mlp([5, 3], seed=1)
    with pytest.raises(ArgumentError, match=r"params\['linear1'\]\['W'\]\[...\] = value"):
        model.params["linear1"]["W"] = np.zeros((3, 5))
    with pytest.raises(ArgumentError, match="set_params"):
        model.params["linear1"] = {}
    with pytest.raises(UnknownNameError, match="did you mean 'linear1'"):
        model.params["linear2"]
    with pytest.raises(UnknownNameError, match="no parameter of linear1 named 'w'"):
        model.params["linear1"]["w"]


def test_states_cannot_be_rebound_by_accident():
    y = dn.BatchNorm(name="norm")(dn.Input(3))
    model = dn.Model(outputs=[y])
    with pytest.raises(ArgumentError, match=r"states .* \(state\['norm'\].* model.set_state"):
        model.state["norm"] = {}


def test_set_params_copies():
    model = dn.mlp([5, 7, 3], seed=1)
    W = np.arange(35.0).reshape(7, 5)
    model.set_params({"linear1": {"W": W}, "linear2": {"b": [[1], [2], [3]]}})
    np.testing.assert_array_equal(model.params["linear1"]["W"], W)
    np.testing.assert_array_equal(model.params["linear2"]["b"], [[1], [2], [3]])
    W[...] = 0
    assert model.params["linear1"]["W"].any()


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ({"linear2": {"W": np.ones((7, 3))}}, ShapeError, r"linear2.W has shape \(3, 7\)"),
        ({"linear2": {"w": np.ones((3, 7))}}, UnknownNameError, "named 'w'"),
        ({"linaer2": {"W": np.ones((3, 7))}}, UnknownNameError, "did you mean 'linear2'"),
        (
            {"linear2": {"W": np.ones((3, 7), object)}},
            FeedTypeError,
            "linear2.W: needs an array of numbers",
        ),
        (
            {"linear2": {"W": np.ones((3, 7), complex)}},
            FeedTypeError,
            "linear2.W: needs an array of numbers",
        ),
        ({"linear2": np.ones((3, 7))}, FeedTypeError, "dict of arrays"),
        ({"linear2": {"W": [[1.0], [2.0, 3.0]]}}, DagnetError, "linear2.W"),
    ],
)
def test_set_params_changes_all_or_nothing(values, error, text):
    model = dn.mlp([5, 7, 3], seed=1)
    before = bits(model.store.data)
    with pytest.raises(error, match=text):
        model.set_params({"linear1": {"W": np.ones((7, 5))}} | values)
    assert bits(model.store.data) == before


@pytest.mark.parametrize("values", [[1], None, np.ones(3), "W"])
def test_set_params_takes_a_dict(values):
    with pytest.raises(DagnetError, match="dict"):
        dn.mlp([5, 3]).set_params(values)


def test_set_params_swaps_live_arrays():
    model = dn.mlp([5, 5, 5], seed=1)
    before = model.get_params()
    model.set_params({"linear1": model.params["linear2"], "linear2": model.params["linear1"]})
    for one, two in (("linear1", "linear2"), ("linear2", "linear1")):
        np.testing.assert_array_equal(model.params[one]["W"], before[two]["W"])


def test_set_params_refuses_to_lose_digits_in_silence():
    model = dn.mlp([5, 3], dtype="float32")
    with pytest.raises(FeedTypeError, match=r"linear1.W is float32, got float64.*\.astype"):
        model.set_params({"linear1": {"W": np.ones((3, 5))}})
    model.set_params({"linear1": {"W": np.ones((3, 5), np.float32)}})


def test_get_params_copies():
    model = dn.mlp([5, 3], seed=1)
    copies = model.get_params()
    copies["linear1"]["W"][...] = 0
    assert model.params["linear1"]["W"].any()


def test_shared_parameters_are_stored_once_and_their_gradients_summed():
    """Linear called on x and on u is Linear called on both side by side."""
    op = dn.Linear(3, name="shared")
    x, u, y = (dn.Input(n, name=name) for n, name in ((5, "x"), (5, "u"), (3, "y")))
    model = dn.Model(
        [dn.MeanSquaredError()(op(x), y), dn.MeanSquaredError(weight=3)(op(u), y)], seed=1
    )
    assert list(model.params) == ["shared"]
    rng = np.random.default_rng(0)
    arrays = {"x": rng.standard_normal((5, M)), "u": rng.standard_normal((5, M))}
    Y = rng.standard_normal((3, M))
    model.forward(arrays | {"y": Y})
    model.backward()
    W, b = model.params["shared"].values()
    dW = 0
    for name, weight in (("x", 1), ("u", 3)):
        dZ = weight * 2 * (W @ arrays[name] + b - Y) / Y.size
        dW = dW + dZ @ arrays[name].T
    np.testing.assert_allclose(model.cache["shared"].grad_params["W"], dW, rtol=1e-13)
    np.testing.assert_allclose(model.cache["shared_2"].grad_params["W"], dW, rtol=1e-13)


# Seeds and initialisers.


def test_the_lesson_s_streams_are_reproduced_with_a_random_state():
    """randn(n_out, n_in) * 0.01, layer by layer, from numpy's legacy generator."""
    for seed, sizes in ((1, [3, 2, 1]), (3, [5, 4, 3])):
        model = dn.mlp(sizes, init=0.01, seed=np.random.RandomState(seed))
        lesson = np.random.RandomState(seed)
        for n in range(1, len(sizes)):
            W = lesson.randn(sizes[n], sizes[n - 1]) * 0.01
            assert bits(model.params[f"linear{n}"]["W"]) == bits(W)
            assert not model.params[f"linear{n}"]["b"].any()


def test_a_generator_goes_on_where_it_stands():
    rng, other = np.random.default_rng(7), np.random.default_rng(7)
    model = dn.mlp([5, 3], init=1.0, seed=rng)
    np.testing.assert_array_equal(model.params["linear1"]["W"], other.standard_normal((3, 5)))
    assert model.rng is rng


def test_a_random_state_makes_dropout_repeatable_too():
    masks = []
    for seed in (3, 3, 4):
        model = regression(dn.Dropout(0.5, name="drop"), seed=np.random.RandomState(seed))
        model.forward({"x": np.ones((5, 99)), "y": np.ones((3, 99))})
        masks.append(bits(model.cache["drop"].saved["mask"]))
    assert masks[0] == masks[1] != masks[2]


@pytest.mark.parametrize(
    ("init", "deviation"),
    [
        ("he", np.sqrt(2 / 400)),
        ("xavier", np.sqrt(2 / 700)),
        ("lecun", np.sqrt(1 / 400)),
        (0.3, 0.3),
    ],
)
def test_initialisers_have_their_deviation(init, deviation):
    W = dn.mlp([400, 300], init=init, seed=1).params["linear1"]["W"]
    assert W.std() == pytest.approx(deviation, rel=0.02)  # 120,000 draws: 5 sigma is 0.01
    assert abs(W.mean()) < 5 * deviation / np.sqrt(W.size)


def test_an_op_s_own_initialiser_goes_before_the_model_s():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    node = dn.Linear(3, name="b")(dn.Linear(7, init="zeros", name="a")(x))
    model = dn.Model(dn.MeanSquaredError()(node, y), init=0.5, seed=1)
    assert not model.params["a"]["W"].any()
    expected = 0.5 * np.random.default_rng(1).standard_normal((3, 7))
    np.testing.assert_array_equal(model.params["b"]["W"], expected)


def test_batch_norm_starts_at_one_and_zero():
    params = regression(dn.BatchNorm(name="bn"), init=0.5).params["bn"]
    np.testing.assert_array_equal(params["gamma"], np.ones((5, 1)))
    np.testing.assert_array_equal(params["beta"], np.zeros((5, 1)))


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"init": "hee"}, UnknownNameError, "did you mean 'he'"),
        ({"init": -0.1}, ArgumentError, "of at least 0"),
        ({"init": np.nan}, ArgumentError, "of at least 0"),
        ({"init": True}, ArgumentTypeError, "got True"),
        ({"seed": -1}, ArgumentError, "seed must be 0 or more"),
        ({"seed": 1.5}, ArgumentTypeError, "float"),
        ({"seed": True}, ArgumentTypeError, "bool"),
        ({"dtype": "float16"}, UnknownNameError, "float32"),
        ({"dtype": "flaot64"}, UnknownNameError, "did you mean 'float64'"),
        ({"dtype": int}, UnknownNameError, "dtype"),
        ({"executor": "compile"}, UnknownNameError, "did you mean 'compiled'"),
        ({"l2": -1}, ArgumentError, "strength"),
    ],
)
def test_options_that_make_no_sense(options, error, text):
    with pytest.raises(error, match=text):
        dn.mlp([5, 3], **options)


def test_an_unknown_way_to_keep():
    with pytest.raises(UnknownNameError, match="did you mean 'needed'"):
        dn.mlp([5, 3]).forward(feeds(), keep="neded")


# dtype.


def test_float32_all_the_way():
    model = dn.mlp([5, 7, 3], dtype=np.float32, seed=1, l2=0.1)
    arrays = feeds(dtype="float32")
    J = model.train_step(arrays, dn.Adam(0.01), keep="all")
    assert isinstance(J, float)
    assert model.store.data.dtype == model.store.grad.dtype == np.float32
    for record in model.cache.values():
        arrays_of = [record.output, *record.params.values(), *record.grad_params.values()]
        arrays_of += [g for g in record.grad_inputs if g is not None]
        assert {a.dtype for a in arrays_of} == {np.dtype(np.float32)}
    for letter in ("A_prev", "W", "b", "Z", "A", "dA", "dZ", "dW", "db", "dA_prev"):
        assert getattr(model.layer(1), letter).dtype == np.float32
    assert model.predict(arrays["X"]).dtype == np.float32


def test_float32_costs_are_those_of_float64_to_its_precision():
    single, double = (dn.mlp([5, 7, 3], dtype=d, seed=1) for d in ("float32", "float64"))
    J, exact = single.forward(feeds(dtype="float32")), double.forward(feeds())
    assert pytest.approx(exact, rel=1e-5) == J
    assert exact != J


# L2.


@pytest.mark.parametrize("keep", ["needed", "all"])
def test_l2_against_a_hand_computation(keep):
    plain, penalised = dn.mlp([5, 7, 3], seed=1), dn.mlp([5, 7, 3], seed=1, l2=0.7)
    penalised.params["linear1"]["b"][...] = plain.params["linear1"]["b"][...] = 2
    J, J2 = (model.forward(feeds(), keep=keep) for model in (plain, penalised))
    weights = [plain.params[f"linear{n}"]["W"] for n in (1, 2)]
    squares = sum(float((W**2).sum()) for W in weights)
    assert pytest.approx(J + 0.7 / (2 * M) * squares, rel=1e-15) == J2
    plain.backward()
    penalised.backward()
    for n, W in zip((1, 2), weights, strict=True):
        grads, penalised_grads = (
            {p: model.store.grads[f"linear{n}", p] for p in "Wb"} for model in (plain, penalised)
        )
        np.testing.assert_allclose(
            penalised_grads["W"], grads["W"] + 0.7 / M * W, rtol=1e-13, atol=1e-17
        )
        np.testing.assert_array_equal(penalised_grads["b"], grads["b"])


def test_l2_follows_the_number_of_examples():
    model = dn.mlp([5, 3], seed=1, l2=0.7)
    for m in (7, 3):
        model.forward(feeds(m))
        W = model.params["linear1"]["W"]
        assert model.cache["l2"].output == pytest.approx(0.7 / (2 * m) * np.sum(W**2), rel=1e-15)


# Prediction.


def test_prediction_is_a_copy_each_time():
    model = dn.mlp([5, 7, 3], seed=1)
    one = model.predict(feeds()["X"])
    kept = one.copy()
    two = model.predict(2 * feeds()["X"])
    np.testing.assert_array_equal(one, kept)
    assert not np.shares_memory(one, two)
    one[...] = 7


def test_threads_that_predict_take_turns():
    met, overlapped, found = threading.Event(), [], {}

    class Meeting(dn.Op):
        """In the first call, waits for another thread to be in the second."""

        kind = "activation"

        def output_shape(self, *inputs):
            return inputs[0]

        def forward(self, f):
            np.copyto(f.output, f.inputs[0])
            if not overlapped:
                overlapped.append(None)
                second.start()
                overlapped[0] = met.wait(0.2)
            met.set()

        def backward(self, f):
            raise AssertionError("it only predicts")

    x = dn.Input(3, name="x")
    model = dn.Model(outputs=[Meeting()(x)])
    second = threading.Thread(target=lambda: found.update(second=model.predict(np.full((3, M), 2))))
    found["first"] = model.predict(np.ones((3, M)))
    second.join()
    assert overlapped == [False]
    assert (found["first"] == 1).all()
    assert (found["second"] == 2).all()


def test_prediction_is_the_forward_output_and_needs_no_targets():
    model = dn.mlp([5, 7, 3], seed=1)
    model.forward(feeds())
    assert bits(model.predict(feeds()["X"])) == bits(model.layer(2).A)
    assert bits(model.predict({"X": feeds()["X"]})) == bits(model.layer(2).A)


def test_dropout_is_off_in_prediction_and_draws_nothing():
    model = regression(dn.Dropout(0.5, name="drop"))
    X = np.random.default_rng(0).standard_normal((5, M))
    state = model.rng.bit_generator.state
    W, b = model.params["linear"].values()
    np.testing.assert_allclose(model.predict(X), W @ X + b, rtol=1e-14)
    cost, _ = model.assess({"x": X, "y": np.zeros((3, M))})
    assert cost == pytest.approx(np.mean((W @ X + b) ** 2), rel=1e-14)
    assert model.rng.bit_generator.state == state
    J = model.forward({"x": X, "y": np.zeros((3, M))})
    assert pytest.approx(cost) != J


def test_batch_norm_predicts_by_its_running_statistics():
    model = regression(dn.BatchNorm(momentum=1.0, name="bn"))
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5, M)) * 3 + 2
    model.forward({"x": X, "y": np.zeros((3, M))})
    W, b = model.params["linear"].values()
    mean = X.mean(axis=1, keepdims=True)
    variance = X.var(axis=1, keepdims=True, ddof=1)
    for columns in (X[:, :3], X[:, 3:4]):
        expected = W @ ((columns - mean) / np.sqrt(variance + 1e-5)) + b
        np.testing.assert_allclose(model.predict(columns), expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(model.state["bn"]["running_mean"], mean, rtol=1e-15)


def test_several_outputs_are_a_dict_by_name():
    x, y, r = dn.Input(5, name="x"), dn.Input(3, name="y"), dn.Input(1, name="r")
    trunk = dn.Tanh()(dn.Linear(7)(x))
    a = dn.Sigmoid(name="a")(dn.Linear(3)(trunk))
    b = dn.Linear(1, name="b")(trunk)
    losses = [dn.BinaryCrossEntropy()(a, y), dn.MeanSquaredError(weight=0.5)(b, r)]
    for model in (dn.Model(losses, seed=1), dn.Model(losses, outputs=[a, b], seed=1)):
        outputs = model.predict(np.ones((5, M)))
        assert {n: v.shape for n, v in outputs.items()} == {"a": (3, M), "b": (1, M)}
        model.forward({"x": np.ones((5, M)), "y": np.ones((3, M)), "r": np.ones((1, M))})
        for name, value in outputs.items():
            assert bits(value) == bits(model.cache[name].output)


def test_several_inputs_are_given_by_name():
    x, u, y = dn.Input(5, name="x"), dn.Input(3, name="u"), dn.Input(3, name="y")
    node = dn.Linear(3, name="l")(dn.Concat()(x, u))
    model = dn.Model(dn.MeanSquaredError()(node, y), seed=1)
    X, U = np.ones((5, M)), 2 * np.ones((3, M))
    W = model.params["l"]["W"]
    np.testing.assert_allclose(
        model.predict({"x": X, "u": U}), W @ np.concatenate([X, U]), rtol=1e-14
    )
    with pytest.raises(FeedError, match=r"dict of arrays.*2 such inputs \(x, u\)"):
        model.predict(X)
    with pytest.raises(FeedError, match="nothing was fed for u"):
        model.predict({"x": X})


def test_several_weighted_losses_are_summed():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    node = dn.Linear(3)(x)
    kinds = {dn.MeanSquaredError: 0.5, dn.MeanAbsoluteError: 2.0, dn.Huber: 0.25}
    arrays = {"x": feeds()["X"], "y": feeds()["Y"]}
    alone = [dn.Model(kind()(node, y), seed=1).forward(arrays) for kind in kinds]
    together = dn.Model([kind(weight=w)(node, y) for kind, w in kinds.items()], seed=1)
    expected = sum(w * J for w, J in zip(kinds.values(), alone, strict=True))
    assert together.forward(arrays) == pytest.approx(expected, rel=1e-14)


def test_a_model_without_a_cost_predicts_only():
    model = dn.Model(outputs=dn.Linear(3, name="l")(dn.Input(5, name="x")), seed=1)
    assert model.predict(np.ones((5, M))).shape == (3, M)
    with pytest.raises(GraphError, match="no cost: it can predict, but not train"):
        model.forward({"x": np.ones((5, M))})


def test_a_network_of_nothing():
    with pytest.raises(GraphError):
        dn.Model()


def test_a_loss_listed_twice():
    """Either refused, or with gradients that are those of the cost."""
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    cost = dn.MeanSquaredError(name="cost")(dn.Linear(3)(x), y)
    once = dn.Model(cost, seed=1)
    arrays = {"x": feeds()["X"], "y": feeds()["Y"]}
    J = once.forward(arrays)
    once.backward()
    try:
        twice = dn.Model([cost, cost], seed=1)
    except GraphError as error:
        assert "cost" in str(error)  # noqa: PT017
    else:
        factor = twice.forward(arrays) / J
        twice.backward()
        np.testing.assert_allclose(twice.store.grad, factor * once.store.grad, rtol=1e-13)


def test_a_cost_made_of_joined_losses_predicts_what_they_compare():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    a, b = dn.Linear(3, name="a")(x), dn.Linear(3, name="b")(x)
    cost = dn.Add()(dn.MeanSquaredError()(a, y), dn.Tanh()(dn.MeanSquaredError()(b, y)))
    assert set(dn.Model(cost, seed=1).predict(np.ones((5, M)))) == {"a", "b"}


# Going back.


def test_backward_again_says_to_go_forward_again_or_gives_the_same():
    for keep in ("needed", "all"):
        model = dn.mlp([5, 7, 3], seed=1)
        model.forward(feeds(), keep=keep)
        model.backward()
        first = bits(model.store.grad)
        try:
            model.backward()
        except NotKeptError as error:
            assert "model.forward(feeds)" in str(error)  # noqa: PT017
        assert bits(model.store.grad) == first


@pytest.mark.parametrize("keep", ["needed", "all"])
def test_backward_after_a_training_step_does_not_mix_old_values_and_new_parameters(keep):
    model = dn.mlp([5, 7, 3], seed=1)
    model.train_step(feeds(), dn.SGD(0.5), keep=keep)
    first = bits(model.store.grad)
    try:
        model.backward()
    except NotKeptError as error:
        assert "model.forward(feeds)" in str(error)  # noqa: PT017
    assert bits(model.store.grad) == first


def test_forward_backward_and_a_step_are_a_training_step():
    by_hand, at_once = dn.mlp([5, 7, 3], seed=1), dn.mlp([5, 7, 3], seed=1)
    one, two = dn.Momentum(0.1), dn.Momentum(0.1)
    for _ in range(3):
        J = by_hand.forward(feeds())
        by_hand.backward()
        one.step(by_hand.store)
        assert at_once.train_step(feeds(), two) == J
    assert bits(by_hand.store.data) == bits(at_once.store.data)


# Memory.


def steady_peak(m, executor="compiled", op=dn.ReLU):
    """Return the most memory that ten training steps take after the first three."""
    x, y, t = dn.Input(5, name="x"), dn.Input(1, name="y"), dn.Input(3, name="t")
    h = op()(dn.Linear(7)(x))
    h = dn.Add()(dn.Tanh()(dn.Linear(7)(h)), h)
    losses = [
        dn.BinaryCrossEntropy()(dn.Sigmoid()(dn.Linear(1)(h)), y),
        dn.CategoricalCrossEntropy(weight=0.5)(dn.Softmax()(dn.Linear(3)(h)), t),
    ]
    model = dn.Model(losses, seed=1, l2=0.1, executor=executor)
    rng = np.random.default_rng(0)
    arrays = {
        "x": rng.standard_normal((5, m)),
        "y": rng.integers(0, 2, (1, m)).astype(float),
        "t": np.eye(3)[:, rng.integers(0, 3, m)].copy(),
    }
    optimizer = dn.Adam(0.01)
    for _ in range(3):
        model.train_step(arrays, optimizer)
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(3):
            model.train_step(arrays, optimizer)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for _ in range(10):
            model.train_step(arrays, optimizer)
        _, peak = tracemalloc.get_traced_memory()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before, peak - before


@pytest.mark.parametrize("executor", ["compiled", "interpreted"])
@pytest.mark.parametrize(
    "op", [dn.ReLU, dn.GELU, dn.BatchNorm, dn.LayerNorm, lambda: dn.Dropout(0.5)]
)
def test_training_allocates_nothing_after_the_first_steps(executor, op):
    """Not even one byte per example, nor a buffer of numpy's for casting, of 64 kB."""
    m = 20_000
    kept, peak = steady_peak(m, executor, op)
    assert peak < m
    assert kept < 2_000


def test_a_smaller_last_batch_runs_without_compiling_or_binding_again(monkeypatch):
    made = []
    plan, bind = runners.make_plan, scheduler.Binding.__init__

    def planning(*args, **options):
        made.append("plan")
        return plan(*args, **options)

    def binding(self, plan, m, *rest):
        made.append(m)
        bind(self, plan, m, *rest)

    monkeypatch.setattr(runners, "make_plan", planning)
    monkeypatch.setattr(scheduler.Binding, "__init__", binding)
    model = dn.mlp([5, 7, 3], seed=1)
    optimizer = dn.SGD(0.1)
    for _ in range(3):
        for m in (7, 7, 3):
            model.train_step(feeds(m), optimizer)
    assert made == ["plan", 7, 3]


def test_a_model_can_be_collected():
    """No cycle or registry outside keeps a model's arrays alive."""
    import weakref

    model = dn.mlp([5, 3], seed=1)
    model.train_step(feeds(), dn.SGD(0.1), keep="all")
    model.predict(feeds()["X"])
    watch = weakref.ref(model.store)
    del model
    gc.collect()
    assert watch() is None


def test_a_model_shows_what_it_is():
    assert repr(dn.mlp([5, 3], dtype="float32")) == (
        "<Model of 5 nodes and 18 parameters, float32>"
    )


@pytest.mark.parametrize("what", ["cost", "outputs", "inputs"])
@pytest.mark.parametrize("given", [np.array(2), 5, object()])
def test_what_should_be_nodes(what, given):
    x, y = dn.Input(3), dn.Input(1)
    cost = dn.MeanSquaredError()(dn.Linear(1)(x), y)
    with pytest.raises(ArgumentTypeError, match="a network is defined by nodes"):
        dn.Model(**{"cost": cost, what: given})


@pytest.mark.parametrize("l2", [np.ones(2), np.zeros(1), 10**400, -1.0, "much"])
def test_a_strength_of_l2_that_is_none(l2):
    with pytest.raises(DagnetError, match="strength"):
        dn.mlp([3, 1], l2=l2)


@pytest.mark.parametrize("dtype", ["1,,2", "\udcff", "i4,f8", 7])
def test_a_dtype_that_numpy_reads_as_something_else(dtype):
    with pytest.raises(UnknownNameError, match="no dtype named"):
        dn.mlp([3, 1], dtype=dtype)


def test_a_network_larger_than_memory_names_its_largest_layer():
    x, y = dn.Input(3, name="x"), dn.Input(1, name="y")
    wide = dn.Linear(10**30, name="wide")(x)
    with pytest.raises(ArgumentError) as caught:
        dn.Model(dn.MeanSquaredError()(dn.Linear(1)(wide), y))
    assert str(caught.value).startswith(f"wide ({wide.source}): not enough memory for the")


@pytest.mark.parametrize("key", [["linear1"], {}, np.arange(3)])
def test_keys_that_are_no_names(key):
    model = dn.mlp([3, 1], seed=1)
    for mapping in (model.params, model.params["linear1"], model.graph, model.cache):
        with pytest.raises(UnknownNameError):
            mapping[key]


def test_a_graph_is_asked_for():
    with pytest.raises(ArgumentTypeError, match=r"from_graph takes a dn\.Graph, got dict"):
        dn.Model.from_graph({})
