"""Watches on a debugger: where they are set, when they are told, and what they leave alone."""

from collections import Counter

import numpy as np
import pytest
from debug_helpers import branchy, branchy_feeds
from engine_helpers import bits, here
from watch_helpers import M, Moves, drawn, regression, seen

import dagnet as dn
from dagnet.debug.watches.catalogue import CATALOGUE
from dagnet.errors import (
    ArgumentError,
    ArgumentTypeError,
    DebuggerError,
    NotKeptError,
    UnknownNameError,
)


class Negative(dn.watches.Watch):
    """The first element is negative."""

    def look(self, sight):
        value = float(sight.array()[0, 0])
        return dn.watches.Finding(f"{value:g} < 0", value, 0.0) if value < 0 else None


@pytest.fixture
def model():
    return dn.mlp([3, 5, 1], seed=1)


def watched_all(model, stop=False, **options):
    debugger = dn.Debugger(model, **options)
    for watch in CATALOGUE:
        debugger.watch(watch.name, stop=stop)
    return debugger


# Setting them.


def test_by_name_by_object_on_nodes_patterns_and_kinds(model):
    debugger = dn.Debugger(model)
    assert debugger.watch("nan").nodes == tuple(model.graph)
    assert debugger.watch("nan", "linear.*").nodes == ("linear1", "linear2")
    assert debugger.watch("dead relu").nodes == ("relu1",)
    assert debugger.watch(dn.watches.DeadUnits(over=5), kind="activation").nodes == ("relu1",)
    assert debugger.watch("all zero", ["X", "cost"], stop=False).nodes == ("X", "cost")
    assert debugger.watch("softmax collapsed").nodes == ()  # there may be none
    assert [w.number for w in debugger.watches] == [1, 2, 3, 4, 5, 6]
    assert [w.stops for w in debugger.watches] == [True] * 4 + [False, True]
    assert "DeadUnits(over=5)" in repr(debugger.watches)
    debugger.unwatch(2)
    debugger.unwatch("dead relu")
    debugger.unwatch(debugger.watches[0])
    assert [w.watch.name for w in debugger.watches] == ["all zero", "softmax collapsed"]
    debugger.unwatch()
    assert len(debugger.watches) == 0
    assert repr(debugger.watches) == "no watches"


def test_bad_watches_change_nothing(model):
    debugger = dn.Debugger(model)
    with pytest.raises(UnknownNameError, match="did you mean 'dead relu'"):
        debugger.watch("dead relus")
    with pytest.raises(ArgumentTypeError, match=r"dn.watches.Nan\(\), not Nan itself"):
        debugger.watch(dn.watches.Nan)
    with pytest.raises(ArgumentTypeError, match="not 3"):
        debugger.watch(3)
    with pytest.raises(UnknownNameError, match="did you mean 'relu1'"):
        debugger.watch("nan", "rlu1")
    with pytest.raises(UnknownNameError, match="did you mean 'activation'"):
        debugger.watch("nan", kind="activations")
    with pytest.raises(ArgumentError, match="'dead relu' has nothing to look at in linear1"):
        debugger.watch("dead relu", "linear1")
    with pytest.raises(ArgumentError, match="no watch 'nan'; there are none"):
        debugger.unwatch("nan")
    assert len(debugger.watches) == 0


@pytest.mark.parametrize("over", [0, -1, 1.5, True])
def test_over_is_a_positive_integer(over):
    with pytest.raises(ArgumentError, match="Nan: over must be a positive integer"):
        dn.watches.Nan(over=over)


@pytest.mark.parametrize("share", [-1, np.nan, np.inf])
def test_thresholds_are_numbers(share):
    with pytest.raises(ArgumentError, match=r"Saturated: share must be a number not below 0"):
        dn.watches.Saturated(share=share)
    with pytest.raises(ArgumentTypeError, match="Saturated: share must be a number"):
        dn.watches.Saturated(share="0.5")


def test_names_and_documentation_are_whole():
    names = [watch.name for watch in CATALOGUE]
    assert len(set(names)) == len(names) >= 20
    assert Negative.name == "negative"
    for watch in CATALOGUE:
        assert watch.formula, watch
        assert watch.remedy, watch
        assert watch.__doc__, watch
        assert getattr(dn.watches, watch.__name__) is watch


