"""The graph: compiled from nodes or made by hand, its order, names, lines, and networkx view."""

from itertools import permutations

import networkx as nx
import pytest
from engine_helpers import here
from hypothesis import given
from hypothesis import strategies as st
from random_networks import networks, random_dags

import dagnet as dn
from dagnet.errors import (
    ArgumentError,
    ArgumentTypeError,
    DagnetError,
    GraphError,
    ShapeError,
    UnknownNameError,
)
from dagnet.graph import Vertex
from dagnet.node import Node, Source
from dagnet.ops.input import Placeholder


def skip_network():
    """x -> linear1 -> relu1 -> add1 <- x, twice; then y."""
    x = dn.Input(5, name="x")
    add = dn.Add()(dn.ReLU()(dn.Linear(5)(x)), x, x)
    return x, add


# From nodes.


def test_only_what_the_targets_depend_on_is_compiled():
    x = dn.Input(5, name="x")
    hidden = dn.Linear(3)(x)
    dn.ReLU()(hidden)
    graph = dn.Graph.from_nodes(outputs=[dn.Tanh()(hidden)])
    assert list(graph) == ["x", "linear1", "tanh1"]


def test_nodes_without_a_name_are_numbered_in_definition_order():
    x = dn.Input(5)
    a, b = dn.ReLU()(x), dn.ReLU()(x)
    graph = dn.Graph.from_nodes(outputs=[dn.Add()(b, a)])
    assert graph.name_of(a) == "relu1"
    assert graph.name_of(b) == "relu2"
    assert graph["add1"].inputs == ("relu2", "relu1")


def test_numbers_leave_out_names_that_are_taken():
    x = dn.Input(5, name="relu1")
    graph = dn.Graph.from_nodes(outputs=[dn.ReLU()(x)])
    assert list(graph) == ["relu1", "relu2"]


def test_a_call_may_name_its_node():
    x = dn.Input(5, name="x")
    graph = dn.Graph.from_nodes(outputs=[dn.ReLU(name="op")(x, name="call")])
    assert list(graph) == ["x", "call"]


def test_an_op_called_twice_keeps_one_owner_and_numbers_its_uses():
    encode = dn.Linear(3, name="encode")
    x, u = dn.Input(5, name="x"), dn.Input(5, name="u")
    graph = dn.Graph.from_nodes(outputs=[dn.Add()(encode(x), encode(u))])
    assert [v.name for v in graph.vertices.values() if v.owner == "encode"] == [
        "encode",
        "encode_2",
    ]


def test_a_use_of_a_shared_op_leaves_a_name_the_user_gave_alone():
    encode = dn.Linear(3, name="encode")
    x = dn.Input(5, name="x")
    uses = encode(x), encode(x)
    graph = dn.Graph.from_nodes(outputs=[dn.Add()(*uses, dn.Linear(3, name="encode_2")(x))])
    assert graph["encode_2"].owner == "encode_2"
    assert [graph[use].owner for use in uses] == ["encode", "encode"]


def test_an_owner_is_a_use_within_the_graph():
    encode = dn.Linear(3)
    x, u = dn.Input(5, name="x"), dn.Input(5, name="u")
    encode(x)
    graph = dn.Graph.from_nodes(outputs=[encode(u)])
    assert graph["linear1"].owner == "linear1"


@random_dags
@given(networks())
def test_every_node_comes_after_its_inputs_and_ties_follow_the_definition(network):
    graph = network.graph()
    order = list(graph)
    for name in order:
        assert all(order.index(read) < order.index(name) for read in graph[name].inputs)
    serial = {graph.name_of(node): node.serial for node in graph.names}
    assert order == sorted(order, key=serial.__getitem__)


