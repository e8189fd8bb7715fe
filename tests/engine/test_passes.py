"""The passes: shapes, verification, pruning, fusion, prediction, penalties, gradients' paths."""

import numpy as np
import pytest
from engine_helpers import bits, here
from hypothesis import given
from random_networks import networks, random_dags

import dagnet as dn
from dagnet import passes
from dagnet.errors import ArgumentError, ArgumentTypeError, GraphError, ShapeError
from dagnet.graph import Vertex
from dagnet.node import Source, resolve
from dagnet.ops.input import Placeholder

X = Vertex("x", Placeholder((5, "m")), source=Source("net.py", 1))
Y = Vertex("y", Placeholder((3, "m")), source=Source("net.py", 2))
LINEAR = Vertex("linear", dn.Linear(3), ("x",), source=Source("net.py", 3))
COST = Vertex("cost", dn.MeanSquaredError(), ("linear", "y"), source=Source("net.py", 4))


def verify(graph):
    shapes = passes.infer_shapes(graph)
    passes.verify(graph, shapes, passes.collect_parameters(graph, shapes))


def two_heads():
    """x -> trunk -> {binary: sigmoid -> cost1, number: linear -> cost2}; the trunk is shared."""
    x, y, r = dn.Input(5, name="x"), dn.Input(3, name="y"), dn.Input(7, name="r")
    trunk = dn.Tanh(name="trunk")(dn.Linear(5)(x))
    a = dn.Sigmoid(name="a")(dn.Linear(3, name="logits")(trunk))
    cost1 = dn.BinaryCrossEntropy(name="cost1", weight=0.7)(a, y)
    cost2 = dn.MeanSquaredError(name="cost2")(dn.Linear(7, name="number")(trunk), r)
    return dn.Graph.from_nodes([cost1, cost2], [a])


# Shape inference.


@random_dags
@given(networks())
def test_inferred_shapes_are_those_of_the_nodes_and_of_a_run(network):
    model = network.model()
    shapes = passes.infer_shapes(network.graph())
    for node, name in network.graph().names.items():
        assert shapes[name] == node.shape
    m = 3
    model.forward(network.feeds(m))
    for name in model.graph:
        assert model.cache[name].output.shape == resolve(shapes[name], m)


def test_shapes_of_a_hand_made_graph_that_do_not_fit():
    graph = dn.Graph([X, Y, Vertex("add", dn.Add(), ("x", "y"), source=Source("net.py", 9))])
    with pytest.raises(ShapeError, match=r"add \(net.py:9\): .*\(axis 0: 5 against 3\)"):
        passes.infer_shapes(graph)


class Asked(dn.ops.ReLU):
    """A ReLU that counts how often its shape is asked for."""

    def output_shape(self, *inputs):
        TIMES.append(self.name)
        return super().output_shape(*inputs)


TIMES = []


def test_a_graph_s_shapes_are_inferred_once_and_anew_when_vertices_change():
    graph = dn.Graph([X, Vertex("a", Asked(name="a"), ("x",))], outputs=["a"])
    TIMES.clear()
    assert passes.infer_shapes(graph) == passes.infer_shapes(graph)
    passes.infer_shapes(passes.annotate(graph).replace(outputs=["x"]))
    assert TIMES == ["a"]
    wide = Vertex("x", Placeholder((7, "m")))
    changed = graph.replace(vertices=[wide, graph["a"]])
    assert passes.infer_shapes(changed)["a"] == (7, "m")
    assert passes.infer_shapes(graph)["a"] == (5, "m")


def test_who_changes_the_shapes_that_came_changes_no_others():
    graph = two_heads()
    passes.infer_shapes(graph).clear()
    assert list(passes.infer_shapes(graph)) == list(graph)


def test_a_graph_that_was_pickled_before_passes_kept_what_they_find():
    graph = two_heads()
    old = dn.Graph.__new__(dn.Graph)
    for name in ("vertices", "losses", "outputs", "names", "attributes"):
        setattr(old, name, getattr(graph, name))
    assert passes.infer_shapes(old) == passes.infer_shapes(graph)


def test_other_ends_depend_on_other_nodes_and_other_facts_are_drawn():
    graph = two_heads()
    assert "cost2" in graph.behind_losses
    assert graph.data_inputs == ("x",)
    assert "shape" not in graph.nx.nodes["x"]
    other = graph.replace(losses=["cost1"], outputs=[], attributes={"shape": {"x": (5, "m")}})
    assert other.behind_losses == graph.ancestors(["cost1"])
    assert other.data_inputs == ()
    assert other.nx.nodes["x"]["shape"] == (5, "m")


