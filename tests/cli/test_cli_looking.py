"""dagnet inspect, evaluate, predict and render: the numbers are those of the library."""

import csv
import io
import json

import numpy as np
import pytest

import dagnet as dn
from dagnet.statistics import statistics
from dagnet.storage import load
from dagnet.training import metrics_for


def table(output, first):
    """Return the rows of a printed table as dicts, by the name in the first column."""
    lines = output.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(first))
    header = [name.strip() for name in lines[start].split("  ") if name.strip()]
    rows = {}
    for line in lines[start + 2 :]:
        cells = [cell.strip() for cell in line.split("  ") if cell.strip()]
        if len(cells) != len(header):
            break
        rows[cells[0]] = dict(zip(header, cells, strict=True))
    return rows


@pytest.fixture
def looked(digits_model):
    """The model of `digits_model` after a pass over all digits."""
    model = load(digits_model[1])
    digits = dn.data.digits()
    cost = model.forward(model.prepare({"X": digits.X, "Y": digits.Y}))
    model.backward()
    return model, cost


# inspect


def test_inspect_shows_every_node(run, digits_model, looked):
    model, cost = looked
    result = run("inspect", digits_model[1], "--data", "digits")
    assert result.stdout.splitlines()[0] == f"cost {cost:.6g}"
    rows = table(result.stdout, "node")
    assert list(rows) == list(model.graph)
    for name, row in rows.items():
        of = statistics(model.cache[name].output)
        assert row["shape"] == ("x".join(map(str, of.shape)) or "scalar")
        for column in ("mean", "std", "min", "max"):
            assert float(row[column]) == pytest.approx(getattr(of, column), rel=1e-3)
        assert float(row["zeros"].rstrip("%")) == pytest.approx(100 * of.zeros, abs=0.06)
        if name == "Y":
            assert row["gradient norm"] == "-"
        else:
            norm = np.linalg.norm(model.cache[name].grad_output)
            assert float(row["gradient norm"]) == pytest.approx(norm, rel=1e-3)


def test_inspect_saves_every_array(run, digits_model, looked, tmp_path):
    model, _ = looked
    path = tmp_path / "arrays.npz"
    run("inspect", digits_model[1], "--data", "digits", "--save", path)
    with np.load(path) as saved:
        arrays = dict(saved)
    for name, record in model.cache.items():
        np.testing.assert_array_equal(arrays.pop(f"{name}.output"), record.output)
        for key, array in record.params.items():
            np.testing.assert_array_equal(arrays.pop(f"{name}.params.{key}"), array)
            gradient = arrays.pop(f"{name}.grad_params.{key}")
            np.testing.assert_array_equal(gradient, record.grad_params[key])
        for i, array in enumerate(record.grad_inputs):
            if array is not None:
                np.testing.assert_array_equal(arrays.pop(f"{name}.grad_inputs.{i}"), array)
        for key, array in record.saved.items():
            np.testing.assert_array_equal(arrays.pop(f"{name}.saved.{key}"), array)
        if name != "Y":
            gradient = arrays.pop(f"{name}.grad_output")
            np.testing.assert_array_equal(gradient, record.grad_output)
    assert arrays == {}


def test_inspect_shows_one_node(run, digits_model, looked, tmp_path):
    model, _ = looked
    path = tmp_path / "arrays.npz"
    result = run(
        "inspect", digits_model[1], "--data", "digits", "--node", "linear2", "--save", path
    )
    rows = table(result.stdout, "array")
    with np.load(path) as saved:
        assert list(rows) == list(saved)
        np.testing.assert_array_equal(saved["linear2.inputs.0"], model.cache["relu1"].output)
        W = model.params["linear2"]["W"]
        np.testing.assert_array_equal(saved["linear2.params.W"], W)
    row = rows["linear2.params.W"]
    assert float(row["norm"]) == pytest.approx(np.linalg.norm(W), rel=1e-3)
    first = [float(value) for value in row["values"].removesuffix(", ...").split(", ")]
    assert first == pytest.approx(W.ravel()[:4], rel=1e-3)


def test_inspect_marks_what_is_not_finite(run, digits_model, tmp_path):
    model = load(digits_model[1])
    model.params["linear2"]["W"][0, 0] = np.nan
    model.save(tmp_path / "broken.safetensors")
    result = run("inspect", tmp_path / "broken.safetensors", "--data", "digits")
    row = table(result.stdout, "node")["linear2"]
    assert row["shape"] == "10x1797 (1797 NaN, 0 Inf)"
    assert row["gradient norm"] == "nan"