def test_a_hand_made_graph_is_put_into_one_order_whatever_is_unrelated():
    """x -> a -> c
    x -> b -> c      given with c first: a still comes before b, as it was given before b.
    """
    x = Vertex("x", Placeholder((5, "m")))
    a, b = Vertex("a", dn.ReLU(), ("x",)), Vertex("b", dn.Tanh(), ("x",))
    c = Vertex("c", dn.Add(), ("b", "a"))
    for given_order in permutations([x, a, b, c]):
        order = list(dn.Graph(given_order, outputs=["c"]))
        assert order[0] == "x"
        assert order[-1] == "c"
        assert order[1:3] == [v.name for v in given_order if v.name in "ab"]
    assert dn.Graph([c, b, a, x], outputs=["c"])["c"].inputs == ("b", "a")


@random_dags
@given(networks(), st.randoms(use_true_random=False))
def test_of_all_nodes_that_could_come_next_the_first_given_comes(network, random):
    vertices = list(network.graph().vertices.values())
    random.shuffle(vertices)
    order, waiting = [], list(vertices)
    while waiting:
        chosen = next(v for v in waiting if set(v.inputs) <= set(order))
        waiting.remove(chosen)
        order.append(chosen.name)
    assert list(dn.Graph(vertices)) == order


# networkx.


def test_one_edge_per_input_slot():
    _, add = skip_network()
    graph = dn.Graph.from_nodes(outputs=[add])
    edges = [(a, b, d["slot"]) for a, b, d in graph.nx.edges(data=True)]
    assert sorted(edges) == [
        ("linear1", "relu1", 0),
        ("relu1", "add1", 0),
        ("x", "add1", 1),
        ("x", "add1", 2),
        ("x", "linear1", 0),
    ]
    assert graph.nx.number_of_edges("x", "add1") == 2


def test_nodes_carry_op_kind_shape_and_parameter_count():
    model = dn.mlp([5, 3, 1], seed=1)
    nodes = model.graph.nx.nodes
    assert nodes["linear1"]["op"] == "Linear"
    assert nodes["linear1"]["kind"] == "linear"
    assert nodes["linear1"]["shape"] == (3, "m")
    assert nodes["linear1"]["parameters"] == 3 * 5 + 3
    assert nodes["relu1"]["parameters"] == 0
    assert nodes["X"]["kind"] == "input"
    assert nodes["cost"]["shape"] == ()
    assert sum(nodes[n]["parameters"] for n in nodes) == model.store.data.size


def test_shared_parameters_are_counted_once():
    encode = dn.Linear(3, name="encode")
    x, u, y = dn.Input(5, name="x"), dn.Input(5, name="u"), dn.Input(3, name="y")
    model = dn.Model(dn.MeanSquaredError()(dn.Add()(encode(x), encode(u)), y))
    counts = nx.get_node_attributes(model.graph.nx, "parameters")
    assert counts["encode"] == 18
    assert counts["encode_2"] == 0


def test_networkx_algorithms_run_on_it():
    _, add = skip_network()
    y = dn.Input(5, name="y")
    graph = dn.Model(dn.MeanSquaredError(name="cost")(add, y)).graph.nx
    assert nx.is_directed_acyclic_graph(graph)
    assert nx.ancestors(graph, "add1") == {"x", "linear1", "relu1"}
    assert nx.descendants(graph, "relu1") == {"add1", "cost"}
    assert nx.dag_longest_path(graph) == ["x", "linear1", "relu1", "add1", "cost"]
    assert nx.shortest_path(graph, "x", "cost") == ["x", "add1", "cost"]
    assert nx.immediate_dominators(graph, "x")["add1"] == "x"
    assert nx.number_weakly_connected_components(graph) == 1
    assert next(nx.topological_generations(graph)) == ["x", "y"]
    assert nx.transitive_reduction(nx.DiGraph(graph)).number_of_edges() == 5


@random_dags
@given(networks())
def test_the_networkx_graph_holds_exactly_the_ordered_inputs(network):
    graph = network.graph()
    assert list(graph.nx) == list(graph)
    for name in graph:
        edges = sorted(graph.nx.in_edges(name, keys=True), key=lambda edge: edge[2])
        assert tuple(source for source, _, _ in edges) == graph[name].inputs
        readers = {(b, k) for _, b, k in graph.nx.out_edges(name, keys=True)}
        assert set(graph.consumers[name]) == readers
        assert graph.ancestors([name]) == nx.ancestors(graph.nx, name) | {name}


