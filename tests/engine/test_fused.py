"""The fused executor gives what the default one gives, in fewer calls."""

import subprocess
import sys
import tracemalloc
import weakref

import numpy as np
import pytest
from hypothesis import given
from random_networks import fewer, networks

import dagnet as dn
from dagnet.fused import writers
from dagnet.fused.compiled import exponentials
from dagnet.fused.instructions import collect
from dagnet.fused.program import Program
from dagnet.ops.frame import Frame
from dagnet.ops.losses import Loss

#: How far apart the executors may be, relative to the largest value of an array.
NEAR = {"float64": 1e-12, "float32": 1e-6}

EXAMPLES = [
    pytest.param(example, id=f"{type(example.op).__name__}-{i}")
    for op in writers.KNOWN
    for i, example in enumerate(op.examples())
    if getattr(example.op, "axis", 0) == 0  # along others, Concat is left to numpy
]

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 750.0, -750.0, 1e-310, 88.0, -104.0]


def drawn(example, dtype, seed=0):
    rng = np.random.default_rng(seed)
    inputs = example.draw(rng) if example.draw else map(rng.standard_normal, example.shapes)
    return [np.ascontiguousarray(x, dtype=dtype) for x in inputs]


def allocated(op, inputs):
    """Return a frame whose arrays to write hold NaN, and whose parameters, states and gradient
    differ."""
    frame = Frame.allocate(op, *inputs)
    rng = np.random.default_rng(1)
    for array in (*frame.params.values(), *frame.state.values(), frame.grad_output):
        array[...] = rng.uniform(0.5, 2, array.shape)
    for array in written(frame).values():
        array[...] = np.nan
    return frame


def written(frame):
    works = {f"work.{n}": a for n, a in frame.work.items() if a.dtype.kind == "f"}
    grads = {f"grad_inputs.{i}": g for i, g in enumerate(frame.grad_inputs) if g is not None}
    return works | grads | frame.grad_params | {"output": frame.output}


def compute(frame, groups):
    Program(groups, {}, frame.output.dtype).call()


def both_ways(op, inputs):
    """Return what numpy and what the compiled function write and leave, by name."""
    frames = [allocated(op, inputs) for _ in range(2)]
    with np.errstate(all="ignore"):
        op.forward(frames[0])
        op.backward(frames[0])
    compute(frames[1], writers.forward(op, frames[1]))
    compute(frames[1], writers.backward(op, frames[1]))
    stays = {f"work.{n}" for n, w in op.workspace(*(x.shape for x in inputs)).items()
             if w.life == "saved"}  # fmt: skip
    a, b = (written(frame) for frame in frames)
    return {n: (a[n], b[n]) for n in a if not n.startswith("work.") or n in stays}


def assert_near(want, got, dtype, what):
    finite = np.isfinite(want)
    np.testing.assert_array_equal(got[~finite], want[~finite], err_msg=what)
    scale = np.abs(want[finite]).max(initial=0.0)
    assert np.abs(got[finite] - want[finite]).max(initial=0.0) <= NEAR[dtype] * scale, what


@pytest.mark.parametrize("dtype", NEAR)
@pytest.mark.parametrize("example", EXAMPLES)
def test_an_instruction_computes_what_its_op_does(example, dtype):
    for name, (want, got) in both_ways(example.op, drawn(example, dtype)).items():
        assert_near(want, got, dtype, name)


@pytest.mark.parametrize("dtype", NEAR)
@pytest.mark.parametrize("example", EXAMPLES)
def test_nan_inf_and_extremes_flow_as_in_numpy(example, dtype):
    inputs = drawn(example, dtype)
    for value in SPECIAL:
        inputs[0].flat[-1] = value
        for name, (want, got) in both_ways(example.op, inputs).items():
            assert_near(want, got, dtype, f"{name} of {value}")


@pytest.mark.parametrize("dtype", NEAR)
@pytest.mark.parametrize("op", [op for op in writers.KNOWN if op is not dn.Linear])
def test_what_is_cut_into_parts_is_computed_whole(op, dtype):
    example = next(iter(op.examples()))
    inputs = drawn(example, dtype)
    rng = np.random.default_rng(5)
    inputs = [rng.permuted(np.tile(x, 3001), axis=-1) for x in inputs]
    if not issubclass(op, Loss):  # equal values would have equal errors, which add up in sums
        inputs = [x * rng.uniform(0.5, 2, x.shape).astype(dtype) for x in inputs]
    frame = allocated(op(), inputs)
    cut = [i.parts for group in writers.forward(op(), frame) for i in group]
    assert max(cut) > 1
    # numpy's own float32 may lose more bits than the bound when it sums up so many terms.
    exactly = both_ways(example.op, [x.astype("float64") for x in inputs])
    for name, (_, got) in both_ways(example.op, inputs).items():
        assert_near(exactly[name][0], got, dtype, name)


