"""Arrays that stay in their files: they are those of the file, however they are read."""

import copy
import pickle

import h5py
import numpy as np
import pytest

import dagnet as dn
from dagnet import stored
from dagnet.data import h5_array
from dagnet.data.h5_array import H5Array
from dagnet.data.h5_chunks import Chunks
from dagnet.errors import ArgumentError, FileFormatError

RNG = np.random.default_rng(5)


def npz(tmp_path, **arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    return dn.data.mapped(tmp_path / "a.npz")


def h5(tmp_path, X, **options):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=X, **options)
    return dn.data.mapped(path)["X"]


ORDERS = {
    "examples last": lambda a: a,
    "examples first": lambda a: np.ascontiguousarray(a.T).T,
    "a slice": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "turned slice": lambda a: np.repeat(np.ascontiguousarray(a.T), 2, axis=-1)[..., ::2].T,
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("which", [np.array([6, 0, 3, 3]), slice(2, 5)], ids=["some", "piece"])
@pytest.mark.parametrize("shape", [(5, 7), (1, 7), (3, 2, 7), (7,)])
def test_examples_are_read_from_any_order(order, which, shape):
    lying = ORDERS[order](RNG.standard_normal(shape))
    out = stored.room(lying, len(np.arange(7)[which]))
    stored.reader(lying, out)(which)
    assert np.array_equal(out, lying[..., which])


@pytest.mark.parametrize("first", [True, False])
def test_members_of_a_npz_that_are_not_aligned_are_read_without_a_copy(tmp_path, first):
    X = RNG.standard_normal((7, 5) if first else (5, 7)).astype("f4")
    found = npz(tmp_path, a=np.ones(3, "u1"), X=X)["X"]
    found, X = (found.T, X.T) if first else (found, X)
    assert not found.flags.aligned  # else nothing is shown here
    out = stored.room(found, 3)
    stored.reader(found, out)(np.array([6, 0, 3]))
    assert np.array_equal(out, X[:, [6, 0, 3]])


def test_what_is_stored(tmp_path):
    X = npz(tmp_path, X=np.ones((3, 5)))["X"]
    assert stored.is_stored(X)
    assert stored.is_stored(X.T[:2])
    assert not stored.is_stored(X + 1)
    assert not stored.is_stored(np.asarray(X))
    assert stored.is_stored(h5(tmp_path, np.ones((3, 5)), chunks=(2, 5)))


# .h5


def test_contiguous_data_sets_are_mapped(tmp_path):
    path = tmp_path / "a.h5"
    X, words = RNG.standard_normal((5, 3)), np.array([b"cat", b"dog"])
    with h5py.File(path, "w") as file:
        file["X"] = X
        file["inner/labels"] = np.arange(5)
        file["words"] = words
        file["large first"] = X.astype(">f4")
        file["text"] = ["any", "length"]
        file["nothing"] = np.empty((0, 3))
        file["number"] = 3.5
    found = dn.data.mapped(path)
    assert set(found) == {
        "X", "inner/labels", "words", "large first", "text", "nothing", "number",
    }  # fmt: skip
    assert isinstance(found["X"], np.memmap)
    assert not found["X"].flags.writeable
    assert np.array_equal(found["X"], X)
    assert np.array_equal(found["inner/labels"], np.arange(5))
    assert np.array_equal(found["words"], words)
    assert np.array_equal(found["large first"], X.astype("f4"))
    assert found["text"].tolist() == [b"any", b"length"]
    assert found["nothing"].shape == (0, 3)
    assert found["number"] == 3.5


KEYS = [
    ..., 3, -1, slice(2, 9, 3), slice(None, None, -1), [4, 1, 1, -2], (..., 2), (3, 1),
    (slice(2, 5), 0),
    (slice(None), [2, 0]), (2, slice(None), -1), (slice(None), 1, slice(0, 4, 2)),
    np.array([4, -1]), (slice(None), np.array([True, False, True])), np.array([], int),
]  # fmt: skip


@pytest.mark.parametrize("options", [{"chunks": (4, 2, 3)}, {"compression": "gzip"}])
@pytest.mark.parametrize("key", KEYS, ids=str)
def test_chunks_are_read_like_an_array(tmp_path, options, key):
    X = RNG.integers(0, 99, (11, 3, 5))
    found = h5(tmp_path, X, **options)
    assert isinstance(found, H5Array)
    assert (found.shape, found.dtype, found.ndim, found.nbytes) == (X.shape, X.dtype, 3, X.nbytes)
    assert np.array_equal(found[key], X[key])


def test_axes_of_chunks_are_moved_and_joined(tmp_path):
    X = RNG.integers(0, 99, (11, 3, 5))
    found = h5(tmp_path, X, chunks=(4, 2, 3))
    for made, wanted in [
        (found.T, X.T),
        (np.moveaxis(found, 0, -1), np.moveaxis(X, 0, -1)),
        (found.transpose(1, 0, 2), X.transpose(1, 0, 2)),
        (found.reshape(11, -1), X.reshape(11, -1)),
        (found.reshape(len(found), 15).T, X.reshape(11, 15).T),
        (found.transpose(0, 2, 1).reshape((11, -1)), X.transpose(0, 2, 1).reshape(11, -1)),
    ]:
        assert isinstance(made, H5Array)
        assert made.shape == wanted.shape
        assert np.array_equal(made, wanted)
        assert np.array_equal(made[..., 2:], wanted[..., 2:])
    for again in (pickle.loads(pickle.dumps(found.T)), copy.deepcopy(found.T)):
        assert np.array_equal(again, X.T)
    for shape in ((5, 33), (-1,)):
        with pytest.raises(ArgumentError, match="axes can be joined"):
            found.reshape(*shape)
    with pytest.raises(ArgumentError, match="transpose it"):
        found.reshape(11, -1).read(np.array([0]), np.empty((11, 1)))
    with pytest.raises(ArgumentError, match="no order of the 3 axes"):
        found.transpose(0, 1)
    with pytest.raises(IndexError):
        found[11]
    with pytest.raises(IndexError, match="one list at most"):
        found[[1, 2], [0, 1]]


def test_grey_pictures_with_an_axis_of_one_channel_become_columns(tmp_path):
    X = RNG.integers(0, 99, (11, 3, 5, 1))
    found = h5(tmp_path, X, chunks=(4, 3, 5, 1))
    assert np.array_equal(found.reshape(11, -1).T, X.reshape(11, -1).T)


def test_a_few_blocks_stay_in_memory_and_are_read_once(tmp_path, monkeypatch):
    X = RNG.standard_normal((40, 6))
    monkeypatch.setattr(h5_array, "KEPT_BYTES", 3 * 4 * 6 * 8)
    found = h5(tmp_path, X, chunks=(4, 3)).T
    fetched = []
    fetch = H5Array.fetch
    monkeypatch.setattr(H5Array, "fetch", lambda s, n, out: fetched.append(n) or fetch(s, n, out))
    out = np.empty((6, 5))
    which = np.array([0, 9, 5, 8, 1])
    found.read(which, out)
    assert np.array_equal(out, X.T[:, which])
    assert sorted(fetched) == [0, 1, 2]
    found.read(np.array([4, 11, 2, 3, 5]), out)
    assert len(fetched) == 3
    every = RNG.permutation(40)
    out = np.empty((6, 40))
    found.read(every, out)
    assert np.array_equal(out, X.T[:, every])
    assert found._kept.examples.nbytes == 3 * 4 * 6 * 8


PLAIN = {
    "chunks": (11, 6),
    "more than is read at once": (25, 6),
    "parts of examples": (11, 3),
    "compressed": (11, 6),
    "other bytes": (11, 6),
    "never written": (11, 6),
}


@pytest.mark.parametrize("kind", PLAIN)
def test_chunks_that_are_as_in_memory_are_read_without_the_library(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(h5_array, "BLOCK_BYTES", 11 * 6 * 4)
    monkeypatch.setattr(h5_array, "KEPT_BYTES", 1)
    X = RNG.integers(-99, 99, (40, 6)).astype("i4")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        options = {"compression": "gzip"} if kind == "compressed" else {}
        stored_as = h5py.h5t.STD_I32LE.copy()
        if kind == "other bytes":
            stored_as.set_precision(24)  # in four bytes
        data = file.create_dataset("X", X.shape, stored_as, chunks=PLAIN[kind], **options)
        if kind == "never written":
            X[11:22] = 0
            data[:11], data[22:] = X[:11], X[22:]
        else:
            data[:] = X
    found = dn.data.mapped(tmp_path / "a.h5")["X"]
    itself = []
    read = Chunks.read
    monkeypatch.setattr(Chunks, "read", lambda *a: itself.append(read(*a)) or itself[-1])
    assert np.array_equal(found, X)
    assert itself == {
        "chunks": [True, True, True, True],
        "more than is read at once": [True, True, False, True],  # of two chunks
        "never written": [True, False, True, True],
    }.get(kind, [False] * 4)
    assert np.array_equal(found.T[:, [39, 0, 22, 21]], X.T[:, [39, 0, 22, 21]])


def test_a_damaged_chunk_is_said(tmp_path):
    X = h5(tmp_path, np.zeros((4000, 8)), chunks=(1000, 8), compression="gzip")
    path = tmp_path / "a.h5"
    with h5py.File(path) as file:
        place = file["X"].id.get_chunk_info(2)
    bytes_of = bytearray(path.read_bytes())
    bytes_of[place.byte_offset + 4 : place.byte_offset + 12] = b"\xff" * 8
    path.write_bytes(bytes_of)
    del X
    with pytest.raises(FileFormatError, match="damaged"):
        np.asarray(dn.data.mapped(path)["X"])


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(FileFormatError, match=r"only \.npz and \.h5"):
        dn.data.mapped(tmp_path / "a.csv")
    (tmp_path / "a.h5").write_bytes(b"no such file")
    with pytest.raises(FileFormatError, match="is not an HDF5 file"):
        dn.data.mapped(tmp_path / "a.h5")


# Scalers


@pytest.mark.parametrize("name", ["standardize", "minmax"])
@pytest.mark.parametrize("first", [True, False])
def test_scalers_learn_in_pieces_what_they_learn_at_once(tmp_path, monkeypatch, name, first):
    monkeypatch.setattr(stored, "BLOCK_BYTES", 3 * 8 * 7)  # 7 of 23 examples
    X = RNG.standard_normal((3, 23)) * 5 + [[1e3], [-4.0], [0.0]]
    X[2] = 2.5
    found = npz(tmp_path, X=X.T if first else X)["X"]
    once = dn.data.scaler(name).fit(X)
    pieces = dn.data.scaler(name).fit(found.T if first else found)
    for key, array in once.arrays.items():
        np.testing.assert_allclose(pieces.arrays[key], array, rtol=1e-13)
    assert pieces.transform(X)[2].tolist() == [0.0] * 23