# How often.


def steps(node, signs, over, moves=lambda debugger: None):
    """Run a step for each sign of X[0, 0]; return the iterations of the alerts at a node."""
    X, Y = dn.Input(3, name="X"), dn.Input(1, name="Y")
    Z = dn.Linear(1, name="linear")(dn.Identity(name="same")(X))
    model = dn.Model(dn.MeanSquaredError(name="cost")(Z, Y), seed=1)
    debugger = dn.Debugger(model, None, dn.SGD(0.1))
    debugger.watch(Negative(over=over), node, stop=False)
    for sign in signs:
        debugger.restart({"X": np.full((3, M), float(sign)), "Y": np.ones((1, M))})
        debugger.step(2)
        moves(debugger)
        if not debugger.at_end:
            debugger.run()
    return [alert.iteration for alert in debugger.alerts]


def to_and_fro(debugger):
    for _ in range(3):
        debugger.back(2)
        debugger.step(2)


def far_and_back(debugger):
    debugger.run()
    debugger.run_to("X")
    debugger.run_to("linear")


@pytest.mark.parametrize("node", ["X", "same"])
@pytest.mark.parametrize("moves", [lambda d: None, to_and_fro, far_and_back])
@pytest.mark.parametrize("over", [1, 2, 3, 5])
def test_it_tells_when_the_condition_held_over_k_steps(node, over, moves):
    held = steps(node, [1, 1, *[-1] * 6], over, moves)
    assert held == list(range(2 + over, 9))
    with_a_gap = steps(node, [*[-1] * (over - 1), 1, *[-1] * over], over, moves)
    assert with_a_gap == [2 * over]


def test_a_value_changed_after_going_back_counts_as_it_is(model):
    debugger = dn.Debugger(model, None, dn.SGD(0.1))
    debugger.watch(Negative(over=2), "relu1|linear1", stop=False)
    feeds = {"X": np.ones((3, M)), "Y": np.ones((1, M))}
    for iteration in (1, 2):
        debugger.restart(feeds)
        debugger.set("linear1", "output", np.full((5, M), -1.0))
        debugger.run_to("linear1")
        if iteration == 1:
            debugger.back()
            debugger.set("linear1", "output", np.full((5, M), 1.0))
        debugger.run()
    assert debugger.alerts == []  # in step 1 it holds no more
    debugger.restart(feeds)
    debugger.set("linear1", "output", np.full((5, M), -1.0))
    debugger.run()
    assert [(a.node, a.iteration) for a in debugger.alerts] == [("linear1", 3)]


def test_a_step_in_which_it_did_not_look_breaks_the_row(model):
    model.params["linear1"]["b"][...] = -100.0
    debugger = dn.Debugger(model, None, Moves())
    debugger.watch(dn.watches.DeadUnits(over=3), stop=False)
    debugger.watch(dn.watches.AllZero(over=3), "relu1", stop=False)
    for iteration in range(1, 7):
        debugger.restart(drawn())
        debugger.run_to("linear1" if iteration == 3 else "cost")
    assert [(a.watch, a.iteration) for a in debugger.alerts] == [("dead relu", 6), ("all zero", 6)]


def test_once_for_a_node_in_a_step_however_many_of_its_values(model):
    """NaN is in the output, and in three gradients."""
    debugger = dn.Debugger(dn.mlp([3, 5, 1], seed=1, check_finite=False), None)
    debugger.watch("nan", "linear1", stop=False)
    X = np.full((3, M), np.nan)
    for iteration in (1, 2):
        debugger.restart({"X": X, "Y": np.ones((1, M))})
        debugger.run()
        debugger.run_to("X")
        debugger.run()
        assert [a.iteration for a in debugger.alerts] == list(range(1, iteration + 1))
    assert debugger.watches[0].alerts == 2


# Stopping.


