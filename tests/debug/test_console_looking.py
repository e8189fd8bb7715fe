"""The console's commands that show what a run has computed, and the expressions they take."""

import re
from contextlib import suppress

import numpy as np
import pytest

import dagnet as dn
from dagnet.debug.console import run_script
from dagnet.errors import DebuggerError

M = 7


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
        ("[2.output[0, 0] * 0 + 2, block/1].__len__()", "2"),
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


def test_an_odd_name_is_not_found_within_another_name(capsys):
    X, Y = dn.Input(2, name="2"), dn.Input(3, name="h2")
    model = dn.Model(dn.MeanSquaredError(name="cost")(dn.Linear(3, name="l")(X), Y), seed=1)
    debugger = dn.Debugger(model, {"2": np.ones((2, M)), "h2": np.ones((3, M))})
    run_script(debugger, ["p h2.output.shape + 2.output.shape"], "script")
    assert capsys.readouterr().out.splitlines()[-1] == "(3, 7, 2, 7)"


@pytest.mark.parametrize(
    "name", ["a[open('ran', 'w')]", "'a' + str(open('ran', 'w'))", " open('ran', 'w') "]
)
@pytest.mark.parametrize(
    "line",
    [
        "p {}",
        "p {}.output",
        "p {}.outptu",
        "p {} + 1",
        "set {}.outptu = 0",
        "b {} when 0",
        "info {}",
    ],
)
def test_a_name_is_never_run_as_code(name, line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    X, Y = dn.Input(2, name=name), dn.Input(3, name="Y")
    model = dn.Model(dn.MeanSquaredError(name="cost")(dn.Linear(3, name="l")(X), Y), seed=1)
    debugger = dn.Debugger(model, {name: np.ones((2, M)), "Y": np.ones((3, M))})
    with suppress(DebuggerError):
        run_script(debugger, [line.format(name)], "script")
    assert not (tmp_path / "ran").exists()


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