def test_inspect_takes_a_network_file(run, network_file):
    result = run("inspect", network_file, "--data", "moons:m=30", "--node", "twice")
    assert "made in net.py:5" in result.stdout
    rows = table(result.stdout, "array")
    assert rows["twice.inputs.0"]["norm"] == rows["twice.inputs.1"]["norm"]
    assert float(rows["twice.output"]["max"]) == pytest.approx(
        2 * float(rows["twice.inputs.0"]["max"]), rel=1e-3
    )


def test_square_brackets_in_a_name_are_no_markup(run, tmp_path):
    x, y = dn.Input(2, name="x[red]"), dn.Input(1, name="y")
    line = dn.Linear(1, name="line[/bold]")(x)
    dn.Model(dn.BinaryCrossEntropyWithLogits(name="cost")(line, y)).save(
        tmp_path / "net.safetensors"
    )
    result = run("inspect", tmp_path / "net.safetensors", "--data", "moons:m=20")
    assert list(table(result.stdout, "node")) == ["x[red]", "y", "line[/bold]", "cost"]


# evaluate


def test_evaluate_prints_what_the_library_measures(run, digits_model):
    model, path = digits_model
    digits = dn.data.digits()
    result = run("evaluate", path, "--data", "digits")
    shown = dict(line.split() for line in result.stdout.splitlines())
    metrics = list(metrics_for("categorical"))
    measured = model.evaluate(digits.X, digits.Y, metrics=metrics)
    assert list(shown) == ["cost", "accuracy", "precision", "recall", "f1"]
    assert {n: float(value) for n, value in shown.items()} == pytest.approx(measured, rel=1e-5)


def test_json_has_all_digits(run, digits_model):
    model, path = digits_model
    digits = dn.data.digits()
    measured = model.evaluate(digits.X, digits.Y, metrics=list(metrics_for("categorical")))
    result = run("evaluate", path, "--data", "digits", "--json")
    assert json.loads(result.stdout) == measured
    assert result.stdout.count("\n") == 1


@pytest.mark.parametrize("node", [None, "linear2"])
def test_inspect_as_json(run, digits_model, looked, tmp_path, node):
    model, cost = looked
    words = ["inspect", digits_model[1], "--data", "digits", "--json"]
    words += [] if node is None else ["--node", node]
    result = run(*words, "--save", tmp_path / "arrays.npz")
    shown = json.loads(result.stdout)
    assert shown["cost"] == cost
    with np.load(tmp_path / "arrays.npz") as saved:
        assert [f"{v['node']}.{v['value']}" for v in shown["values"]] == list(saved)
    for value in shown["values"]:
        expected = vars(statistics(model.cache[value["node"]].array(value["value"])))
        assert {key: value[key] for key in expected} == expected | {
            "shape": list(expected["shape"])
        }


def test_evaluate_a_regression(run, tmp_path):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((3, 40)).round(3), rng.integers(0, 5, (1, 40)).astype(float)
    rows = [f"{a},{b},{c},{int(y)}\n" for a, b, c, y in np.vstack([X, Y]).T.tolist()]
    (tmp_path / "line.csv").write_text("a,b,c,y\n" + "".join(rows))  # on its own, y is a class
    model = dn.mlp([3, 1], output="identity", seed=1)
    model.save(tmp_path / "line.safetensors")
    result = run("evaluate", tmp_path / "line.safetensors", "--data", tmp_path / "line.csv")
    shown = {line.split()[0]: float(line.split()[1]) for line in result.stdout.splitlines()}
    measured = model.evaluate(X, Y, metrics=["mae", "mse", "r2"])
    assert shown == pytest.approx(measured, rel=1e-5)


def test_classes_are_counted_as_in_training(run, fails, flowers, tmp_path):
    command = ["train", "--data", flowers, "--target", "kind", "--layers", 3, "--epochs", 300]
    run(*command, "--optimizer", "adam", "--lr", 0.05, "--out", tmp_path)
    model = tmp_path / "model.safetensors"
    lines = flowers.read_text().splitlines()
    few = tmp_path / "few.csv"
    few.write_text("\n".join(line for line in lines if "aster" not in line))
    on_few = ["evaluate", model, "--data", few, "--target", "kind"]
    known = run(*on_few).stdout.splitlines()
    assert float(known[1].split()[1]) > 0.95
    nameless = dn.load(model)  # as it is saved where nobody set the names
    nameless.classes = None
    nameless.save(model)
    assert "the 2 classes lily, rose" in fails(*on_few)
    named = run(*on_few, "--classes", "aster, lily, rose").stdout.splitlines()
    assert float(named[1].split()[1]) > 0.95