# Lines.


def test_every_node_remembers_the_line_that_made_it():
    x = dn.Input(5, name="x")
    line = here(-1)
    hidden = dn.Linear(3)(x)
    line2 = here(-1)
    graph = dn.Graph.from_nodes(outputs=[hidden])
    assert str(graph["x"].source) == line
    assert str(graph["linear1"].source) == line2
    assert graph["linear1"].source.file == __file__
    assert graph.nx.nodes["linear1"]["source"] == line2


def test_a_ready_made_network_remembers_the_line_that_called_it():
    model = dn.mlp([5, 3, 1])
    line = here(-1)
    assert {str(v.source) for v in model.graph.vertices.values()} == {line}


def test_a_user_s_folder_beside_the_package_is_the_user_s():
    """A file in ``dagnet_nets/`` is not part of the package in ``dagnet/``."""
    package = dn.__file__.removesuffix("/__init__.py")
    file = package + "_nets/net.py"
    scope = {}
    exec(compile("import dagnet as dn\n\nx = dn.Input(5, name='x')\n", file, "exec"), scope)
    assert scope["x"].source == Source(file, 3)


# Looking up.


def test_a_vertex_is_found_by_name_and_by_node():
    x, add = skip_network()
    graph = dn.Graph.from_nodes(outputs=[add])
    assert graph[add] is graph["add1"]
    assert add in graph
    assert "add1" in graph
    assert dn.Tanh()(x) not in graph
    assert len(graph) == 4


def test_an_unknown_name_gets_the_nearest_one():
    graph = dn.mlp([5, 3, 1]).graph
    with pytest.raises(UnknownNameError, match="no node named 'relu11'; did you mean 'relu1'"):
        graph["relu11"]


def test_a_foreign_node_is_unknown():
    graph = dn.mlp([5, 3, 1]).graph
    with pytest.raises(UnknownNameError, match="stranger"):
        graph[dn.Input(3, name="stranger")]


# Errors.


def test_a_cycle_names_every_node_on_it():
    x = Vertex("x", Placeholder((5, "m")))
    a = Vertex("a", dn.Add(), ("x", "b"), source=Source("net.py", 7))
    b = Vertex("b", dn.ReLU(), ("a",), source=Source("net.py", 8))
    with pytest.raises(GraphError, match="cycle") as error:
        dn.Graph([x, a, b], outputs=["b"])
    assert "a (net.py:7)" in str(error.value)
    assert "b (net.py:8)" in str(error.value)


def test_a_node_that_reads_itself_is_a_cycle():
    with pytest.raises(GraphError, match="cycle: a -> a"):
        dn.Graph([Vertex("a", dn.ReLU(), ("a",))], outputs=["a"])


def test_two_nodes_of_one_name_are_both_named_with_their_lines():
    x = dn.Input(5, name="x")
    first = dn.Linear(3, name="layer")(x)
    second = dn.ReLU(name="layer")(first)
    lines = here(-2), here(-1)
    with pytest.raises(GraphError, match="two nodes are named 'layer'") as error:
        dn.Graph.from_nodes(outputs=[second])
    assert all(line in str(error.value) for line in lines)


def test_two_inputs_of_one_name():
    a, b = dn.Input(5, name="x"), dn.Input(5, name="x")
    with pytest.raises(GraphError, match="two nodes are named 'x'"):
        dn.Graph.from_nodes(outputs=[dn.Add()(a, b)])


def test_two_vertices_of_one_name():
    x = Vertex("x", Placeholder((5, "m")))
    with pytest.raises(GraphError, match="two nodes are named 'x'"):
        dn.Graph([x, x])


def test_a_vertex_that_reads_an_unknown_one():
    x = Vertex("pictures", Placeholder((5, "m")))
    a = Vertex("a", dn.ReLU(), ("picture",))
    with pytest.raises(GraphError, match=r"a reads 'picture'.*did you mean 'pictures'"):
        dn.Graph([x, a], outputs=["a"])


