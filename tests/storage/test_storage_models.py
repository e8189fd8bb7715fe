"""Round trips: the loaded model is the saved one, bit for bit, and goes on as it would have."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, safe_open
from storage_helpers import build, content_of, feeds

import dagnet as dn
from dagnet.data import Divide, MinMax, Standardize
from dagnet.errors import (
    ArgumentError,
    ArgumentTypeError,
    FileAccessError,
    UnknownNameError,
)
from dagnet.storage import load, save


def structure(graph):
    return (
        [
            (v.name, type(v.op), v.op.name, v.op.config, v.inputs, v.owner, v.borrows)
            for v in graph.vertices.values()
        ],
        graph.losses,
        graph.outputs,
        {name: dict(graph.nx.nodes[name]) | {"source": None} for name in graph},
        list(graph.nx.edges(keys=True)),
    )


def assert_same_arrays(a, b):
    assert a.keys() == b.keys()
    for owner in a:
        assert a[owner].keys() == b[owner].keys()
        for name in a[owner]:
            assert a[owner][name].dtype == b[owner][name].dtype
            assert a[owner][name].tobytes() == b[owner][name].tobytes(), (owner, name)


def assert_same(a, b):
    assert structure(a.graph) == structure(b.graph)
    assert_same_arrays(a.params, b.params)
    assert_same_arrays(a.state, b.state)
    assert a.scaling == b.scaling
    assert a.dtype == b.dtype


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_round_trip_of_a_model_with_everything(tmp_path, dtype):
    model, path = build(dtype=dtype), tmp_path / "net"
    assert np.any(model.state["bn"]["running_mean"] != 0)
    save(model, path)
    again = load(path)
    assert_same(model, again)
    data = feeds(7, dtype)
    ours, theirs = model.predict(data["X"]), again.predict(data["X"])
    assert ours.keys() == theirs.keys() == {"out", "head.b"}
    for name in ours:
        assert ours[name].tobytes() == theirs[name].tobytes()
        assert ours[name].dtype == dtype
    assert model.forward(data) == again.forward(data)


def test_it_trains_on_as_the_original_does(model, tmp_path):
    save(model, tmp_path / "net")
    again = load(tmp_path / "net", executor="interpreted")
    data, one, two = feeds(11), dn.Adam(0.01), dn.Adam(0.01)
    before = model.get_params()
    for _ in range(5):
        assert model.train_step(data, one) == again.train_step(data, two)
    assert_same(model, again)
    assert np.any(before["enc"]["W"] != again.params["enc"]["W"])


def test_saving_changes_nothing(model, tmp_path):
    before, data = model.get_params(), feeds(3)
    cost = model.forward(data)
    save(model, tmp_path / "net")
    model.backward()
    assert_same_arrays(before, model.get_params())
    assert model.forward(data) == cost


def test_the_same_model_gives_the_same_bytes(model, tmp_path):
    save(model, tmp_path / "a")
    save(load(tmp_path / "a"), tmp_path / "b")
    save(build(), tmp_path / "c")
    a, b, c = ((tmp_path / n).read_bytes() for n in "abc")
    assert a == b == c


def test_any_reader_sees_the_arrays_by_readable_names(model, tmp_path):
    save(model, tmp_path / "net")
    arrays = load_file(tmp_path / "net")
    assert set(arrays) == {
        *("enc.W", "enc.b", "bn.gamma", "bn.beta", "head.a.W", "head.a.b", "head.b.W"),
        *("state.bn.running_mean", "state.bn.running_var", "scaling.X.mean", "scaling.X.std"),
    }
    np.testing.assert_array_equal(arrays["head.b.W"], model.params["head.b"]["W"])
    np.testing.assert_array_equal(arrays["state.bn.running_var"], model.state["bn"]["running_var"])
    with safe_open(tmp_path / "net", "np") as file:
        document = json.loads(file.metadata()["dagnet"])
    assert document["kind"] == "model/1"
    vertices = {v["name"]: v for v in document["content"]["graph"]["vertices"]}
    assert vertices["huber"]["op"] == {
        "class": "Huber",
        "name": "huber",
        "config": {"weight": 0.25, "delta": 0.5},
    }
    assert vertices["skip"]["inputs"] == ["bn", "enc_2"]


def test_only_the_name_of_the_users_file_is_kept(model, tmp_path):
    save(model, tmp_path / "net")
    assert str(Path(__file__).parent).encode() not in (tmp_path / "net").read_bytes()
    assert str(load(tmp_path / "net").graph["bce"].source).startswith("storage_helpers.py:")


def test_a_shared_op_is_one_object_again(model, tmp_path):
    save(model, tmp_path / "net")
    graph = load(tmp_path / "net").graph
    assert graph["enc"].op is graph["enc_2"].op
    assert graph["enc_2"].owner == "enc"
    assert graph["head.a"].op is not graph["head.b"].op


def test_names_that_would_collide(tmp_path):
    class Tricky(dn.Op):
        """One number under a name that holds a dot."""

        kind = "activation"
        reads = frozenset({"params"})

        def output_shape(self, *inputs):
            return inputs[0]

        def parameters(self, *inputs):
            return {"b.c": dn.Parameter((1, 1), fill=2.0), "c": dn.Parameter((1, 1), fill=3.0)}

        def forward(self, f):
            f.output[...] = f.inputs[0] * f.params["b.c"] * f.params["c"]

        def backward(self, f):
            raise NotImplementedError

    A = dn.Input(5, name="X")
    for name in ("a", "a.b", "a.b.b", "state.a", "层"):
        A = Tricky(name=name)(A)
    model = dn.Model(outputs=[A])
    for i, array in enumerate(model.store.arrays.values()):
        array.fill(i)
    save(model, tmp_path / "net")
    again = load(tmp_path / "net", ops=[Tricky])
    assert_same(model, again)
    names = set(load_file(tmp_path / "net"))
    assert {"a.b.c", "a.b.c_", "state.a.c", "层.b.c"} < names
    assert len(names) == 10


@pytest.mark.parametrize("scaler", [Standardize(), MinMax(), Divide(16), Divide(0.1)])
def test_scaling(scaler, small, tmp_path):
    raw = feeds(7)["X"] * 50
    small.scaling["X"] = scaler.fit(raw)
    save(small, tmp_path / "net")
    again = load(tmp_path / "net")
    assert again.scaling == {"X": scaler}
    assert again.predict(raw).tobytes() == small.predict(raw).tobytes()


def test_scaling_that_cannot_be_read_back(small, tmp_path):
    small.scaling["X"] = Standardize()
    with pytest.raises(ArgumentError, match="the scaling of X could not be read back"):
        save(small, tmp_path / "net")
    assert not list(tmp_path.iterdir())


def test_values_that_are_not_finite_survive(small, tmp_path):
    small.params["linear1"]["W"][0, :3] = np.nan, np.inf, -0.0
    save(small, tmp_path / "net")
    assert_same(small, load(tmp_path / "net"))


def test_fortran_ordered_parameters(small, tmp_path):
    W = np.asfortranarray(np.arange(15.0).reshape(3, 5))
    small.set_params({"linear1": {"W": W}})
    save(small, tmp_path / "net")
    np.testing.assert_array_equal(load(tmp_path / "net").params["linear1"]["W"], W)


def test_a_model_that_only_predicts(tmp_path):
    X = dn.Input(2, 3, name="X")
    model = dn.Model(outputs=[dn.ReLU()(X), dn.Flatten()(X)])
    save(model, tmp_path / "net")
    assert_same(model, load(tmp_path / "net"))
    assert load_file(tmp_path / "net") == {}


def test_every_ready_made_network(tmp_path):
    for hidden in ("relu", "gelu", "elu", "softplus", "identity"):
        for output in ("sigmoid", "softmax", "identity"):
            model = dn.mlp([5, 3, 2], hidden=hidden, output=output, l2=0.1, seed=1)
            save(model, tmp_path / "net")
            assert_same(model, load(tmp_path / "net"))


def test_the_seed_is_for_what_is_random_afterwards(tmp_path):
    X, Y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    A = dn.Linear(1)(dn.Dropout(0.5)(dn.Linear(40)(X)))
    save(dn.Model(dn.MeanSquaredError()(A, Y), seed=1), tmp_path / "net")
    data = {"X": feeds()["X"], "Y": feeds()["Y"]}
    costs = [load(tmp_path / "net", seed=seed).forward(data) for seed in (1, 1, 2)]
    assert costs[0] == costs[1] != costs[2]


def test_options(saved):
    loaded = load(str(saved), None, 1, "interpreted", False)
    assert loaded.executor == "interpreted"
    assert loaded.check_finite is False
    assert load(saved).check_finite is True
    with pytest.raises(UnknownNameError, match="compiled"):
        load(saved, executor="compild")
    with pytest.raises(ArgumentTypeError, match="seed"):
        load(saved, seed="one")


def test_saving_where_or_what_is_impossible(small, tmp_path):
    with pytest.raises(FileAccessError, match="there is no directory"):
        save(small, tmp_path / "none" / "net")
    with pytest.raises(FileAccessError, match="it is a directory"):
        save(small, tmp_path)
    with pytest.raises(ArgumentTypeError, match="save takes a Model, got Graph"):
        save(small.graph, tmp_path / "net")
    with pytest.raises(ArgumentTypeError, match="a path must be"):
        save(small, None)
    assert not list(tmp_path.iterdir())


def test_a_deep_network(tmp_path):
    A = dn.Input(1, name="X")
    for _ in range(5000):
        A = dn.Identity()(A)
    save(dn.Model(outputs=[A]), tmp_path / "net")
    assert len(load(tmp_path / "net").graph) == 5001


def test_loading_in_another_process(model, tmp_path):
    save(model, tmp_path / "net")
    data = feeds(3)
    np.savez(tmp_path / "feeds.npz", **data)
    program = (
        "import sys, numpy as np; from dagnet.storage import load\n"
        "feeds = dict(np.load('feeds.npz'))\n"
        "print(load('net').forward(feeds).hex())"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert float.fromhex(found.stdout) == model.forward(data)


def test_the_content_of_the_document(model, tmp_path):
    save(model, tmp_path / "net")
    content = content_of(tmp_path / "net")
    assert list(content) == ["graph", "dtype", "scaling", "classes", "features", "tensors"]
    assert content["dtype"] == "float64"
    assert content["classes"] is None
    assert content["scaling"] == {"X": {"name": "standardize"}}
    assert content["tensors"]["head.a.W"] == ["parameter", "head.a", "W"]
    assert content["graph"]["losses"] == list(model.graph.losses)
    assert content["graph"]["own_ops"] == []
