"""What a step and a prediction cost, in counts that are the same on every machine."""

import gc
import sys
import tracemalloc
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import dagnet as dn
from dagnet.garbage import collection_paused

PACKAGE = str(Path(dn.__file__).parent)
M = 2000
RNG = np.random.default_rng(0)
X = RNG.standard_normal((5, M))
TARGETS = {"Y": RNG.integers(0, 2, (3, M)).astype(float), "T": np.eye(3)[:, np.arange(M) % 3]}
LESSON = [5, 4, 3, 1]
LINEAR, LINEAR_BACK = ["dot", "add"], ["dot", "add.reduce", "dot"]
RELU, RELU_BACK = ["maximum"], ["greater", *["view"] * 3, "multiply"]
COST = ["copysign", "exp", "log1p", "sign", "multiply", "add", "subtract", "multiply", "add"]
COST_BACK = ["add", "divide", "multiply", "subtract", "multiply"]
SGD = ["multiply", "subtract"]


class Counted:
    """A function of numpy that notes its name whenever it is called."""

    def __init__(self, function, name, names):
        self._function, self._name, self._names = function, name, names

    def __call__(self, *arguments, **options):
        self._names.append(self._name)
        return self._function(*arguments, **options)

    def __getattr__(self, attribute):
        found = getattr(self._function, attribute)
        return Counted(found, f"{self._name}.{attribute}", self._names)


class CountingNumpy:
    """Stands for numpy in a module: types are as they are, functions are counted."""

    def __init__(self, names):
        self._names = names

    def __getattr__(self, name):
        found = getattr(np, name)
        plain = isinstance(found, (type, ModuleType))
        return found if plain else Counted(found, name, self._names)


def profiled(function, note):
    """Call a function with Python's profiler on."""
    previous = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(previous)


@pytest.fixture
def numpy_calls(monkeypatch):
    """Return a function that returns which calls of numpy dagnet makes in another, in order.

    Functions, and methods of arrays; items that are set, and views by `.T`, are not seen.
    """
    names = []
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "dagnet" and getattr(module, "np", None) is np:
            monkeypatch.setattr(module, "np", CountingNumpy(names))

    def method(frame, event, called):
        if event == "c_call" and isinstance(getattr(called, "__self__", None), np.ndarray):
            names.append(called.__name__)

    def calls_in(function):
        names.clear()
        profiled(function, method)
        return names

    return calls_in


def binary(**options):
    return dn.mlp(LESSON, seed=1, **options), {"X": X, "Y": TARGETS["Y"][:1]}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_training_step_of_the_lesson_s_network_makes_these_calls_of_numpy(dtype, numpy_calls):
    model, feeds = binary(dtype=dtype)
    feeds = {name: array.astype(dtype) for name, array in feeds.items()}
    optimizer = dn.SGD(0.1)
    for _ in range(3):
        model.train_step(feeds, optimizer)
    assert numpy_calls(lambda: model.train_step(feeds, optimizer)) == [
        *(LINEAR + RELU) * 2,
        *LINEAR,
        *COST,
        "add.reduce",
        *COST_BACK,
        *(LINEAR_BACK + RELU_BACK) * 2,
        *LINEAR_BACK[:2],  # nobody asks for the gradient of X
        *SGD,
    ]


def test_a_prediction_of_one_example_makes_these_calls_of_numpy(numpy_calls):
    model, _ = binary()
    x = np.ones((5, 1))
    model.predict(x)
    sigmoid = ["copysign", "exp", "add", "minimum", "exp", "divide"]
    expected = ["vdot", *(LINEAR + RELU) * 2, *LINEAR, *sigmoid, "copy"]
    assert numpy_calls(lambda: model.predict(x)) == expected


@pytest.mark.parametrize(
    ("optimizer", "calls"),
    [(dn.SGD, 2), (dn.Momentum, 5), (dn.RMSProp, 9), (dn.Adam, 12), (dn.AdamW, 13)],
)
def test_an_update_makes_this_many_calls_of_numpy(optimizer, calls, numpy_calls):
    model, feeds = binary()
    made = optimizer(0.1)
    model.train_step(feeds, made)
    assert len(numpy_calls(lambda: made.step(model.store))) == calls


def python_calls(function):
    """Return the names of dagnet's functions that a call runs through, in order."""
    names = []

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            names.append(frame.f_code.co_name)

    profiled(function, note)
    return names