@pytest.mark.parametrize("dtype", NEAR)
@pytest.mark.parametrize("cut", [False, True])
def test_targets_of_classes_may_lie_in_any_order(cut, dtype):
    op, m = dn.CategoricalCrossEntropyWithLogits(weight=0.5), 2500 if cut else 7
    rng = np.random.default_rng(2)
    z = rng.standard_normal((5, m)).astype(dtype)
    y = np.eye(5, dtype=dtype)[:, rng.integers(0, 5, m)] * 0.75
    ways = [np.ascontiguousarray(y), np.asfortranarray(y), np.repeat(y, 2, axis=1)[:, ::2]]
    ways.append(np.repeat(y, 3, axis=0)[::3])
    wanted = both_ways(op, [z, ways[0]])
    for lying in ways:
        frame = allocated(op, [z, lying])
        assert writers.forward(op, frame), "left to numpy"
        for name, (_, got) in both_ways(op, [z, lying]).items():
            np.testing.assert_array_equal(got, wanted[name][1], err_msg=name)
    assert writers.forward(op, allocated(op, [z, y[:, ::-1][::-1]])) is None


def test_exponentials_are_numpy_s_to_the_last_bits():
    x = np.concatenate([np.linspace(-744, 709, 1009), np.linspace(-1, 1, 101)])
    np.testing.assert_allclose([exponentials.exp(v) for v in x], np.exp(x), rtol=5e-16, atol=5e-324)
    e = np.exp(-np.abs(x))
    got = [exponentials.log_one_plus(v) for v in e]
    np.testing.assert_allclose(got, np.log1p(e), rtol=1e-15, atol=0)
    x = np.concatenate([x, np.geomspace(1e-300, 1, 301)])
    np.testing.assert_allclose([exponentials.tanh(v) for v in x], np.tanh(x), rtol=1e-15, atol=0)


@pytest.mark.parametrize("dtype", NEAR)
@pytest.mark.parametrize("m", [1, 7, 40])
@pytest.mark.parametrize(
    "optimizer",
    [dn.SGD, dn.Momentum, dn.RMSProp, dn.Adam, dn.AdamW, lambda r: dn.SGD(r, clip_norm=0.01)],
)
def test_training_goes_as_with_the_default_executor(optimizer, m, dtype):
    rng = np.random.default_rng(3)
    feeds = {
        "X": rng.standard_normal((3, m)).astype(dtype),
        "Y": rng.integers(0, 2, (2, m)).astype(dtype),
    }
    results = []
    for executor in ("compiled", "fused"):
        model = dn.mlp([3, 7, 5, 2], hidden="tanh", seed=1, dtype=dtype, executor=executor)
        method = optimizer(0.05)
        costs = [model.train_step(feeds, method) for _ in range(4)]
        results.append((np.array(costs), model.store.data, model.predict(feeds["X"])))
    for want, got in zip(*results, strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=10 * NEAR[dtype] * np.abs(want).max())


@fewer
@given(networks())
def test_random_networks_have_the_same_gradients(network):
    for keep in ("needed", "all"):
        models = [network.model(executor=executor) for executor in ("compiled", "fused")]
        costs = []
        for model in models:
            costs.append(model.forward(network.feeds(7), keep=keep))
            model.backward()
        assert costs[1] == pytest.approx(costs[0], rel=1e-12)
        assert_near(models[0].store.grad, models[1].store.grad, "float64", keep)


def small(executor, **options):
    return dn.mlp([3, 5, 2], seed=1, executor=executor, **options)


def test_feeds_may_move_and_change_their_order():
    rng = np.random.default_rng(4)
    wide = rng.standard_normal((3, 14))
    fused, plain = small("fused"), small("compiled")
    Y = rng.integers(0, 2, (2, 7)).astype(float)
    for X in (wide[:, :7].copy(), wide[:, 7:].copy(), wide[:, ::2], np.asfortranarray(wide[:, :7])):
        for batch in (slice(0, 7), slice(0, 4)):
            feeds = {"X": X[:, batch], "Y": Y[:, batch]}
            assert fused.forward(feeds) == pytest.approx(plain.forward(feeds), rel=1e-13)
            fused.backward()
            plain.backward()
            assert_near(plain.store.grad, fused.store.grad, "float64", "gradient")
            assert_near(plain.predict(X[:, batch]), fused.predict(X[:, batch]), "float64", "Y")


def test_an_array_fed_twice_may_move_in_one_place_only():
    x, y = dn.Input(3, name="x"), dn.Input(3, name="y")
    cost = dn.MeanSquaredError(name="cost")(dn.Linear(3, name="line")(x), y)
    model = dn.Model(cost, executor="fused")
    model.set_params({"line": {"W": np.eye(3)}})
    a, b = np.zeros((3, 7)), np.full((3, 7), 2.0)
    assert model.forward({"x": a, "y": a}) == 0
    assert model.forward({"x": a, "y": b}) == 4
    assert model.forward({"x": a, "y": a}) == 0


def test_what_is_written_into_a_fed_array_is_seen():
    model = small("fused")
    feeds = {"X": np.ones((3, 7)), "Y": np.ones((2, 7))}
    model.train_step(feeds, dn.SGD(0.1))
    feeds["X"][...] = 2
    fresh = small("fused")
    fresh.set_params(model.get_params())
    assert model.train_step(feeds, dn.SGD(0.1)) == fresh.train_step(feeds, dn.SGD(0.1))


