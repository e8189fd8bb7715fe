"""Scopes: which groups nodes are in, from the definition to a file and back."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

import dagnet as dn
from dagnet.errors import ArgumentError, ArgumentTypeError, FileFormatError
from dagnet.storage import graph_from_json, graph_to_json


def scopes(*nodes):
    return {v.name: v.scope for v in dn.Graph.from_nodes(outputs=nodes).vertices.values()}


def test_nodes_are_in_the_scopes_they_were_made_in():
    X = dn.Input(3)
    with dn.scope("outer"):
        A = dn.ReLU()(X)
        with dn.scope("inner"):
            B = dn.ReLU()(A)
        C = dn.ReLU()(B)
    D = dn.ReLU()(C)
    assert scopes(D) == {
        "input1": (),
        "relu1": ("outer",),
        "relu2": ("outer", "inner"),
        "relu3": ("outer",),
        "relu4": (),
    }


def test_every_call_makes_a_group_of_its_own_and_a_kept_one_can_be_entered_again():
    A, kept = dn.Input(3), dn.scope("block")
    for scope in (kept, dn.scope("block"), kept, dn.scope("block")):
        with scope:
            A = dn.ReLU()(A)
    assert list(scopes(A).values())[1:] == [("block",), ("block_2",), ("block",), ("block_3",)]


def test_scopes_of_one_name_in_different_places_keep_their_names():
    A = dn.Input(3)
    for outer in ("a", "b"):
        with dn.scope(outer), dn.scope("block"):
            A = dn.ReLU()(A)
    assert list(scopes(A).values())[1:] == [("a", "block"), ("b", "block")]


def test_a_scope_ends_with_its_block_even_if_an_error_ends_it():
    with pytest.raises(ZeroDivisionError), dn.scope("left"):
        _ = 1 / 0
    assert scopes(dn.Input(3)) == {"input1": ()}


def test_scopes_of_one_thread_are_not_those_of_another():
    both_inside = Barrier(2)

    def define(name):
        with dn.scope(name):
            both_inside.wait(timeout=10)
            node = dn.Input(3, name=name)
            both_inside.wait(timeout=10)
        return node

    with ThreadPoolExecutor(2) as pool:
        nodes = list(pool.map(define, ["a", "b"]))
    assert scopes(*nodes) == {"a": ("a",), "b": ("b",)}


def test_a_scope_can_be_entered_within_itself_and_in_two_threads_at_once():
    scope, both_inside = dn.scope("s"), Barrier(2)
    with scope, scope:
        A = dn.Input(3)
    assert scopes(A) == {"input1": ("s", "s")}

    def define(name):
        with scope:
            both_inside.wait(timeout=10)
            node = dn.Input(3, name=name)
        both_inside.wait(timeout=10)
        return node, dn.Input(3, name=f"after {name}")

    with ThreadPoolExecutor(2) as pool:
        nodes = [node for pair in pool.map(define, ["a", "b"]) for node in pair]
    assert scopes(*nodes) == {"a": ("s",), "after a": (), "b": ("s",), "after b": ()}


def test_a_model_can_be_copied_inside_a_scope():
    with dn.scope("outer"):
        model = scoped_model()
        copy = pickle.loads(pickle.dumps(model))
    assert copy.graph["l"].scope == ("outer", "编码器", "first")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", ArgumentError),
        ("a\nb", ArgumentError),
        (3, ArgumentTypeError),
        (None, ArgumentTypeError),
    ],
)
def test_a_bad_name_is_an_error(name, error):
    with pytest.raises(error, match="scope: a name must be"):
        dn.scope(name)


def scoped_model():
    X, Y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    with dn.scope("编码器"), dn.scope("first"):
        A = dn.ReLU(name="a")(dn.Linear(3, name="l")(X))
    P = dn.Sigmoid(name="p")(dn.Linear(1, name="head")(A))
    return dn.Model(dn.BinaryCrossEntropy(name="cost")(P, Y), seed=1)


def test_scopes_are_saved_and_loaded(tmp_path):
    model = scoped_model()
    model.save(tmp_path / "net.safetensors")
    loaded = dn.load(tmp_path / "net.safetensors")
    assert loaded.graph["l"].scope == ("编码器", "first")
    assert {v.name: v.scope for v in loaded.graph.vertices.values()} == {
        v.name: v.scope for v in model.graph.vertices.values()
    }


def test_a_scope_changes_no_name_and_no_number():
    X, Y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    A = dn.ReLU(name="a")(dn.Linear(3, name="l")(X))
    P = dn.Sigmoid(name="p")(dn.Linear(1, name="head")(A))
    plain = dn.Model(dn.BinaryCrossEntropy(name="cost")(P, Y), seed=1)
    scoped = scoped_model()
    feeds = {"X": np.linspace(-1, 1, 35).reshape(5, 7), "Y": np.ones((1, 7))}
    assert list(plain.graph) == list(scoped.graph)
    assert plain.forward(feeds) == scoped.forward(feeds)


def test_files_without_scopes_are_read():
    data = graph_to_json(dn.mlp([3, 1]).graph)
    assert all("scope" not in vertex for vertex in data["vertices"])
    assert graph_from_json(data)["linear1"].scope == ()


@pytest.mark.parametrize(
    ("scope", "message"),
    [
        ("a", "its scope should be a list"),
        ([3], "every entry of .*its scope should be a string"),
        (["a", ""], "a scope"),
        (None, "its scope should be a list"),
    ],
)
def test_a_damaged_scope_is_refused(scope, message):
    data = graph_to_json(dn.mlp([3, 1]).graph)
    data["vertices"][1]["scope"] = scope
    with pytest.raises(FileFormatError, match=message):
        graph_from_json(data)