def test_it_stops_like_a_breakpoint_and_goes_on(model):
    debugger = dn.Debugger(model, drawn(), dn.SGD(0.1))
    model.params["linear1"]["b"][...] = -100.0
    watched = debugger.watch("all zero", "relu1")
    debugger.watch("constant", stop=False)
    debugger.break_at("relu1")
    debugger.restart()
    stop = debugger.run()
    assert (stop.node, stop.position) == ("relu1", 2)
    assert [(a.watch, a.node) for a in stop.alerts] == [("all zero", "relu1")]
    assert len(stop.breakpoints) == 1
    assert "all zero" in str(stop)
    with pytest.raises(NotKeptError):
        _ = model.cache["linear2"].output
    assert debugger.run().phase == "update"
    debugger.unwatch(watched)
    debugger.clear()
    debugger.restart()
    assert debugger.run().phase == "update"
    constant = [a for a in debugger.alerts if a.watch == "constant"]
    assert [(a.node, a.iteration) for a in constant if a.node == "sigmoid2"] == [
        ("sigmoid2", 2),
        ("sigmoid2", 3),
    ]


def test_what_was_fed_stops_a_run_before_its_first_step():
    model, feeds = dn.mlp([3, 5, 1], seed=1, check_finite=False), drawn()
    feeds["X"][1, 2] = np.nan
    debugger = dn.Debugger(model, feeds)
    debugger.watch("nan", kind="input")
    stop = debugger.run()
    assert (stop.position, stop.phase) == (0, "start")
    assert [(a.node, a.phase, a.position) for a in stop.alerts] == [("X", "forward", 0)]
    assert stop.alerts[0].why().places.indices == ((1, 2),)
    assert debugger.run().phase == "update"
    debugger.restart()
    (alert,) = debugger.step().alerts
    assert (alert.node, alert.position, debugger.position) == ("X", 0, 1)


def test_at_the_update_the_alerts_name_nodes(model):
    debugger = dn.Debugger(model, drawn(), Moves())
    debugger.watch(dn.watches.FrozenWeights(over=1))
    stop = debugger.run()
    assert (stop.node, stop.phase) == ("", "update")
    assert [a.node for a in stop.alerts] == ["linear1", "linear2"]


def test_a_watch_that_raises_is_named(model):
    class Broken(dn.watches.Watch):
        def look(self, sight):
            return sight.nothing

    debugger = dn.Debugger(model, drawn())
    debugger.watch(Broken(), "relu1")
    with pytest.raises(DebuggerError, match=r"watch 1: Broken\(\).* AttributeError at relu1"):
        debugger.run()
    debugger.unwatch()
    assert debugger.run().phase == "update"


def test_own_watches_see_the_record(model):
    class Odd(dn.watches.Watch):
        phases = ("backward",)
        kinds = frozenset({"linear"})

        def look(self, sight):
            shapes = {name: a.shape for name, a in sight.record.arrays().items()}
            made = [(name, sight.array(name).shape) for name in sight.made]
            assert all(shapes[name] == shape for name, shape in made)
            return dn.watches.Finding(" ".join(name for name, _ in made))

    debugger = dn.Debugger(model, drawn())
    debugger.watch(Odd(), stop=False)
    debugger.run()
    assert [(a.watch, a.node, a.message) for a in debugger.alerts] == [
        ("odd", "linear2", "grad_inputs.0 grad_params.W grad_params.b"),
        ("odd", "linear1", "grad_params.W grad_params.b"),
    ]


# Inside fit.


def train(model, debugger=None, **options):
    moons = dn.data.moons(m=60)
    settings = {"optimizer": dn.Adam(0.01), "epochs": 4, "batch_size": 20, "progress": False}
    return model.fit(moons.X, moons.Y, debugger=debugger, **settings | options)


def test_a_whole_training_is_watched_and_its_bits_are_the_same():
    plain, watched = dn.mlp([2, 5, 1], seed=1), dn.mlp([2, 5, 1], seed=1)
    train(plain)
    debugger = watched_all(watched)
    debugger.watch(dn.watches.DeadUnits(over=3), stop=False)
    watched.params["linear1"]["b"][2] = plain.params["linear1"]["b"][2] * 0
    train(watched, debugger)
    assert bits(watched.store.data) == bits(plain.store.data)


