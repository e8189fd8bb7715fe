"""The debugger: positions, breakpoints, stops inside fit, and what it says when it cannot."""

import numpy as np
import pytest
from debug_helpers import branchy, branchy_feeds, generator_of, seen
from engine_helpers import bits, here

import dagnet as dn
from dagnet.errors import (
    ArgumentError,
    ArgumentTypeError,
    DagnetError,
    DebuggerError,
    FeedError,
    FeedTypeError,
    NotKeptError,
    OpError,
    ShapeError,
    UnknownNameError,
)

M = 7


@pytest.fixture
def model():
    return dn.mlp([5, 4, 3, 1], seed=1)


@pytest.fixture
def feeds():
    rng = np.random.default_rng(0)
    return {"X": rng.standard_normal((5, M)), "Y": rng.integers(0, 2, (1, M)).astype(float)}


@pytest.fixture
def debugger(model, feeds):
    return dn.Debugger(model, feeds, dn.SGD(0.1))


# Positions.


def test_every_forward_node_every_backward_node_and_the_update_is_a_stop(debugger):
    stops = []
    while not debugger.at_end:
        stop = debugger.step()
        stops.append((stop.node, stop.phase))
        assert stop.position == debugger.position == len(stops)
    forward = ["linear1", "relu1", "linear2", "relu2", "linear3", "sigmoid3", "cost"]
    backward = ["cost", "linear3", "relu2", "linear2", "relu1", "linear1"]  # the loss on logits
    assert stops == [
        *((n, "forward") for n in forward),
        *((n, "backward") for n in backward),
        ("", "update"),
    ]


def test_the_cache_shows_what_is_computed_and_refuses_the_rest(debugger, model):
    debugger.run_to("relu1")
    assert model.cache["relu1"].output.shape == (4, M)
    with pytest.raises(NotKeptError, match="not computed yet"):
        _ = model.cache["linear2"].output
    assert debugger.cost is None
    debugger.run_to("linear2", "backward")
    assert model.layer(2).dW.shape == (3, 4)
    with pytest.raises(NotKeptError, match="has not come to this yet"):
        _ = model.layer(1).dW
    debugger.back()
    with pytest.raises(NotKeptError, match="has not come to this yet"):
        _ = model.layer(2).dW


def test_the_numbers_are_those_of_the_model_itself(debugger, model, feeds):
    plain = dn.mlp([5, 4, 3, 1], seed=1)
    J = plain.forward(feeds)
    plain.backward()
    debugger.run_to("linear1", "backward")
    assert debugger.cost == J
    for number in (1, 2, 3):
        for letter in ("A_prev", "W", "b", "Z", "A", "dA", "dZ", "dW", "db", "dA_prev"):
            mine, theirs = (getattr(m.layer(number), letter) for m in (model, plain))
            assert bits(mine) == bits(theirs)


def test_run_to_goes_back_as_well(debugger):
    assert debugger.run_to("cost", "backward").position == 8
    assert debugger.run_to("linear2", "forward").position == 3
    assert debugger.run_to("linear2", "update").position == 14
    assert debugger.run_to("X", "forward").position == 0


def test_nodes_without_a_step_of_their_own_have_a_place(debugger, model, feeds):
    """The gradient of the sigmoid is known with the loss's; that of X with the first layer's."""
    assert debugger.run_to("sigmoid3", "backward").node == "cost"
    plain = dn.mlp([5, 4, 3, 1], seed=1)
    plain.forward(feeds)
    plain.backward()
    assert bits(model.cache["sigmoid3"].grad_output) == bits(plain.cache["sigmoid3"].grad_output)
    assert debugger.run_to("X", "backward").node == "linear1"


def test_no_gradient_flows_to_labels_and_to_branches_of_outputs_only():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    h = dn.Linear(3, name="h")(x)
    side, line = dn.Tanh(name="side")(h), here()
    cost = dn.MeanSquaredError(name="cost")(h, y)
    model = dn.Model(cost, outputs=[side], seed=1)
    debugger = dn.Debugger(model, {"x": np.ones((5, M)), "y": np.ones((3, M))})
    with pytest.raises(ArgumentError, match=rf"side \({line}\): no gradient flows"):
        debugger.break_at("side", "backward")
    with pytest.raises(ArgumentError, match="no gradient flows to side"):
        debugger.set("side", "grad_output", np.zeros((3, M)))
    assert not debugger.breakpoints
    assert debugger.run_to("side").phase == "forward"


