"""Arrays of the cache by the names of values, and their statistics as records and tables."""

import numpy as np
import pytest
from engine_helpers import bits
from hypothesis import given
from random_networks import fewer, networks

import dagnet as dn
from dagnet.errors import NotKeptError, UnknownNameError
from dagnet.record import GROUPS
from dagnet.statistics import statistics
from dagnet.statistics_table import StatisticsTable, measure

M = 7
LETTERS = ("A_prev", "W", "b", "Z", "A", "dA", "dZ", "dW", "db", "dA_prev")


def feeds(m=M):
    rng = np.random.default_rng(0)
    return {"X": rng.standard_normal((5, m)), "Y": rng.integers(0, 2, (3, m)).astype(float)}


def looked(keep="all"):
    model = dn.mlp([5, 7, 3], seed=1)
    model.forward(feeds(), keep=keep)
    model.backward()
    return model


def cell(table, node, value, column):
    """Return what a printed table shows."""
    lines = [line for line in str(table).splitlines() if line]
    header = next(line.split() for line in lines if line.startswith("node"))
    rows = [line.split() for line in lines]
    row = next(r for r in rows if r[:2] == [node, value])
    return row[header.index(column)]


# By name.


@fewer
@given(networks())
def test_arrays_by_name_are_the_attributes_of_the_record(network):
    model = network.model()
    model.forward(network.feeds(3))
    model.backward()
    for record in model.cache.values():
        expected = {}
        for group in GROUPS:
            try:
                value = getattr(record, group)
            except NotKeptError:  # no gradient flows here
                continue
            if isinstance(value, np.ndarray):
                expected[group] = value
            else:
                named = value.items() if isinstance(value, dict) else enumerate(value)
                expected |= {f"{group}.{key}": array for key, array in named if array is not None}
        arrays = record.arrays()
        assert list(arrays) == [name for name in record.names if name in expected]
        assert {n: bits(a) for n, a in arrays.items()} == {n: bits(a) for n, a in expected.items()}
        for name in set(record.names) - set(arrays):
            with pytest.raises(NotKeptError, match="no gradient flows"):
                record.array(name)


def test_names_of_a_node_whether_or_not_it_has_been_computed():
    model = looked()
    names = model.cache["linear2"].names
    assert names == [
        "inputs.0",
        "output",
        "params.W",
        "params.b",
        "grad_output",
        "grad_inputs.0",
        "grad_params.W",
        "grad_params.b",
    ]
    model.begin(feeds())
    assert model.cache["linear2"].names == names
    assert set(model.cache["linear2"].arrays()) == {"params.W", "params.b"}
    with pytest.raises(NotKeptError, match=r"linear2.output is not computed yet"):
        model.cache["linear2"].array("output")


def test_states_and_saved_arrays_have_names():
    x, y = dn.Input(5, name="x"), dn.Input(5, name="y")
    node = dn.Dropout(0.5, name="drop")(dn.BatchNorm(name="bn")(x))
    model = dn.Model(dn.MeanSquaredError()(node, y), seed=1)
    data = np.random.default_rng(0).standard_normal((5, M))
    model.forward({"x": data, "y": data}, keep="needed")
    bn, drop = model.cache["bn"], model.cache["drop"]
    np.testing.assert_allclose(bn.array("state.running_mean")[:, 0], 0.1 * data.mean(axis=1))
    assert drop.array("saved.mask").dtype == bool
    model.backward()
    assert "saved.mask" in drop.names
    with pytest.raises(NotKeptError, match=r"drop.saved.mask was not kept"):
        drop.array("saved.mask")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("grad_param.W", "did you mean 'grad_params.W'"),
        ("params.w", "did you mean .*'params.W'"),
        ("params", "did you mean .*'params.W'"),
        ("inputs.1", "did you mean 'inputs.0'"),
        ("inputs.-1", "did you mean 'inputs.0'"),
        ("name", "there are 'inputs.0', 'output'"),
    ],
)
def test_an_unknown_name_of_a_value(name, hint):
    with pytest.raises(UnknownNameError, match=f"no value of linear2 named '{name}'; {hint}"):
        looked().cache["linear2"].array(name)


# Statistics.


def test_statistics_of_every_node():
    model = looked()
    table = model.cache.statistics()
    assert [(of.node, of.value) for of in table] == [
        (record.name, name)
        for record in model.cache.values()
        for name in record.names
        if name.partition(".")[0] in ("output", "params", "grad_output", "grad_params")
        and (record.name, name) != ("Y", "grad_output")
    ]
    for of in table:
        array = model.cache[of.node].array(of.value)
        expected = statistics(array)
        assert {n: getattr(of, n) for n in vars(expected)} == vars(expected)
        assert of.kind == model.cache[of.node].kind
        assert cell(table, of.node, of.value, "mean") == f"{array.mean():.4g}"
    assert [(gone.node, gone.value) for gone in table.missing] == [("Y", "grad_output")]
    assert "no gradient flows" in table.missing[0].reason
    assert cell(table, "Y", "grad_output", "mean") == "-"


def test_records_are_plain():
    record = looked().cache.statistics("linear2", values=["grad_params.b"]).records
    assert [list(row)[:4] for row in record] == [["node", "kind", "value", "shape"]]
    assert record[0]["node"] == "linear2"
    assert record[0]["shape"] == (3, 1)
    assert set(record[0]) > {"dtype", "mean", "std", "min", "max", "zeros", "nan", "inf", "norm"}