def test_in_fit_dead_units_are_told_at_the_step_where_they_are_so_for_long():
    model = dn.mlp([2, 5, 1], seed=1)
    model.params["linear1"]["b"][[0, 2, 3]] = -100.0
    debugger = dn.Debugger(model)
    debugger.watch("dead relu", stop=False)
    train(model, debugger)
    assert [a.iteration for a in debugger.alerts] == [10, 11, 12]
    assert all(a.units == (0, 2, 3) for a in debugger.alerts)
    train(model, debugger)  # another training, which counts from its own first step
    assert [a.iteration for a in debugger.alerts] == [10, 11, 12] * 2
    assert debugger.alerts[3].why().places.pattern == "all of rows 0, 2 and 3"


def test_in_fit_an_alert_hands_over():
    model, stops = dn.mlp([2, 5, 1], seed=1), []

    def on_stop(debugger):
        stops.append([(a.watch, a.node, a.iteration) for a in debugger.stop.alerts])
        debugger.quit()

    debugger = dn.Debugger(model, on_stop=on_stop)
    debugger.watch(dn.watches.FrozenWeights(over=2), "linear2")
    model.store.data[...] = 0.0
    history = train(model, debugger, optimizer=dn.SGD(1e-300))
    assert stops == [[("frozen weights", "linear2", 2)]]
    assert history.stopped == "stopped in the debugger"


def test_without_watches_nothing_looks(monkeypatch):
    monkeypatch.setattr("dagnet.debug.watches.watching.Watching.look", None)
    model = dn.mlp([2, 5, 1], seed=1)
    train(model, dn.Debugger(model))


# Healthy networks.

HEALTHY = {
    "moons, SGD": ("moons", {}, lambda: dn.SGD(0.5), None),
    "moons, Adam": ("moons", {}, lambda: dn.Adam(0.01), 50),
    "planar, SGD": ("planar", {"hidden": "tanh"}, lambda: dn.SGD(1.2), None),
    "planar, Adam": ("planar", {"hidden": "relu"}, lambda: dn.Adam(0.02), 100),
    "digits, SGD": ("digits", {}, lambda: dn.SGD(0.1), 50),
    "digits, Adam": ("digits", {"dtype": "float32"}, lambda: dn.Adam(0.003), 50),
    "digits, L2": ("digits", {"l2": 0.1, "hidden": "sigmoid"}, lambda: dn.Momentum(0.2), 50),
}


@pytest.mark.parametrize("case", HEALTHY)
def test_on_a_healthy_network_they_are_silent(case):
    name, options, optimizer, batch_size = HEALTHY[case]
    data = {"moons": dn.data.moons, "planar": dn.data.planar, "digits": dn.data.digits}[name]()
    X, Y = data.X[:, :400].astype(options.get("dtype", "float64")), data.Y[..., :400]
    sizes = [2, 8, 1] if name != "digits" else [64, 32, 16, 10]
    output = "sigmoid" if name != "digits" else "softmax"
    model = dn.mlp(sizes, output=output, seed=1, **options)
    debugger = watched_all(model)
    history = model.fit(
        X,
        Y,
        optimizer=optimizer(),
        epochs=60 if batch_size is None else 15,
        batch_size=batch_size,
        scaling="standardize",
        progress=False,
        debugger=debugger,
    )
    assert history.last["step"] >= 60
    assert Counter((a.watch, a.node, a.message) for a in debugger.alerts) == {}


def test_branches_shared_weights_and_several_losses():
    model = branchy()
    debugger = watched_all(model, optimizer=dn.Adam(0.01))
    for seed in range(60):
        debugger.restart(branchy_feeds(m=40, seed=seed % 5))
        debugger.run()
    assert debugger.alerts == []
    model.params["shared"]["W"][2, 1] = np.nan
    debugger.restart(branchy_feeds(m=40))
    debugger.run()
    assert debugger.alerts[0].node == "shared"


