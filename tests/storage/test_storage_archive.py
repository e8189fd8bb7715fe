"""The archive: any array, any document, the same bytes; and what is not one is refused."""

import hashlib
import json
import os
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from safetensors.numpy import load_file, safe_open, save_file
from storage_helpers import BLANK, forge, message

from dagnet import storage
from dagnet.errors import ArgumentError, ArgumentTypeError, FileAccessError, FileFormatError
from dagnet.storage import read_archive, write_archive

DTYPES = list(map(np.dtype, "?bhiqBHIQefd"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.b"


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_and_memory_order(path, dtype):
    base = (np.arange(3 * 5 * 7) % 100).reshape(3, 5, 7).astype(dtype)
    arrays = {
        "c": base,
        "fortran": np.asfortranarray(base),
        "reversed": base[::-1, ::2],
        "transposed": base.T,
        "empty": base[:0],
        "no axes": base[1, 1, 1].reshape(()),
        "broadcast": np.broadcast_to(base[0, 0], (3, 7)),
        "big-endian": base.astype(dtype.newbyteorder(">")),
        "read only": np.frombuffer(base.tobytes(), dtype),
    }
    write_archive(path, "test/1", arrays, None)
    for found in (read_archive(path, "test/1").arrays, load_file(path)):
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            assert found[name].dtype == dtype, name
            assert found[name].shape == array.shape, name
            np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_bits_survive(path):
    bits = np.array([0x7FF8000000000123, 0xFFF0000000000000, 1 << 63, 1], np.uint64)
    write_archive(path, "test/1", {"x": bits.view(np.float64)}, None)
    np.testing.assert_array_equal(read_archive(path, "test/1").arrays["x"].view(np.uint64), bits)


def test_arrays_are_writable_aligned_and_apart(path):
    arrays = {name: np.full((3, 5), i, np.float64) for i, name in enumerate("abc")}
    arrays["byte"] = np.zeros(1, np.uint8)
    write_archive(path, "test/1", arrays, None)
    found = read_archive(path, "test/1").arrays
    for array in found.values():
        assert array.flags.writeable
        assert array.flags.aligned
        assert array.flags.c_contiguous
        assert array.flags.owndata
    found["a"][...] = 9
    assert (found["b"] == 1).all()


def test_any_json_document(path):
    document = {
        "λ": [1, -0.0, 1e300, None, True],
        "": {"a": {}},
        'q"\\/\n\0': "\ud800",
        BLANK: BLANK,
    }
    write_archive(path, "test/1", {}, document)
    found = read_archive(path, "test/1")
    assert found.metadata == document
    assert str(found.metadata["λ"][1]) == "-0.0"
    assert found.arrays == {}


def test_a_name_that_looks_like_the_checksums_place(path):
    name = '{"sha256":"' + BLANK + '\\"sha256\\":\\"' + BLANK
    write_archive(path, name + "/1", {name: np.arange(3)}, {name: name})
    assert read_archive(path, name + "/1").metadata == {name: name}


def test_the_layout_is_as_documented(path):
    write_archive(path, "test/1", {"x": np.arange(3)}, {"a": 1})
    data = path.read_bytes()
    with safe_open(path, "np") as file:
        entries = file.metadata()
    assert list(entries) == ["dagnet"]
    document = json.loads(entries["dagnet"])
    assert list(document) == ["sha256", "kind", "content"]
    assert (document["kind"], document["content"]) == ("test/1", {"a": 1})
    blank = data.replace(document["sha256"].encode(), BLANK.encode())
    assert hashlib.sha256(blank).hexdigest() == document["sha256"]


def test_the_same_content_gives_the_same_bytes(path):
    program = (
        "import sys, numpy as np; from dagnet.storage import write_archive\n"
        "arrays = {n: np.arange(5.0) for n in 'hgfedcba'}\n"
        "write_archive(sys.argv[1], 'test/1', arrays, {n: [n] for n in 'zyxwv'})"
    )
    contents = set()
    for seed in "123":
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", program, path], check=True, env=environment)
        contents.add(path.read_bytes())
    assert len(contents) == 1


@pytest.mark.parametrize(
    "array",
    [
        np.array(["a"]),
        np.array([None]),
        np.array([1j]),
        np.array([1], "m8[s]"),
        np.zeros(2, [("a", "f8")]),
    ],
    ids=lambda a: str(a.dtype),
)
def test_arrays_that_cannot_be_stored(path, array):
    with pytest.raises(ArgumentTypeError, match="the array 'x' cannot be stored: its dtype"):
        write_archive(path, "test/1", {"x": array}, None)
    assert not path.exists()


@pytest.mark.parametrize("name", ["__metadata__", "\ud800"])
def test_names_that_cannot_be_stored(path, name):
    with pytest.raises(ArgumentError, match="cannot be stored"):
        write_archive(path, "test/1", {name: np.zeros(1)}, None)
    assert not path.exists()


@pytest.mark.parametrize("document", [float("nan"), [float("inf")], {"a": print}, {(): 1}, {1j}])
def test_documents_that_are_no_json(path, document):
    with pytest.raises(ArgumentTypeError, match="the document to write is not JSON"):
        write_archive(path, "test/1", {}, document)
    assert not path.exists()


def test_a_header_longer_than_readers_take(path, monkeypatch):
    monkeypatch.setattr(storage.archive, "_LONGEST_HEADER", 1000)
    with pytest.raises(ArgumentError, match="description of the arrays takes"):
        write_archive(path, "test/1", {}, "a" * 1000)
    assert not path.exists()


# What is no archive.


def refused(path, match, kind="test/1"):
    with pytest.raises(FileFormatError, match=match) as info:
        read_archive(path, kind)
    assert message(info).startswith(f"cannot load {path}: ")
    assert info.value.__cause__ is None
    assert info.value.__suppress_context__


def test_missing(tmp_path):
    with pytest.raises(FileAccessError, match="there is no file") as info:
        read_archive(tmp_path / "none", "test/1")
    assert isinstance(info.value, FileNotFoundError)
    assert str(tmp_path / "none") in message(info)


def test_no_regular_file(tmp_path):
    with pytest.raises(FileAccessError, match="it is a directory"):
        read_archive(tmp_path, "test/1")
    with pytest.raises(FileAccessError, match="not a regular file"):
        read_archive("/dev/zero", "test/1")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(FileAccessError, match="not a regular file"):
        read_archive(tmp_path / "fifo", "test/1")
    (tmp_path / "file").touch()
    with pytest.raises(FileAccessError, match="Not a directory"):
        read_archive(tmp_path / "file" / "x", "test/1")
    with pytest.raises(FileAccessError, match="null"):
        read_archive("a\0b", "test/1")


def test_unreadable(path, monkeypatch):
    path.write_bytes(b"x")

    def denied(*args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.open", denied)
    with pytest.raises(FileAccessError, match="Permission denied"):
        read_archive(path, "test/1")


@pytest.mark.parametrize("bad", [None, 3, b"bytes", ["a"]])
def test_no_path(bad):
    with pytest.raises(ArgumentTypeError, match="a path must be"):
        read_archive(bad, "test/1")


def test_empty(path):
    path.touch()
    refused(path, "it is empty")


def zip_file(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.txt", "x" * 100)


def npy_file(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


@pytest.mark.parametrize(
    "make",
    [
        lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100)),
        zip_file,
        lambda p: p.write_bytes(b"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00\x8c{" + bytes(50)),
        npy_file,
        lambda p: p.write_text("just a text of some length"),
        lambda p: p.write_bytes(bytes(1000)),
        lambda p: p.write_bytes(b"\xff" * 1000),
        lambda p: p.write_bytes(b"\xff" * 8 + b"{" * 100),
    ],
    ids=["png", "zip", "pickle", "npy", "text", "zeros", "ones", "too long a header"],
)
def test_another_format(path, make):
    make(path)
    refused(path, "it is not a safetensors file; it begins with b")


@pytest.mark.parametrize("size", range(1, 9))
def test_a_few_bytes(path, size):
    path.write_bytes(b"{" * size)
    refused(path, "it is truncated, or not a safetensors file")


def raw(path, header, body=b""):
    path.write_bytes(struct.pack("<Q", len(header)) + header + body)
    return path


@pytest.mark.parametrize(
    ("header", "match"),
    [
        (b"{", "header is not valid JSON"),
        (b"{\xff}", "header is not valid JSON"),
        (b'{"a":1,"a":2}', "key 'a' twice"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "header is nested too deeply"),
        (b'{"a":NaN}', "no JSON number"),
        (b'{"a":1e999}', "no JSON number"),
        (b'{"a":' + b"9" * 5000 + b"}", "not valid JSON"),
        (b'{"__metadata__":3}', "metadata should be an object"),
        (b'{"__metadata__":{"dagnet":3}}', "'dagnet' should be a string"),
        (b'{"__metadata__":{"dagnet":"3"}}', "'dagnet' should be an object"),
        (b'{"__metadata__":{"dagnet":"{}"}}', "lacks 'sha256'"),
        (b'{"__metadata__":{"dagnet":"["}}', "'dagnet' is not valid JSON"),
        (b"{}", "not one that dagnet wrote"),
    ],
)
def test_hostile_headers(path, header, match):
    refused(raw(path, header), match)


@pytest.mark.parametrize("checksum", ["", "0", BLANK, "g" * 64, "A" * 64, "λ" * 64, "\ud800"])
def test_wrong_checksums(path, checksum):
    document = json.dumps({"sha256": checksum, "kind": "test/1", "content": 1})
    refused(raw(path, json.dumps({"__metadata__": {"dagnet": document}}).encode()), "checksum")


@pytest.mark.parametrize("value", ["3", "null", "[]"])
def test_document_entries_of_the_wrong_type(path, value):
    for document in (
        f'{{"sha256":{value},"kind":"test/1","content":1}}',
        f'{{"sha256":"{BLANK}","kind":{value},"content":1}}',
    ):
        header = json.dumps({"__metadata__": {"dagnet": document}}).encode()
        refused(raw(path, header), "should be a string")


def test_a_file_of_other_software(path):
    save_file({"x": np.zeros(3)}, path)
    refused(path, "a safetensors file, but not one that dagnet wrote")
    save_file({"x": np.zeros(3)}, path, {"format": "pt"})
    refused(path, "a safetensors file, but not one that dagnet wrote")


def test_another_kind_and_another_version(path):
    write_archive(path, "checkpoint/1", {}, None)
    refused(path, "it holds 'checkpoint', where 'test' was expected")
    write_archive(path, "test/2", {}, None)
    refused(path, "its layout is 'test/2', but this version of dagnet reads 'test/1'")
    write_archive(path, "", {}, None)
    refused(path, "it holds ''")


def signed(path, tensors, body=b""):
    """Write a file with any tensor entries and the right checksum."""
    document = json.dumps({"sha256": BLANK, "kind": "test/1", "content": 1}, separators=(",", ":"))
    header = json.dumps({"__metadata__": {"dagnet": document}} | tensors).encode()
    data = struct.pack("<Q", len(header)) + header + body
    digest = hashlib.sha256(data).hexdigest()
    path.write_bytes(data.replace(BLANK.encode(), digest.encode(), 1))
    return path


def entry(dtype="F64", shape=(1,), offsets=(0, 8)):
    return {"x": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


def test_the_forger_of_these_tests_can_write(path):
    assert read_archive(signed(path, entry(), bytes(8)), "test/1").arrays["x"] == [0.0]
    assert read_archive(forge(path, "[1]", {}, "test/1"), "test/1").metadata == [1]


@pytest.mark.parametrize(
    "tensors",
    [
        entry(shape=(2,)),
        entry(shape=(-1,)),
        entry(shape=(2**62, 2**62)),
        entry(shape=(2**61,), offsets=(0, 2**64)),
        entry(shape=("1",)),
        entry(offsets=(8, 16)),
        entry(offsets=(0, 8, 16)),
        entry(offsets=(8, 0)),
        entry(offsets=(0, 2**63)),
        entry(dtype="O"),
        entry(dtype="BF16", shape=(4,)),
        entry(dtype="F8_E4M3", shape=(8,)),
        entry(dtype=8),
        {"x": 1},
        {"x": {}},
        entry() | {"y": entry()["x"]},
        {},
    ],
    ids=str,
)
def test_hostile_tensor_entries(path, tensors):
    with pytest.raises(FileFormatError, match="its arrays cannot be read: ") as info:
        read_archive(signed(path, tensors, bytes(8)), "test/1")
    message(info)
