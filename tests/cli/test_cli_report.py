"""dagnet report and view: a page of a model in a file, on data from a source."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import dagnet as dn


def document(path):
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="data">(.*?)</script>', text)[1])


def test_it_writes_a_page_of_a_pass_over_the_data(run, digits_model, tmp_path):
    path = tmp_path / "digits.html"
    result = run("report", digits_model[1], "--data", "digits", "-o", path)
    assert result.stdout == f"written to {path}: {path.stat().st_size / 1e6:.1f} MB\n"
    found = document(path)
    digits = dn.data.digits()
    model = dn.load(digits_model[1])
    cost = model.forward(model.prepare({"X": digits.X, "Y": digits.Y}))
    assert found["cost"] == pytest.approx([cost], rel=1e-12)
    assert found["title"] == digits_model[1].stem
    assert found["image"]["shape"] == [8, 8]  # the data set says so
    assert found["image"]["inputs"] == ["X"]


def test_size_and_image(run, digits_model, tmp_path):
    path = tmp_path / "digits.html"
    words = ["--data", "digits", "-o", path, "--max-mb", 0.9, "--image", "4x16"]
    run("report", digits_model[1], *words)
    assert path.stat().st_size <= 900_000
    found = document(path)
    assert found["image"]["shape"] == [4, 16]
    assert found["values"]["X"]["output"][0]["strides"][1] > 1


@pytest.mark.parametrize("image", ["8", "8x8x8", "9x9"])
def test_an_image_that_does_not_fit(image, fails, digits_model, tmp_path):
    words = ["--data", "digits", "-o", tmp_path / "p.html", "--image", image]
    assert "image" in fails("report", digits_model[1], *words)


def test_an_image_that_is_none(run, digits_model):
    result = run("report", digits_model[1], "--data", "digits", "--image", "8by8", code=2)
    assert "'8by8' is no size such as 64x64x3" in result.stderr


def test_a_path_that_cannot_be_written(fails, digits_model, tmp_path):
    line = fails("report", "nothing.py", "--data", "digits", "-o", tmp_path / "no" / "p.html")
    assert "cannot write" in line  # before the model is even looked for


def test_a_recording(run, fails, tmp_path):
    moons = dn.data.load("moons:m=40")
    model = dn.mlp([2, 5, 1], seed=1)
    recorder = dn.Recorder(every=10, path=tmp_path / "steps")
    model.fit(moons.X, moons.Y, epochs=31, callbacks=[recorder], progress=False)
    model.save(tmp_path / "moons.safetensors")
    words = ["--data", "moons:m=40", "--recording", tmp_path / "steps", "-o", tmp_path / "p.html"]
    run("report", tmp_path / "moons.safetensors", *words)
    found = document(tmp_path / "p.html")
    assert found["steps"] == recorder.steps == [1, 11, 21, 31]
    costs = [float(recorder.at(step)["cost"].output) for step in recorder.steps]
    assert found["cost"] == costs
    dn.mlp([2, 3, 1], seed=1).save(tmp_path / "other.safetensors")
    assert "linear1" in fails("report", tmp_path / "other.safetensors", *words)


def test_view_opens_a_browser(run, digits_model, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    result = run("view", digits_model[1], "--data", "digits", "--max-mb", 1)
    (address,) = opened
    assert address.startswith("file:///")
    path = result.stdout.strip()
    assert address.endswith(path)
    assert np.isfinite(document(Path(path))["cost"]).all()