def test_where_marks_the_next_step_and_those_with_breakpoints(debugger):
    debugger.break_at("relu2")
    debugger.step(2)
    lines = debugger.where(None).splitlines()
    assert len(lines) == 14
    assert [line[0] for line in lines] == list("..>") + [" "] * 11
    assert [i for i, line in enumerate(lines) if line[1] == "*"] == [3]
    assert "relu2" in lines[3]
    assert lines[-1].split()[-1] == "update"
    debugger.run_to("linear1", "update")
    assert debugger.where().splitlines()[-1].startswith(">")
    shown = debugger.where(2).splitlines()
    assert "more" in shown[0]


def test_where_names_the_user_s_lines():
    x, y = dn.Input(2, name="x"), dn.Input(3, name="y")
    h, line = dn.Linear(3, name="h")(x), here()
    model = dn.Model(dn.MeanSquaredError(name="cost")(h, y), seed=1)
    debugger = dn.Debugger(model, {"x": np.ones((2, M)), "y": np.ones((3, M))})
    assert line in debugger.where().splitlines()[0]
    assert line in str(debugger.step())


# The ends.


def test_back_at_the_start_and_step_at_the_end_say_so(debugger):
    before = seen(debugger.model)
    with pytest.raises(DebuggerError, match="at its start"):
        debugger.back()
    assert debugger.position == 0
    assert seen(debugger.model) == before
    debugger.run()
    before = seen(debugger.model)
    for move in (debugger.step, debugger.run):
        with pytest.raises(DebuggerError, match=r"at its end.*restart"):
            move()
    assert debugger.at_end
    assert seen(debugger.model) == before
    with pytest.raises(DebuggerError, match="at its start"):
        debugger.back(100)
    assert debugger.position == 0


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "2"])
def test_a_number_of_steps_is_a_positive_integer(debugger, n):
    with pytest.raises(ArgumentTypeError, match="positive integer"):
        debugger.step(n)
    assert debugger.position == 0


def test_without_feeds_there_is_nothing_to_step_through(model):
    debugger = dn.Debugger(model)
    assert repr(debugger) == "<Debugger, nothing runs>"
    for ask in (debugger.step, debugger.back, debugger.run, debugger.where):
        with pytest.raises(DebuggerError, match="nothing runs"):
            ask()
    with pytest.raises(DebuggerError, match="no feeds"):
        debugger.restart()
    with pytest.raises(FeedError):
        debugger.restart({"X": np.ones((5, M))})


def test_restart_runs_on_with_the_updated_parameters(debugger, model, feeds):
    plain = dn.mlp([5, 4, 3, 1], seed=1)
    optimizer = dn.SGD(0.1)
    for iteration in (1, 2, 3):
        assert debugger.iteration == iteration
        debugger.run()
        plain.train_step(feeds, optimizer)
        assert bits(plain.store.data) == bits(model.store.data)
        debugger.restart()
    feeds["X"][0, 0] = np.nan
    with pytest.raises(FeedError, match="NaN"):
        debugger.restart()  # the same array, but checked again


def test_another_run_of_the_model_ends_this_one(debugger, model, feeds):
    debugger.step(3)
    model.forward(feeds)
    for move in (debugger.step, debugger.back, debugger.recompute):
        with pytest.raises(DebuggerError, match="another run"):
            move()
    debugger.restart()
    assert debugger.step().position == 1


def test_predictions_and_evaluations_leave_the_run_alone(debugger, model, feeds):
    debugger.run_to("relu2")
    before = seen(model)
    model.predict(feeds["X"])
    model.evaluate(feeds["X"], feeds["Y"])
    assert seen(model) == before
    assert debugger.run().phase == "update"