class Shifted(dn.ReLU):
    """A rectifier of the user's own, from 1 on."""

    def forward(self, f):
        np.maximum(f.inputs[0], 1.0, out=f.output)


def test_ops_it_does_not_know_run_between_programs():
    x, y = dn.Input(3, name="x"), dn.Input(5, name="y")
    a = dn.Linear(5, name="line")(Shifted(name="mine")(dn.Tanh(name="t")(x)))
    model = dn.Model(dn.MeanSquaredError(name="cost")(a, y), seed=1, executor="fused")
    feeds = {"x": np.zeros((3, 7)), "y": np.zeros((5, 7))}
    model.forward(feeds)
    assert (model.cache["mine"].output == 1).all()
    binding = model.runner().begin(feeds)
    assert len(binding.forward_calls) == 3  # tanh; mine; the rest
    assert len(binding.backward_calls) == 1


@pytest.mark.parametrize("dtype", NEAR)
@pytest.mark.parametrize("m", [1, 7, 4000])
def test_running_statistics_move_as_with_the_default_executor(m, dtype):
    rng = np.random.default_rng(6)
    feeds = {"x": rng.standard_normal((3, m)), "y": rng.standard_normal((3, m))}
    feeds = {name: array.astype(dtype) for name, array in feeds.items()}
    found = []
    for executor in ("compiled", "fused"):
        x, y = dn.Input(3, name="x"), dn.Input(3, name="y")
        a = dn.Linear(3)(dn.BatchNorm(momentum=0.3, name="norm")(x))
        model = dn.Model(dn.MeanSquaredError()(a, y), seed=1, dtype=dtype, executor=executor)
        for _ in range(3):
            model.forward(feeds)
        found.append(model.get_state()["norm"])
    assert not np.array_equal(found[0]["running_mean"], np.zeros((3, 1)))
    for name, want in found[0].items():
        assert_near(want, found[1][name], dtype, name)


def test_normalisations_are_in_the_program_too():
    x, y = dn.Input(3, name="x"), dn.Input(5, name="y")
    a = dn.GELU()(dn.BatchNorm()(dn.Linear(7)(x)))
    a = dn.ELU()(dn.Linear(5)(dn.LayerNorm()(a)))
    model = dn.Model(dn.MeanSquaredError()(a, y), seed=1, executor="fused")
    binding = model.runner("needed").begin({"x": np.ones((3, 4)), "y": np.ones((5, 4))})
    assert [len(binding.forward_calls), len(binding.backward_calls)] == [1, 1]


def test_a_small_network_is_one_call_each_way():
    model = small("fused")
    feeds = {"X": np.ones((3, 7)), "Y": np.ones((2, 7))}
    binding = model.runner("needed").begin(feeds)
    assert [len(binding.forward_calls), len(binding.backward_calls)] == [1, 1]


def test_large_products_are_in_the_program_too():
    model = dn.mlp([200, 100, 3], seed=1, executor="fused")
    binding = model.runner("needed").begin({"X": np.ones((200, 7)), "Y": np.ones((3, 7))})
    assert [len(binding.forward_calls), len(binding.backward_calls)] == [1, 1]


def test_a_step_allocates_nothing_that_stays():
    model, optimizer = small("fused"), dn.Adam(0.01)
    feeds = {"X": np.ones((3, 400)), "Y": np.ones((2, 400))}
    for _ in range(5):
        model.train_step(feeds, optimizer)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(50):
        model.train_step(feeds, optimizer)
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 2_000
    assert peak - before < 3 * 400 * 8  # less than one value of a layer


def test_hooks_see_every_node():
    model, seen = small("fused"), []

    class Noting:
        def before_node(self, name, phase):
            pass

        def after_node(self, name, phase):
            seen.append(name)

    feeds = {"X": np.ones((3, 7)), "Y": np.ones((2, 7))}
    model.train_step(feeds, dn.SGD(0.1), hooks=Noting())
    assert seen == ["linear1", "relu1", "linear2", "cost", "cost", "linear2", "relu1", "linear1"]


def test_the_call_of_a_program_keeps_its_arrays_but_no_input():
    part, fed, total = np.full(7, 2.0), np.full(7, 3.0), np.empty(7)
    written = [[collect(total, part, first=True)], [collect(total, fed, first=False)]]
    call = Program(written, {"X": fed}, total.dtype).call
    call()
    np.testing.assert_array_equal(total, 5.0)
    watched = [weakref.ref(array) for array in (part, fed, total)]
    del part, fed, total, written
    assert [watch() is not None for watch in watched] == [True, False, True]
    assert call


@pytest.mark.parametrize("package", ["numba", "llvmlite", "platformdirs"])
def test_without_a_package_it_says_what_to_install(package):
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "import dagnet as dn\n"
        "try: dn.mlp([3, 5, 1], executor='fused')\n"
        "except dn.errors.MissingDependencyError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"needs {package}: install with pip install 'dagnet[jit]'" in done.stdout
