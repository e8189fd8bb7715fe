"""The console's commands: what each does to the run and shows of it, and what it refuses."""

import re

import numpy as np
import pytest
from engine_helpers import bits

import dagnet as dn
from dagnet.debug.console import interact, run_script
from dagnet.debug.console.table import COMMANDS, complete
from dagnet.errors import DebuggerError

M = 7


def network():
    """Return a model whose nodes have names that are odd in Python, and one that is a builtin."""
    X, Y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    A = dn.ReLU(name="relu1")(dn.Linear(3, name="linear1")(X))
    B = dn.Tanh(name="block/1.tanh [b]")(dn.Linear(3, name="block/1")(A))
    A = dn.Add(name="sum")(A, B)
    P = dn.Sigmoid(name="P")(dn.Linear(1, name="2")(A))
    return dn.Model(dn.BinaryCrossEntropy(name="cost")(P, Y), seed=1)


@pytest.fixture
def debugger():
    rng = np.random.default_rng(0)
    feeds = {"X": rng.standard_normal((5, M)), "Y": rng.integers(0, 2, (1, M)).astype(float)}
    return dn.Debugger(network(), feeds, dn.SGD(0.1))


@pytest.fixture
def do(debugger, capsys):
    """Return a function that carries out commands and returns what they print, without echo."""

    def call(*lines):
        run_script(debugger, lines, "script")
        shown = capsys.readouterr().out.splitlines()
        first = next(i for i, line in enumerate(shown) if line.startswith("(dagnet) "))
        return "\n".join(line for line in shown[first:] if not line.startswith("(dagnet) "))

    return call


@pytest.fixture
def refused(debugger, capsys):
    """Return a function that carries out a command that must fail, and returns the message."""

    def call(line):
        before = debugger.position, len(debugger.breakpoints), bits(debugger.model.store.data)
        with pytest.raises(DebuggerError, match=r"^script:1: ") as caught:
            run_script(debugger, [line], "script")
        capsys.readouterr()
        now = debugger.position, len(debugger.breakpoints), bits(debugger.model.store.data)
        assert now == before
        return str(caught.value)

    return call


# Moving.


@pytest.mark.parametrize("word", ["n", "next", "s", "step"])
def test_next(do, debugger, word):
    assert do(word).startswith("position 1, forward linear1 (test_console.py:")
    do(f"{word} 3")
    assert debugger.position == 4


def test_a_stop_shows_the_user_s_line_and_the_cost_once_there_is_one(do):
    place, line = do("until relu1").splitlines()
    assert "cost" not in place
    assert line == '-> A = dn.ReLU(name="relu1")(dn.Linear(3, name="linear1")(X))'
    at_end = do("c")
    assert re.fullmatch(r"position \d+, update; cost 0\.\d+", at_end)


def test_back(do, debugger):
    do("n 5", "back 2")
    assert debugger.position == 3
    do("back")
    assert debugger.position == 2


def test_until_goes_on_and_back_over_breakpoints(do, debugger):
    do("b relu1", "until sum backward")
    assert debugger.stop.phase == "backward"
    assert debugger.stop.node == "sum"
    do("until relu1")
    assert (debugger.stop.node, debugger.stop.phase) == ("relu1", "forward")
    do("until block/1.tanh [b] backward")
    assert (debugger.stop.node, debugger.stop.phase) == ("block/1.tanh [b]", "backward")


def test_restart(do, debugger):
    do("c", "restart")
    assert (debugger.position, debugger.iteration) == (0, 2)


def test_quit_ends_the_script(do, debugger):
    do("n", "q", "n")
    assert debugger.position == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("back", "the run is at its start"),
        ("n 0", "a number from 1 on is needed, got '0'"),
        ("n x", "a number from 1 on is needed, got 'x'"),
        ("c now", "this command takes nothing, got 'now'"),
        ("until relo1", "did you mean 'relu1'"),
        ("until relu1 backwards", "did you mean 'backward'"),
        ("until relu1 when output.any()", "takes no condition"),
        ("until", "which node?"),
        ("until Y backward", "no gradient flows"),
        ("nexxt", "no command named 'nexxt'; did you mean 'next'"),
    ],
)
def test_what_movement_refuses(refused, line, message):
    assert message in refused(line)


def test_at_the_end_there_is_no_next(do, debugger):
    do("c")
    with pytest.raises(DebuggerError, match=r"^script:1: n: the run is at its end"):
        run_script(debugger, ["n"], "script")


# Breakpoints.