def test_a_step_that_fails_leaves_everything_before_it():
    fails = []

    class Moody(dn.Op):
        """Moves a state, then fails when told to."""

        kind = "activation"
        reads = frozenset()

        def output_shape(self, *inputs):
            return inputs[0]

        def states(self, *inputs):
            return {"count": dn.State((1,))}

        def forward(self, f):
            f.state["count"] += 1
            f.rng.random()
            if fails:
                raise ZeroDivisionError("not today")
            np.copyto(f.output, f.inputs[0])

        def backward(self, f):
            np.copyto(f.grad_inputs[0], f.grad_output)

    x, y = dn.Input(3, name="x"), dn.Input(3, name="y")
    moody = Moody(name="moody")(dn.Linear(3, name="h")(x))
    model = dn.Model(dn.MeanSquaredError(name="cost")(moody, y), seed=1)
    debugger = dn.Debugger(model, {"x": np.ones((3, M)), "y": np.ones((3, M))})
    debugger.step()
    before = seen(model)
    fails.append(True)
    with pytest.raises(OpError, match=r"moody .*not today"):
        debugger.step()
    assert debugger.position == 1
    assert seen(model) == before
    fails.clear()
    assert debugger.run().phase == "update"
    assert model.state["moody"]["count"] == 1


# Breakpoints.


def test_a_breakpoint_stops_before_any_consumer_runs(debugger, model):
    debugger.break_at("relu1")
    debugger.break_at("relu2", "backward")
    stop = debugger.run()
    assert (stop.node, stop.phase, stop.position) == ("relu1", "forward", 2)
    assert stop.breakpoints == ((debugger.breakpoints[0], "relu1"),)
    assert model.cache["relu1"].output is not None
    assert debugger.run().node == "relu2"
    assert model.cache["relu2"].grad_inputs[0] is not None
    with pytest.raises(NotKeptError):
        _ = model.cache["linear2"].grad_params
    assert debugger.run().phase == "update"
    assert [b.hits for b in debugger.breakpoints] == [1, 1]


def test_patterns_nodes_and_lists_name_nodes(debugger, model):
    assert debugger.break_at("linear[12]").nodes == ("linear1", "linear2")
    assert debugger.break_at(["relu1", "cost"]).nodes == ("relu1", "cost")
    assert debugger.break_at(r"relu\d", "backward").nodes == ("relu1", "relu2")
    visited = []
    while not debugger.at_end:
        stop = debugger.run()
        visited += [(b.number, name) for b, name in stop.breakpoints]
    forward = [(1, "linear1"), (2, "relu1"), (1, "linear2"), (2, "cost")]
    assert visited == [*forward, (3, "relu2"), (3, "relu1")]


def test_a_condition_gets_the_record_and_decides(debugger, model):
    asked = []

    def when(record):
        asked.append(record.name)
        return record.output.max() > 1e9

    debugger.break_at("relu.*", when=when)
    b = debugger.break_at("linear2", "update", when=lambda record: record.grad_params["W"].any())
    stop = debugger.run()
    assert stop.phase == "update"
    assert stop.breakpoints == ((b, "linear2"),)
    assert asked == ["relu1", "relu2"]


def test_breakpoints_can_be_switched_off_and_removed(debugger):
    first, second = debugger.break_at("relu1"), debugger.break_at("relu2")
    first.enabled = False
    assert debugger.run().node == "relu2"
    debugger.clear(second.number)
    debugger.restart()
    assert debugger.run().phase == "update"
    with pytest.raises(ArgumentError, match="no breakpoint 2; there are 1"):
        debugger.clear(2)
    debugger.clear()
    assert len(debugger.breakpoints) == 0


def test_bad_breakpoints_change_nothing(debugger):
    with pytest.raises(UnknownNameError, match="did you mean 'relu2'"):
        debugger.break_at("relu22")
    with pytest.raises(UnknownNameError, match="did you mean 'forward'"):
        debugger.break_at("relu1", "forwards")
    with pytest.raises(ArgumentTypeError, match="function of a node's cache record"):
        debugger.break_at("relu1", when=3)
    with pytest.raises(ArgumentError, match="no regular expression"):
        debugger.break_at("relu(")
    with pytest.raises(UnknownNameError, match=r"did you mean .*'linear1'"):
        debugger.run_to("linear")
    assert len(debugger.breakpoints) == 0
    assert debugger.position == 0


def test_a_condition_that_raises_names_its_breakpoint(debugger, model):
    def when(record):
        return record.no_such_thing

    debugger.break_at("relu1", when=when)
    with pytest.raises(DebuggerError, match=r"condition of breakpoint 1: relu1 .*no_such_thing"):
        debugger.run()
    debugger.clear()
    assert debugger.run().phase == "update"


