"""What a user gets wrong: one line that says so, the right exit code, and nothing written."""

import sys

import numpy as np
import pytest

import dagnet as dn

TRAIN = "train --data moons:m=40"


def snapshot(directory):
    return {path: path.is_file() and path.read_bytes() for path in directory.rglob("*")}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--layers 5,1 --lr 0", "learning_rate must be a positive number"),
        ("--layers 5,1 --lr -0.1", "learning_rate must be a positive number"),
        ("--layers 5,1 --lr nan", "learning_rate must be a positive number"),
        ("--layers 5,1 --optimizer adm", "did you mean 'adam'"),
        ("--layers 5,1 --init hee", "did you mean 'he'"),
        ("--layers 5,1 --init -1", "init must be a name or a standard deviation of at least 0"),
        ("--layers 5,1 --hidden rellu", "did you mean 'relu'"),
        ("--layers 5,1 --dtype float16", "did you mean 'float64'"),
        ("--layers 5,1 --executor fussed", "did you mean 'fused'"),
        ("--layers 5,1 --scaling standardise", "did you mean 'standardize'"),
        ("--layers 5,1 --l2 -1", "strength must be a number not below 0"),
        ("--layers 5,1 --target y", "--target does not apply to moons"),
        ("--layers 5,1 --test moon", "did you mean 'moons'"),
        ("--layers 5,1 --test digits", "digits has 10 classes, but the network's target Y (1, m)"),
        ("--layers 5,2", "the last layer must have size 1"),
        ("--layers 5,0,1", "0 in '5,0,1'"),
        ("--layers 5,x", "layers are sizes such as 20,7,5,1"),
        ("--layers 9999999999999999999999,1", "a layer has 1 to"),
        ("--layers 100000000,100000000,1", "not enough memory"),
        ("--model no.py", "there is no file no.py"),
    ],
)
def test_train_refuses(fails, tmp_path, arguments, words):
    assert words in fails(TRAIN, *arguments.split(), "--out", tmp_path / "out")
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", "--layers or --model"),
        ("--layers 5,1 --model net.py", "--layers or --model"),
        ("--layers 5,1 --epochs 0", "--epochs"),
        ("--layers 5,1 --epochs 2.5", "--epochs"),
        ("--layers 5,1 --batch 0", "--batch"),
        ("--layers 5,1 --log-every 0", "--log-every"),
        ("--layers 5,1 --holdout 1", "--holdout"),
        ("--layers 5,1 --holdout 0.2 --test moons", "exclude each other"),
        ("--layers 5,1 --resume", "need --out"),
        ("--layers 5,1 --seed -1", "--seed"),
        ("--layers 5,1 --epoch 3", "--epochs"),
    ],
)
def test_train_refuses_how_it_is_called(run, arguments, words):
    result = run(TRAIN, *arguments.split(), code=2)
    assert words in result.stderr.splitlines()[-1]


def test_unknown_commands(run):
    result = run("trian", code=2)
    assert result.stderr.splitlines()[-1] == (
        "Error: no command named 'trian'; did you mean 'train'?"
    )
    assert "Usage: dagnet" in run("--hlep", code=2).stderr


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("gone.csv", None, "there is no file"),
        ("cut.npz", b"PK\x03\x04 and no more", "damaged .npz file"),
        ("text.npz", b"a,b\n", "is not a zip archive"),
        ("text.h5", b"a,b\n", "is not an HDF5 file"),
        ("empty.csv", b"", "is empty"),
        ("words.csv", b"a,y\n1,0\nmany,1\n", "'many' is not a number"),
        ("holes.csv", b"a,y\n1,0\n,1\n", "empty, NaN or infinite"),
        ("names.csv", b"a,b\n1,0\n2,1\n", "no column is named as the target"),
        ("net.pkl", b"\x80", "no ending that tells how to read it"),
    ],
)
def test_data_that_cannot_be_used(fails, tmp_path, name, content, words):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    before = snapshot(tmp_path)
    error = fails("train", "--data", path, "--layers", "3,1", "--out", tmp_path / "out")
    assert words in error
    assert name in error
    assert snapshot(tmp_path) == before


def test_a_column_that_is_not_there(fails, flowers):
    error = fails("train", "--data", flowers, "--target", "knd", "--layers", "3")
    assert "did you mean 'kind'" in error


@pytest.fixture(params=["evaluate", "predict", "inspect"])
def command(request):
    return request.param


