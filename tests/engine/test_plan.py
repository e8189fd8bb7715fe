"""The plan: orders, lifetimes and sharing, shown by overwriting all memory that is not in use."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from engine_helpers import bits
from hypothesis import given
from hypothesis import strategies as st
from random_networks import networks, random_dags

import dagnet as dn
from dagnet import passes
from dagnet.memory import padded
from dagnet.node import is_scaled, resolve
from dagnet.parameters import ParameterStore
from dagnet.plan import ALIGNMENT, ParamTarget, Target
from dagnet.planner import make_plan
from dagnet.scheduler import Scheduler

keeps = st.sampled_from(["needed", "all"])


def lowered(network):
    return passes.fuse_logits(network.graph())


def chain(layers, width=5):
    x, y = dn.Input(width, name="x"), dn.Input(width, name="y")
    a = x
    for _ in range(layers):
        a = dn.Tanh()(dn.Linear(width)(a))
    return dn.Graph.from_nodes([dn.MeanSquaredError(name="cost")(a, y)], [a])


def span(plan, key, m):
    """Return the arena and the bytes that a buffer takes there."""
    buffer = plan.buffers[key]
    size = int(np.prod(resolve(buffer.shape, m))) * np.dtype(buffer.dtype).itemsize
    start = buffer.offset * (padded(m) if buffer.scaled else 1)
    return buffer.scaled, start, start + size


def overlap(a, b):
    return a[0] == b[0] and a[1] < b[2] and b[1] < a[2]


def may_share(plan, old, new):
    """Whether an op that computes in place may write `new` over `old`, which it reads last."""
    position = plan.buffers[new].birth
    step = plan.steps[position] if position < len(plan.steps) else None
    if step is None or plan.buffers[old].death != position:
        return False
    v = plan.graph.vertices[step.name]
    if not v.op.in_place:
        return False
    if step.phase == "forward":
        return old == ("output", v.inputs[0]) and new == ("output", v.name)
    return old == ("grad", v.name) and step.targets[0] and new == step.targets[0].buffer


# Orders.


@random_dags
@given(networks(), keeps)
def test_backward_is_exactly_the_reverse_of_forward(network, keep):
    graph = lowered(network)
    plan = make_plan(graph, keep=keep)
    forward = [step.name for step in plan.forward]
    backward = [step.name for step in plan.backward]
    assert forward == [name for name in graph if not graph[name].is_input]
    assert backward == [name for name in reversed(forward) if name in set(backward)]
    assert {step.phase for step in plan.forward} == {"forward"}
    assert {step.phase for step in plan.backward} == {"backward"}
    assert all(name in backward for name in graph.losses)


@random_dags
@given(networks())
def test_both_ways_of_keeping_have_the_same_steps(network):
    graph = lowered(network)
    needed, everything = make_plan(graph, "needed"), make_plan(graph, "all")
    assert [s[:2] for s in needed.steps] == [s[:2] for s in everything.steps]
    assert needed.seeds == everything.seeds
    assert needed.params == everything.params


def test_a_forward_plan_has_no_backward_steps_and_no_gradients():
    plan = make_plan(chain(3), backward=False)
    assert plan.backward == ()
    assert not plan.seeds
    assert {key[0] for key in plan.buffers} <= {"output", "work"}


# Lifetimes.


@random_dags
@given(networks(), keeps, st.sampled_from([1, 3, 65]))
def test_no_two_live_values_share_a_byte(network, keep, m):
    """Save where an op computes in place: there the old value is read for the last time."""
    plan = make_plan(lowered(network), keep=keep, wrt=["x"] if "x" in network.graph() else [])
    keys = list(plan.buffers)
    for i, a in enumerate(keys):
        for b in keys[:i]:
            first, second = sorted((a, b), key=lambda k: plan.buffers[k].birth)
            together = plan.buffers[second].birth <= plan.buffers[first].death
            if together and overlap(span(plan, a, m), span(plan, b, m)):
                assert may_share(plan, first, second), (first, second)


@random_dags
@given(networks(), keeps, st.sampled_from([1, 3, 65]))
def test_every_buffer_lies_aligned_inside_its_arena(network, keep, m):
    plan = make_plan(lowered(network), keep=keep)
    for key, buffer in plan.buffers.items():
        scaled, start, stop = span(plan, key, m)
        assert scaled == is_scaled(buffer.shape)
        assert start >= 0
        assert stop <= (plan.scaled_size * padded(m) if scaled else plan.fixed_size)
        assert start % (8 if scaled and m < 64 else ALIGNMENT) == 0
    assert plan.nbytes(m) == plan.scaled_size * m + plan.fixed_size


class Trial:
    """A plan with fresh parameters, states and random numbers, run step by step."""

    def __init__(self, graph, plan, feeds, m):
        shapes = passes.infer_shapes(graph)
        self.store = ParameterStore(passes.collect_parameters(graph, shapes), "float64")
        rng = np.random.default_rng(4)
        self.store.initialize(0.5, rng)
        self.states = {
            key: np.full(state.shape, state.fill)
            for key, state in passes.collect_states(graph, shapes).items()
        }
        self.plan = plan
        scheduler = Scheduler(plan, self.store, self.states, rng)
        self.binding = scheduler.bind(m)
        self.binding.feed(feeds)

    def run(self, poison=False):
        with np.errstate(all="ignore"):
            for position, (_, calls) in enumerate([*self.binding.forward, *self.binding.backward]):
                if position == self.plan.n_forward:
                    for call in self.binding.seeding:
                        call()
                if poison:
                    self.poison(position)
                for call in calls:
                    call()
            if poison:
                self.poison(len(self.plan.steps))
        return self

    def poison(self, position):
        """Fill every byte with 255, a NaN, that no live value holds before this step."""
        seeds = {("grad", name) for name, _ in self.plan.seeds}
        buffers = self.plan.buffers.items()
        live = [
            self.binding.arrays[key]
            for key, b in buffers
            if b.birth < position <= b.death or (key in seeds and b.birth == position)
        ]
        kept = [array.copy() for array in live]
        for array in self.binding.arrays.values():
            array.reshape(-1).view(np.uint8).fill(255)
        for array, copy in zip(live, kept, strict=True):
            array[...] = copy

    def results(self):
        graph = self.plan.graph
        asked = {*graph.losses, *graph.outputs}
        frames = self.binding.frames
        outputs = {n: bits(frames[n].output) for n in asked}
        states = {key: bits(array) for key, array in self.states.items()}
        survivors = {
            key: bits(array)
            for key, array in self.binding.arrays.items()
            if self.plan.survives(key)
        }
        return self.binding.cost, outputs, bits(self.store.grad), states, survivors


@random_dags
@given(networks(), keeps)
def test_memory_that_the_plan_says_is_free_may_hold_anything(network, keep):
    graph = lowered(network)
    plan = make_plan(graph, keep=keep)
    feeds = network.feeds(m=5)
    plain = Trial(graph, plan, feeds, 5).run().results()
    poisoned = Trial(graph, plan, feeds, 5).run(poison=True).results()
    assert np.isfinite(plain[0])
    assert poisoned == plain


@random_dags
@given(networks())
def test_all_values_and_gradients_survive_if_all_are_kept(network):
    plan = make_plan(lowered(network), keep="all")
    for key in plan.buffers:
        if key[0] in ("output", "grad", "part"):
            assert plan.survives(key), key
    for name, v in plan.graph.vertices.items():
        shapes = [passes.infer_shapes(plan.graph)[n] for n in v.inputs]
        for work, declared in v.op.workspace(*shapes).items():
            if declared.life == "saved":
                assert plan.survives(("work", name, work))


@random_dags
@given(networks())
def test_keeping_what_is_needed_never_takes_more_memory(network):
    graph = lowered(network)
    assert make_plan(graph, "needed").nbytes(100) <= make_plan(graph, "all").nbytes(100)


def test_memory_is_reused():
    """Forward alone, a chain of any length needs two values; trained, about half of "all"."""
    short, long = (make_plan(chain(n), backward=False) for n in (3, 300))
    assert short.scaled_size == long.scaled_size
    trained = make_plan(chain(300), "needed").scaled_size
    assert trained < 0.6 * make_plan(chain(300), "all").scaled_size


def least(plan, scaled):
    """Return the most bytes that hold a value at one position, each byte counted once."""
    spans = [
        (span(plan, key, 1)[1:], buffer.birth, buffer.death)
        for key, buffer in plan.buffers.items()
        if buffer.scaled == scaled
    ]
    unit = 8 if scaled else ALIGNMENT
    most = 0
    for position in range(len(plan.steps) + 1):
        total = end = 0
        for start, stop in sorted(s for s, birth, death in spans if birth <= position <= death):
            stop = -(-stop // unit) * unit
            total += max(0, stop - max(start, end))
            end = max(end, stop)
        most = max(most, total)
    return most


def check_memory(plan):
    """The arenas are at most 15 % larger than what must be held at one position."""
    for size, scaled in ((plan.scaled_size, True), (plan.fixed_size, False)):
        assert least(plan, scaled) <= size <= 1.15 * least(plan, scaled)


@random_dags
@given(networks(), keeps, st.booleans())
def test_memory_is_close_to_the_least_that_the_lifetimes_allow(network, keep, backward):
    check_memory(make_plan(lowered(network), keep, backward=backward))


def two_branches():
    x, y = dn.Input(5, name="x"), dn.Input(7, name="y")
    left = dn.ReLU()(dn.Linear(200)(x))
    right = dn.Tanh()(dn.Linear(30)(dn.Tanh()(dn.Linear(300)(x))))
    joined = dn.Concat()(left, right)
    return dn.Graph.from_nodes([dn.MeanSquaredError()(dn.Linear(7)(joined), y)])


def residual():
    x, y = dn.Input(5, name="x"), dn.Input(7, name="y")
    h = dn.Linear(50)(x)
    for width in (200, 30, 500):
        block = dn.Linear(50)(dn.ReLU()(dn.Linear(width)(dn.LayerNorm()(h))))
        h = dn.Add()(h, block)
    return dn.Graph.from_nodes([dn.MeanSquaredError()(dn.Linear(7)(h), y)])


@pytest.mark.parametrize("keep", ["needed", "all"])
@pytest.mark.parametrize(
    "graph",
    [
        lambda: dn.mlp([784, 512, 256, 10], output="softmax").graph,
        lambda: dn.mlp([5, 100, 3, 200, 7, 50, 1]).graph,
        lambda: dn.mlp([12288, 20, 7, 5, 1]).graph,
        two_branches,
        residual,
    ],
)
def test_common_networks_take_the_least_memory_that_the_lifetimes_allow(graph, keep):
    graph = passes.fuse_logits(graph())
    for plan in (make_plan(graph, keep), make_plan(graph, backward=False)):
        check_memory(plan)
        assert plan.scaled_size == least(plan, scaled=True)


def test_gradients_are_dropped_on_the_way():
    """Twice the depth takes twice the outputs, but no more gradients."""
    one, two = (make_plan(chain(n), "needed").scaled_size for n in (100, 200))
    per_layer = (two - one) / 100
    assert per_layer == 5 * 8, "one output per layer, computed in place, and nothing else"


def test_an_activation_writes_over_its_input_only_if_nobody_needs_that():
    x, y = dn.Input(5, name="x"), dn.Input(5, name="y")
    z = dn.Linear(5, name="z")(x)
    a = dn.ReLU(name="a")(z)
    alone = make_plan(dn.Graph.from_nodes([dn.MeanSquaredError()(a, y)]))
    assert alone.buffers["output", "z"].offset == alone.buffers["output", "a"].offset
    also = dn.Graph.from_nodes([dn.MeanSquaredError()(dn.Add()(a, z), y)])
    plan = make_plan(also)
    assert plan.buffers["output", "z"].offset != plan.buffers["output", "a"].offset
    asked = make_plan(dn.Graph.from_nodes([dn.MeanSquaredError()(a, y)], [z]))
    assert asked.buffers["output", "z"].offset != asked.buffers["output", "a"].offset


# Sums of gradients.


def test_the_first_contribution_is_written_in_place_and_later_ones_are_added():
    """h is read by add twice and by tanh; backward comes to tanh first or last, then to add."""
    x, y = dn.Input(5, name="x"), dn.Input(5, name="y")
    h = dn.Linear(5, name="h")(x)
    node = dn.Add(name="sum")(dn.Tanh(name="tanh")(dn.Add(name="add")(h, h)), h)
    plan = make_plan(dn.Graph.from_nodes([dn.MeanSquaredError(name="cost")(node, y)]))
    assert plan.backward_steps["sum"].targets[1] == Target(("grad", "h"), first=True)
    assert plan.backward_steps["add"].targets == (
        Target(("part", "add", 0), ("grad", "h"), first=False),
        Target(("part", "add", 1), ("grad", "h"), first=False),
    )
    everything = make_plan(plan.graph, "all")
    assert everything.backward_steps["sum"].targets[1] == Target(
        ("part", "sum", 1), ("grad", "h"), first=True
    )


def test_an_input_gets_a_gradient_only_if_asked():
    graph = chain(2)
    plan = make_plan(graph)
    assert plan.backward_steps["linear1"].targets == (None,)
    assert ("grad", "x") not in plan.buffers
    asked = make_plan(graph, wrt=["x"])
    assert asked.backward_steps["linear1"].targets == (Target(("grad", "x")),)
    assert asked.survives(("grad", "x"))


def test_labels_get_no_gradient():
    plan = make_plan(passes.fuse_logits(dn.mlp([5, 3, 1]).graph), "all")
    assert plan.backward_steps["cost"].targets[1] is None


def test_a_shared_parameter_is_written_once_then_added_to():
    shared = dn.Linear(5, name="shared")
    x, y = dn.Input(5, name="x"), dn.Input(5, name="y")
    cost = dn.MeanSquaredError()(shared(dn.Tanh()(shared(x))), y)
    plan = make_plan(dn.Graph.from_nodes([cost]))
    assert plan.backward_steps["shared_2"].params == (
        ParamTarget("W", ("shared", "W")),
        ParamTarget("b", ("shared", "b")),
    )
    assert plan.backward_steps["shared"].params == (
        ParamTarget("W", ("shared", "W"), ("param_part", "shared", "W")),
        ParamTarget("b", ("shared", "b"), ("param_part", "shared", "b")),
    )


def test_where_all_is_kept_every_share_in_a_parameter_s_gradient_survives():
    shared = dn.Linear(5, name="shared", bias=False)
    x, y = dn.Input(5, name="x"), dn.Input(5, name="y")
    cost = dn.MeanSquaredError()(dn.Linear(5, name="own")(shared(shared(x))), y)
    plan = make_plan(dn.Graph.from_nodes([cost]), "all")
    later, earlier = (plan.backward_steps[n].params for n in ("shared_2", "shared"))
    assert later == (ParamTarget("W", ("shared", "W"), ("param_part", "shared_2", "W"), True),)
    assert earlier == (ParamTarget("W", ("shared", "W"), ("param_part", "shared", "W")),)
    assert plan.backward_steps["own"].params[0].part is None
    for part in (later[0].part, earlier[0].part):
        assert plan.survives(part)


def test_a_loss_that_feeds_further_nodes_starts_at_one_and_is_added_to():
    x, y = dn.Input(5, name="x"), dn.Input(5, name="y")
    loss = dn.MeanSquaredError(name="loss")(dn.Linear(5)(x), y)
    further = dn.Tanh(name="further")(loss)
    plan = make_plan(dn.Graph.from_nodes([loss, further]))
    assert dict(plan.seeds) == {"loss": True, "further": False}
    assert plan.backward_steps["further"].targets[0].total == ("grad", "loss")
    assert not plan.backward_steps["further"].targets[0].first


# Frozen data.


def test_a_plan_cannot_be_changed():
    plan = make_plan(chain(2))
    with pytest.raises(FrozenInstanceError):
        plan.keep = "all"
    with pytest.raises(AttributeError):
        plan.steps[0].name = "other"
    with pytest.raises(AttributeError):
        plan.buffers["output", "linear1"].offset = 8


def test_planning_twice_gives_the_same_plan():
    one, two = (make_plan(chain(3), "needed", dtype="float32") for _ in range(2))
    assert one.steps == two.steps
    assert one.buffers == two.buffers
    assert {b.dtype for b in one.buffers.values()} == {"float32"}