# predict


def csv_rows(text):
    return list(csv.reader(io.StringIO(text)))


def test_predictions_are_the_models(run, digits_model, tmp_path):
    model, path = digits_model
    probabilities = model.predict(dn.data.digits().X)
    result = run("predict", path, "--data", "digits")
    header, *rows = csv_rows(result.stdout)
    assert header == ["class", *(f"p({i})" for i in range(10))]
    values = np.array([row[1:] for row in rows], dtype=float).T
    np.testing.assert_array_equal(values, probabilities)
    assert [int(row[0]) for row in rows] == probabilities.argmax(axis=0).tolist()
    out = tmp_path / "out.csv"
    assert run("predict", path, "--data", "digits", "-o", out).stdout == ""
    assert out.read_text() == result.stdout


def test_predicted_classes_have_their_names(run, tmp_path):
    moons = dn.data.moons(m=80)
    model = dn.mlp([2, 6, 1], seed=1)
    model.fit(moons.X, moons.Y, epochs=300, optimizer=dn.Adam(0.05), progress=False)
    model.save(tmp_path / "moons.safetensors")
    result = run("predict", tmp_path / "moons.safetensors", "--data", "moons:m=80")
    header, *rows = csv_rows(result.stdout)
    no, yes = moons.classes
    assert header == ["class", f"p({yes})"]
    probabilities = model.predict(moons.X)[0]
    assert [float(row[1]) for row in rows] == probabilities.tolist()
    assert [row[0] for row in rows] == [yes if p > 0.5 else no for p in probabilities]


def test_logits_are_no_probabilities(run, tmp_path):
    x, y = dn.Input(2, name="x"), dn.Input(1, name="y")
    cost = dn.BinaryCrossEntropyWithLogits()(dn.Linear(1)(x), y)
    model = dn.Model(cost, seed=1)
    model.save(tmp_path / "logits.safetensors")
    moons = dn.data.moons(m=80)
    header, *rows = csv_rows(
        run("predict", tmp_path / "logits.safetensors", "--data", "moons:m=80").stdout
    )
    no, yes = moons.classes
    assert header == ["class", f"z({yes})"]
    logits = model.predict(moons.X)[0]
    assert ((logits > 0) & (logits < 0.5)).any()
    assert [row[0] for row in rows] == [yes if z > 0 else no for z in logits]


@pytest.mark.parametrize("outputs", [1, 2])
def test_predicted_numbers(run, tmp_path, outputs):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((3, 7)), rng.standard_normal((outputs, 7))
    np.savez(tmp_path / "line.npz", X=X, Y=Y)
    model = dn.mlp([3, outputs], output="identity", dtype="float32", seed=1)
    model.save(tmp_path / "line.safetensors")
    result = run("predict", tmp_path / "line.safetensors", "--data", tmp_path / "line.npz")
    header, *rows = csv_rows(result.stdout)
    assert header == (["prediction"] if outputs == 1 else ["prediction1", "prediction2"])
    values = np.array(rows, dtype=np.float32).T
    np.testing.assert_array_equal(values, model.predict(X.astype(np.float32)))


# render


def test_render_draws_what_the_library_draws(run, tmp_path):
    path = tmp_path / "net.safetensors"
    dn.mlp([12, 5, 4, 3, 1], seed=1).save(path)
    drawn, expected = tmp_path / "drawn.dot", tmp_path / "expected.dot"
    result = run("render", path, "-o", drawn, "--direction", "right", "--no-fold")
    assert result.stdout == f"written to {drawn}\n"
    load(path).render(expected, direction="right", fold=False)
    assert drawn.read_text() == expected.read_text()
    assert "rankdir" in drawn.read_text()


def test_render_draws_sizes_and_files(run, network_file, tmp_path):
    dot = tmp_path / "net.dot"
    run("render", "--layers", "12288,20,7,5,1", "-o", dot)
    assert "[LINEAR → RELU] × 3" in dot.read_text()
    assert "SIGMOID" in dot.read_text()
    run("render", "--layers", "64,8,10", "--hidden", "tanh", "-o", dot)
    assert "SOFTMAX" in dot.read_text()
    assert "TANH" in dot.read_text()
    run("render", network_file, "-o", dot)
    by_argument = dot.read_text()
    run("render", "--model", network_file, "-o", dot)
    assert dot.read_text() == by_argument
    assert "twice" in by_argument
