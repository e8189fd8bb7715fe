"""Arrays in a .npz."""

import io
import zipfile
from contextlib import suppress

import numpy as np
import pytest

from dagnet import data
from dagnet.errors import ArgumentError, DagnetError, DataError, FileFormatError

X = np.arange(15, dtype=np.float32).reshape(3, 5)
BINARY = np.array([0, 1, 1, 0, 1])


@pytest.fixture
def stored(tmp_path):
    """Return a function that writes arrays and returns the path."""

    def write(**arrays):
        path = tmp_path / "set.npz"
        np.savez_compressed(path, **arrays)
        return path

    return write


@pytest.mark.parametrize("keys", [("X", "Y"), ("x", "y"), ("X", "y"), ("X_train", "Y_train")])
def test_keys_in_any_case(stored, keys):
    loaded = data.load(stored(**dict(zip(keys, (X, BINARY), strict=True)), other=BINARY))
    np.testing.assert_array_equal(loaded.X, X)
    assert loaded.X.dtype == np.float32
    np.testing.assert_array_equal(loaded.Y, BINARY[None])
    assert loaded.name == "set"


def test_parts(stored):
    path = stored(x_train=X, y_train=BINARY, x_test=X[:, :3], y_test=BINARY[:3])
    assert [len(data.load(path, part=part)) for part in (None, "train", "test")] == [5, 5, 3]
    with pytest.raises(DataError, match=r"no test examples and targets.*found X, Y"):
        data.load(stored(X=X, Y=BINARY), part="test")
    with pytest.raises(ArgumentError, match="part is 'train' or 'test', got 'dev'"):
        data.load(path, part="dev")


ONE_HOT = data.one_hot([2, 0, 1, 3, 0], 4)


@pytest.mark.parametrize(
    ("targets", "options", "Y", "classes"),
    [
        (BINARY[None], {}, BINARY[None], ("0", "1")),
        (BINARY.astype(bool), {}, BINARY[None], ("0", "1")),
        (BINARY.astype(float), {}, BINARY[None], ("0", "1")),
        ([3, 0, 1, 3, 1], {}, [3, 0, 1, 3, 1], ("0", "1", "2", "3")),
        ([[3, 0, 1, 3, 1]], {}, [3, 0, 1, 3, 1], ("0", "1", "2", "3")),
        (BINARY, {"classes": list("abc")}, BINARY, ("a", "b", "c")),
        ([0.0, 2.0, 1.0, 0.0, 1.0], {"classes": list("abc")}, [0, 2, 1, 0, 1], ("a", "b", "c")),
        ([0.0, 2.0, 1.0, 0.0, 1.0], {}, [[0, 2, 1, 0, 1]], None),
        ([0.0, 2.0, 1.0, 0.0, 1.0], {"regression": False}, [0, 2, 1, 0, 1], ("0", "1", "2")),
        ([3, 0, 1, 3, 1], {"regression": True}, [[3, 0, 1, 3, 1]], None),
        (ONE_HOT, {}, [2, 0, 1, 3, 0], ("0", "1", "2", "3")),
        (ONE_HOT, {"regression": True}, ONE_HOT, None),
        (ONE_HOT / 2, {}, ONE_HOT / 2, None),
        (1 - ONE_HOT, {}, 1 - ONE_HOT, None),
        (ONE_HOT.astype(int) * 3, {}, ONE_HOT * 3, None),
        (["b", "a", "b", "c", "a"], {}, [1, 0, 1, 2, 0], ("a", "b", "c")),
        ([[b"no", b"yes", b"no", b"no", b"no"]], {}, [[0, 1, 0, 0, 0]], ("no", "yes")),
    ],
)
def test_what_targets_mean(stored, targets, options, Y, classes):
    loaded = data.load(stored(X=X, Y=np.array(targets)), **options)
    np.testing.assert_array_equal(loaded.Y, Y)
    assert loaded.Y.shape == np.shape(Y)
    assert loaded.classes == classes


