"""Damage: one changed bit anywhere, any truncation, anything added: one error, never a model."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_helpers import build, message

import dagnet as dn
from dagnet.data import Standardize
from dagnet.errors import FileFormatError
from dagnet.storage import load, save


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """Return a function that asserts that these bytes are refused, and the bytes of a model."""
    path = tmp_path_factory.mktemp("damage") / "net"
    model = dn.mlp([3, 2, 1], seed=1)
    model.scaling["X"] = Standardize().fit(np.arange(15.0).reshape(3, 5))
    save(model, path)

    file = path.open("r+b", buffering=0)  # opening a file to write it takes longer than all else

    def check(data):
        file.seek(0)
        file.write(data)
        file.truncate()
        with pytest.raises(FileFormatError) as info:
            load(path)
        assert message(info).startswith(f"cannot load {path}: it")
        assert info.value.__suppress_context__

    with file:
        yield check, path.read_bytes()


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80, 0xFF])
def test_every_byte_changed(damaged, mask):
    check, data = damaged
    for at in range(len(data)):
        check(data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :])


def test_every_truncation(damaged):
    check, data = damaged
    for length in range(len(data)):
        check(data[:length])


def test_a_truncated_file_is_called_so(damaged, tmp_path):
    data = damaged[1]
    for length in (2, 9, 500, len(data) - 1):
        (tmp_path / "net").write_bytes(data[:length])
        with pytest.raises(FileFormatError, match="it is truncated"):
            load(tmp_path / "net")


def test_every_byte_left_out_or_doubled(damaged):
    check, data = damaged
    for at in range(len(data)):
        check(data[:at] + data[at + 1 :])
        check(data[:at] + data[at : at + 1] + data[at:])


@pytest.mark.parametrize("tail", [b"\0", b" ", b"x" * 1000])
def test_something_added(damaged, tail):
    check, data = damaged
    check(data + tail)
    check(tail + data)


def test_the_padding_of_the_header_counts(damaged):
    check, data = damaged
    end = 8 + int.from_bytes(data[:8], "little")
    assert data[end - 1 : end] in b" }"
    check(data[: end - 1] + (b"\t" if data[end - 1 : end] == b" " else b" ") + data[end:])
    check(
        (int.from_bytes(data[:8], "little") + 1).to_bytes(8, "little")
        + data[8:end]
        + b" "
        + data[end:]
    )


def test_the_undamaged_file_loads(damaged, tmp_path):
    (tmp_path / "net").write_bytes(damaged[1])
    assert load(tmp_path / "net").dtype == "float64"


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=st.data())
def test_anything_written_anywhere(damaged, drawn):
    check, data = damaged
    at = drawn.draw(st.integers(0, len(data) - 1))
    length = drawn.draw(st.integers(0, 50))
    patch = drawn.draw(st.binary(max_size=50))
    changed = data[:at] + patch + data[at + length :]
    if changed != data:
        check(changed)


@settings(max_examples=300, deadline=None)
@given(data=st.binary(min_size=1, max_size=300))
def test_any_bytes(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(data)
    with pytest.raises(FileFormatError):
        load(path)


def test_two_arrays_swapped(tmp_path):
    """The numbers are all there, in each other's place."""
    model = build()
    save(model, tmp_path / "net")
    data = (tmp_path / "net").read_bytes()
    mean, var = (model.state["bn"][n].tobytes() for n in ("running_mean", "running_var"))
    swapped = data.replace(mean, b"?" * len(mean)).replace(var, mean).replace(b"?" * len(mean), var)
    assert sorted(swapped) == sorted(data)
    assert swapped != data
    (tmp_path / "net").write_bytes(swapped)
    with pytest.raises(FileFormatError, match="checksum"):
        load(tmp_path / "net")