# Changing values.


def test_what_does_not_fit_is_refused_and_changes_nothing(debugger, model):
    debugger.run_to("relu2", "backward")
    before = seen(model)
    with pytest.raises(ShapeError, match=r"relu1.output.* has shape \(4, 7\), got \(4, 6\)"):
        debugger.set("relu1", "output", np.zeros((4, M - 1)))
    with pytest.raises(FeedTypeError, match="array of numbers"):
        debugger.set("relu1", "output", np.array([["a"] * M] * 4))
    with pytest.raises(UnknownNameError, match=r"did you mean 'params\.W'"):
        debugger.set("linear1", "param.W", np.zeros((4, 5)))
    with pytest.raises(UnknownNameError, match="did you mean 'relu1'"):
        debugger.set("rlu1", "output", np.zeros((4, M)))
    with pytest.raises(ShapeError):
        debugger.set("linear1", "params.W", np.zeros((5, 4)))
    with pytest.raises(ShapeError):
        debugger.set(
            "relu1", "grad_output", np.zeros((4, 1))
        )  # still to come, refused all the same
    with pytest.raises(ShapeError):
        debugger.set("sigmoid3", "output", np.zeros((2, M)))  # would change how the loss is read
    with pytest.raises(ShapeError):
        debugger.set("relu1", "output", lambda A: A[:2])
    assert seen(model) == before
    debugger.run()
    before = seen(model)
    with pytest.raises(ShapeError):
        debugger.set("relu1", "output", np.zeros((4, M - 1)))
    assert debugger.at_end
    assert seen(model) == before


def test_float64_for_a_float32_model_is_refused():
    model = branchy(dtype="float32")
    debugger = dn.Debugger(model, branchy_feeds(dtype="float32"))
    debugger.run_to("tanh")
    with pytest.raises(FeedTypeError, match="float32, got float64"):
        debugger.set("relu1", "output", np.zeros((5, M)))
    debugger.set("relu1", "output", np.zeros((5, M), "float32"))
    assert debugger.recompute().forward == ("drop", "shared_2", "tanh")


def test_a_parameter_set_stays_and_the_fed_array_is_left_alone(debugger, model, feeds):
    W, X = np.ones((3, 4)), feeds["X"].copy()
    debugger.run()
    debugger.set("linear2", "params.W", W)
    debugger.set("X", "output", np.zeros((5, M)))
    debugger.recompute()
    assert debugger.at_end
    update = 0.1 * model.cache["linear2"].grad_params["W"]
    assert np.array_equal(model.params["linear2"]["W"], W - update)
    assert np.array_equal(feeds["X"], X)
    assert np.array_equal(model.cache["X"].output, np.zeros((5, M)))
    debugger.restart()
    assert np.array_equal(model.cache["X"].output, X)


def test_moving_on_recomputes_what_was_set_first(debugger, model):
    debugger.run_to("cost")
    before = debugger.cost
    debugger.set("relu2", "output", np.zeros((3, M)))
    assert debugger.cost == before
    debugger.step()
    assert debugger.cost == pytest.approx(np.log(2), rel=1e-12)


def test_a_value_set_at_the_end_leaves_the_run_at_its_end(debugger, model):
    debugger.run()
    debugger.set("relu1", "output", np.zeros((4, M)))
    assert (debugger.position, debugger.at_end) == (14, True)
    with pytest.raises(DebuggerError, match="at its end, position 14"):
        debugger.step()
    assert debugger.back().position == 13
    assert not model.cache["linear2"].grad_params["W"].any()


def test_a_set_array_is_copied(debugger, model):
    mine = np.zeros((4, M))
    debugger.set("relu1", "output", mine)
    mine.fill(7.0)
    debugger.run_to("relu1")
    assert not model.cache["relu1"].output.any()


