"""The scheduler: all ways to run give the same bits, for any number of examples, in order."""

from dataclasses import field
from itertools import product

import numpy as np
import pytest
from engine_helpers import bits, here
from hypothesis import given
from hypothesis import strategies as st
from random_networks import Network, fewer, networks, random_dags

import dagnet as dn
from dagnet.errors import NotKeptError, OpError
from dagnet.ops.base import Op

WAYS = list(product(("needed", "all"), ("compiled", "interpreted")))


class Recorder:
    """Hooks that write down every call."""

    def __init__(self):
        self.calls = []

    def before_node(self, name, phase):
        self.calls.append(("before", name, phase))

    def after_node(self, name, phase):
        self.calls.append(("after", name, phase))


def outcome(model, feeds, keep):
    """Run forward and backward; return everything that the run leaves outside its buffers."""
    J = model.forward(feeds, keep=keep)
    model.backward()
    losses = [bits(model.cache[name].output) for name in model.graph.losses]
    states = [bits(a) for arrays in model.state.values() for a in arrays.values()]
    return J, losses, bits(model.store.grad), states, model.rng.bit_generator.state


# The same bits.


@random_dags
@given(networks(), st.sampled_from(["float64", "float32"]))
def test_all_ways_to_run_give_the_same_bits(network, dtype):
    outcomes = []
    for keep, executor in WAYS:
        model = network.model(executor=executor, dtype=dtype)
        runs = [outcome(model, network.feeds(m, dtype=dtype), keep) for m in (5, 5, 3)]
        outcomes.append(runs)
    assert np.isfinite([run[0] for run in outcomes[0]]).all()
    for other in outcomes[1:]:
        assert other == outcomes[0]


@random_dags
@given(networks(), st.permutations([1, 3, 5, 7, 70]))
def test_any_number_of_examples_after_any_other_is_as_in_a_fresh_model(network, sizes):
    """A smaller last batch, a growing batch, and more sizes than are kept bound."""
    for keep in ("needed", "all"):
        used = network.model()
        for m in (*sizes, *sizes):
            feeds = network.feeds(m)
            fresh = network.model()
            state = used.rng.bit_generator.state
            fresh.rng.bit_generator.state = state
            for owner, arrays in used.state.items():
                for name, array in arrays.items():
                    fresh.state[owner][name][...] = array
            assert outcome(used, feeds, keep) == outcome(fresh, feeds, keep)


@random_dags
@given(networks())
def test_training_gives_the_same_bits_both_ways(network):
    trained = []
    for keep, executor in WAYS:
        model = network.model(executor=executor)
        optimizer = dn.Adam(0.01)
        costs = [model.train_step(network.feeds(m), optimizer, keep=keep) for m in (7, 7, 3, 7)]
        trained.append((costs, bits(model.store.data)))
    assert all(other == trained[0] for other in trained[1:])


@random_dags
@given(networks())
def test_prediction_gives_the_same_bits_whatever_ran_before(network):
    if not network.outputs:
        return
    model, other = network.model(), network.model(executor="interpreted")
    feeds = network.feeds(5)
    needed = model.graph.ancestors(model.graph.outputs)
    given_inputs = {name: a for name, a in feeds.items() if name in needed}

    def predict(model):
        result = model.predict(given_inputs)
        return {n: bits(a) for n, a in result.items()} if isinstance(result, dict) else bits(result)

    first = predict(model)
    assert predict(other) == first
    before = [bits(a) for arrays in model.state.values() for a in arrays.values()]
    model.predict({**given_inputs, **network_part(network, 7, given_inputs)})
    assert predict(model) == first
    assert [bits(a) for arrays in model.state.values() for a in arrays.values()] == before


def network_part(network, m, names):
    return {name: array for name, array in network.feeds(m).items() if name in names}


def test_an_output_only_branch_with_dropout_changes_no_bits():
    """The branch comes first, so that its random numbers would shift those of the loss."""
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    side = dn.Identity(name="side")(dn.Dropout(0.5)(x))
    hidden = dn.Linear(3, name="hidden")(dn.Dropout(0.5)(x))
    cost = dn.MeanSquaredError(name="cost")(hidden, y)
    rng = np.random.default_rng(0)
    feeds = {"x": rng.standard_normal((5, 7)), "y": rng.standard_normal((3, 7))}
    models = [dn.Model(cost, outputs=[hidden, side], seed=1) for _ in range(2)]
    for _ in range(3):
        needed, everything = (
            outcome(model, feeds, keep)
            for model, keep in zip(models, ("needed", "all"), strict=True)
        )
        assert needed == everything


def test_an_output_only_use_of_a_batch_norm_changes_no_bits():
    x, y = dn.Input(5, name="x"), dn.Input(5, name="y")
    norm = dn.BatchNorm(name="norm")
    hidden = norm(x)
    side = norm(dn.Tanh()(x), name="side")
    cost = dn.MeanSquaredError(name="cost")(hidden, y)
    rng = np.random.default_rng(0)
    feeds = {"x": rng.standard_normal((5, 7)), "y": rng.standard_normal((5, 7))}
    outcomes = []
    for keep in ("needed", "all"):
        model = dn.Model(cost, outputs=[hidden, side], seed=1)
        outcomes.append([outcome(model, feeds, keep) for _ in range(2)])
    assert outcomes[0] == outcomes[1]