def test_breakpoints_by_node_pattern_and_phase(do, debugger):
    shown = do("b relu1", "b block.* backward", "break 2 update", "b")
    assert [(b.nodes, b.phase) for b in debugger.breakpoints] == [
        (("relu1",), "forward"),
        (("block/1", "block/1.tanh [b]"), "backward"),
        (("2",), "update"),
    ]
    lines = shown.splitlines()
    assert lines[:3] == lines[3:]
    stops = []
    while not debugger.at_end:
        do("c")
        stops.append((debugger.stop.node, debugger.stop.phase))
    assert stops == [
        ("relu1", "forward"),
        ("block/1.tanh [b]", "backward"),
        ("block/1", "backward"),
        ("", "update"),
    ]


def test_conditions_see_the_record_its_values_numpy_and_the_nodes(do, debugger):
    do(
        "b linear1 backward when params.W.shape == (3, 5) and np.any(grad_output) and"
        " record.name == 'linear1' and inputs.0.shape == X.output.shape == record.inputs.0.shape"
        " and all((relu1.output >= 0).all() for _ in range(2))",
        "b block/1.tanh [b] when output.max() > 1",
        "c",
    )
    assert (debugger.stop.node, debugger.stop.phase) == ("linear1", "backward")
    assert "when params.W.shape" in str(debugger.breakpoints[0])


def test_a_condition_that_raises_stops_there_with_the_run_intact(do, debugger):
    do("b relu1 when outptu.any()")
    with pytest.raises(DebuggerError, match=r"breakpoint 1.*raised UnknownNameError at relu1"):
        run_script(debugger, ["c"], "script")
    assert (debugger.position, debugger.stop.node, debugger.stop.position) == (2, "relu1", 2)
    do("c")
    assert debugger.at_end


def test_breakpoints_are_disabled_enabled_and_cleared(do, debugger):
    do("b relu1", "b sum", "disable 1", "c")
    assert debugger.stop.node == "sum"
    do("restart", "enable 1", "c")
    assert debugger.stop.node == "relu1"
    assert do("clear 1").startswith("breakpoint 2: sum")
    assert do("clear") == "no breakpoints"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("b relo1", "did you mean 'relu1'"),
        ("b relu1 forwad", "did you mean 'forward'"),
        ("b relu1 when", "when what?"),
        ("b relu1 when output >", "is no Python expression"),
        ("b Y backward", "no gradient flows"),
        ("b re(", "no regular expression"),
        ("clear 3", "there is no breakpoint 3; there are none"),
        ("enable", "a number from 1 on is needed"),
    ],
)
def test_what_breakpoints_refuse(refused, line, message):
    assert message in refused(line)


# Looking.


def test_print_shows_shape_dtype_statistics_and_values(do, debugger):
    do("until relu1")
    shown = do("p relu1.output[2, :5]").splitlines()
    array = debugger.cache["relu1"].output[2, :5]
    assert shown[0].startswith("5 float64")
    assert f"max {array.max():.4g}" in shown[0]
    assert [float(v) for v in shown[1].strip("[]").split()] == pytest.approx(array, abs=5e-5)


def test_large_arrays_are_shortened(do, debugger):
    debugger.restart({"X": np.ones((5, 1000)), "Y": np.ones((1, 1000))})
    shown = do("p X.output")
    assert "5x1000" in shown
    assert "..." in shown
    assert len(shown) < 500


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 1", "2"),
        ("[sum.output.shape, np.shape(block/1.output)]", "[(3, 7), (3, 7)]"),
        ("2.output.shape", "(1, 7)"),
        ("block/1.tanh [b].inputs.0.shape", "(3, 7)"),
        ("cache['block/1.tanh [b]'].kind", "'activation'"),
        ("'block/1.output'", "'block/1.output'"),
        ("linear1.params['W'].shape, linear1.params.b.shape", "((3, 5), (3, 1))"),
        ("debugger.position", "6"),
        ("model.dtype", "'float64'"),
        ("relu1.output.shape[1] - 2", "5"),
        ("[n for n in (1, 2) if linear1.output.any()]", "[1, 2]"),
        ("np.float64(0.5)", "0.5  float64"),
    ],
)
def test_expressions(do, expression, value):
    assert do("until 2", f"p {expression}").splitlines()[-1] == value


def test_printing_a_node_shows_a_table_of_its_values(do, debugger):
    shown = do("n", "p linear1")
    assert [v.value for v in debugger.cache["linear1"].statistics().entries] == re.findall(
        r"^linear1 +(\S+)", shown, re.M
    )
    shown = do("p linear1.params").splitlines()
    assert [line[:2] for line in shown if ":" in line] == ["W:", "b:"]
    assert "activation" not in do("p block/1.tanh [b]")  # a node's name alone, odd as it is


