"""load: names with parameters, paths, and what is wrong with either."""

import subprocess
import sys

import numpy as np
import pytest

from dagnet import data
from dagnet.errors import (
    ArgumentError,
    ArgumentTypeError,
    FileAccessError,
    FileFormatError,
    UnknownNameError,
)


@pytest.mark.parametrize("name", data.SETS)
def test_every_name_loads_its_set(name):
    np.testing.assert_array_equal(data.load(name).X, getattr(data, name)().X)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("moons:m=50,noise=0.25,seed=3", lambda: data.moons(m=50, noise=0.25, seed=3)),
        ("planar: legacy = true , m = 30", lambda: data.planar(m=30, legacy=True)),
        ("planar:legacy=False", data.planar),
        ("xor:", data.xor),
        ("xor:noise=1e-3", lambda: data.xor(noise=0.001)),
    ],
)
def test_parameters_follow_a_colon(source, expected):
    np.testing.assert_array_equal(data.load(source).X, expected().X)


def test_a_share_for_the_test_set_splits():
    train, test = data.load("blobs:m=50", test=0.3, seed=4)
    expected = data.blobs(m=50).split(0.3, 4)
    np.testing.assert_array_equal(train.X, expected[0].X)
    np.testing.assert_array_equal(test.Y, expected[1].Y)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("moonz", UnknownNameError, "no data set named 'moonz'; did you mean 'moons'"),
        ("moonz:noise=0.2", UnknownNameError, "did you mean 'moons'"),
        ("", UnknownNameError, "no data set named ''"),
        ("moons:noize=1", UnknownNameError, "no parameter of moons named 'noize'.*'noise'"),
        ("digits:m=3", UnknownNameError, "no parameter of digits named 'm'; there are none"),
        ("moons:noise", ArgumentError, "moons:name=value"),
        ("moons:m=5,m=6", ArgumentError, "once each"),
        (
            "moons:m=many",
            ArgumentTypeError,
            "moons: m must be an integer of at least 2, got 'many'",
        ),
        ("moons:m=5.5", ArgumentTypeError, "moons: m must be an integer of at least 2, got 5.5"),
        (5, ArgumentTypeError, "a name or a path, got 5"),
        ("table.xlsx", FileFormatError, r"table.xlsx has no ending.*\.npz, \.csv, \.h5"),
        ("some/where", FileFormatError, "no ending that tells"),
    ],
)
def test_unknown_sources(source, error, message):
    with pytest.raises(error, match=message):
        data.load(source)


@pytest.mark.parametrize("name", ["none.csv", "none.npz", "none.h5", "none.HDF5"])
def test_a_missing_file_is_what_python_calls_it(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=f"there is no file .*{name}") as caught:
        data.load(tmp_path / name)
    assert isinstance(caught.value, FileAccessError)


def test_a_directory_and_an_impossible_name(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(FileAccessError, match=r"folder\.csv is a directory"):
        data.load(tmp_path / "folder.csv")
    with pytest.raises(FileAccessError, match="cannot read"):
        data.load("a\0b.csv")


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "secret.csv"
    path.write_text("a,y\n1,2\n")

    def refuse(self, *args, **options):  # root may read whatever the permissions say
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(FileAccessError, match="cannot read"):
        data.load(path)


@pytest.mark.parametrize("ending", ["csv", "npz", "h5"])
@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "is empty"),
        (b"\x80\x04\x95pickle", "looks like a Python pickle"),
        (b"\x93NUMPY\x01\x00", r"looks like a single \.npy array"),
        (b"\x1f\x8b\x08", "looks like a gzip file"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(tmp_path, ending, content, found):
    path = tmp_path / f"data.{ending}"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=found):
        data.load(path)


@pytest.mark.parametrize("ending", ["npz", "h5"])
def test_text_under_a_binary_name(tmp_path, ending):
    path = tmp_path / f"data.{ending}"
    path.write_text("a,y\n1,2\n")
    with pytest.raises(FileFormatError, match="it begins with b'a,y"):
        data.load(path)


def test_a_name_wins_over_a_file_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "xor").write_text("")
    assert data.load("xor").name == "xor"


@pytest.mark.parametrize(
    ("source", "options", "error", "message"),
    [
        ("xor", {"target": "y"}, ArgumentError, "target= does not apply to xor"),
        ("x.npz", {"target": "y"}, ArgumentError, r"target= does not apply to a \.npz file"),
        ("x.csv", {"part": "test"}, ArgumentError, r"part= does not apply to a \.csv file"),
        ("x.csv", {"classes": ["a"], "regression": True}, ArgumentError, "exclude each other"),
        ("x.csv", {"classes": "ab"}, ArgumentTypeError, "sequence of names, got the text 'ab'"),
    ],
)
def test_options_that_do_not_apply(source, options, error, message):
    with pytest.raises(error, match=message):
        data.load(source, **options)


def test_importing_data_loads_numpy_only():
    code = "import sys; import dagnet.data; print('h5py' in sys.modules, 'pandas' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False False\n"