def test_a_shared_op_needs_parameters_of_one_shape():
    op = dn.Linear(3, name="shared")
    x, u = dn.Input(5, name="x"), dn.Input(7, name="u")
    first, second = op(x), op(u)
    graph = dn.Graph.from_nodes(outputs=[dn.Add()(first, second)])
    with pytest.raises(ShapeError) as error:
        passes.collect_parameters(graph, passes.infer_shapes(graph))
    message = str(error.value)
    assert message.startswith(f"shared_2 ({here(-5)})")
    assert "(3, 5)" in message
    assert "(3, 7)" in message


# Parameters and states.


def test_parameters_come_once_in_definition_order_under_the_first_use():
    shared = dn.Linear(5, name="shared")
    x = dn.Input(5, name="x")
    node = dn.BatchNorm(name="bn")(shared(dn.Linear(5, name="last")(shared(x))))
    graph = dn.Graph.from_nodes(outputs=[node])
    shapes = passes.infer_shapes(graph)
    assert list(passes.collect_parameters(graph, shapes)) == [
        ("shared", "W"),
        ("shared", "b"),
        ("last", "W"),
        ("last", "b"),
        ("bn", "gamma"),
        ("bn", "beta"),
    ]
    assert list(passes.collect_states(graph, shapes)) == [
        ("bn", "running_mean"),
        ("bn", "running_var"),
    ]
    assert passes.parameter_keys(graph["shared_2"], shapes) == {
        "W": ("shared", "W"),
        "b": ("shared", "b"),
    }


# Verification.


def test_a_sound_graph_passes():
    verify(two_heads())


@random_dags
@given(networks())
def test_random_networks_are_sound(network):
    verify(network.graph())


def test_an_unused_input():
    extra = Vertex("extra", Placeholder((3, "m")), source=Source("net.py", 7))
    graph = dn.Graph([X, Y, LINEAR, COST, extra], losses=["cost"])
    with pytest.raises(GraphError, match=r"extra \(net.py:7\): this input is never used"):
        verify(graph)


def test_an_unused_input_given_to_a_model():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    extra = dn.Input(3, name="extra")
    line = here(-1)
    cost = dn.MeanSquaredError()(dn.Linear(3)(x), y)
    dn.Model(cost, inputs=[x, y])
    with pytest.raises(GraphError, match="input is never used") as error:
        dn.Model(cost, inputs=[x, y, extra])
    assert "extra" in str(error.value)
    assert line in str(error.value)


def test_a_loss_on_no_path():
    stray = Vertex("stray", dn.MeanSquaredError(), ("linear", "y"), source=Source("net.py", 7))
    graph = dn.Graph([X, Y, LINEAR, COST, stray], losses=["cost"])
    with pytest.raises(GraphError, match=r"stray \(net.py:7\): this loss is on no path"):
        verify(graph)


def test_a_node_on_no_path():
    stray = Vertex("stray", dn.ReLU(), ("x",), source=Source("net.py", 7))
    graph = dn.Graph([X, Y, LINEAR, COST, stray], losses=["cost"])
    with pytest.raises(GraphError, match=r"stray \(net.py:7\): this node is never used"):
        verify(graph)


def test_a_cost_that_is_not_one_number():
    x = dn.Input(5, name="x")
    node = dn.Linear(3, name="scores")(x)
    with pytest.raises(ShapeError, match=r"one number.*\(3, m\).*MeanSquaredError") as error:
        dn.Model(node)
    assert str(error.value).startswith(f"scores ({here(-3)})")


def test_a_loss_that_depends_on_no_parameter():
    x, y = dn.Input(3, name="x"), dn.Input(3, name="y")
    cost = dn.MeanSquaredError(name="cost")(dn.Tanh()(x), y)
    with pytest.raises(GraphError, match="depends on no parameter") as error:
        dn.Model(cost)
    assert str(error.value).startswith(f"cost ({here(-3)})")


def test_an_output_that_reaches_no_loss():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    hidden = dn.Tanh()(dn.Linear(5)(x))
    cost = dn.MeanSquaredError()(dn.Linear(3)(hidden), y)
    stray = dn.Linear(7, name="stray")(hidden)
    with pytest.raises(GraphError, match="output reaches no loss") as error:
        dn.Model(cost, outputs=[stray])
    assert str(error.value).startswith(f"stray ({here(-3)})")