def test_names_are_no_markup_and_no_control_characters(capsys):
    X, Y = dn.Input(2, name="[red]X"), dn.Input(1, name="\x1b[2JY")
    model = dn.Model(dn.MeanSquaredError(name="cost")(dn.Linear(1, name="l")(X), Y), seed=1)
    debugger = dn.Debugger(model, {"[red]X": np.ones((2, M)), "\x1b[2JY": np.ones((1, M))})
    run_script(debugger, ["p [red]X", "b [red]X", "info", "b \x1b[2JY"], "script")
    shown = capsys.readouterr().out
    assert "[red]X" in shown
    assert "\x1b" not in shown
    assert "␛[2JY" in shown


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("p", "an expression is needed"),
        ("p relu1.output", "relu1.output is not computed yet"),
        ("p relo1.output", "no node or name named 'relo1'; did you mean 'relu1'"),
        ("p X.outptu", "no value of X named 'outptu'; did you mean 'output'"),
        ("p linear1.params.w", "no value of linear1.params named 'w'"),
        ("p X.inputs.3", "no value of X named 'inputs.3'"),
        ("p 1 +", "is no Python expression"),
        ("p 1 / 0", "1 / 0: ZeroDivisionError"),
        ("p X.output[9]", "IndexError: index 9"),
        ("heat X", "which value of X? output"),
        ("heat np.ones((2, 2, 2))", "take a slice"),
        ("heat 'text'", "needs real numbers"),
        ("l some", "list, or list all"),
        ("info relo1", "did you mean 'relu1'"),
        ("cone relo1", "did you mean 'relu1'"),
        ("cone relu1.outputs", "did you mean 'output'"),
        ("why not", "takes nothing"),
        ("h nexxt", "did you mean 'next'"),
    ],
)
def test_what_looking_refuses(refused, line, message):
    assert message in refused(line)


def test_heat_shows_signs_and_tenths_and_what_is_not_finite(do):
    shown = do("heat np.array([[0, 2.0, -1], [np.nan, -np.inf, 0.2]])").splitlines()
    assert [line.split() for line in shown[:2]] == [[".", "10", "-5"], ["N", "-I", "1"]]
    assert shown[2].startswith("in tenths of 2;")
    shown = do("pp np.ones((50, 100))").splitlines()
    assert [len(line.split()) for line in shown[:-1]] == [20] * 24
    assert "24x20 of 50x100 shown" in shown[-1]
    assert do("heat np.zeros(3)").split()[:3] == [".", ".", "."]


def test_list(do, debugger):
    do("b sum", "n 2")
    assert debugger.where() != debugger.where(None)
    for word in ("l", "list", "w", "where"):
        assert do(word) == debugger.where()
        assert do(f"{word} all") == debugger.where(None)


def test_info(do, debugger):
    do("until cost")
    assert re.findall(r"^(\S+) +output", do("info relu1|sum"), re.M) == ["relu1", "sum"]
    assert "block/1.tanh [b]   output" in do("info block/1.tanh [b]")
    every = do("info")
    assert all(name in every for name in debugger.model.graph)


def test_cone(do, debugger):
    assert do("cone sum") == str(debugger.cone("sum"))
    assert do("cone block/1.params.W") == str(debugger.cone("block/1", "params.W"))


def test_why(do, debugger):
    assert do("until sum", "why").endswith("all values so far are finite")
    assert "linear1" in do("set linear1.params.W[1, 2] = np.nan", "until sum", "why")


# Changing.


def test_set_a_whole_array(do, debugger):
    W = debugger.model.params["linear1"]["W"].copy()
    do("set linear1.params.W = linear1.params.W * 2", "until linear1")
    assert bits(debugger.model.params["linear1"]["W"]) == bits(2 * W)


def test_set_one_number_for_all_and_for_a_part(do, debugger):
    do("until relu1", "set relu1.output = 0.5", "set relu1.output[1, 2:4] = -X.output[0, 2:4]")
    expected = np.full((3, M), 0.5)
    expected[1, 2:4] = -debugger.cache["X"].output[0, 2:4]
    assert bits(debugger.cache["relu1"].output) == bits(expected)


def test_set_before_it_is_computed_and_where_a_mask_holds(do, debugger):
    do("set relu1.output[X.output[:3] > 0] = 3", "c")
    chosen = debugger.cache["X"].output[:3] > 0
    assert set(debugger.cache["relu1"].output[chosen]) == {3.0}