def test_a_target_that_does_not_exist():
    x = Vertex("x", Placeholder((5, "m")))
    with pytest.raises(UnknownNameError, match="no node named 'cost'"):
        dn.Graph([x], losses=["cost"])


def test_a_vertex_with_the_wrong_number_of_inputs():
    x = Vertex("x", Placeholder((5, "m")))
    with pytest.raises(GraphError, match="a: ReLU takes 1 input, got 2"):
        dn.Graph([x, Vertex("a", dn.ReLU(), ("x", "x"))], outputs=["a"])


def test_calling_an_op_on_the_wrong_number_of_inputs():
    x = dn.Input(5, name="x")
    with pytest.raises(GraphError, match="takes 2 inputs, got 1") as error:
        dn.MeanSquaredError(name="cost")(x)
    assert f"cost ({here(-1)})" in str(error.value)
    with pytest.raises(GraphError, match="one input or more, got none"):
        dn.Add()()


def test_calling_an_op_on_something_else():
    with pytest.raises(ArgumentTypeError, match=r"input 0 must be a node.*not list") as error:
        dn.ReLU(name="relu7")([1, 2])
    assert f"relu7 ({here(-1)})" in str(error.value)


def test_a_target_that_is_no_node():
    with pytest.raises(ArgumentTypeError, match=r"defined by nodes.*got Linear"):
        dn.Graph.from_nodes(outputs=[dn.Linear(3)])


@pytest.mark.parametrize(
    ("build", "axes"),
    [
        (lambda a, b: dn.Add(name="bad")(a, b), ("(5, m)", "(3, m)", "axis 0: 5 against 3")),
        (lambda a, b: dn.Multiply(name="bad")(a, b), ("axis 0: 5 against 3",)),
        (lambda a, b: dn.MeanSquaredError(name="bad")(a, b), ("axis 0: 5 against 3",)),
        (lambda a, b: dn.BinaryCrossEntropy(name="bad")(a, b), ("axis 0: 5 against 3",)),
        (lambda a, b: dn.Concat(axis=1, name="bad")(a, b), ("axis 1", "examples")),
        (lambda a, b: dn.Softmax(axis=3, name="bad")(a), ("axis 3", "(5, m)")),
        (lambda a, b: dn.Linear(7, name="bad")(dn.Input(2, 3)), ("(2, 3, m)", "Flatten")),
    ],
)
def test_wrong_shapes_name_the_node_its_line_and_the_axes(build, axes):
    with pytest.raises(ShapeError) as error:
        build(dn.Input(5), dn.Input(3))
    message = str(error.value)
    assert message.startswith("bad (test_graph.py:")
    assert all(axis in message for axis in axes), message


@pytest.mark.parametrize("units", [0, -3, 2.0, "5", None, True])
def test_a_layer_size_that_is_no_positive_integer(units):
    with pytest.raises(ArgumentError, match="positive integer") as error:
        dn.Linear(units, name="hidden")
    assert repr(units) in str(error.value)
    assert f"hidden ({here(-2)})" in str(error.value)


@pytest.mark.parametrize("size", [0, -1, 2.5, "5", True])
def test_an_input_size_that_is_no_positive_integer(size):
    with pytest.raises(DagnetError, match="positive integer") as error:
        dn.Input(3, size, name="pictures")
    assert f"pictures ({here(-1)})" in str(error.value)


@pytest.mark.parametrize(("name", "error"), [("", ArgumentError), (7, ArgumentTypeError)])
def test_a_name_is_a_non_empty_string(name, error):
    with pytest.raises(error, match="a name must be"):
        dn.Input(3, name=name)
    with pytest.raises(error, match="a name must be"):
        dn.ReLU(name=name)(dn.Input(3))


def test_a_node_shows_what_it_is():
    node = dn.ReLU(name="relu1")(dn.Input(5))
    assert isinstance(node, Node)
    assert repr(node) == f"<ReLU 'relu1' (5, m) at {here(-2)}>"