def test_a_run_with_overrides_leaves_parameters_and_checks_its_input(model, feeds):
    before = bits(model.store.data)
    plain = model.run(feeds)
    assert plain == model.forward(feeds)

    def dead(A):
        A[3] = 0.0

    J = model.run(feeds, {"relu1": dead, "linear3": {"params.b": np.ones((1, 1))}})
    assert not model.cache["relu1"].output[3].any()
    assert model.cache["linear3"].params["b"] == 1.0
    by_hand = model.run(
        feeds,
        {
            "linear2": model.params["linear2"]["W"] @ model.cache["relu1"].output
            + model.params["linear2"]["b"],
            "linear3": {"params.b": np.ones((1, 1))},
        },
    )
    assert by_hand == pytest.approx(J, rel=1e-12)
    assert bits(model.store.data) == before
    for wrong, error in (
        ([("relu1", 1)], ArgumentTypeError),
        ({"relu9": np.zeros((4, M))}, UnknownNameError),
        ({"relu1": np.zeros((4, 1))}, ShapeError),
        ({"relu1": {"outputs": np.zeros((4, M))}}, UnknownNameError),
    ):
        with pytest.raises(error):
            model.run(feeds, wrong)
    assert bits(model.store.data) == before


# Inside fit.


def train(debugger=None, model=None, callbacks=(), **options):
    model = model or branchy()
    feeds = branchy_feeds(m=20)
    X, Y = {"x": feeds["x"]}, {"y": feeds["y"], "t": feeds["t"]}
    settings = {"epochs": 3, "batch_size": 8, "optimizer": dn.Adam(0.01), "progress": False}
    history = model.fit(X, Y, **(settings | options), callbacks=list(callbacks), debugger=debugger)
    return model, history


def wander(debugger):
    """What somebody at a keyboard may do at a stop."""
    debugger.back(4)
    debugger.step(3)
    debugger.run_to("tanh", "forward")
    debugger.run_to("guess", "backward")
    debugger.back(2)


def test_a_debugged_training_that_goes_on_ends_with_the_bits_of_one_not_debugged():
    plain, history = train()
    stops = []

    def on_stop(debugger):
        if stops and stops[-1][0] == debugger.iteration:
            return  # wandering on comes by here again
        stops.append((debugger.iteration, debugger.stop.node, debugger.stop.phase))
        wander(debugger)

    model = branchy()
    debugger = dn.Debugger(model, on_stop=on_stop)
    debugger.break_at("norm", when=lambda record: debugger.iteration == 2)
    debugger.break_at("shared", "backward", when=lambda record: debugger.iteration == 5)
    debugger.break_at("guess", "update", when=lambda record: debugger.iteration == 7)
    _, debugged = train(debugger, model)
    assert [s[0] for s in stops] == [2, 5, 7]
    assert [s[2] for s in stops] == ["forward", "backward", "update"]
    assert bits(model.store.data) == bits(plain.store.data)
    assert generator_of(model) == generator_of(plain)
    for owner, states in plain.state.items():
        for name, array in states.items():
            assert bits(model.state[owner][name]) == bits(array)
    assert debugged.columns == history.columns


def test_a_debugger_with_nothing_to_stop_at_changes_no_bits():
    plain, _ = train()
    model = branchy()
    train(dn.Debugger(model), model)
    assert bits(model.store.data) == bits(plain.store.data)


def test_an_edit_inside_fit_reaches_the_update():
    model = dn.mlp([5, 4, 1], seed=1)
    feeds = {"X": np.ones((5, M)), "Y": np.ones((1, M))}

    def on_stop(debugger):
        debugger.set("relu1", "output", lambda A: A * 0)
        debugger.set("linear2", "grad_params.b", np.full((1, 1), 2.0))

    debugger = dn.Debugger(model, on_stop=on_stop)
    debugger.break_at("cost", "backward")
    bias = model.params["linear2"]["b"].copy()
    model.fit(
        feeds["X"], feeds["Y"], epochs=1, optimizer=dn.SGD(0.5), progress=False, debugger=debugger
    )
    assert np.array_equal(model.params["linear2"]["b"], bias - 1.0)
    assert not model.cache["linear2"].grad_params["W"].any()  # of a layer that reads zeros
    assert model.layer(2).A_prev.any() == np.False_