def test_choosing_nodes_and_values():
    cache = looked().cache

    def chosen(*args, **options):
        return [(of.node, of.value) for of in cache.statistics(*args, **options)]

    assert chosen(kind="activation", values="output") == [
        ("relu1", "output"),
        ("sigmoid2", "output"),
    ]
    assert chosen("linear.*", values=["params.b"]) == [
        ("linear1", "params.b"),
        ("linear2", "params.b"),
    ]
    assert chosen("linear1|relu1", values=["params"]) == [
        ("linear1", "params.W"),
        ("linear1", "params.b"),
    ]
    assert chosen("relu1", values=["params"]) == []
    with pytest.raises(UnknownNameError, match=r"no value named 'outptu'; did you mean 'output'"):
        cache.statistics(values=["outptu"])
    with pytest.raises(UnknownNameError, match=r"did you mean .*'params.W'"):
        cache.statistics("linear1", values=["params.w"])


def test_what_is_not_there_is_said_and_no_error():
    model = dn.mlp([5, 7, 3], seed=1)
    model.train_step(feeds(), dn.SGD(0.1))
    table = model.cache.statistics("linear1", values=["output", "grad_params"])
    assert [of.value for of in table] == ["grad_params.W", "grad_params.b"]
    assert [(gone.value, "keep='all'" in gone.reason) for gone in table.missing] == [
        ("output", True)
    ]
    assert cell(table, "linear1", "output", "norm") == "-"
    assert ".missing says why" in str(table)
    with pytest.raises(NotKeptError, match="nothing has run yet"):
        dn.mlp([5, 3], seed=1).cache.statistics()


def test_values_that_are_not_finite_are_counted_in_the_table():
    array = np.array([[1.0, np.nan, np.inf]])
    table = StatisticsTable([measure("a", "b", "output", lambda: array)])
    assert "1x3 (1 NaN, 1 Inf)" in str(table)


# Records, layers and caches that show themselves.


def test_a_record_shows_all_its_arrays():
    model = looked()
    record = model.cache["linear2"]
    assert str(record).startswith("linear2: Linear(")
    for name, array in record.arrays().items():
        assert cell(str(record), "linear2", name, "norm") == f"{np.linalg.norm(array):.4g}"
    fresh = dn.mlp([5, 3], seed=1).cache["linear1"]
    assert "nothing has run yet" in str(fresh)
    assert "nothing has run yet" in fresh._repr_html_()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_layer_shows_its_ten_letters(number):
    model = dn.mlp([5, 7, 4, 3], seed=1)
    model.train_step(feeds(), dn.SGD(0.1), keep="all")
    layer = model.layer(number)
    assert [of.value for of in layer.statistics()] == list(LETTERS)
    for of in layer.statistics():
        array = getattr(layer, of.value)
        assert of.shape == array.shape
        assert cell(layer, of.node, of.value, "max") == f"{array.max():.4g}"
    assert layer._repr_html_().count("<tr>") == 11


def test_layers_of_a_graph_with_branches():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    trunk = dn.ReLU(name="r")(dn.Linear(7, name="trunk")(x))
    left = dn.Tanh(name="t")(dn.Linear(3, name="left", bias=False)(trunk))
    right = dn.Linear(3, name="right")(trunk)
    both = dn.Add(name="both")(left, dn.Multiply(name="twice")(right, right))
    model = dn.Model(dn.MeanSquaredError(name="cost")(both, y), seed=1)
    model.forward({"x": np.ones((5, M)), "y": np.zeros((3, M))})
    model.backward()
    shown = {n: {of.value: of.node for of in model.layer(n).statistics()} for n in (1, 2, 3)}
    assert [shown[n]["Z"] for n in (1, 2, 3)] == ["trunk", "left", "right"]
    assert [shown[n]["A"] for n in (1, 2, 3)] == ["r", "t", "right"]
    assert [gone.value for gone in model.layer("left").statistics().missing] == ["b", "db"]
    np.testing.assert_array_equal(model.layer(3).A, model.cache["right"].output)
    parts = [model.cache[n].grad_inputs[0] for n in ("left", "right")]
    np.testing.assert_allclose(model.layer(1).dA, sum(parts), rtol=1e-14)


def test_html_escapes_names():
    x, y = dn.Input(2, name="<x>"), dn.Input(1, name="y")
    model = dn.Model(dn.MeanSquaredError(name="a&b")(dn.Linear(1, name="<i>")(x), y), seed=1)
    empty = model.cache._repr_html_()
    model.forward({"<x>": np.ones((2, M)), "y": np.ones((1, M))})
    for html in (model.cache._repr_html_(), model.cache["<i>"]._repr_html_(), empty):
        assert "<i>" not in html
        assert "<x>" not in html
        assert "&lt;" in html
    assert "a&amp;b" in model.cache._repr_html_()
    assert model.cache._repr_html_().count("<tr>") == 1 + 2 * 4


def test_html_of_a_large_cache_shows_the_first_nodes():
    x, y = dn.Input(1, name="x"), dn.Input(1, name="y")
    a = dn.Linear(1)(x)
    for _ in range(200):
        a = dn.ReLU()(a)
    model = dn.Model(dn.MeanSquaredError()(a, y), seed=1)
    model.forward({"x": np.ones((1, 3)), "y": np.ones((1, 3))})
    html = model.cache._repr_html_()
    assert html.count("<tr>") == 1 + 2 * 100
    assert "the first 100" in html
