"""dagnet diff: where two models differ, and an exit code that says whether they do."""

import numpy as np
import pytest

import dagnet as dn
from dagnet.debug.diff import diff


@pytest.fixture
def nudged(digits_model, tmp_path):
    model = dn.load(digits_model[1])
    model.params["linear2"]["W"][3, 7] += 1e-6
    path = tmp_path / "nudged.safetensors"
    model.save(path)
    return model, path


def test_the_same_model(run, digits_model):
    for options in ((), ("--data", "digits")):
        result = run("diff", digits_model[1], digits_model[1], *options)
        assert result.stdout.startswith("A and B are the same in all that was compared")


def test_parameters_without_data(run, digits_model, nudged):
    result = run("diff", digits_model[1], nudged[1], code=1)
    (row,) = [line.split() for line in result.stdout.splitlines() if "params" in line]
    assert row[:4] == ["linear2.params.W", "1", "of", "120"]
    weights = [model.params["linear2"]["W"][3, 7] for model in (digits_model[0], nudged[0])]
    assert [float(cell) for cell in row[-3:-1]] == pytest.approx(weights, rel=1e-8)
    assert "first different value" not in result.stdout


def test_values_with_data(run, digits_model, nudged):
    result = run("diff", digits_model[1], nudged[1], "--data", "digits", code=1)
    assert "first different value of the run: output of linear2" in result.stdout
    digits = dn.data.digits()
    feeds = digits_model[0].prepare({"X": digits.X, "Y": digits.Y})
    rows = diff(digits_model[0], nudged[0], feeds).spread
    lines = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}
    for row in rows:
        if row.node in ("linear2", "softmax2", "cost"):
            assert float(lines[row.node][0]) == pytest.approx(row.forward, rel=1e-3)


def test_tolerance(run, digits_model, nudged):
    files = digits_model[1], nudged[1]
    run("diff", *files, "--atol", "1.1e-6")
    run("diff", *files, "--atol", "0.9e-6", code=1)
    run("diff", *files, "--data", "digits", "--rtol", "1e-3", "--atol", "1e-3")


def test_an_inserted_layer(run, network_file, tmp_path):
    other = tmp_path / "deeper.py"
    other.write_text(
        network_file.read_text().replace("twice =", 'h = dn.Dropout(0.5, name="drop")(h)\ntwice =')
    )
    result = run("diff", network_file, other, "--data", "moons:m=30", code=1)
    assert "+ drop (deeper.py:5): Dropout(rate=0.5)" in result.stdout
    assert "- " not in [line.strip()[:2] for line in result.stdout.splitlines()]


def test_each_model_has_its_own_scaling_and_dtype(run, digits_model, tmp_path):
    model, path = digits_model
    plain = dn.mlp([64, 12, 10], output="softmax", dtype="float32")
    plain.set_params(
        {o: {n: a.astype("float32") for n, a in p.items()} for o, p in model.get_params().items()}
    )
    plain.save(tmp_path / "plain.safetensors")
    result = run("diff", path, tmp_path / "plain.safetensors", "--data", "digits", code=1)
    assert "A is float64 and B float32" in result.stdout
    assert "first different value of the run: output of X" in result.stdout


def test_what_goes_wrong_has_its_own_exit_code(run, digits_model, tmp_path):
    good = digits_model[1]
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0\n")
    for arguments, words in (
        ((good, tmp_path / "no.safetensors"), "no.safetensors"),
        ((good, broken), "broken.py does not run"),
        ((good, good, "--data", "digts"), "digits"),
        ((good, good, "--data", "moons"), "moons"),
        ((good, good, "--rtol", "-1"), "rtol"),
        ((good,), "Missing argument 'B'"),
    ):
        result = run("diff", *arguments, code=2)
        assert words in result.stderr.splitlines()[-1]
        assert result.stdout == ""


def test_nan(run, digits_model, tmp_path):
    model = dn.load(digits_model[1])
    model.params["linear2"]["b"][...] = np.nan
    model.save(tmp_path / "nan.safetensors")
    run("diff", tmp_path / "nan.safetensors", tmp_path / "nan.safetensors", "--data", "digits")
    result = run("diff", digits_model[1], tmp_path / "nan.safetensors", code=1)
    assert "linear2.params.b" in result.stdout
