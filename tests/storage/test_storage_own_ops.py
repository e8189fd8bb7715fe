"""Ops of the user's own: through a registry that the caller passes, and nothing else."""

from dataclasses import field
from enum import IntEnum
from math import inf, isnan, nan

import numpy as np
import pytest
from storage_helpers import content_of, message, tamper

import dagnet as dn
from dagnet.errors import ArgumentError, ArgumentTypeError, FileFormatError
from dagnet.storage import graph_from_json, graph_to_json, load, save
from dagnet.storage.values import from_json, to_json


class Swish(dn.Op):
    """z · sigmoid(beta z), with hyperparameters of every type that a file holds."""

    beta: float
    shape: tuple = (3, (5, "m"))
    options: dict = field(default_factory=lambda: {"a": [1, (2.5, None)], "b": {}})
    flags: list = field(default_factory=list)
    limit: float = inf

    kind = "activation"
    reads = frozenset({"inputs"})

    def output_shape(self, *inputs):
        return inputs[0]

    def forward(self, f):
        np.divide(f.inputs[0], 1 + np.exp(-self.beta * f.inputs[0]), out=f.output)

    def backward(self, f):
        raise NotImplementedError


def network(op):
    return dn.Model(outputs=[op(dn.Input(5, name="X"), name="swish")])


@pytest.fixture
def path(tmp_path):
    save(network(Swish(1.5, flags=[True, -inf])), tmp_path / "net")
    return tmp_path / "net"


@pytest.mark.parametrize(
    "ops", [[Swish], (Swish,), {Swish}, {"Swish": Swish}, iter([Swish]), [dn.ReLU, Swish, Swish]]
)
def test_the_caller_passes_the_class(path, ops):
    model = load(path, ops=ops)
    op = model.graph["swish"].op
    assert type(op) is Swish
    assert op.config == {
        "beta": 1.5,
        "shape": (3, (5, "m")),
        "options": {"a": [1, (2.5, None)], "b": {}},
        "flags": [True, -inf],
        "limit": inf,
    }
    X = np.arange(15.0).reshape(5, 3)
    assert model.predict(X).tobytes() == network(op).predict(X).tobytes()


def test_a_mapping_gives_an_old_name_to_a_renamed_class(path):
    class SiLU(Swish):
        """The same under its other name."""

    assert type(load(path, ops={"Swish": SiLU}).graph["swish"].op) is SiLU


def test_without_the_class(path):
    with pytest.raises(
        FileFormatError, match=r"pass its class: dn.load\(path, ops=\[Swish\]\)"
    ) as e:
        load(path)
    assert "node 'swish' (test_storage_own_ops.py:" in message(e)
    assert "is a 'Swish', which is not one of dagnet's ops" in message(e)


def test_the_nearest_name(path):
    class Swissh(Swish):
        """Spelt wrongly."""

    with pytest.raises(FileFormatError, match="did you mean 'Swissh'"):
        load(path, ops=[Swissh])

    def misspell(content, arrays):
        content["graph"]["own_ops"] = []
        content["graph"]["vertices"][1]["op"] = {"class": "Relu", "name": None, "config": {}}

    with pytest.raises(FileFormatError, match="did you mean 'ReLU'"):
        load(tamper(path, misspell))


def test_a_class_called_like_one_of_dagnets(tmp_path):
    class ReLU(Swish):
        """Not dagnet's."""

    model = network(ReLU(2.0))
    save(model, tmp_path / "net")
    assert content_of(tmp_path / "net")["graph"]["own_ops"] == ["ReLU"]
    assert type(load(tmp_path / "net", ops=[ReLU]).graph["swish"].op) is ReLU
    with pytest.raises(FileFormatError, match="is a 'ReLU', which is not one of dagnet's"):
        load(tmp_path / "net")

    save(network(dn.ReLU()), tmp_path / "net")
    assert type(load(tmp_path / "net", ops=[ReLU]).graph["swish"].op) is dn.ReLU


def test_two_classes_of_one_name(tmp_path):
    class ReLU(Swish):
        """Not dagnet's."""

    X = dn.Input(5, name="X")
    model = dn.Model(outputs=[ReLU(2.0)(dn.ReLU()(X))])
    with pytest.raises(ArgumentError, match="two op classes of this graph are named 'ReLU'"):
        save(model, tmp_path / "net")
    with pytest.raises(ArgumentError, match="two classes named 'ReLU'"):
        load("net", ops=[ReLU, dn.ReLU])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("ops", "match"),
    [
        ([Swish(1.0)], "pass the class Swish, not an object of it"),
        ([int], "is not a subclass of dn.Op"),
        (["Swish"], "is not a subclass of dn.Op"),
        ({"Swish": int}, "is not a subclass of dn.Op"),
        ({3: Swish}, "a name must be a string"),
        ([dn.Op], "Op is abstract"),
        (Swish, "ops must be a list of op classes"),
        ("Swish", "ops must be a list of op classes"),
        (3, "ops must be a list of op classes"),
    ],
)
def test_what_is_no_op_class(path, ops, match):
    with pytest.raises(ArgumentTypeError, match=match):
        load(path, ops=ops)