def test_a_fused_activation_that_is_an_output_changes_no_bits():
    """In "needed" the sigmoid is left out, in "all" it is computed beside the loss."""
    rng = np.random.default_rng(0)
    feeds = {"X": rng.standard_normal((5, 7)), "Y": rng.integers(0, 2, (3, 7)).astype(float)}
    outcomes = [outcome(dn.mlp([5, 7, 3], seed=1), feeds, keep) for keep in ("needed", "all")]
    assert outcomes[0] == outcomes[1]


def test_large_layers_give_the_same_bits_both_ways():
    """Sizes at which matrix products run blocked and threaded."""
    rng = np.random.default_rng(0)
    feeds = {"X": rng.standard_normal((130, 257)), "Y": rng.integers(0, 2, (3, 257)) * 1.0}
    outcomes = []
    for keep, executor in WAYS:
        model = dn.mlp([130, 101, 67, 3], seed=1, executor=executor)
        outcomes.append([outcome(model, feeds, keep) for _ in range(2)])
    assert all(other == outcomes[0] for other in outcomes)


def test_one_seed_gives_one_result_and_another_seed_another():
    rng = np.random.default_rng(0)
    feeds = {"X": rng.standard_normal((5, 7)), "Y": rng.integers(0, 2, (3, 7)).astype(float)}
    a, b, c = (outcome(dn.mlp([5, 7, 3], seed=s), feeds, "all") for s in (1, 1, 2))
    assert a == b
    assert a[0] != c[0]


def test_float32_stays_float32_in_every_buffer():
    model = dn.mlp([5, 7, 3], seed=1, dtype="float32", l2=0.1)
    feeds = {"X": np.ones((5, 3), np.float32), "Y": np.ones((3, 3), np.float32)}
    model.forward(feeds)
    model.backward()
    binding = model._run.binding
    assert {a.dtype for a in binding.arrays.values()} <= {np.dtype("float32"), np.dtype(bool)}


# Hooks.


@random_dags
@given(networks(), st.sampled_from(["needed", "all"]))
def test_hooks_come_before_and_after_every_node_in_order(network, keep):
    model = network.model()
    hooks = Recorder()
    model.forward(network.feeds(3), keep=keep, hooks=hooks)
    forward = [name for when, name, _ in hooks.calls if when == "before"]
    assert hooks.calls == [
        (when, name, "forward") for name in forward for when in ("before", "after")
    ]
    assert [n for n in model.graph if n in forward] == forward
    assert set(model.graph.losses) <= set(forward)
    hooks.calls.clear()
    model.backward(hooks=hooks)
    backward = [name for when, name, _ in hooks.calls if when == "before"]
    assert hooks.calls == [
        (when, name, "backward") for name in backward for when in ("before", "after")
    ]
    assert backward == [name for name in reversed(forward) if name in backward]
    trained = model.graph.ancestors(model.graph.losses)
    assert {n for n in trained if model.graph[n].op.kind == "linear"} <= set(backward)


@random_dags
@given(networks())
def test_watching_changes_no_bits(network):
    plain, watched = network.model(), network.model()
    feeds = network.feeds(3)
    J = plain.train_step(feeds, dn.SGD(0.1))
    assert watched.train_step(feeds, dn.SGD(0.1), hooks=Recorder()) == J
    assert bits(watched.store.data) == bits(plain.store.data)


def test_a_hook_may_stop_a_run_and_the_next_run_is_whole():
    model = dn.mlp([5, 7, 3], seed=1)
    feeds = {"X": np.ones((5, 2)), "Y": np.ones((3, 2))}
    J = model.forward(feeds, keep="needed")

    class Stop(Recorder):
        def before_node(self, name, phase):
            if name == "linear2":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.forward(feeds, keep="needed", hooks=Stop())
    assert model.forward(feeds, keep="needed") == J


class Writing(Op):
    """The identity, written into the hooks' list when it is computed."""

    kind = "activation"
    calls: list = field(default_factory=list)

    def output_shape(self, *inputs):
        return inputs[0]

    def forward(self, f):
        self.calls.append("forward")
        f.output[...] = f.inputs[0]

    def backward(self, f):
        self.calls.append("backward")
        f.grad_inputs[0][...] = f.grad_output


def test_a_node_is_computed_between_its_two_hooks():
    hooks = Recorder()
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    node = Writing(hooks.calls, name="w")(dn.Linear(3)(x))
    model = dn.Model(dn.MeanSquaredError()(node, y), seed=1)
    model.train_step({"x": np.ones((5, 2)), "y": np.ones((3, 2))}, dn.SGD(0.1), hooks=hooks)
    for phase in ("forward", "backward"):
        at = hooks.calls.index(phase)
        expected = [("before", "w", phase), phase, ("after", "w", phase)]
        assert hooks.calls[at - 1 : at + 2] == expected


# Failures.


