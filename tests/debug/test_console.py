"""The console's commands that move and change the run, and the console itself."""

import re

import numpy as np
import pytest
from engine_helpers import bits

import dagnet as dn
from dagnet.debug.console import interact, run_script
from dagnet.debug.console.table import COMMANDS, complete
from dagnet.errors import DebuggerError

M = 7


# Moving.


@pytest.mark.parametrize("word", ["n", "next", "s", "step"])
def test_next(do, debugger, word):
    assert do(word).startswith("position 1, forward linear1 (conftest.py:")
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


@pytest.mark.parametrize("word", ["q", "quit", "exit"])
def test_quit_ends_the_script(do, debugger, word):
    do("n", word, "n")
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
        "no command named 'nexxt'; did you mean 'next' or 'exit' or 'set'?",
        "1/0",
    ]
    assert debugger.position == 1


def test_what_an_optimizer_raises_does_not_end_it(debugger, type_in, capsys):
    class Broken:
        def step(self, store):
            raise RuntimeError("no")

    feeds = {"X": np.ones((5, M)), "Y": np.ones((1, M))}
    debugger = dn.Debugger(debugger.model, feeds, Broken())
    type_in("c", "back")
    interact(debugger)
    assert "*** RuntimeError: no" in capsys.readouterr().out
    assert debugger.stop.phase == "backward"


def test_ctrl_c_at_the_prompt_gives_up_the_line(debugger, type_in):
    type_in(KeyboardInterrupt(), "n")
    interact(debugger)
    assert debugger.position == 1