def test_the_same_few_functions_of_dagnet_lie_around_the_nodes_of_any_network():
    around = []
    for sizes in ([5, 4, 1], [5, *[4] * 20, 1]):
        model, optimizer = dn.mlp(sizes, seed=1), dn.SGD(0.1)
        feeds = {"X": X, "Y": TARGETS["Y"][:1]}
        for _ in range(3):
            model.train_step(feeds, optimizer)
        names = python_calls(lambda m=model, o=optimizer, f=feeds: m.train_step(f, o))
        layers = len(sizes) - 1  # of each a Linear and an activation, the last one the cost's
        of_nodes = 4 * layers + names.count("select") + len(["write_cost", "scale"])
        around.append(len(names) - of_nodes)
    assert around[0] == around[1]
    assert around[0] <= 24


def test_few_functions_of_dagnet_lie_around_the_nodes_of_a_prediction():
    model, _ = binary()
    x = np.ones((5, 1))
    model.predict(x)
    nodes = 6
    assert len(python_calls(lambda: model.predict(x))) - nodes <= 24


def compiling(count):
    """Return a function that compiles a chain of so many layers, and puts feeds in place."""
    x, y = dn.Input(5, name="x"), dn.Input(5, name="y")
    a = x
    for _ in range(count):
        a = dn.ReLU()(dn.Linear(5)(a))
    cost = dn.MeanSquaredError()(a, y)
    feeds = {"x": np.ones((5, 3)), "y": np.ones((5, 3))}
    return lambda: dn.Model(cost, seed=1).runner("needed").begin(feeds)


def test_compiling_twice_the_nodes_takes_twice_the_calls():
    once, twice = (len(python_calls(compiling(count))) for count in (100, 200))
    assert 1.9 < twice / once < 2.1


def test_compiling_more_nodes_makes_no_more_searches_for_garbage():
    def searches(function):
        begun = []

        def note(phase, info):
            begun.append(phase)

        gc.callbacks.append(note)
        try:
            function()
        finally:
            gc.callbacks.remove(note)
        return begun.count("start")

    assert gc.isenabled()
    assert searches(compiling(2000)) <= 10  # one when each pause is over, and some around them


LOSSES = {
    "binary": lambda a, b, y, t: dn.BinaryCrossEntropy()(dn.Sigmoid()(a), y),
    "categorical": lambda a, b, y, t: dn.CategoricalCrossEntropy()(dn.Softmax()(b), t),
    "binary of probabilities": lambda a, b, y, t: dn.BinaryCrossEntropy()(dn.Softmax()(a), y),
    "categorical of probabilities": lambda a, b, y, t: dn.CategoricalCrossEntropy()(
        dn.Identity()(dn.Softmax()(b)), t
    ),
    "squared": lambda a, b, y, t: dn.MeanSquaredError()(a, y),
    "absolute": lambda a, b, y, t: dn.MeanAbsoluteError()(a, y),
    "huber": lambda a, b, y, t: dn.Huber()(a, y),
}
OPTIMIZERS = (
    lambda: dn.SGD(0.01),
    lambda: dn.Momentum(dn.Cosine(0.01, 50)),
    lambda: dn.RMSProp(0.01, weight_decay=0.1),
    lambda: dn.Adam(0.01, clip_norm=1.0),
    lambda: dn.AdamW(0.01),
)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_step_allocates_nothing(loss, optimizer):
    x, y, t = dn.Input(5, name="X"), dn.Input(3, name="Y"), dn.Input(3, name="T")
    h = dn.ReLU()(dn.Linear(7)(x))
    cost = LOSSES[loss](dn.Linear(3)(h), dn.Linear(3)(h), y, t)
    model, made = dn.Model(cost, seed=1, l2=0.1), optimizer()
    feeds = {name: array for name, array in {"X": X, **TARGETS}.items() if name in model.graph}
    for _ in range(5):
        model.train_step(feeds, made)
    with collection_paused():
        assert left_behind(lambda: model.train_step(feeds, made), times=100) < 100
    assert peak_memory(lambda: model.train_step(feeds, made)) < M * 8, "less than a row of a value"


def left_behind(function, times):
    """Return how many blocks of Python's memory are in use after some calls and not before."""
    before = sys.getallocatedblocks()
    for _ in range(times):
        function()
    return sys.getallocatedblocks() - before


def peak_memory(function):
    """Return how many bytes a call takes while it runs, numpy's buffers for some sums aside."""
    usual = np.setbufsize(16)
    tracemalloc.start()
    try:
        for _ in range(3):
            function()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        function()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
        np.setbufsize(usual)