class Broken(Op):
    """An op whose mathematics raise."""

    kind = "activation"
    fails: str = "forward"

    def output_shape(self, *inputs):
        return inputs[0]

    def forward(self, f):
        if self.fails == "forward":
            raise ZeroDivisionError("no forward")
        f.output[...] = f.inputs[0]

    def backward(self, f):
        raise ZeroDivisionError("no backward")


@pytest.mark.parametrize("executor", ["compiled", "interpreted"])
@pytest.mark.parametrize("phase", ["forward", "backward"])
def test_an_op_that_fails_is_named_with_its_line(executor, phase):
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    node = Broken(fails=phase, name="broken")(dn.Linear(3)(x))
    line = here(-1)
    model = dn.Model(dn.MeanSquaredError()(node, y), executor=executor)
    with pytest.raises(OpError) as error:
        model.train_step({"x": np.ones((5, 2)), "y": np.ones((3, 2))}, dn.SGD(0.1))
    assert f"broken ({line})" in str(error.value)
    assert f"ZeroDivisionError while running: no {phase}" in str(error.value)
    assert isinstance(error.value.__cause__, ZeroDivisionError)


def test_overflow_in_an_op_warns_nobody_and_shows_in_the_cost():
    x, y = dn.Input(1, name="x"), dn.Input(1, name="y")
    model = dn.Model(dn.MeanSquaredError()(dn.Linear(1, name="l")(x), y), seed=1)
    model.params["l"]["W"][...] = 1e200
    feeds = {"x": np.full((1, 3), 1e200), "y": np.zeros((1, 3))}
    assert model.forward(feeds) == np.inf


# Looking while it runs.


class Onlooker(Recorder):
    """Hooks that read whatever the cache shows, at every stop, and keep copies of it."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.shown = {}

    def look(self):
        for name in self.model.graph:
            record = self.model.cache[name]
            for what in ("output", "grad_output"):
                self.read(record, (name, what), lambda r, what=what: [getattr(r, what)])
            self.read(record, (name, "grad_inputs"), lambda r: r.grad_inputs)
            self.read(record, (name, "grad_params"), lambda r: r.grad_params.values())

    def read(self, record, key, arrays):
        try:
            shown = [None if a is None else bits(a) for a in arrays(record)]
        except NotKeptError:
            return
        self.shown.setdefault(key, set()).add(tuple(shown))

    def before_node(self, name, phase):
        self.look()

    def after_node(self, name, phase):
        self.look()


def check_what_is_shown(network, keep):
    """Nothing half done, nothing of the run before, nothing overwritten: that is refused."""
    model, other = network.model(), network.model()
    before, feeds = network.feeds(3, seed=5), network.feeds(3)
    for each in (model, other):
        each.forward(before, keep=keep)
        each.backward()
    onlooker = Onlooker(model)
    model.forward(feeds, keep=keep, hooks=onlooker)
    model.backward(hooks=onlooker)
    final = Onlooker(other)
    other.forward(feeds)
    other.backward()
    final.look()
    assert {what for _, what in onlooker.shown} >= {"output", "grad_params"}
    wrong = [key for key, shown in onlooker.shown.items() if shown != final.shown[key]]
    assert not wrong


@fewer
@given(networks(), st.sampled_from(["needed", "all"]))
def test_what_the_cache_shows_during_a_run_is_what_the_run_will_have_shown(network, keep):
    check_what_is_shown(network, keep)


@pytest.mark.parametrize("keep", ["needed", "all"])
def test_sums_of_gradients_are_shown_when_they_are_whole(keep):
    """x, h, the shared weights, and loss1 get their gradients from several nodes, one by one.

    x -> linear1 -> h -> shared -> add -> linear2 -> loss1 -> tanh -> (loss)
    x ------------> h -> shared ---/        h -> linear3 -> loss2
                    h -------------/
    """
    x, r = dn.Input(5, name="x"), dn.Input(3, name="r")
    shared = dn.Linear(5, name="shared")
    h = dn.Tanh(name="h")(dn.Add()(dn.Linear(5, name="linear1")(x), x))
    joined = dn.Add()(dn.Tanh()(shared(h)), shared(h), h)
    loss1 = dn.MeanSquaredError(name="loss1")(dn.Linear(3, name="linear2")(joined), r)
    loss2 = dn.MeanSquaredError(name="loss2")(dn.Linear(3, name="linear3")(h), r)
    check_what_is_shown(Network([loss1, dn.Tanh()(loss1), loss2], []), keep)


@pytest.mark.parametrize("keep", ["needed", "all"])
def test_a_probability_that_several_losses_read_is_shown_when_it_is_whole(keep):
    x, y, r = dn.Input(5, name="x"), dn.Input(3, name="y"), dn.Input(3, name="r")
    a = dn.Sigmoid(name="a")(dn.Linear(3, name="z")(x))
    losses = [
        dn.MeanSquaredError(name="square")(a, r),
        dn.BinaryCrossEntropy(name="binary")(a, y),
        dn.BinaryCrossEntropy(name="binary2", weight=0.5)(a, y),
    ]
    check_what_is_shown(Network(losses, [a]), keep)
