"""dagnet demo: from a definition to a table of all values."""

import re

import dagnet as dn
from dagnet.cli.fitting import run_training
from dagnet.storage import load
from dagnet.training import History


def test_demo(run, tmp_path):
    out = tmp_path / "new"
    result = run("demo", "--out", out)
    names = sorted(path.name for path in out.iterdir())
    assert names == ["history.csv", "model.safetensors", "net.svg"]
    assert "[LINEAR → RELU] × 2" in (out / "net.svg").read_text(encoding="utf-8")

    model = load(out / "model.safetensors")
    _, test = dn.data.digits().split(test=0.2, seed=1)
    accuracy = model.evaluate(test.X, test.Y)["accuracy"]
    assert accuracy > 0.97
    shown = re.search(r"^test .* accuracy ([\d.]+)$", result.stdout, re.MULTILINE)
    assert float(shown[1]) == round(accuracy, 4)
    assert History.from_csv(out / "history.csv").last["val_accuracy"] == accuracy

    table = result.stdout.split("gradient norm")[1].splitlines()
    assert [line.split()[0] for line in table[2 : 2 + len(model.graph)]] == list(model.graph)
    assert re.search(r"\d seconds in all\n$", result.stdout)


def test_the_seed_counts(run, monkeypatch, tmp_path):
    def briefly(*arguments, epochs, **options):
        run_training(*arguments, epochs=1, **options)

    monkeypatch.setattr("dagnet.cli.demo.run_training", briefly)
    run("demo", "--out", tmp_path / "a", "--seed", 4)
    run("demo", "--out", tmp_path / "b", "--seed", 4)
    run("demo", "--out", tmp_path / "c", "--seed", 5)
    a, b, c = ((tmp_path / d / "model.safetensors").read_bytes() for d in "abc")
    assert a == b != c