def test_a_shared_parameter_is_seen_once_when_it_is_whole():
    class Parameters(dn.watches.Watch):
        phases = ("backward", "update")

        def look(self, sight):
            names = [name for name in sight.made if "params" in name]
            equal = all(np.array_equal(sight.array(n), self.expected(sight, n)) for n in names)
            return dn.watches.Finding(f"{' '.join(names)} {equal}") if names else None

        @staticmethod
        def expected(sight, name):
            group, _, key = name.partition(".")
            owner = sight.model.keys[sight.node][key][0]
            if group == "params":
                return sight.model.params[owner][key]
            return sight.record.grad_params[key]

    debugger = dn.Debugger(branchy(), branchy_feeds())
    debugger.watch(Parameters(), "shared.*", stop=False)
    debugger.run()
    assert [(a.node, a.message) for a in debugger.alerts] == [
        ("shared", "grad_params.W grad_params.b True"),
    ]
    debugger.watch(Parameters(), "shared_2", stop=False)
    debugger.unwatch(1)
    debugger.restart()
    debugger.run()
    assert len(debugger.alerts) == 1


# Why.


def test_why_finds_the_origin():
    X, Y = dn.Input(3, name="X"), dn.Input(2, name="Y")
    Z, line = dn.Linear(2, name="linear")(X), here()
    model = dn.Model(dn.MeanSquaredError(name="cost")(Z, Y), seed=1)
    model.params["linear"]["W"][1, 2] = np.inf
    debugger = dn.Debugger(model)
    debugger.watch("cost not finite", stop=False)
    data = drawn(targets=2)
    model.fit(data["X"], data["Y"], epochs=3, progress=False, debugger=debugger)
    first, second, _ = debugger.alerts
    why = first.why()
    assert (first.node, why.node, why.phase, why.value) == (
        "cost",
        "linear",
        "parameters",
        "params.W",
    )
    assert why.places.indices == ((1, 2),)
    assert str(why.source) == line
    # By the second step more is bad; nobody kept what it was.
    with pytest.raises(NotKeptError, match=r"step 2, .*only the first alert"):
        second.why()


def test_why_where_no_element_is_bad_shows_what_the_step_read():
    model, feeds = regression(dn.ReLU), drawn(targets=2)
    model.params["linear1"]["b"][[0, 3]] = -100.0
    (alert,) = seen(model, dn.watches.DeadUnits(share=0.0, over=1), feeds)
    why = alert.why()
    assert (why.node, why.phase, why.value, why.position) == ("act1", "forward", "output", 2)
    assert why.message == alert.message
    assert why.places.pattern == "all of rows 0 and 3"
    assert [(s.node, s.value) for s in why.table] == [("act1", "output"), ("act1", "inputs.0")]
    assert "act1" in str(why)
    (frozen,) = seen(model, dn.watches.FrozenWeights(over=1), feeds, nodes="linear2")
    why = frozen.why()
    assert (why.phase, why.value) == ("update", "params.W")
    assert {"params.W", "grad_params.W"} <= {s.value for s in why.table}


def test_why_of_every_alert_that_stops(model):
    feeds = drawn() | {"X": np.zeros((3, M))}
    debugger = dn.Debugger(model, feeds)
    debugger.watch("all zero", "X")
    for _ in range(2):
        (alert,) = debugger.run().alerts
        assert alert.why().phase == "feed"
        debugger.restart()


def test_printed_alerts_show_the_first_of_each_watch(model):
    model.params["linear1"]["b"][...] = -100.0
    debugger = dn.Debugger(model, None, Moves())
    assert str(debugger.alerts) == ""
    debugger.watch("all zero", stop=False)
    debugger.watch("dead layer", "relu1", stop=False)
    for _ in range(3):
        debugger.restart(drawn())
        debugger.run()
    zero = [a for a in debugger.alerts if a.watch == "all zero"]
    dead = [a for a in debugger.alerts if a.watch == "dead layer"]
    assert str(debugger.alerts).splitlines() == [
        str(zero[0]),
        f"    what to do: {dn.watches.AllZero.remedy}",
        f"    and {len(zero) - 1} more, to step 3, at "
        + ", ".join(dict.fromkeys(a.node for a in zero[1:])),
        str(dead[0]),
        f"    what to do: {dn.watches.DeadLayer.remedy}",
        "    and 2 more, to step 3, at relu1",
    ]
