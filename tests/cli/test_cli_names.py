"""A saved model knows the classes and the columns it was trained on."""

import csv

import numpy as np
import pytest

import dagnet as dn

KINDS = ("apple", "banana", "cherry")
COLUMNS = ("weight", "redness", "length")


@pytest.fixture
def fruit(tmp_path, run):
    """A table of three classes that are easy to tell, and a model trained on it."""
    rng = np.random.default_rng(0)
    rows = [
        [f"{value:.4f}" for value in (5.0 * k + rng.normal(), -4.0 * k, 2.0 * (k == 1))] + [kind]
        for _ in range(20)
        for k, kind in enumerate(KINDS)
    ]
    write(tmp_path / "fruit.csv", [*COLUMNS, "kind"], rows)
    options = ["--layers", "8,3", "--epochs", "200", "--lr", "0.1", "--out", tmp_path / "out"]
    run("train", "--data", tmp_path / "fruit.csv", "--target", "kind", *options)
    return tmp_path, rows


def write(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def predicted(run, folder, path):
    model = folder / "out" / "model.safetensors"
    out = folder / "predictions.csv"
    result = run("predict", model, "--data", path, "--target", "kind", "-o", out)
    with open(out, encoding="utf-8") as file:
        return result, [row["class"] for row in csv.DictReader(file)]


def test_the_file_keeps_the_names(fruit):
    model = dn.load(fruit[0] / "out" / "model.safetensors")
    assert model.classes == KINDS
    assert model.features == COLUMNS


def test_a_file_that_lacks_a_class_is_predicted_by_the_classes_of_training(fruit, run):
    folder, rows = fruit
    some = [row for row in rows if row[-1] != "apple"]
    write(folder / "some.csv", [*COLUMNS, "kind"], some)
    assert predicted(run, folder, folder / "some.csv")[1] == [row[-1] for row in some]


def test_columns_in_another_order_are_put_in_order(fruit, run):
    folder, rows = fruit
    write(folder / "moved.csv", ["kind", *reversed(COLUMNS)], [row[::-1] for row in rows])
    assert predicted(run, folder, folder / "moved.csv")[1] == [row[-1] for row in rows]


def test_a_file_to_predict_needs_the_columns_of_the_model_only(fruit, run, fails):
    folder, rows = fruit
    model = folder / "out" / "model.safetensors"
    weight, redness, length, kinds = zip(*rows, strict=True)
    notes = [f"no {i}" for i in range(len(rows))]
    write(
        folder / "new.csv",
        ["length", "note", "weight", "redness"],
        zip(length, notes, weight, redness, strict=True),
    )
    result = run("predict", model, "--data", folder / "new.csv")
    header, *lines = csv.reader(result.stdout.splitlines())
    assert header == ["class", *(f"p({kind})" for kind in KINDS)]
    assert [line[0] for line in lines] == list(kinds)
    shown = run("predict", model, "--data", folder / "fruit.csv", "--target", "kind").stdout
    assert result.stdout == shown
    write(folder / "short.csv", ["weight", "length"], zip(weight, length, strict=True))
    error = fails("predict", model, "--data", folder / "short.csv")
    assert error.endswith(
        "short.csv lacks redness of the features weight, redness, length; it has weight, length"
    )
    write(folder / "gap.csv", COLUMNS, [[1, 2, 3], [4, "", 6]])
    assert "the first is on line 3, column 'redness'" in fails(
        "predict", model, "--data", folder / "gap.csv"
    )


def test_classes_and_columns_of_other_names_are_refused(fruit, fails):
    folder, rows = fruit
    model = folder / "out" / "model.safetensors"
    renamed = [[*row[:-1], "zebra" if row[-1] == "apple" else row[-1]] for row in rows]
    write(folder / "zebra.csv", [*COLUMNS, "kind"], renamed)
    write(folder / "height.csv", ["weight", "redness", "height", "kind"], rows)
    options = ("--target", "kind")
    assert "zebra" in fails("evaluate", model, "--data", folder / "zebra.csv", *options)
    assert "length" in fails("evaluate", model, "--data", folder / "height.csv", *options)
