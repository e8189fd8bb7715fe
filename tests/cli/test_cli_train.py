"""dagnet train: the numbers and files are those of the library."""

import csv

import numpy as np
import pytest
from click.testing import CliRunner

import dagnet as dn
from dagnet.cli import main
from dagnet.cli.summary import summarize
from dagnet.storage import load
from dagnet.training import History
from dagnet.training.checkpoint import Checkpoint

WRITTEN = ["checkpoint.safetensors", "history.csv", "model.safetensors", "net.svg", "train.log"]


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def numbers(line):
    """Return the numbers of a line such as ``epoch 10  cost 0.5  accuracy 0.9``."""
    pairs = [part.split(" ") for part in line.split("  ")]
    return {name: float(value) for name, value in pairs}


def in_library(epochs, **options):
    """Return what `train --data moons:m=60 --layers 5,1 --lr 0.5` does, by hand."""
    moons = dn.data.moons(m=60)
    model = dn.mlp([2, 5, 1], init="lecun", seed=np.random.RandomState(1), **options)
    history = model.fit(
        moons.X,
        moons.Y,
        epochs=epochs,
        optimizer=dn.SGD(0.5),
        scaling="standardize",
        log_every=10,
        progress=False,
    )
    return model, history


def test_trains_as_the_library_does(run, tmp_path):
    out = tmp_path / "a" / "b"
    command = "train --data moons:m=60 --layers 5,1 --lr 0.5 --epochs 40 --log-every 10"
    result = run(command, "--out", out)
    model, history = in_library(40)
    assert names(out) == WRITTEN
    saved = load(out / "model.safetensors")
    for name, arrays in model.params.items():
        for key, array in arrays.items():
            np.testing.assert_array_equal(saved.params[name][key], array)
    logged = History.from_csv(out / "history.csv")
    assert logged.columns == history.columns
    assert (out / "net.svg").read_text().startswith("<?xml")

    lines = result.stdout.splitlines()
    assert lines[0] == "moons: 60 examples, LINEAR -> RELU -> LINEAR -> SIGMOID, 21 parameters"
    shown = [numbers(line) for line in lines if line.startswith("epoch ")]
    assert [row["epoch"] for row in shown] == [1, 10, 20, 30, 40] == history["epoch"].tolist()
    assert [row["cost"] for row in shown] == pytest.approx(history["cost"], rel=1e-3)
    moons = dn.data.moons(m=60)
    end = model.evaluate(moons.X, moons.Y)
    (final,) = [line for line in lines if line.startswith("train ")]
    assert numbers(final.partition("  ")[2]) == pytest.approx(end, rel=1e-3)
    in_file = (out / "train.log").read_text().splitlines()
    assert in_file == [*(line for line in lines if line.startswith("epoch ")), "finished"]
    assert result.stderr == ""


def test_only_what_predicts_is_summarized():
    A = X = dn.Input(3, name="X")
    for _ in range(2):
        A = dn.Tanh()(dn.Linear(3)(A))
    line = A
    for _ in range(3):
        A = dn.ReLU()(dn.Linear(3)(A))
    cost = dn.MeanSquaredError()(A, dn.Input(3, name="Y"))
    model = dn.Model(cost, outputs=[line])
    assert summarize(model) == "[LINEAR -> TANH] x 2, 60 parameters"
    assert summarize(dn.Model(cost, outputs=[A, line])).startswith(
        "[LINEAR -> TANH] x 2 -> [LINEAR"
    )
    assert summarize(dn.Model(cost, outputs=[dn.Add()(line, X)])) == "5 nodes, 60 parameters"


def test_the_input_may_stand_among_the_layers(run):
    with_input = run("train", "--data", "moons", "--layers", "2,5,1", "--epochs", 2)
    without = run("train", "--data", "moons", "--layers", "5,1", "--epochs", 2)
    assert with_input.stdout == without.stdout
    single = run("train", "--data", "blobs:classes=3,m=30", "--layers", "3", "--epochs", 2)
    assert "LINEAR -> SOFTMAX, 9 parameters" in single.stdout


