"""The command line as a process: pipes, Ctrl-C, and how long it takes to say hello."""

import os
import pty
import signal
import subprocess
import sys
from math import isfinite

from click.testing import CliRunner

import dagnet as dn
from dagnet.cli import main
from dagnet.cli.app import COMMANDS
from dagnet.storage import load
from dagnet.tables import print_table
from dagnet.training import History

LONG = "train --data moons:m=60 --layers 5,1 --epochs 100000000 --log-every 1000"
SHORT = "train --data moons:m=60 --layers 5,1 --epochs 30"


def test_help_and_version(run):
    shown = run("--help").stdout
    for name in COMMANDS:
        assert f"  {name} " in shown
        assert "Usage: dagnet" in run(name, "--help").stdout
        assert run(name, "-h").stdout == run(name, "--help").stdout
    assert run("--version").stdout == f"dagnet, version {dn.__version__}\n"


def test_help_loads_nothing_that_it_does_not_need():
    code = (
        "import sys\n"
        "from dagnet.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "late = {'rich', 'graphviz', 'h5py', 'safetensors', 'matplotlib'}\n"
        "sys.exit(', '.join(late & set(sys.modules)) or 0)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_process_of_its_own(start, tmp_path):
    process = start("train --data moons:m=60 --layers 5,1 --epochs 3 --lr 1 --out", tmp_path)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert output.count("\nepoch ") == 3
    process = start("evaluate", tmp_path / "model.safetensors", "--data", "moon")
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (1, "")
    assert errors == "Error: no data set named 'moon'; did you mean 'moons'?\n"


def test_ctrl_c_ends_a_training_and_saves_it(start, run, tmp_path):
    process = start(LONG, "--out", tmp_path)
    for line in process.stdout:
        if line.startswith("epoch 1000 "):
            break
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "interrupted\n"
    assert "written to" in output
    model = load(tmp_path / "model.safetensors")
    moons = dn.data.moons(m=60)
    assert isfinite(model.evaluate(moons.X, moons.Y)["cost"])
    epoch = History.from_csv(tmp_path / "history.csv").last["epoch"]
    assert epoch >= 1000
    assert (tmp_path / "train.log").read_text().endswith("interrupted\n")
    epochs = epoch + 2000
    resumed = LONG.replace("100000000", str(epochs))
    run(resumed, "--out", tmp_path, "--resume")
    assert History.from_csv(tmp_path / "history.csv").last["epoch"] == epochs


def test_ctrl_c_outside_a_training(run, monkeypatch):
    def load(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("dagnet.data.load", load)
    result = run(LONG, code=130)
    assert result.stderr == "interrupted\n"


def on_a_terminal(command, *arguments, **environment):
    """Run a command whose output and errors go to a terminal, and return all of it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "dagnet", *command.split(), *map(str, arguments)],
        stdout=theirs,
        stderr=theirs,
        stdin=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "120"} | environment,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait(60) == 0
    return shown.decode()


def test_a_terminal_gets_a_bar_or_lines():
    shown = on_a_terminal(SHORT)
    assert "epoch 30/30" in shown
    assert "\nepoch 10 " not in shown
    plain = on_a_terminal(SHORT, "--no-progress")
    assert "\nepoch 10 " in plain
    assert "30/30" not in plain
    assert "\x1b" not in plain


def test_no_colour_where_none_is_wanted(digits_model):
    inspect = ["inspect", digits_model[1], "--data", "digits"]
    assert "\x1b[" in on_a_terminal(*inspect)
    assert "\x1b[3" not in on_a_terminal(*inspect, NO_COLOR="1")


def test_a_dumb_terminal_cuts_nothing_off(capsys, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    print_table(["name"], [["x" * 200]])
    assert "x" * 200 in capsys.readouterr().out


def test_no_escape_codes_in_a_pipe(start, digits_model):
    process = start("inspect", digits_model[1], "--data", "digits", TERM="xterm")
    output, _ = process.communicate(timeout=60)
    assert "linear2" in output
    assert "\x1b" not in output


def test_a_reader_that_leaves_early(start, digits_model):
    process = start("predict", digits_model[1], "--data", "digits")
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors


def test_names_in_letters_that_the_terminal_lacks(tmp_path):
    cats = tmp_path / "cats.csv"
    cats.write_text("a,b,y\n1,2,猫\n3,4,狗\n5,1,猫\n", encoding="utf-8")
    network = tmp_path / "net.py"
    network.write_text(
        "import dagnet as dn\n"
        "x, y = dn.Input(2, name='x'), dn.Input(1, name='目标')\n"
        "P = dn.Sigmoid(name='猫')(dn.Linear(1, name='线性')(x))\n"
        "cost = dn.BinaryCrossEntropy(name='损失')(P, y)\n",
        encoding="utf-8",
    )
    for encoding in ("latin-1", "ascii"):
        for command in ("inspect", "gradcheck", "predict"):
            words = [command, str(network), "--data", str(cats)]
            result = CliRunner(charset=encoding).invoke(main, words)
            assert (result.exit_code, result.stderr) == (0, ""), (encoding, command)
            if command == "predict":
                assert result.stdout.splitlines()[0] == r"class,p(\u732b)"


def test_a_closed_standard_output(digits_model):
    program = [sys.executable, "-m", "dagnet"]
    predict = ["predict", str(digits_model[1]), "--data", "digits"]
    for command in (predict, ["render", "--layers", "3,1", "--text"]):
        ended = subprocess.run(
            ["sh", "-c", 'exec "$@" >&-', "sh", *program, *command],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert ended.returncode == 1
        assert ended.stderr.startswith("Error: standard output is closed")
