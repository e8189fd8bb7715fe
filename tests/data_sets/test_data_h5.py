"""Pictures in a .h5 with the course's keys."""

import sys

import numpy as np
import pytest

from dagnet import data
from dagnet.errors import (
    ArgumentError,
    DagnetError,
    DataError,
    FileFormatError,
    MissingDependencyError,
)

h5py = pytest.importorskip("h5py")

PICTURES = np.random.default_rng(0).integers(0, 256, (7, 4, 5, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 1, 0, 0, 1, 0])


@pytest.fixture
def stored(tmp_path):
    """Return a function that writes arrays and returns the path."""

    def write(**arrays):
        path = tmp_path / "cats.h5"
        with h5py.File(path, "w") as file:
            for key, values in arrays.items():
                file[key] = values
        return path

    return write


@pytest.mark.parametrize("part", ["train", "test"])
def test_the_pictures_of_the_course(stored, part):
    keys = {f"{part}_set_x": PICTURES, f"{part}_set_y": LABELS}
    loaded = data.load(stored(**keys, list_classes=np.array([b"non-cat", b"cat"])))
    np.testing.assert_array_equal(loaded.X, PICTURES.reshape(7, -1).T)
    np.testing.assert_array_equal(loaded.Y, LABELS[None].astype(float))
    assert (loaded.X.dtype, loaded.Y.dtype, loaded.X.flags.f_contiguous) == ("u1", "f8", True)
    assert (loaded.classes, loaded.picture, loaded.name) == (("non-cat", "cat"), (4, 5, 3), "cats")
    np.testing.assert_array_equal(loaded.X[:, 3].reshape(loaded.picture), PICTURES[3])
    assert data.default_scaling(loaded) == data.Divide(255)


def test_both_parts_in_a_file(stored):
    path = stored(
        train_set_x=PICTURES, train_set_y=LABELS, test_set_x=PICTURES[:3], test_set_y=LABELS[:3]
    )
    assert [len(data.load(path, part=part)) for part in (None, "train", "test")] == [7, 7, 3]


@pytest.mark.parametrize("names", [None, np.arange(4), np.array([b"a", b"b", b"c", b"d"])])
def test_several_classes(stored, names):
    labels = np.array([3, 0, 1, 2, 0, 1, 3])
    extra = {} if names is None else {"list_classes": names}
    loaded = data.load(stored(train_set_x=PICTURES, train_set_y=labels, **extra))
    np.testing.assert_array_equal(loaded.Y, labels)
    assert len(loaded.classes) == 4


def test_a_test_file_without_some_of_the_classes(stored):
    names = np.array([b"a", b"b", b"c"])
    loaded = data.load(stored(test_set_x=PICTURES, test_set_y=LABELS, list_classes=names))
    np.testing.assert_array_equal(loaded.Y, LABELS)
    assert (loaded.task, loaded.classes) == ("multiclass", ("a", "b", "c"))


def test_names_of_variable_length(stored):
    path = stored(train_set_x=PICTURES, train_set_y=LABELS, list_classes=["no cat", "cät"])
    assert data.load(path).classes == ("no cat", "cät")


@pytest.mark.parametrize(
    ("shape", "picture"), [((7, 4, 5), (4, 5)), ((7, 20), None), ((7, 2, 2, 5, 3), None)]
)
def test_other_pictures(stored, shape, picture):
    X = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    loaded = data.load(stored(train_set_x=X, train_set_y=LABELS[None]))
    np.testing.assert_array_equal(loaded.X, X.reshape(7, -1).T)
    assert loaded.picture == picture


def test_regression(stored):
    path = stored(train_set_x=PICTURES, train_set_y=LABELS * 0.5, list_classes=np.array([b"a"]))
    assert data.load(path, regression=True).task == "regression"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": PICTURES, "Y": LABELS}, "expected train_set_x and train_set_y.*found X, Y"),
        ({"train_set_x": PICTURES, "test_set_y": LABELS}, "found test_set_y, train_set_x"),
        ({}, "found nothing"),
        ({"train_set_x": PICTURES, "train_set_y": LABELS[:5]}, r"\(7, 4, 5, 3\) and .*\(5,\) dis"),
        ({"train_set_x": LABELS, "train_set_y": LABELS}, "disagree; examples go on the first axis"),
        ({"train_set_x": PICTURES[:0], "train_set_y": LABELS[:0]}, "empty data"),
        ({"train_set_x": PICTURES[..., :0], "train_set_y": LABELS}, "empty data"),
        ({"train_set_x": PICTURES.astype("S3"), "train_set_y": LABELS}, "holds bytes"),
        (
            {"train_set_x": PICTURES, "train_set_y": LABELS * 2, "list_classes": [b"a", b"b"]},
            "label 2 at example 1, with 2 classes",
        ),
        (
            {"train_set_x": PICTURES, "train_set_y": LABELS * 3, "list_classes": [b"a"] * 3},
            "label 3 needs 4 classes",
        ),
    ],
)
def test_unusable_files(stored, arrays, message):
    with pytest.raises(DataError, match=message):
        data.load(stored(**arrays))


def test_an_unknown_part(stored):
    with pytest.raises(ArgumentError, match="part is"):
        data.load(stored(train_set_x=PICTURES, train_set_y=LABELS), part="dev")


def test_a_group_under_an_arrays_name(stored):
    with pytest.raises(FileFormatError, match="train_set_x is no array"):
        data.load(stored(**{"train_set_x/a": PICTURES, "train_set_y": LABELS}))


def test_a_file_cut_anywhere_is_one_clear_error(stored):
    path = stored(train_set_x=PICTURES, train_set_y=LABELS)
    whole = path.read_bytes()
    for length in range(1, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(DagnetError, match=r"cats\.h5"):
            data.load(path)


def test_a_damaged_chunk(tmp_path):
    path = tmp_path / "cats.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("train_set_x", data=PICTURES, chunks=(7, 4, 5, 3), compression="gzip")
        file["train_set_y"] = LABELS
        start = file["train_set_x"].id.get_chunk_info(0).byte_offset
    broken = bytearray(path.read_bytes())
    broken[start : start + 16] = bytes(16)
    path.write_bytes(broken)
    with pytest.raises(FileFormatError, match=r"cats\.h5, a damaged \.h5 file"):
        data.load(path)


def test_without_h5py_the_message_says_how_to_get_it(stored, monkeypatch):
    path = stored(train_set_x=PICTURES, train_set_y=LABELS)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "dagnet\[h5\]"'):
        data.load(path)