def test_an_output_without_parameters_of_its_own_is_fine():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    logits = dn.Linear(3)(x)
    model = dn.Model(dn.MeanSquaredError()(logits, y), outputs=[dn.Softmax(name="p")(logits)])
    np.testing.assert_allclose(model.predict(np.ones((5, 7))).sum(axis=0), 1, rtol=1e-15)


def test_labels_that_depend_on_parameters():
    x = dn.Input(5, name="x")
    a = dn.Sigmoid()(dn.Linear(3)(x))
    b = dn.Sigmoid(name="b")(dn.Linear(3)(x))
    cost = dn.BinaryCrossEntropy(name="cost")(a, b)
    with pytest.raises(GraphError, match="input 1 of BinaryCrossEntropy gets no gradient") as error:
        dn.Model(cost)
    assert str(error.value).startswith(f"cost ({here(-3)})")
    assert f"b ({here(-5)})" in str(error.value)


def test_verification_happens_when_a_model_is_built_from_a_graph():
    stray = Vertex("stray", dn.ReLU(), ("x",))
    with pytest.raises(GraphError, match="never used"):
        dn.Model.from_graph(dn.Graph([X, Y, LINEAR, COST, stray], losses=["cost"]))


# Pruning.


def test_pruning_keeps_the_ancestors_in_their_order():
    graph = passes.annotate(two_heads())
    pruned = passes.prune(graph, ["cost2"], [])
    assert list(pruned) == ["x", "r", "linear1", "trunk", "number", "cost2"]
    assert pruned.losses == ("cost2",)
    assert pruned.outputs == ()
    assert pruned.nx.nodes["number"]["shape"] == (7, "m")
    assert list(graph) == list(two_heads()), "the graph itself has changed"


def test_where_all_is_needed_pruning_changes_the_ends_alone():
    graph = passes.annotate(two_heads())
    pruned = passes.prune(graph, ["cost1", "cost2"], [])
    assert pruned.vertices is graph.vertices
    assert (pruned.losses, pruned.outputs) == (("cost1", "cost2"), ())
    assert pruned.attributes == graph.attributes
    assert graph.outputs == ("a",)


def test_pruned_nodes_are_not_in_the_graph():
    graph = two_heads()
    nodes = {name: node for node, name in graph.names.items()}
    pruned = passes.prune(graph, ["cost2"], [])
    assert nodes["number"] in pruned
    assert nodes["a"] not in pruned


def test_pruning_a_first_use_keeps_its_owner_s_name():
    shared = dn.Linear(5, name="shared")
    x, u = dn.Input(5, name="x"), dn.Input(5, name="u")
    first, second = shared(x), shared(u)
    graph = dn.Graph.from_nodes(outputs=[first, second])
    pruned = passes.prune(graph, [], ["shared_2"])
    assert list(pruned) == ["u", "shared_2"]
    assert pruned["shared_2"].owner == "shared"


@random_dags
@given(networks())
def test_pruning_to_everything_asked_for_changes_nothing(network):
    graph = network.graph()
    assert passes.prune(graph, graph.losses, graph.outputs).vertices == graph.vertices


# Fusion.


def test_both_kinds_of_loss_are_fused_and_both_nodes_stay_visible():
    x, y, t = dn.Input(5, name="x"), dn.Input(3, name="y"), dn.Input(3, name="t")
    a = dn.Sigmoid(name="a")(dn.Linear(3, name="z1")(x))
    p = dn.Softmax(name="p")(dn.Linear(3, name="z2")(x))
    graph = dn.Graph.from_nodes(
        [
            dn.BinaryCrossEntropy(name="c1", weight=0.3)(a, y),
            dn.CategoricalCrossEntropy(name="c2", weight=0.7)(p, t),
        ]
    )
    lowered = passes.fuse_logits(graph)
    assert set(lowered) == set(graph)
    assert lowered["c1"].inputs == ("z1", "y")
    assert lowered["c2"].inputs == ("z2", "t")
    assert isinstance(lowered["c1"].op, dn.BinaryCrossEntropyWithLogits)
    assert isinstance(lowered["c2"].op, dn.CategoricalCrossEntropyWithLogits)
    assert (lowered["c1"].op.weight, lowered["c2"].op.weight) == (0.3, 0.7)
    assert passes.fused_activations(graph, lowered) == {"c1": "a", "c2": "p"}
    assert graph["c1"].inputs == ("a", "y")
    assert lowered["c1"].source == graph["c1"].source


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        (dn.Softmax, dn.BinaryCrossEntropy),
        (dn.Sigmoid, dn.CategoricalCrossEntropy),
        (dn.Sigmoid, dn.MeanSquaredError),
        (dn.Tanh, dn.BinaryCrossEntropy),
    ],
)
def test_other_pairs_are_left_alone(activation, loss):
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    graph = dn.Graph.from_nodes([loss()(activation()(dn.Linear(3)(x)), y)])
    lowered = passes.fuse_logits(graph)
    assert lowered.vertices == graph.vertices
    assert passes.fused_activations(graph, lowered) == {}