def test_set_by_an_odd_name(do, debugger):
    do("until block/1.tanh [b]", "set block/1.tanh [b].output[0, 0] = 7", "recompute", "n")
    assert debugger.cache["sum"].inputs[1][0, 0] == 7


def test_recompute_shows_what_ran_again(do, debugger):
    shown = do("c", "set sum.output[0] = 0", "recompute")
    assert shown.endswith(str(debugger.cone("sum")))
    assert not debugger.cache["sum"].output[0].any()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("set linear1.params.W = np.ones((5, 3))", r"\(5, 3\)"),
        ("set linear1.params.w = 0", "did you mean .*'params.W'"),
        ("set linear1 = 0", "which value?"),
        ("set linear1.params.W 3", "set NODE.VALUE = EXPRESSION"),
        ("set relo1.output = 0", "did you mean 'relu1'"),
        ("set X.output[9] = 0", r"set X.output\[9\] = 0: index 9"),
        ("set linear1.params.W[0] = np.ones(3)", "could not broadcast"),
        ("set linear1.params.W =", "an expression is needed"),
        ("set linear1.params.W = 'a'", "could not convert"),
        ("recompute all", "takes nothing"),
    ],
)
def test_what_changing_refuses(refused, line, message):
    assert re.search(message, refused(line))


# Help, scripts, completion.


def test_help_lists_every_command_and_says_all_of_each(do):
    listed = do("h")
    for command in COMMANDS:
        assert command.call in listed
        for name in command.names:
            assert do(f"help {name}") == command.help()


def test_a_script_is_echoed_and_passes_over_comments_and_empty_lines(debugger, capsys):
    run_script(debugger, ["# two steps", "", "  n  ", "n"], "script")
    echoed = [line for line in capsys.readouterr().out.splitlines() if line[:9] == "(dagnet) "]
    assert echoed == ["(dagnet) n", "(dagnet) n"]
    assert debugger.position == 2


def test_a_script_ends_at_the_first_failure(debugger):
    with pytest.raises(DebuggerError, match=r"^script:3: p nothing: no node"):
        run_script(debugger, ["n", "#", "p nothing", "n"], "script")
    assert debugger.position == 1


@pytest.mark.parametrize(
    ("line", "start", "found"),
    [
        ("unt", 0, ["until"]),
        ("until blo", 6, ["block/1", "block/1.tanh [b]"]),
        ("b block/1.tanh [", 2, ["block/1.tanh [b]"]),
        ("b block/1.tanh [b] ba", 19, ["backward"]),
        ("b relu1 ", 8, ["forward", "backward", "update"]),
        ("p linear1.pa", 2, ["linear1.params.W", "linear1.params.b"]),
        ("p np.abs(relu1.grad_o", 9, ["relu1.grad_output"]),
        ("set block/1.o", 4, ["block/1.output"]),
        ("info su", 5, ["sum"]),
        ("h rec", 2, ["recompute"]),
        ("clear ", 6, ["1"]),
        ("why ", 4, []),
        ("nothing ", 8, []),
    ],
)
def test_completion(debugger, line, start, found):
    debugger.break_at("sum")
    assert complete(debugger, line) == (start, found)


# At the prompt.


def test_an_empty_line_repeats_the_last_command(debugger, type_in):
    type_in("", "n", "", "", "back", "")
    interact(debugger)
    assert debugger.position == 1


def test_errors_are_shown_and_the_prompt_comes_again(debugger, type_in, capsys):
    type_in("back", "nexxt", "p 1/0", "n")
    interact(debugger)
    shown = re.findall(r"^\*\*\* (.*)", capsys.readouterr().out, re.M)
    assert [said.split(":")[0] for said in shown] == [
        "the run is at its start",
        "no command named 'nexxt'; did you mean 'next' or 'set'?",
        "1/0",
    ]
    assert debugger.position == 1


def test_what_an_optimizer_raises_does_not_end_it(type_in, capsys):
    class Broken:
        def step(self, store):
            raise RuntimeError("no")

    feeds = {"X": np.ones((5, M)), "Y": np.ones((1, M))}
    debugger = dn.Debugger(network(), feeds, Broken())
    type_in("c", "back")
    interact(debugger)
    assert "*** RuntimeError: no" in capsys.readouterr().out
    assert debugger.stop.phase == "backward"


def test_ctrl_c_at_the_prompt_gives_up_the_line(debugger, type_in):
    type_in(KeyboardInterrupt(), "n")
    interact(debugger)
    assert debugger.position == 1