def test_an_edit_after_the_update_makes_the_update_again():
    model = dn.mlp([5, 4, 1], seed=1)
    W = model.params["linear1"]["W"].copy()

    def on_stop(debugger):
        debugger.set("linear1", "grad_params.W", np.ones((4, 5)))

    debugger = dn.Debugger(model, on_stop=on_stop)
    debugger.break_at("linear1", "update")
    X, Y = np.ones((5, M)), np.ones((1, M))
    model.fit(X, Y, epochs=1, optimizer=dn.SGD(0.5), progress=False, debugger=debugger)
    assert np.array_equal(model.params["linear1"]["W"], W - 0.5)


def test_breakpoints_at_the_start_stop_before_anything_runs():
    model = branchy()
    seen_at = []
    debugger = dn.Debugger(model, on_stop=lambda d: seen_at.append((d.iteration, d.position)))
    debugger.break_at("x")
    train(debugger, model, epochs=1)
    assert seen_at == [(1, 0), (2, 0), (3, 0)]


def test_quit_ends_the_training_after_the_update():
    model = branchy()
    debugger = dn.Debugger(model, on_stop=lambda d: d.quit())
    debugger.break_at("cost|mse")
    _, history = train(debugger, model)
    assert history.stopped == "stopped in the debugger"
    assert history.last["step"] == 1
    debugger.quit()  # no training: nothing happens


def test_a_handler_that_raises_leaves_the_training_as_of_the_last_step():
    plain, _ = train(epochs=1)
    model = branchy()

    def on_stop(debugger):
        debugger.run_to("guess", "update")
        raise ZeroDivisionError("mine")

    debugger = dn.Debugger(model, on_stop=on_stop)
    debugger.break_at("tanh", when=lambda record: debugger.iteration == 4)
    optimizer = dn.Adam(0.01)
    with pytest.raises(ZeroDivisionError, match="mine"):
        train(debugger, model, optimizer=optimizer)
    assert bits(model.store.data) == bits(plain.store.data)
    assert optimizer.steps == 3
    for owner, states in plain.state.items():
        for name, array in states.items():
            assert bits(model.state[owner][name]) == bits(array)


def test_a_condition_that_raises_inside_fit_leaves_the_training_intact():
    plain, _ = train(epochs=1)
    model = branchy()
    debugger = dn.Debugger(model, on_stop=lambda d: None)
    debugger.break_at("guess", "update", when=lambda record: 1 / (4 - debugger.iteration) < 0)
    with pytest.raises(DebuggerError, match="condition of breakpoint 1: guess update"):
        train(debugger, model)
    assert bits(model.store.data) == bits(plain.store.data)


def test_other_callbacks_still_see_every_node():
    class Nodes(dn.Callback):
        def __init__(self):
            self.seen = []

        def after_node(self, run, name, phase):
            self.seen.append((name, phase))

    with_debugger, without = Nodes(), Nodes()
    model = branchy()
    train(dn.Debugger(model), model, callbacks=[with_debugger], epochs=1)
    train(callbacks=[without], epochs=1, keep="all")
    assert with_debugger.seen == without.seen
    assert len(without.seen) > 30


def test_restart_and_another_model_are_refused_inside_fit():
    model = branchy()
    debugger = dn.Debugger(model, on_stop=lambda d: d.restart())
    debugger.break_at("tanh")
    with pytest.raises(DebuggerError, match="training decides"):
        train(debugger, model)
    with pytest.raises(ArgumentError, match="another model"):
        train(dn.Debugger(branchy()))
    with pytest.raises(ArgumentTypeError):
        train(debugger=3)


def test_an_optimizer_without_a_state_cannot_be_undone():
    class Plain:
        def step(self, store):
            store.data -= store.grad

    model = dn.mlp([5, 4, 1], seed=1)
    debugger = dn.Debugger(model, {"X": np.ones((5, M)), "Y": np.ones((1, M))}, Plain())
    debugger.run()
    after = bits(model.store.data)
    with pytest.raises(DebuggerError, match="Plain has no state_dict"):
        debugger.back()
    assert bits(model.store.data) == after
    assert debugger.at_end


def test_places_that_are_no_nodes():
    debugger = dn.Debugger(branchy(), branchy_feeds())
    with pytest.raises(UnknownNameError, match="no node named 5"):
        debugger.break_at(5)
    for around in (-1, 1.5, "x"):
        with pytest.raises(DagnetError, match="where: around must be"):
            debugger.where(around)
