"""Back and on again gives the same bits; a changed value reruns what depends on it, no more."""

import numpy as np
from debug_helpers import branchy, branchy_feeds, generator_of, seen
from engine_helpers import bits
from hypothesis import given
from hypothesis import strategies as st
from random_networks import fewer, networks

import dagnet as dn


def twin(network, **options):
    """Return two equal models of a random network."""
    return network.model(**options), network.model(**options)


@fewer
@given(networks(), st.data(), st.sampled_from(["float64", "float32"]))
def test_k_steps_and_k_backs_leave_everything_as_it_was(network, data, dtype):
    model = network.model(dtype=dtype)
    debugger = dn.Debugger(model, network.feeds(5, dtype=dtype), dn.Adam(0.01))
    total = len(debugger.session.plan.steps) + 1
    start = data.draw(st.integers(0, total - 1))
    for _ in range(start):
        debugger.step()
    before = seen(model)
    k = data.draw(st.integers(1, total - start))
    debugger.step(k)
    after = seen(model)
    debugger.back(k)
    assert debugger.position == start
    assert seen(model) == before
    debugger.step(k)
    assert seen(model) == after


@fewer
@given(networks(), st.data())
def test_a_run_that_wanders_ends_with_the_bits_of_one_that_does_not(network, data):
    model, plain = twin(network)
    optimizer, other = dn.Adam(0.01), dn.Adam(0.01)
    for m in (5, 5, 3):
        feeds = network.feeds(m)
        debugger = dn.Debugger(model, feeds, optimizer)
        for _ in range(6):
            total = len(debugger.session.plan.steps) + 1
            there = data.draw(st.integers(0, total))
            distance = there - debugger.position
            if distance > 0:
                debugger.step(distance)
            elif distance < 0:
                debugger.back(-distance)
        if not debugger.at_end:
            debugger.run()
        assert plain.train_step(feeds, other) == debugger.cost
        assert bits(plain.store.data) == bits(model.store.data)
        assert generator_of(plain) == generator_of(model)


def test_going_to_the_start_restores_states_generator_parameters_and_optimizer():
    model = branchy()
    optimizer = dn.Momentum(0.1)
    model.train_step(branchy_feeds(), optimizer)
    before = seen(model)
    running = bits(model.state["norm"]["running_mean"])
    velocity = {k: bits(v) for k, v in optimizer.state_dict().items() if k != "steps"}
    debugger = dn.Debugger(model, branchy_feeds(seed=2), optimizer)
    debugger.run()
    assert bits(model.state["norm"]["running_mean"]) != running
    assert optimizer.steps == 2
    debugger.back(debugger.position)
    assert debugger.position == 0
    assert optimizer.steps == 1
    assert {k: bits(v) for k, v in optimizer.state_dict().items() if k != "steps"} == velocity
    kept = ("data", "generator", "state norm.running_mean", "state norm.running_var")
    now = seen(model)
    assert {k: now[k] for k in kept} == {k: before[k] for k in kept}


def test_walking_back_takes_no_copies_of_values():
    """Moments hold states and the generator only, and only where a step moves them."""
    model = branchy()
    debugger = dn.Debugger(model, branchy_feeds(m=700))
    debugger.step(len(debugger.session.plan.steps))
    moments = debugger.session._walk._moments
    names = {debugger.session.plan.steps[p].name for p in moments}
    assert names == {"drop", "norm"}
    assert sum(a.nbytes for m in moments.values() for a in m.states.values()) == 2 * 5 * 8


# Changing values.


def settable(model, debugger):
    """Return the values that can be set in a run, as (node, what)."""
    plan = debugger.session.plan
    found = [(name, "output") for name in model.graph]
    found += [(name, "grad_output") for name in plan.backward_positions]
    for name, keys in model.keys.items():
        found += [(name, f"params.{local}") for local in keys]
        if name in plan.backward_positions:
            found += [(name, f"grad_params.{local}") for local in keys]
    return found


def shape_of(model, name, what, m):
    if what.startswith(("params.", "grad_params.")):
        return model.params[model.keys[name][what.split(".")[1]][0]][what.split(".")[1]].shape
    return tuple(m if axis == "m" else axis for axis in model.shapes[name])


@fewer
@given(networks(), st.data())
def test_set_and_recompute_is_a_whole_run_with_the_same_values_set(network, data):
    """At any position, any value; the reference sets it before the first step and runs once."""
    model, other = twin(network)
    feeds = network.feeds(5)
    debugger = dn.Debugger(model, feeds)
    changes = data.draw(
        st.lists(st.sampled_from(settable(model, debugger)), min_size=1, max_size=3, unique=True)
    )
    rng = np.random.default_rng(7)
    arrays = [(n, w, rng.standard_normal(shape_of(model, n, w, 5))) for n, w in changes]
    total = len(debugger.session.plan.steps) + 1
    position = data.draw(st.integers(0, total))
    if position:
        debugger.step(position)
    for name, what, array in arrays:
        debugger.set(name, what, array)
    debugger.recompute()
    half_way = seen(model)
    last = debugger.session.last

    reference = dn.Debugger(other, feeds)
    for name, what, array in arrays:
        reference.set(name, what, array)
    while reference.session.last != last:
        reference.step()
    assert half_way == seen(other)
    for each in (debugger, reference):
        if not each.at_end:
            each.run()
    assert seen(model) == seen(other)


