"""What the tests of the command line share: running a command, and a trained network."""

import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

import dagnet as dn
from dagnet.cli import main


@pytest.fixture
def run():
    """Return a function that runs a command in this process, and checks its exit code.

    Its first argument is text, words and all; those that follow are one word each.
    """

    def call(command, *arguments, code=0):
        result = CliRunner().invoke(main, [*command.split(), *map(str, arguments)])
        assert result.exit_code == code, result.output
        return result

    return call


@pytest.fixture
def fails(run):
    """Return a function that runs a command that must fail with one line, and returns it."""

    def call(command, *arguments):
        result = run(command, *arguments, code=1)
        lines = result.stderr.splitlines()
        assert len(lines) == 1, result.stderr
        assert lines[0].startswith("Error: ")
        return lines[0]

    return call


@pytest.fixture
def start():
    """Return a function that starts ``python -m dagnet`` as a process; arguments as of `run`."""
    started = []

    def call(command, *arguments, **environment):
        words = [*command.split(), *map(str, arguments)]
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "dagnet", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        )
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def digits_model(tmp_path_factory):
    """A small network trained on digits, and the file it was saved in."""
    digits = dn.data.digits()
    model = dn.mlp([64, 12, 10], output="softmax", seed=1)
    model.fit(
        digits.X,
        digits.Y,
        epochs=5,
        batch_size=64,
        optimizer=dn.Adam(0.01),
        scaling="standardize",
        progress=False,
    )
    path = tmp_path_factory.mktemp("digits") / "digits.safetensors"
    model.save(path)
    return model, path


@pytest.fixture
def flowers(tmp_path):
    """A .csv file of three kinds of flowers, which four numbers tell apart."""
    rng = np.random.default_rng(0)
    path = tmp_path / "flowers.csv"
    kinds = ("aster", "lily", "rose")
    rows = [
        [*(rng.standard_normal(4) + 3 * np.eye(4)[i % 3]).round(3).tolist(), kinds[i % 3]]
        for i in range(60)
    ]
    lines = ["a,b,c,d,kind", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def network_file(tmp_path):
    """A Python file that defines `cost`, with what it imports from a module beside it."""
    (tmp_path / "sizes.py").write_text("UNITS = 8\n")
    path = tmp_path / "net.py"
    path.write_text(
        "import dagnet as dn\n"
        "from sizes import UNITS\n"
        'X, Y = dn.Input(2, name="X"), dn.Input(1, name="Y")\n'
        'h = dn.Tanh(name="h")(dn.Linear(UNITS, name="hidden")(X))\n'
        'twice = dn.Add(name="twice")(h, h)\n'
        'p = dn.Sigmoid(name="p")(dn.Linear(1, name="out")(twice))\n'
        'cost = dn.BinaryCrossEntropy(name="cost")(p, Y)\n'
        'if __name__ == "__main__":\n'
        '    raise SystemExit("not to be run")\n'
    )
    return path
