"""Every script in examples/ runs as its users run it, and prints and writes what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from dagnet.training import History

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"


def run(script, *arguments, cwd):
    """Run an example, warnings being errors, and return what it printed."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / script), *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def numbers(text):
    return [float(n) for n in re.findall(r"-?\d+\.?\d*(?:e[-+]?\d+)?", text)]


def after(label, output):
    """Return the numbers on the line that begins with a label."""
    (line,) = [line for line in output.splitlines() if line.strip().startswith(label)]
    return numbers(line.strip().removeprefix(label))


def picture(path):
    return ElementTree.parse(path).getroot()


def test_all_examples_are_tested():
    source = Path(__file__).read_text(encoding="utf-8")
    for script in EXAMPLES.glob("*.py"):
        assert f'run("{script.name}"' in source


def test_lesson(tmp_path):
    output = run("lesson.py", cwd=tmp_path)
    # What the lesson prints, to its eight digits.
    for label, printed in {
        "4.1 Z =": [3.26295337, -1.23429987],
        "4.2 sigmoid: A =": [0.96890023, 0.11013289],
        "4.2 relu: A =": [3.43896131, 0.0],
        "4.3 AL =": [0.03921668, 0.70498921, 0.19734387, 0.04728177, 3],
        "5 cost =": [0.414931599615397],
        "6.1 dW =": [-0.10076895, 1.40685096, 1.64992505, 0.50629448],
        "6.2 sigmoid: dW =": [0.10266786, 0.09778551, -0.01968084],
        "6.2 relu: dW =": [0.44513824, 0.37371418, -0.10478989],
    }.items():
        assert after(label, output) == pytest.approx(printed, abs=6e-9), label
    steps, engine = after("cost: steps", output)
    assert steps == pytest.approx(engine, abs=1e-12)
    for layer in (1, 2, 3):
        differences = after(f"layer {layer}:", output)
        assert len(differences) == 5
        assert max(differences) < 1e-14
    assert max(after("weights after one update:", output)) < 1e-14
    assert not list(tmp_path.iterdir())


def test_planar(tmp_path):
    output = run("planar.py", tmp_path, cwd=tmp_path)
    assert after("a straight line:", output)[0] < 60
    assert after("four hidden units:", output)[0] > 85
    costs = [numbers(line)[1] for line in output.splitlines() if line.startswith("epoch")]
    assert costs == sorted(costs, reverse=True)
    drawn = [line for line in output.splitlines() if line and set(line) <= {".", "#"}]
    assert len(drawn) == 24
    assert {len(line) for line in drawn} == {64}
    assert picture(tmp_path / "planar.svg").tag.endswith("svg")
    assert History.from_csv(tmp_path / "planar.csv").last["epoch"] == 10_000


def test_planar_without_a_directory_writes_nothing(tmp_path):
    run("planar.py", cwd=tmp_path)
    assert not list(tmp_path.iterdir())


def test_cat(tmp_path):
    h5py = pytest.importorskip("h5py")
    rng = np.random.default_rng(0)
    for part, m in (("train", 12), ("test", 6)):
        labels = np.arange(m) % 2
        pictures = rng.integers(0, 100, (m, 4, 5, 3)) + 100 * labels[:, None, None, None]
        with h5py.File(tmp_path / f"{part}.h5", "w") as file:
            file[f"{part}_set_x"] = pictures.astype(np.uint8)
            file[f"{part}_set_y"] = labels
            file["list_classes"] = np.array([b"non-cat", b"cat"])
    output = run("cat.py", tmp_path / "train.h5", tmp_path / "test.h5", 300, cwd=tmp_path)
    assert "pictures 4x5x3" in output
    rows = [numbers(line) for line in output.splitlines() if line.startswith("epoch")]
    assert [row[0] for row in rows] == [1, 100, 200, 300]
    assert rows[-1][1] < rows[0][1]
    for part in ("train", "test"):
        (accuracy,) = after(f"{part} accuracy", output)
        assert 0.5 <= accuracy <= 1
    assert {p.name for p in tmp_path.iterdir()} == {"train.h5", "test.h5"}


def test_branches(tmp_path):
    output = run("branches.py", tmp_path, cwd=tmp_path)
    J, error, doubt = after("J =", output)
    assert pytest.approx(error + doubt, abs=2e-6) == J
    through_skip, through_into, total = (
        after(label, output)
        for label in ("sent back by skip:", "sent back by into:", "their sum, at joined:")
    )
    assert total == pytest.approx(np.add(through_skip, through_into), abs=2e-8)
    assert after("shared W (7, 5): backward and central differences are", output)[0] < 1e-8
    assert after("same_accuracy", output)[0] > 0.8
    boxes = [e.get("id") for e in picture(tmp_path / "branches.svg").iter() if e.get("id")]
    assert {"node-encode", "node-encode_2", "node-skip", "node-doubt"} <= set(boxes)


def test_branches_without_a_directory_writes_nothing(tmp_path):
    run("branches.py", cwd=tmp_path)
    assert not list(tmp_path.iterdir())


def test_gallery(tmp_path):
    output = run("gallery.py", tmp_path, cwd=tmp_path)
    drawn = [Path(line).name for line in output.splitlines()]
    assert len(drawn) == 9
    assert sorted(drawn) == sorted(p.name for p in tmp_path.iterdir())

    def texts(name):
        return ["".join(e.itertext()) for e in picture(tmp_path / name).iter() if is_text(e)]

    def is_text(element):
        return element.tag.endswith("}text")

    assert "[LINEAR → RELU] × 3" in texts("lesson.svg")
    assert ["block1", "…", "block4", "×", "4"] in [t.split() for t in texts("residual_stages.svg")]
    assert "87 nodes · 32 throughout" in texts("overview.svg")
    assert any(t.startswith("worst: linear1 ") for t in texts("vanishing_gradient.svg"))
    assert texts("dead_units.svg").count("100%") == 5  # the legend, and all after linear2
    shares = [t for t in texts("machine_limit.svg") if t.endswith("%")]
    assert len(shares) == 3 + 3 + 2 + 1  # the legend, layers, activations and the cost
    assert {"added", "removed", "changed", "units 16 -> 12"} <= set(texts("what_changed.svg"))
    assert "第1层线性变换 … 第3层激活" in texts("chinese.svg")
    classes = [e.get("class") for e in picture(tmp_path / "two_losses.svg").iter()]
    assert classes.count("edge gradient") == 10


def test_gallery_without_a_directory_prints_a_drawing(tmp_path):
    output = run("gallery.py", cwd=tmp_path)
    assert len(output.splitlines()) == 7
    assert "[LINEAR → RELU] × 3" in output
    assert not list(tmp_path.iterdir())


def test_own_op(tmp_path):
    output = run("own_op.py", cwd=tmp_path)
    errors = after("gradient error:", output)
    assert len(errors) == 2
    assert max(errors) < 1e-6
    assert after("accuracy", output)[0] > 0.95
    assert len(after("beta:", output)) == 8
    assert "same answers after loading: True" in output
    assert re.search("without the class: .*Swish", output)
    assert not list(tmp_path.iterdir())


def test_report(tmp_path):
    output = run("report.py", tmp_path, cwd=tmp_path)
    assert after("16 steps in", output)[0] < 5
    page = (tmp_path / "flower.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert len(page) < 5_000_000
