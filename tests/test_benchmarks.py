"""The benchmarks of tests/perf run, and what they time computes the same."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import dagnet

BENCHMARKS = Path(__file__).parent / "perf"


@pytest.fixture(scope="module")
def output():
    """What the table prints on tiny sizes, for the default executor and the lesson's way."""
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "table.py", "--tiny", "--peers", "compiled,lesson"],
        env={"PYTHONPATH": str(Path(dagnet.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_table_has_rows_for_every_line(output):
    rows = [line.split("|")[1:-1] for line in output.splitlines() if line.startswith("| ")]
    assert all(len(row) == 4 and row[3].strip() for row in rows)
    assert list(dict.fromkeys(row[0].strip() for row in rows[1:])) == [
        "step time",
        "peak memory",
        "wide layers",
        "import",
        "first step",
        "compiling",
        "long chain",
        "predict",
        "streaming",
        "agreement",
    ]


def test_peers_make_the_same_steps(output):
    """With both losses, both optimizers, in a chain and in branches."""
    errors = dict(re.findall(r"^(\S+) +lesson .* weights (\S+) off$", output, re.MULTILINE))
    assert set(errors) == {"planar", "digits-adam", "branches"}
    assert float(errors["planar"]) < 1e-14
    assert max(map(float, errors.values())) < 1e-5


def test_it_says_what_it_ran_on(output):
    assert re.search(r"^\d+ processors: ", output)
    assert re.search(r"^load average at the start, .*: \d", output, re.MULTILINE)
