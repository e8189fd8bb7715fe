"""Deep graphs: no walk recurses."""

import copy
import pickle
import sys

import numpy as np
import pytest
from engine_helpers import bits

import dagnet as dn
from dagnet import passes
from dagnet.errors import GraphError
from dagnet.graph import Vertex

DEPTH = 20_000


@pytest.fixture(scope="module")
def chain():
    """x -> 10,000 nodes -> first -> 10,000 nodes -> last -> sigmoid -> cost.

    Training needs no gradients before `first`: the cache derives them when they are read.
    """
    x, y = dn.Input(3, name="x"), dn.Input(1, name="y")
    identity = dn.Identity()
    a = x
    for _ in range(DEPTH // 2):
        a = identity(a)
    a = dn.Linear(5, name="first")(a)
    for _ in range(DEPTH // 2):
        a = identity(a)
    a = dn.Sigmoid(name="a")(dn.Linear(1, name="last")(a))
    model = dn.Model(dn.BinaryCrossEntropy(name="cost")(a, y), seed=1)
    assert len(model.graph) > DEPTH > 10 * sys.getrecursionlimit()
    return model


@pytest.fixture(scope="module")
def short():
    """The same network without the chains."""
    x, y = dn.Input(3, name="x"), dn.Input(1, name="y")
    a = dn.Sigmoid()(dn.Linear(1, name="last")(dn.Linear(5, name="first")(x)))
    return dn.Model(dn.BinaryCrossEntropy(name="cost")(a, y), seed=1)


FEEDS = {"x": np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]]), "y": np.array([[1.0, 0.0]])}


def test_a_chain_of_20000_nodes_runs_forward_and_backward(chain, short):
    for keep in ("needed", "all"):
        assert chain.forward(FEEDS, keep=keep) == short.forward(FEEDS, keep=keep)
        chain.backward()
        short.backward()
        assert bits(chain.store.grad) == bits(short.store.grad)


def test_its_cache_is_read_from_end_to_end(chain, short):
    for model in (chain, short):
        model.forward(FEEDS)
        model.backward()
    last = f"identity{DEPTH // 2 * 2}"
    assert bits(chain.cache[last].output) == bits(chain.layer("first").Z)
    assert bits(chain.cache[last].grad_output) == bits(short.layer("first").dZ)
    assert bits(chain.cache["x"].grad_output) == bits(short.layer("first").dA_prev)
    assert bits(chain.cache["identity1"].grad_inputs[0]) == bits(short.layer("first").dA_prev)


def test_a_deep_model_is_copied_and_pickled(chain):
    other = pickle.loads(pickle.dumps(chain))
    assert list(other.graph) == list(chain.graph)
    assert other.forward(FEEDS, keep="needed") == chain.forward(FEEDS, keep="needed")
    assert list(copy.deepcopy(chain.graph)) == list(chain.graph)


def test_a_deep_definition_without_parameters_can_be_walked():
    """Graph, order, networkx view, pruning, shapes of a chain, given in reverse order."""
    x = dn.Input(3, name="x")
    a = x
    relu = dn.ReLU()
    for _ in range(DEPTH):
        a = relu(a)
    graph = dn.Graph.from_nodes(outputs=[a])
    assert len(graph) == DEPTH + 1
    backwards = dn.Graph(reversed(graph.vertices.values()), outputs=graph.outputs)
    assert list(backwards) == list(graph)
    assert len(passes.prune(graph, [], [graph.outputs[0]])) == DEPTH + 1
    assert len(passes.infer_shapes(graph)) == DEPTH + 1
    assert graph.nx.number_of_edges() == DEPTH


def test_a_cycle_of_many_nodes_is_reported():
    n = 5000
    ring = [Vertex(f"n{i}", dn.ReLU(), (f"n{(i - 1) % n}",)) for i in range(n)]
    with pytest.raises(GraphError, match="cycle"):
        dn.Graph(ring)
