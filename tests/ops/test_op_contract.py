"""Every op keeps the contract, on all the arguments its class gives."""

import dataclasses
import inspect

import numpy as np
import pytest

import dagnet as dn
import dagnet.ops
from dagnet.errors import ArgumentError, ArgumentTypeError, DagnetError
from dagnet.ops import REGISTRY, Placeholder
from dagnet.ops.base import Op
from dagnet.testing import check_op

OPS = [op for op in REGISTRY.values() if op is not Placeholder]


def concrete_subclasses(cls):
    for sub in cls.__subclasses__():
        if not inspect.isabstract(sub) and sub.__module__.startswith("dagnet."):
            yield sub
        yield from concrete_subclasses(sub)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.__name__)
def test_keeps_the_contract(op):
    report = check_op(op)
    assert report.op == op.__name__
    assert report.runs == len(list(op.examples()))
    assert max(report.input_error, report.param_error) < 1e-7


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.__name__)
def test_keeps_the_contract_on_other_draws(op, seed):
    check_op(op, seed=seed)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.__name__)
def test_has_two_examples_or_more_with_distinct_sizes(op):
    examples = list(op.examples())
    assert len(examples) >= 2
    assert any(
        len(set(shape)) == len(shape) and len(shape) > 1
        for example in examples
        for shape in [*example.shapes, *(example.params or {}).values()]
    )


def test_registry_holds_every_concrete_op_under_its_name():
    assert set(REGISTRY.values()) == set(concrete_subclasses(Op))
    assert all(name == op.__name__ for name, op in REGISTRY.items())


def test_every_op_is_public():
    assert set(REGISTRY) <= set(dagnet.ops.__all__)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.__name__)
def test_documents_itself(op):
    assert op.symbol
    assert op.equation
    for part in ("Parameters\n", "Notes\n", "Source:", "Examples\n"):
        assert part in inspect.getdoc(op), part


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.__name__)
def test_every_field_is_documented(op):
    for field in dataclasses.fields(op):
        assert field.name in inspect.getdoc(op)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.__name__)
def test_has_no_mutable_or_array_fields(op):
    example = next(iter(op.examples()))
    for value in example.op.config.values():
        assert isinstance(value, int | float | str | bool | None), value


BAD = [
    (dagnet.ops.LeakyReLU, "slope", [0, 1, -0.5, float("nan")], ["0.1", None, True]),
    (dagnet.ops.ELU, "alpha", [0, -1.0, float("inf")], ["1"]),
    (dagnet.ops.Dropout, "rate", [1, 1.0, -0.1, float("nan")], ["0.5", None, True]),
    (dagnet.ops.BatchNorm, "momentum", [-0.1, 1.1], ["x"]),
    (dagnet.ops.BatchNorm, "eps", [0.0, -1e-5], [None]),
    (dagnet.ops.FrozenBatchNorm, "eps", [0.0], [None]),
    (dagnet.ops.LayerNorm, "eps", [0.0], [None]),
    (dagnet.ops.Huber, "delta", [0.0, -1.0, float("inf")], ["1"]),
    (dagnet.ops.L2, "strength", [-0.1, float("inf")], ["1", None]),
    (dagnet.ops.Softmax, "axis", [], [0.0, "0", True, None]),
    (dagnet.ops.Concat, "axis", [], [0.0, "0", None]),
    (dagnet.ops.GELU, "approximate", ["erf", None, True], []),
    *(
        (loss, "weight", [0, -1.0, float("inf"), float("nan")], ["1", None, True])
        for loss in REGISTRY.values()
        if loss.kind == "loss"
    ),
]


@pytest.mark.parametrize(
    ("op", "field", "value", "error"),
    [
        (op, field, value, error)
        for op, field, values, types in BAD
        for error, bad in ((ArgumentError, values), (ArgumentTypeError, types))
        for value in bad
    ],
)
def test_bad_hyperparameter_is_refused_by_op_and_field(op, field, value, error):
    # The message names the op, its name, the line here, and the field.
    expected = rf"{op.__name__} mine \(test_op_contract.py:\d+\): {field} must be"
    with pytest.raises(error, match=expected):
        op(**{field: value}, name="mine")


def test_numpy_numbers_are_hyperparameters():
    assert dagnet.ops.Dropout(np.float64(0.5)).rate == 0.5
    assert dagnet.ops.Softmax(np.int64(0)).axis == 0


@pytest.mark.parametrize("number", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_precision_of_a_hyperparameter_stays_out_of_the_arrays(dtype, number):
    trained = []
    for of in (lambda x: float(number(x)), number):
        x, y = dn.Input(3, name="X"), dn.Input(5, name="Y")
        a = dn.BatchNorm(of(0.3), eps=of(0.01))(dn.Linear(5)(x))
        a = dn.LeakyReLU(of(0.1))(dn.Dropout(of(0.3))(dn.ELU(of(0.7))(a)))
        cost = dn.Huber(of(0.3), weight=of(0.7))(a, y)
        model = dn.Model(cost, seed=1, dtype=dtype, l2=of(0.1))
        feeds = {"X": np.eye(3, 7, dtype=dtype), "Y": np.eye(5, 7, dtype=dtype)}
        model.train_step(feeds, dn.SGD(0.1))
        trained.append(model.store.data)
    assert np.array_equal(*trained)


@pytest.mark.parametrize("name", [np.arange(2), np.arange(0), 0, False, [], ["a"], "", "a\nb"])
def test_names_that_are_none(name):
    x, y = dn.Input(3), dn.Input(3)
    calls = [
        lambda: dn.Input(3, name=name),
        lambda: dn.ReLU(name=name)(x),
        lambda: dn.ReLU()(x, name=name),
        lambda: dn.Linear(2, name=name)(x),
        lambda: dn.MeanSquaredError(name=name)(x, y),
    ]
    for call in calls:
        with pytest.raises(DagnetError, match="a name must be"):
            call()


@pytest.mark.parametrize(
    "make",
    [
        lambda huge: dn.ELU(alpha=huge),
        lambda huge: dn.Dropout(huge),
        lambda huge: dn.SGD(huge),
        lambda huge: dn.Adam(beta1=huge),
        lambda huge: dn.StepDecay(0.1, every=1, factor=huge),
        lambda huge: dn.EarlyStopping(min_delta=huge),
        lambda huge: dn.data.Divide(huge),
        lambda huge: dn.data.moons(noise=huge),
        lambda huge: dn.mlp([3, 1], init=huge),
        lambda huge: dn.watches.LargeUpdate(above=huge),
    ],
)
def test_integers_that_no_float_can_hold(make):
    with pytest.raises(ArgumentError, match="that a float can hold"):
        make(10**5000)


def test_a_choice_that_is_an_array():
    with pytest.raises(ArgumentError, match="approximate must be"):
        dn.GELU(approximate=np.arange(2))
    with pytest.raises(ArgumentError, match="mode must be"):
        dn.EarlyStopping("cost", mode=np.arange(2))
    model = dn.mlp([3, 1], seed=1)
    with pytest.raises(ArgumentError, match="shuffle must be"):
        model.fit(np.ones((3, 2)), np.ones((1, 2)), shuffle=np.arange(2))