def test_a_class_that_has_changed_since(path):
    class Swish(dn.ReLU):
        """Of the same name, with other hyperparameters."""

        beta: float

    with pytest.raises(FileFormatError, match="Swish has no hyperparameter 'shape'"):
        load(path, ops=[Swish])

    class Demanding(dn.ReLU):
        """One that wants more."""

        beta: float
        gamma: float
        shape: tuple = ()
        options: tuple = ()
        flags: tuple = ()
        limit: float = 0.0

    with pytest.raises(FileFormatError, match="Demanding lacks its hyperparameter 'gamma'"):
        load(path, ops={"Swish": Demanding})


@pytest.mark.parametrize("error", [RuntimeError("no luck"), KeyError("x"), ZeroDivisionError()])
def test_a_class_that_raises(path, error):
    class Raising(Swish):
        """Refuses its hyperparameters in its own way."""

        def __post_init__(self):
            raise error

    with pytest.raises(FileFormatError, match=f"node 'swish'.*{type(error).__name__}") as info:
        load(path, ops={"Swish": Raising})
    assert info.value.__cause__ is error  # the author of the op wants to see where


def test_a_class_whose_shape_rule_raises(path):
    class Raising(Swish):
        """Refuses its inputs in its own way."""

        def output_shape(self, *inputs):
            raise IndexError("tuple index out of range")

    with pytest.raises(FileFormatError, match="the graph: IndexError: tuple index") as info:
        load(path, ops={"Swish": Raising})
    message(info)


# What a file can hold.


class Colour(IntEnum):
    RED = 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(7), 7),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.bool_(True), True),
        (np.str_("same"), "same"),
        (Colour.RED, 3),
        (-0.0, -0.0),
        (10**300, 10**300),
        ("\ud800\0", "\ud800\0"),
        ({"list": [1], "dict": 2}, {"list": [1], "dict": 2}),
        ({"float": "inf"}, {"float": "inf"}),
        (((), [], {}), ((), [], {})),
    ],
)
def test_values(tmp_path, value, expected):
    save(network(Swish(value)), tmp_path / "net")
    found = load(tmp_path / "net", ops=[Swish]).graph["swish"].op.beta
    assert repr(found) == repr(expected)


def test_nan():
    assert isnan(from_json(to_json(nan, "beta"), "beta"))


def itself():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (print, "it holds a builtin_function_or_method"),
        (np.zeros(3), "it holds a ndarray"),
        (Swish(1.0), "it holds a Swish"),
        ({1, 2}, "it holds a set"),
        ((1, b"x"), "it holds a bytes"),
        ({3: 4}, "it holds a dict"),
        (1j, "it holds a complex"),
        (10**5000, "it holds a int"),
        (itself(), "nested too deeply"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_values_that_no_file_holds(tmp_path, value, what):
    with pytest.raises(ArgumentTypeError, match=what) as info:
        save(network(Swish(value)), tmp_path / "net")
    assert "swish (test_storage_own_ops.py:" in message(info)
    assert "Swish: beta" in message(info)
    assert not list(tmp_path.iterdir())


def test_an_op_that_its_config_does_not_make_again(tmp_path):
    class Forgetful(Swish):
        """Keeps a hyperparameter to itself."""

        @property
        def config(self):
            return {}

    with pytest.raises(ArgumentError, match="lacks its hyperparameter 'beta'") as info:
        save(network(Forgetful(1.0)), tmp_path / "net")
    assert "could not be read back" in message(info)
    assert not list(tmp_path.iterdir())


def test_a_field_that_is_computed(tmp_path):
    class Doubled(Swish):
        """Derives a field from another."""

        twice: float = field(default=0.0, init=False)

        def __post_init__(self):
            object.__setattr__(self, "twice", 2 * self.beta)

    save(network(Doubled(1.5)), tmp_path / "net")
    assert load(tmp_path / "net", ops=[Doubled]).graph["swish"].op.twice == 3.0


def test_uses_of_one_owner_with_different_ops(tmp_path):
    """A prediction graph has a frozen op beside the name of the one that trained it."""
    X = dn.Input(5, name="X")
    bn = dn.BatchNorm(name="bn")
    graph = dn.Graph.from_nodes(outputs=[bn(bn(X))])
    frozen = graph["bn_2"].op.in_prediction()
    vertices = [
        v if v.name != "bn_2" else type(v)(v.name, frozen, v.inputs, v.owner, v.borrows)
        for v in graph.vertices.values()
    ]
    again = graph_from_json(graph_to_json(graph.replace(vertices=vertices)))
    assert type(again["bn"].op) is dn.BatchNorm
    assert type(again["bn_2"].op) is dn.FrozenBatchNorm
    assert again["bn_2"].owner == "bn"
    assert again["bn_2"].source is None