def test_held_out_data_are_measured(run, tmp_path):
    command = "train --data digits --layers 8,10 --epochs 2 --holdout 0.25 --seed 3 --out"
    result = run(command, tmp_path)
    train, test = dn.data.digits().split(0.25, 3)
    model = load(tmp_path / "model.safetensors")
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("test ")]
    assert numbers(line.partition("   ")[2]) == pytest.approx(
        model.evaluate(test.X, test.Y), rel=1e-3
    )
    np.testing.assert_array_equal(model.scaling["X"].arrays["mean"], train.X.mean(axis=-1))
    logged = History.from_csv(tmp_path / "history.csv")
    assert logged.last["val_accuracy"] == model.evaluate(test.X, test.Y)["accuracy"]


def test_a_test_file_counts_classes_as_the_training_file(run, flowers, tmp_path):
    lines = flowers.read_text().splitlines()
    test = tmp_path / "test.csv"  # no aster in it: a lily would become class 0 on its own
    test.write_text("\n".join(line for line in lines if "aster" not in line))
    command = ["train", "--data", flowers, "--test", test, "--target", "kind", "--layers", "6,3"]
    result = run(*command, "--epochs", 100, "--optimizer", "adam", "--lr", 0.05)
    last = [line for line in result.stdout.splitlines() if line.startswith("test ")][-1]
    assert numbers(last.partition("   ")[2])["accuracy"] > 0.95


def test_regression_and_several_axes(run, tmp_path):
    rng = np.random.default_rng(0)
    pictures = rng.random((4, 3, 50)).astype(np.float32)
    targets = np.stack([pictures.sum(axis=(0, 1)), pictures[0, 0]])
    part = {"X_test": pictures[..., :9], "Y_test": targets[:, :9]}
    np.savez(tmp_path / "pictures.npz", X_train=pictures, Y_train=targets, **part)
    source = tmp_path / "pictures.npz"
    command = ["train", "--data", source, "--test", source, "--layers", "6,2", "--dtype", "float32"]
    for scaling in ("auto", "none", "minmax", "divide"):
        run(*command, "--epochs", 3, "--scaling", scaling, "--out", tmp_path / scaling)
        model = load(tmp_path / scaling / "model.safetensors")
        assert model.dtype == "float32"
        assert model.shapes["X"] == (12, "m")
        logged = History.from_csv(tmp_path / scaling / "history.csv")
        measured = model.evaluate(pictures.reshape(12, 50)[:, :9], targets[:, :9])
        assert logged.last["val_mae"] == pytest.approx(measured["mae"])


def test_a_test_file_holds_numbers_if_the_training_file_does(run, tmp_path):
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    train.write_text("x,y\n1,1\n2,2.5\n3,3\n4,4\n")
    test.write_text("x,y\n1,0\n2,2\n3,5\n")  # classes, on its own
    result = run("train", "--data", train, "--test", test, "--layers", 1, "--epochs", 1)
    assert result.stdout.count("val_mae") == 1


def test_two_classes_may_be_two_units(run, tmp_path):
    path = tmp_path / "net.py"
    path.write_text(
        "import dagnet as dn\n"
        'X, Y = dn.Input(2, name="X"), dn.Input(2, name="Y")\n'
        "cost = dn.CategoricalCrossEntropy()(dn.Softmax()(dn.Linear(2)(X)), Y)\n"
    )
    command = "train --data moons --epochs 100 --optimizer adam --lr 0.1 --model"
    last = run(command, path).stdout.splitlines()[-1]
    assert numbers(last.partition("  ")[2])["accuracy"] > 0.8