def test_names_of_classes_in_the_file(stored):
    path = stored(X=X, Y=BINARY, classes=np.array(["no", "yes"]))
    assert data.load(path).classes == ("no", "yes")
    assert data.load(path, classes=["0", "1"]).classes == ("0", "1")


def test_features_with_axes(stored):
    assert data.load(stored(X=np.zeros((2, 3, 4, 5)), Y=BINARY)).X.shape == (2, 3, 4, 5)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": X.T, "Y": BINARY}, r"did you mean X\.T"),
        ({"X": X.T, "Y": np.array(list("abcde"))}, r"did you mean X\.T"),
        ({"X": X, "Y": BINARY[:, None]}, r"did you mean Y\.T"),
        ({"X": X, "Y": np.eye(5, 1, -2)}, r"Y \(5, 1\).*did you mean Y\.T"),
        ({"X": X, "Z": BINARY}, "expected X and Y.*found X, Z"),
        ({"X": X}, "found X$"),
        ({"X": X, "x": X, "Y": BINARY}, "differ only in case: X, Y, x"),
        ({"X": X.astype(str), "Y": BINARY}, "X holds text"),
        ({"X": X, "Y": BINARY - 1}, "labels count from 0, got -1 at example 0"),
        ({"X": X, "Y": np.arange(5) * 9000}, "regression targets are a float Y"),
        ({"X": X * np.nan, "Y": BINARY}, "15 NaN and 0 Inf"),
        ({"X": X, "Y": BINARY, "classes": np.array(["one"])}, "label 1 needs 2 classes"),
        ({"X": X, "Y": BINARY * 2, "classes": np.array(["a", "b"])}, "label 2 at example 1, with"),
        ({"X": X, "Y": np.array(["a"] * 5)}, "one class only, 'a'"),
    ],
)
def test_unusable_arrays(stored, arrays, message):
    with pytest.raises(DataError, match=message):
        data.load(stored(**arrays))


def test_whole_labels_are_wanted_with_classes(stored):
    with pytest.raises(DataError, match=r"whole numbers, got 0\.5 at example 1"):
        data.load(stored(X=X, Y=BINARY / 2), classes=["a", "b"])


def test_text_is_no_regression_target(stored):
    with pytest.raises(DataError, match="Y holds text"):
        data.load(stored(X=X, Y=np.array(list("ababa"))), regression=True)


def test_python_objects_are_not_loaded(stored):
    with pytest.raises(FileFormatError, match="Y holds Python objects, which would run code"):
        data.load(stored(X=X, Y=BINARY.astype(object)))


def test_a_member_that_is_no_array(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("X", "text")
        archive.writestr("Y", "text")
    with pytest.raises(FileFormatError, match="X is no array"):
        data.load(tmp_path / "set.npz")


def test_a_shape_beyond_memory(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (2**50, 5)}
    )
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("X.npy", header.getvalue())
        archive.writestr("Y.npy", header.getvalue())
    with pytest.raises(FileFormatError, match="more data than fits into memory"):
        data.load(tmp_path / "set.npz")


def test_an_array_with_a_broken_header(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("X.npy", b"\x93NUMPY\x01\x00\x05\x00{'a':")
        archive.writestr("Y.npy", b"")
    with pytest.raises(FileFormatError, match=r"cannot read .*set\.npz, a damaged \.npz file"):
        data.load(tmp_path / "set.npz")


def test_a_file_cut_anywhere_is_one_clear_error(stored):
    path = stored(X=X, Y=BINARY)
    whole = path.read_bytes()
    for length in range(1, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(FileFormatError, match=r"set\.npz"):
            data.load(path)


def test_a_flipped_byte_is_harmless_or_one_clear_error(stored):
    path = stored(X=X, Y=BINARY)
    whole = bytearray(path.read_bytes())
    for position in range(0, len(whole), 3):
        broken = whole.copy()
        broken[position] ^= 0x55
        path.write_bytes(broken)
        with suppress(DagnetError):
            np.testing.assert_array_equal(data.load(path).X, X)