def test_a_softmax_over_another_axis_is_left_alone():
    x, t = dn.Input(3, 5, name="x"), dn.Input(3, 5, name="t")
    cost = dn.CategoricalCrossEntropy(name="cost")(dn.Softmax(axis=1)(x), t)
    graph = dn.Graph.from_nodes([cost])
    assert passes.fuse_logits(graph)["cost"].inputs == graph["cost"].inputs


def test_sigmoid_labels_are_not_taken_for_logits():
    x, y = dn.Input(3, name="x"), dn.Input(3, name="y")
    cost = dn.BinaryCrossEntropy(name="cost")(x, dn.Sigmoid()(y))
    graph = dn.Graph.from_nodes([cost])
    assert passes.fuse_logits(graph).vertices == graph.vertices


def test_fusion_means_the_same():
    """At logits where the plain formulas are exact too, J and all gradients agree."""
    rng = np.random.default_rng(0)
    feeds = {
        "x": rng.standard_normal((5, 7)),
        "y": rng.integers(0, 2, (3, 7)).astype(float),
        "t": np.eye(3)[:, rng.integers(0, 3, 7)],
    }
    models = []
    for between in (lambda z: z, dn.Identity()):
        x, y, t = dn.Input(5, name="x"), dn.Input(3, name="y"), dn.Input(3, name="t")
        a = between(dn.Sigmoid()(dn.Linear(3)(x)))
        p = between(dn.Softmax()(dn.Linear(3)(x)))
        losses = [dn.BinaryCrossEntropy(weight=0.3)(a, y), dn.CategoricalCrossEntropy()(p, t)]
        models.append(dn.Model(losses, seed=1))
    fused, plain = models
    assert passes.fused_activations(plain.graph, passes.fuse_logits(plain.graph)) == {}
    assert fused.forward(feeds) == pytest.approx(plain.forward(feeds), rel=1e-13)
    fused.backward()
    plain.backward()
    np.testing.assert_allclose(fused.store.grad, plain.store.grad, rtol=1e-11, atol=1e-15)


# Prediction, penalties, annotations.


def test_for_prediction_replaces_ops_but_keeps_names_lines_and_parameters():
    x, y = dn.Input(5, name="x"), dn.Input(5, name="y")
    node = dn.BatchNorm(name="bn")(dn.Dropout(0.5, name="drop")(dn.Linear(5, name="l")(x)))
    graph = dn.Graph.from_nodes([dn.MeanSquaredError(name="cost")(node, y)])
    predicting = passes.for_prediction(graph)
    assert isinstance(predicting["drop"].op, dn.Identity)
    assert isinstance(predicting["bn"].op, dn.FrozenBatchNorm)
    assert predicting["l"] == graph["l"]
    for name in graph:
        assert predicting[name].source == graph[name].source
        assert predicting[name].inputs == graph[name].inputs
    shapes = passes.infer_shapes(graph)
    parameters = passes.collect_parameters(graph, shapes)
    assert list(passes.collect_parameters(predicting, shapes)) == list(parameters)


def test_branches_that_no_loss_depends_on_are_quiet():
    x, y = dn.Input(5, name="x"), dn.Input(5, name="y")
    norm = dn.BatchNorm(name="norm")
    a = norm(dn.Dropout(0.5, name="drop")(x))
    side = norm(dn.Dropout(0.5, name="side drop")(a), name="side norm")
    cost = dn.MeanSquaredError(name="cost")(a, y)
    quiet = passes.quiet_branches(dn.Graph.from_nodes([cost], [side]))
    kinds = {name: type(quiet[name].op) for name in quiet}
    assert kinds["drop"] is dn.Dropout
    assert kinds["norm"] is dn.BatchNorm
    assert kinds["side drop"] is dn.Identity
    assert kinds["side norm"] is dn.FrozenBatchNorm
    assert quiet["side norm"].owner == "norm"