def test_checkpoints_are_written_as_often_as_asked(run, monkeypatch, tmp_path):
    written = []
    monkeypatch.setattr(Checkpoint, "write", lambda self, training: written.append(training.epoch))
    command = "train --data moons:m=40 --layers 1 --epochs 7 --out"
    run(command, tmp_path, "--checkpoint-every", 3)
    assert written == [3, 6]
    run(command, tmp_path)
    assert written == [3, 6, 7]


def test_whole_numbers_are_what_targets_says(run, tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("x,y\n" + "".join(f"{i},{i % 4}\n" for i in range(20)))
    classes = run("train", "--data", path, "--layers", 4, "--epochs", 1)
    assert "SOFTMAX" in classes.stdout
    counted = run("train", "--data", path, "--layers", 1, "--epochs", 1, "--targets", "numbers")
    assert "IDENTITY" in counted.stdout


def test_every_option_reaches_the_training(run, tmp_path):
    command = (
        "train --data moons:m=50 --layers 4,1 --hidden tanh --epochs 3 --batch 20 --lr 0.02 "
        "--optimizer momentum --l2 0.1 --init 0.5 --seed 7 --dtype float32 --scaling minmax "
        "--executor fused --log-every 1 --out"
    )
    run(command, tmp_path)
    moons = dn.data.moons(m=50)
    seed = np.random.RandomState(7)
    options = {"init": 0.5, "l2": 0.1, "dtype": "float32", "executor": "fused"}
    model = dn.mlp([2, 4, 1], hidden="tanh", seed=seed, **options)
    history = model.fit(
        moons.X,
        moons.Y.astype(np.float32),
        epochs=3,
        batch_size=20,
        optimizer=dn.Momentum(0.02),
        scaling="minmax",
        progress=False,
    )
    assert History.from_csv(tmp_path / "history.csv").columns == history.columns


def test_resuming_gives_the_same_bits(run, tmp_path):
    command = "train --data moons:m=60 --layers 5,1 --lr 0.5 --batch 16 --log-every 10"
    run(command, "--epochs", 40, "--out", tmp_path / "whole")
    run(command, "--epochs", 20, "--out", tmp_path / "parts")
    run(command, "--epochs", 40, "--out", tmp_path / "parts", "--resume")
    for name in ("model.safetensors", "history.csv"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    log = (tmp_path / "parts" / "train.log").read_text().splitlines()
    assert [line.split("  ")[0] for line in log if line != "finished"] == [
        f"epoch {n}" for n in (1, 10, 20, 30, 40)
    ]


def test_a_new_training_begins_new_files(run, tmp_path):
    command = "train --data moons:m=60 --layers 5,1 --epochs 2 --out"
    run(command, tmp_path)
    once = {name: (tmp_path / name).read_bytes() for name in WRITTEN}
    run(command, tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in WRITTEN} == once


def test_a_history_is_a_plain_table(run, tmp_path):
    run("train --data moons:m=60 --layers 5,1 --epochs 3 --out", tmp_path)
    with open(tmp_path / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]


def test_a_diverged_training_says_so(run, tmp_path):
    np.savez(tmp_path / "line.npz", X=np.arange(6.0)[np.newaxis], Y=np.arange(6.0)[np.newaxis] / 7)
    source = tmp_path / "line.npz"
    result = run("train", "--data", source, "--layers", "3,1", "--lr", 1e30, "--epochs", 50)
    assert result.stderr == "the cost is nan: try a smaller --lr; --watch all says where it began\n"


def test_the_debugger_s_prompt_where_a_watch_sees_something(run, tmp_path):
    words = [
        "train",
        "--data",
        "moons:m=60",
        "--layers",
        "5,1",
        "--epochs",
        "40",
        "--lr",
        "500",
        "--watch",
    ]
    result = CliRunner().invoke(main, [*words, "jump", "--debug"], input="why\nunwatch\nc\n")
    assert result.exit_code == 0
    assert "(dagnet) linear1, forward: output has moved by" in result.stdout
    assert "epoch 40 " in result.stdout
    result = CliRunner().invoke(
        main, [*words, "jump", "--debug", "--out", str(tmp_path)], input="q\n"
    )
    assert result.exit_code == 0
    assert History.from_csv(tmp_path / "history.csv").last["epoch"] < 40
    assert "--debug needs --watch" in run("train --data moons --layers 1 --debug", code=2).stderr


def test_a_cost_that_did_not_fall_says_so(run):
    result = run("train --data moons:m=60 --layers 5,1 --epochs 40 --lr 500")
    assert result.stderr.startswith("the cost did not fall: 0.")
    assert result.stderr.endswith("--watch all says what went wrong, and where it began\n")
    assert run("train --data moons:m=60 --layers 5,1 --epochs 40 --lr 0.1").stderr == ""


def test_an_accuracy_that_is_no_better_than_a_constant_says_so(run, tmp_path):
    path = tmp_path / "few.csv"
    path.write_text("a,kind\n1,no\n2,yes\n3,yes\n")
    words = ["train", "--data", path, "--target", "kind", "--layers", "2,1", "--init", "zeros"]
    said = "the accuracy is no better than that of one answer to every example; --watch all says"
    assert run(*words, "--epochs", 1).stderr.startswith(said)
    assert run(*words, "--epochs", 9).stderr.startswith(said)


def test_a_test_accuracy_that_is_no_better_than_a_constant_says_so(run, tmp_path):
    rng = np.random.default_rng(1)
    source = tmp_path / "shuffled.npz"
    np.savez(source, X=rng.standard_normal((4, 60)), Y=rng.permutation([0, 1] * 30)[np.newaxis])
    words = ["train", "--data", source, "--layers", "16,1", "--epochs", 300, "--lr", 1]
    assert run(*words).stderr == ""
    shown = run(*words, "--holdout", 0.2)
    assert shown.stderr.startswith("the test accuracy is no better than that of one answer")
    assert float(shown.stdout.split("test ")[1].split()[-1]) <= 0.5


def test_a_class_without_examples_is_named(run, tmp_path):
    path = tmp_path / "same.csv"
    path.write_text("a,kind\n1,no\n2,no\n3,no\n")
    words = ["train", "--data", path, "--target", "kind", "--layers", "2,1", "--epochs", 2]
    shown = run(*words, "--classes", "no,yes").stderr.splitlines()
    assert shown[0] == "same has no example of class 'yes'"
    path.write_text("a,y\n1,1\n2,1\n3,1\n")
    result = run("train", "--data", path, "--layers", "2,1", "--epochs", 2)
    assert result.stderr.splitlines()[0] == "same has no example of class '0'"


def test_watches_tell_at_the_end_what_went_wrong(run, tmp_path):
    np.savez(tmp_path / "line.npz", X=np.arange(6.0)[np.newaxis], Y=np.arange(6.0)[np.newaxis] / 7)
    command = ["train", "--data", tmp_path / "line.npz", "--layers", "3,1", "--epochs", 3]
    plain = run(*command, "--lr", 1e30)
    assert "began" in run(*command, "--lr", 1e200).stderr
    result = run(*command, "--lr", 1e30, "--watch", "exploding gradient", "--watch", "all zero")
    assert result.stdout == plain.stdout
    first, *rest = result.stderr.splitlines()
    assert first.startswith(
        "step 2, backward linear2: exploding gradient: grad_params.W has a norm"
    )
    assert rest[0] == f"    what to do: {dn.watches.ExplodingGradient.remedy}"
    assert rest[1].startswith("    and ")
    assert any(line.startswith("linear2") and ", backward: " in line for line in rest)
    assert "loss domain" not in result.stderr
    result = run(*command, "--lr", 0.01, "--watch", "all")
    assert result.stderr == "the watches saw nothing\n"
    result = run(*command, "--watch", "dead relus", code=1)
    assert "did you mean 'dead relu'" in result.stderr