@fewer
@given(networks(), st.data())
def test_a_run_with_overrides_is_one_set_in_a_debugger(network, data):
    model, other = twin(network)
    feeds = network.feeds(5)
    debugger = dn.Debugger(model, feeds)
    name, what = data.draw(st.sampled_from(settable(model, debugger)))
    array = np.random.default_rng(7).standard_normal(shape_of(model, name, what, 5))
    debugger.set(name, what, array)
    debugger.step(len(debugger.session.plan.steps))
    before = bits(other.store.data)
    J = other.run(feeds, {name: {what: array}})
    assert np.array_equal(debugger.cost, J, equal_nan=True)
    assert bits(other.store.data) == before
    skip = ("data",)
    mine, theirs = seen(model), seen(other)
    assert {k: v for k, v in mine.items() if k not in skip} == {
        k: v for k, v in theirs.items() if k not in skip
    }


def test_what_runs_again_is_what_networkx_calls_the_descendants():
    import networkx as nx

    model = branchy()
    for name in ("relu1", "tanh", "skip", "guess", "logit"):
        debugger = dn.Debugger(model, branchy_feeds())
        debugger.step(len(debugger.session.plan.steps))
        debugger.set(name, "output", np.zeros_like(model.cache[name].output))
        cone = debugger.recompute()
        lowered = debugger.session.plan.graph.nx  # in which the losses may read logits
        assert set(cone.forward) == nx.descendants(lowered, name)
        assert cone == model.cone(name)


def test_the_executed_steps_are_those_of_the_cone(monkeypatch):
    """Counted where the ops run, not where the cone is worked out."""
    ran = []
    for op in (dn.Linear, dn.ReLU, dn.Sigmoid, dn.BinaryCrossEntropyWithLogits):
        for phase in ("forward", "backward"):
            original = getattr(op, phase)

            def spy(self, f, original=original, phase=phase):
                ran.append((phase, f.name))
                original(self, f)

            monkeypatch.setattr(op, phase, spy)
    model = dn.mlp([5, 7, 3, 1], seed=1)
    debugger = dn.Debugger(model, {"X": np.ones((5, 4)), "Y": np.ones((1, 4))})
    debugger.step(len(debugger.session.plan.steps))
    assert len(ran) == 13
    ran.clear()
    debugger.set("linear2", "output", np.ones((3, 4)))
    debugger.recompute()
    forward = ["relu2", "linear3", "sigmoid3", "cost"]
    backward = ["cost", "linear3", "relu2", "linear2", "relu1", "linear1"]
    assert ran == [("forward", n) for n in forward] + [("backward", n) for n in backward]
    ran.clear()
    debugger.set("relu2", "grad_output", np.ones((3, 4)))
    debugger.recompute()
    assert ran == [("backward", n) for n in ("relu2", "linear2", "relu1", "linear1")]
    ran.clear()
    debugger.set("linear2", "grad_params.W", np.ones((3, 7)))
    debugger.recompute()
    assert ran == []


def test_a_dropout_that_runs_again_draws_the_same_mask():
    model = branchy()
    debugger = dn.Debugger(model, branchy_feeds())
    debugger.run_to("skip")
    mask, generator = model.cache["drop"].saved["mask"].copy(), generator_of(model)
    debugger.set("relu1", "output", np.ones((5, 7)))
    assert debugger.recompute().forward == ("drop", "shared_2", "tanh", "skip")
    assert np.array_equal(model.cache["drop"].saved["mask"], mask)
    assert np.array_equal(model.cache["drop"].output, mask / 0.7)
    assert generator_of(model) == generator


def test_a_function_sees_the_computed_array_each_time_it_is_computed():
    model = dn.mlp([5, 3, 1], seed=1)
    debugger = dn.Debugger(model, {"X": np.ones((5, 4)), "Y": np.ones((1, 4))})
    debugger.run_to("relu1")
    computed = model.cache["relu1"].output.copy()
    debugger.set("relu1", "output", lambda A: A * 2)
    assert np.array_equal(model.cache["relu1"].output, computed * 2)
    debugger.set("linear1", "output", np.full((3, 4), 5.0))
    debugger.recompute()
    assert np.array_equal(model.cache["relu1"].output, np.full((3, 4), 10.0))
    debugger.set("linear2", "output", np.zeros((1, 4)))
    debugger.recompute()
    assert np.array_equal(model.cache["relu1"].output, np.full((3, 4), 10.0))


def test_setting_a_probability_makes_the_loss_read_it():
    """The loss skips the sigmoid for its logits; not where the user has set the sigmoid."""
    model = dn.mlp([5, 3, 1], seed=1)
    feeds = {"X": np.ones((5, 4)), "Y": np.array([[0.0, 1.0, 1.0, 0.0]])}
    A = np.array([[0.5, 0.25, 0.5, 0.125]])
    by_hand = -np.mean(np.log([0.5, 0.25, 0.5, 0.875]))
    assert np.isclose(model.run(feeds, {"sigmoid2": A}), by_hand, rtol=1e-15)
    debugger = dn.Debugger(model, feeds)
    debugger.run()
    debugger.set("sigmoid2", "output", A)
    debugger.recompute()
    assert np.isclose(debugger.cost, by_hand, rtol=1e-15)
    assert debugger.at_end
    dZ = model.cache["linear2"].grad_output
    assert np.allclose(dZ, (A - feeds["Y"]) / 4, rtol=1e-14)
    debugger.restart()
    debugger.run_to("cost")
    unset = debugger.cost
    assert unset == model.forward(feeds)