def test_l2_borrows_every_weight_once_and_no_bias():
    shared = dn.Linear(5, name="shared")
    x, y = dn.Input(5, name="x"), dn.Input(5, name="y")
    node = dn.BatchNorm()(shared(dn.Linear(5, name="other")(shared(x))))
    graph = dn.Graph.from_nodes([dn.MeanSquaredError(name="cost")(node, y)])
    penalised = passes.add_l2(graph, 0.7)
    assert penalised.losses == ("cost", "l2")
    assert penalised["l2"].borrows == (("shared", "W"), ("other", "W"))
    assert penalised["l2"].op.strength == 0.7
    assert penalised["l2"].source == graph["cost"].source


def test_l2_finds_a_free_name():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="l2")
    graph = dn.Graph.from_nodes([dn.MeanSquaredError(name="cost")(dn.Linear(3)(x), y)])
    assert passes.add_l2(graph, 0.7).losses == ("cost", "l2_")


def test_l2_without_a_cost():
    node = dn.Linear(3)(dn.Input(5, name="x"))
    with pytest.raises((GraphError, ArgumentError), match="cost"):
        dn.Model([], outputs=[node], l2=0.7)


@pytest.mark.parametrize(
    ("strength", "error"),
    [(-0.1, ArgumentError), (np.nan, ArgumentError), ("x", ArgumentTypeError)],
)
def test_a_strength_that_makes_no_sense(strength, error):
    with pytest.raises(error, match="strength"):
        dn.mlp([5, 3], l2=strength)


def test_annotations_are_shapes_and_counts():
    graph = passes.annotate(two_heads())
    shapes, counts = graph.attributes["shape"], graph.attributes["parameters"]
    assert (shapes["number"], counts["number"]) == ((7, "m"), 42)
    assert (shapes["cost1"], counts["cost1"]) == ((), 0)


def test_parameters_of_an_owner_that_is_not_in_the_graph_count_for_nobody():
    graph = dn.Graph([X, Vertex("second", dn.Linear(3), ("x",), owner="first")], outputs=["second"])
    assert passes.annotate(graph).attributes["parameters"]["second"] == 0


# Whose gradient is needed.


def test_gradients_flow_only_where_they_lead_to_a_source():
    graph = two_heads()
    assert passes.needs_gradient(graph, ["number"]) == {"cost2", "number"}
    assert passes.needs_gradient(graph, ["x"]) == {
        *("x", "linear1", "trunk"),
        *("logits", "a", "cost1", "number", "cost2"),
    }


def test_no_gradient_flows_into_labels():
    assert "y" not in passes.needs_gradient(two_heads(), ["y", "x"])
    assert "r" in passes.needs_gradient(two_heads(), ["r"])


@random_dags
@given(networks())
def test_the_needed_gradients_are_on_paths_from_a_source_to_a_loss(network):
    graph = passes.fuse_logits(network.graph())
    shapes = passes.infer_shapes(graph)
    owners = {owner for owner, _ in passes.collect_parameters(graph, shapes)}
    sources = {v.name for v in graph.vertices.values() if v.owner in owners}
    needed = passes.needs_gradient(graph, sources)
    for name in needed:
        assert graph.ancestors([name]) & sources
        readers = {n for n, _ in graph.consumers[name]}
        assert name in graph.losses or readers & needed
    assert {n for n in graph.losses if graph.ancestors([n]) & sources} <= needed


def test_passes_leave_their_graph_alone():
    graph = two_heads()
    before = dict(graph.vertices), graph.losses, graph.outputs
    for lower in (
        passes.fuse_logits,
        passes.for_prediction,
        passes.annotate,
        lambda g: passes.add_l2(g, 0.1),
        lambda g: passes.prune(g, ["cost1"], []),
    ):
        lower(graph)
        assert (dict(graph.vertices), graph.losses, graph.outputs) == before


def test_building_a_model_of_the_same_nodes_twice_gives_two_independent_models():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    cost = dn.MeanSquaredError()(dn.Linear(3, name="l")(x), y)
    a, b = dn.Model(cost, seed=1), dn.Model(cost, seed=1)
    before = bits(b.params["l"]["W"])
    a.params["l"]["W"][...] = 0
    assert bits(b.params["l"]["W"]) == before
