"""--model: the user's Python file is run, and its errors are shown as the user's own."""

import sys

import pytest

from dagnet.storage import load

TRAIN = "train --data moons:m=40 --epochs 2"


@pytest.fixture
def write(tmp_path):
    def call(text):
        path = tmp_path / "mine.py"
        path.write_text(text)
        return path

    return call


def test_a_cost_is_trained(run, network_file, tmp_path):
    before = list(sys.path)
    command = [TRAIN, "--model", network_file, "--init", "zeros", "--dtype", "float32"]
    result = run(*command, "--out", tmp_path / "out")
    model = load(tmp_path / "out" / "model.safetensors")
    assert model.dtype == "float32"
    assert not model.params["hidden"]["W"].any()  # zeros through a tanh: no gradient reaches W
    assert "5 nodes, 33 parameters" in result.stdout
    assert sys.path == before


def test_a_finished_model_is_trained_as_it_is(run, fails, write):
    path = write("import dagnet as dn\nmodel = dn.mlp([2, 3, 1], dtype='float32', seed=1)\n")
    assert "13 parameters" in run(TRAIN, "--model", path).stdout
    error = fails(TRAIN, "--model", path, "--init", "he", "--l2", 0.1, "--executor", "fused")
    assert "--init, --l2, --executor would change a cost only" in error


def test_an_error_in_the_file_shows_the_files_own_lines(run, write):
    path = write(
        "import dagnet as dn\n"
        "def layer(units):\n"
        '    return dn.Linear(units)(dn.Input(2, name="X"))\n'
        "layer(-1)\n"
    )
    lines = run(TRAIN, "--model", path, code=1).stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert [line for line in lines if line.startswith("  File ")] == [
        f'  File "{path}", line 4, in <module>',
        f'  File "{path}", line 3, in layer',
    ]
    assert "units must be a positive integer, got -1" in lines[-2]
    assert lines[-1] == f"Error: {path} does not run, see above"


def test_a_file_that_is_no_python(run, write):
    path = write("x = (\n")
    lines = run(TRAIN, "--model", path, code=1).stderr.splitlines()
    assert lines[0] == f'  File "{path}", line 1'
    assert lines[-2] == "SyntaxError: '(' was never closed"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "import dagnet as dn\nnet = dn.mlp([2, 3, 1])\n",
            "model nor cost; rename net",
        ),
        ("x = 1\n", "defines neither model nor cost"),
        ("model = 3\n", "model must be a dn.Model, got int 3"),
        ("cost = 3\n", "cost must be the node of a loss, got int 3"),
        ("raise SystemExit(4)\n", "ended by itself"),
        ("import dagnet as dn\ncost = dn.Linear(1)(dn.Input(2))\n", "cost"),
    ],
)
def test_a_file_that_defines_something_else(fails, write, text, words):
    assert words in fails(TRAIN, "--model", write(text))