def test_models_that_cannot_be_used(fails, command, digits_model, tmp_path):
    good = digits_model[1].read_bytes()
    cut, wrong = tmp_path / "cut.safetensors", tmp_path / "net.pkl"
    cut.write_bytes(good[: len(good) // 2])
    wrong.write_bytes(good)
    flipped = tmp_path / "flipped.safetensors"
    flipped.write_bytes(good[:-9] + bytes([good[-9] ^ 1]) + good[-8:])
    on_digits = ["--data", "digits"]
    assert "truncated" in fails(command, cut, *on_digits)
    assert "flipped.safetensors" in fails(command, flipped, *on_digits)
    assert ".safetensors" in fails(command, wrong, *on_digits)
    assert "there is no file" in fails(command, tmp_path / "gone.safetensors", *on_digits)
    assert str(tmp_path) in fails(command, tmp_path, *on_digits)


def test_data_of_another_kind_than_the_model(fails, command, digits_model, network_file, tmp_path):
    model = digits_model[1]
    np.savez(tmp_path / "wide.npz", X=np.ones((5, 4)), Y=np.array([0, 1, 2, 3]))
    assert "(64, m)" in fails(command, model, "--data", tmp_path / "wide.npz")
    assert "name all with --classes" in fails(command, model, "--data", "moons")
    assert "should end in a Softmax" in fails(command, network_file, "--data", "digits")
    assert "did you mean 'digits'" in fails(command, model, "--data", "digit")


def test_inspect_refuses(fails, digits_model, tmp_path):
    on_digits = ["inspect", digits_model[1], "--data", "digits"]
    assert "did you mean 'linear2'" in fails(*on_digits, "--node", "linaer2")
    assert "a .npz file" in fails(*on_digits, "--save", tmp_path / "arrays.csv")
    file = tmp_path / "file"
    file.write_text("")
    assert str(file) in fails(*on_digits, "--save", file / "arrays.npz")
    assert snapshot(tmp_path) == {file: b""}


def test_where_it_cannot_write_is_found_out_before_it_reads(fails, tmp_path):
    file = tmp_path / "file.npz"
    file.mkdir()
    refused = f"Error: cannot write {file}: it is a directory"
    assert fails("predict gone.safetensors --data digits -o", file) == refused
    assert fails("inspect gone.safetensors --data digits --save", file) == refused
    text = tmp_path / "text"
    text.write_text("")
    refused = fails("train --data gone.csv --layers 3,1 --out", text / "below")
    assert refused.startswith(f"Error: cannot write {text}")


def test_render_refuses(fails, run, tmp_path):
    assert "one network" in run("render", code=2).stderr
    assert "one network" in run("render", "a.py", "--layers", "3,1", code=2).stderr
    layers = ["render", "--layers"]
    assert "must end in one of" in fails(*layers, "3,1", "-o", tmp_path / "net.bmp")
    assert "layers" in fails(*layers, "3", "-o", tmp_path / "net.svg")
    assert "no/such" in fails(*layers, "3,1", "-o", "no/such/net.svg")
    assert snapshot(tmp_path) == {}


@pytest.fixture
def untrainable(monkeypatch):
    """Training that must not be reached."""

    def fit(*arguments, **options):
        raise AssertionError("trained before finding out")

    monkeypatch.setattr(dn.Model, "fit", fit)


@pytest.mark.usefixtures("untrainable")
@pytest.mark.parametrize("command", [f"{TRAIN} --layers 5,1", "demo"])
def test_where_it_cannot_write_is_found_out_before_the_training(fails, tmp_path, command):
    file = tmp_path / "file"
    file.write_text("mine")
    assert "cannot write" in fails(command, "--out", file)
    assert "cannot write" in fails(command, "--out", file / "below" / "it")
    for name in ("model.safetensors", "net.svg", "history.csv"):
        directory = tmp_path / f"with {name}"
        (directory / name).mkdir(parents=True)
        assert f"{name}: it is a directory" in fails(command, "--out", directory)
    assert [path for path in snapshot(tmp_path) if path.is_file()] == [file]


@pytest.mark.usefixtures("untrainable")
def test_what_cannot_be_saved_is_found_out_before_the_training(fails, tmp_path):
    file = tmp_path / "net.py"
    file.write_text(
        "import dagnet as dn\n"
        "class Scale(dn.Linear):\n"
        '    """An op that has what no file can hold."""\n'
        "    rule: object = None\n"
        'X, Y = dn.Input(2, name="X"), dn.Input(1, name="Y")\n'
        "cost = dn.BinaryCrossEntropyWithLogits()(Scale(1, rule=lambda: 0)(X), Y)\n"
    )
    error = fails(TRAIN, "--model", file, "--out", tmp_path / "out")
    assert "rule" in error
    assert not (tmp_path / "out").exists()


def test_resuming_needs_a_checkpoint_of_this_training(run, fails, tmp_path):
    assert "nothing to resume" in fails(
        TRAIN, "--layers", "5,1", "--out", tmp_path / "a" / "b", "--resume"
    )
    assert snapshot(tmp_path) == {}
    run(TRAIN, "--layers", "5,1", "--epochs", 2, "--out", tmp_path)
    model = (tmp_path / "model.safetensors").read_bytes()
    error = fails(TRAIN, "--layers", "6,1", "--epochs", 4, "--out", tmp_path, "--resume")
    assert "another network" in error
    assert (tmp_path / "model.safetensors").read_bytes() == model


def test_a_package_that_is_not_installed(fails, monkeypatch, tmp_path):
    (tmp_path / "cats.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(600))
    monkeypatch.setitem(sys.modules, "h5py", None)
    error = fails("train", "--data", tmp_path / "cats.h5", "--layers", "3,1")
    assert 'pip install "dagnet[h5]"' in error


def test_a_disk_that_fills_up(fails, monkeypatch, tmp_path):
    def save(self, path):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(dn.Model, "save", save)
    error = fails(TRAIN, "--layers", "5,1", "--epochs", 9, "--lr", 1, "--out", tmp_path)
    assert "No space left on device" in error


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_that_cannot_be_written(fails, monkeypatch, option):
    def echo(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("click.decorators.echo", echo)
    assert "No space left on device" in fails(option)


def test_messages_name_options_and_no_arguments(fails, flowers):
    flowers.write_text(flowers.read_text().replace("lily", "7"))
    train = ["train", "--layers", "3", "--data"]
    assert "give --target, one of 'a', 'b'" in fails(*train, flowers)
    assert "; --targets classes takes all" in fails(*train, flowers, "--target", "kind")
    assert "--targets does not apply" in fails(*train, "moons", "--targets", "numbers")
