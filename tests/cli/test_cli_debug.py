"""``dagnet debug``: a model and data at the keyboard, through a pipe, and from a file."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import dagnet as dn
from dagnet.cli import main

ROOT = str(Path(dn.__file__).parents[1])


@pytest.fixture
def commands(tmp_path):
    """Return a function that writes commands into a file."""

    def write(*lines):
        path = tmp_path / "commands.txt"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def test_commands_from_a_file_make_a_transcript(run, digits_model, commands):
    model, path = digits_model
    file = commands("# look", "until relu1", "p relu1.output.shape", "", "c")
    shown = run("debug", path, "--data", "digits", "--commands", file).stdout
    lines = shown.splitlines()
    assert lines[0].startswith("digits: 1797 examples, LINEAR -> RELU -> LINEAR -> SOFTMAX")
    assert lines[1:6] == [
        "position 0, start",
        "(dagnet) until relu1",
        f"position 2, forward relu1 ({model.graph['relu1'].source})",
        "(dagnet) p relu1.output.shape",
        "(12, 1797)",
    ]
    assert lines[6] == "(dagnet) c"
    assert "update; cost" in lines[7]
    assert len(lines) == 8


def test_commands_that_come_in_and_from_a_pipe(digits_model):
    words = ["debug", str(digits_model[1]), "--data", "digits", "--commands"]
    lines = "n\np relu1.outptu\n"
    result = CliRunner().invoke(main, [*words, "-"], input=lines)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: -:2: p relu1.outptu: ")
    ours, theirs = os.pipe()
    os.write(theirs, lines.encode())
    os.close(theirs)
    result = CliRunner().invoke(main, [*words, f"/dev/fd/{ours}"])
    os.close(ours)
    assert "(dagnet) n\nposition 1, forward linear1" in result.stdout
    assert result.stderr.startswith(f"Error: /dev/fd/{ours}:2: p relu1.outptu: ")


def test_the_first_failure_ends_it_and_names_its_line(fails, digits_model, commands):
    file = commands("n", "", "p relo1.output", "n")
    said = fails("debug", digits_model[1], "--data", "digits", "--commands", file)
    assert said == (
        f"Error: {file}:3: p relo1.output: no node or name named 'relo1'; did you mean 'relu1'?"
    )


def test_data_is_scaled_as_in_training_and_cut_to_the_first_examples(run, digits_model, commands):
    model, path = digits_model
    file = commands("p X.output.shape", "c", "p float(cost.output)")
    shown = run("debug", path, "--data", "digits", "--examples", 30, "--commands", file).stdout
    digits = dn.data.digits()
    cost = model.evaluate(digits.X[:, :30], digits.Y[:30])["cost"]
    assert "(64, 30)" in shown
    assert float(shown.splitlines()[-1]) == pytest.approx(cost, rel=1e-12)


def test_the_update_is_that_of_the_optimizer_asked_for(run, network_file, commands):
    file = commands(
        "c",
        "p [float(v) for v in (model.params['out']['W'] - out.params.W).ravel()]",
        "p [float(v) for v in out.grad_params.W.ravel()]",
    )

    def step(*options):
        shown = run("debug", network_file, "--data", "moons:m=30", *options, "--commands", file)
        shown = shown.stdout.splitlines()
        return np.array(eval(shown[-3])), np.array(eval(shown[-1]))

    change, gradient = step("--optimizer", "sgd", "--lr", "0.5")
    assert change == pytest.approx(-0.5 * gradient)
    change, gradient = step("--optimizer", "adam", "--lr", "0.25")
    assert change == pytest.approx(-0.25 * np.sign(gradient), rel=1e-4)


def test_a_pipe_gives_commands_and_its_end_ends(network_file):
    words = ["debug", network_file.name, "--data", "moons:m=30"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "dagnet", *words],
        input="n\nnexxt\nuntil h\n",
        capture_output=True,
        text=True,
        cwd=network_file.parent,
        env=os.environ | {"PYTHONPATH": ROOT},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "position 1, forward hidden (net.py:4)" in done.stdout
    assert "*** no command named 'nexxt'" in done.stdout
    assert "position 2, forward h (net.py:4)" in done.stdout
    assert "\x1b" not in done.stdout


def test_what_it_refuses(fails, digits_model, tmp_path, commands):
    debug = ["debug", digits_model[1], "--data", "digits"]
    assert "there is no file" in fails(*debug, "--commands", tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert "commands are text in UTF-8" in fails(*debug, "--commands", tmp_path / "binary")
    assert "did you mean 'adam'" in fails(*debug, "--optimizer", "adan")
    assert "did you mean 'digits'" in fails("debug", digits_model[1], "--data", "digit")
