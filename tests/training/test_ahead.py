"""Reading ahead: what is announced to the system, and when."""

import mmap
import os
from itertools import pairwise

import h5py
import numpy as np
import pytest

import dagnet as dn
from dagnet import ahead
from dagnet.ahead import Ahead, announcing
from dagnet.stored import Stored
from dagnet.training import batches
from dagnet.training.orders import shuffled_blocks

PAGE = mmap.PAGESIZE


class Announced(Stored):
    """Remembers what is announced of it."""

    dtype = np.dtype("f4")
    rows = 1

    def __init__(self, m):
        self.shape = (PAGE // 4, m)
        self.told = []

    def announce(self, first, last):
        self.told.append((first, last))

    def read(self, which, out):
        out[...] = which


def examples(ranges):
    return sorted(i for first, last in ranges for i in range(first, last))


@pytest.mark.parametrize(("m", "block", "window"), [(53, 4, 3), (24, 4, 2), (9, 1, 4), (5, 7, 2)])
def test_a_window_and_the_next_are_announced_before_it_is_used(m, block, window):
    array = Announced(m)
    order = shuffled_blocks(m, block, window, np.random.default_rng(2))
    span = block * window
    with Ahead([array], order, block, window) as reading:
        for place in range(0, m, 2):
            reading.reach(place)
            due = order[: (place // span + 2) * span]
            assert set(due.tolist()) <= set(examples(array.told))
            blocks = {i // block for i in due.tolist()}
            assert {first // block for first, _ in array.told} == blocks  # and no others
    assert max(last for _, last in array.told) == m
    # Once each, but for blocks that lie in two windows because the last one is short.
    assert len(array.told) <= -(-m // block) + -(-m // span)


def test_a_training_that_goes_on_announces_from_there():
    array = Announced(40)
    with Ahead([array], np.arange(40)[::-1], 2, 2) as reading:
        reading.reach(18)
    assert examples(array.told) == list(range(16, 24))


def test_the_order_of_the_file_is_left_to_the_system():
    array = Announced(40)
    with Ahead([array], np.arange(40), 2, 2) as reading:
        reading.reach(18)
    assert array.told == []


def test_what_lies_all_over_the_file_is_not_announced():
    array = Announced(400)
    with Ahead([array], np.random.default_rng(0).permutation(400), 4, 5) as reading:
        for place in range(0, 400, 8):
            reading.reach(place)
    assert array.told == []


# Mapped memory.


class Memory(mmap.mmap):
    """Remembers the advice that it is given."""

    def madvise(self, option, start=0, length=None):
        self.advice.append((option, start, length))
        super().madvise(option, start, len(self) if length is None else length)


@pytest.fixture
def mapped(tmp_path, monkeypatch):
    """Return a function that maps numbers of a file, with memory that remembers."""
    monkeypatch.setattr(mmap, "mmap", Memory)

    def make(m, features=64):
        X = np.random.default_rng(1).standard_normal((m, features)).astype("f4")
        np.savez(tmp_path / "a.npz", X=X, Y=np.zeros((m, 1), "f4"))
        arrays = dn.data.mapped(tmp_path / "a.npz")
        for array in arrays.values():
            array._mmap.advice = []
        return arrays

    return make


def test_the_pages_of_the_examples_are_announced(mapped, monkeypatch):
    monkeypatch.setattr(ahead, "ANNOUNCED_BYTES", 8 * PAGE)
    X = mapped(1000)["X"].T
    where = X.__array_interface__["data"][0] - np.frombuffer(X._mmap, "u1").ctypes.data
    with announcing(X) as announce:
        announce(300, 500)
    first, *told, last = X._mmap.advice
    assert first[0] == mmap.MADV_RANDOM  # nothing around what is read
    assert last[0] == mmap.MADV_NORMAL
    begin, end = where + 300 * 256, where + 500 * 256
    assert {option for option, *_ in told} == {mmap.MADV_WILLNEED}
    assert told[0][1] == begin // PAGE * PAGE
    assert told[-1][1] + told[-1][2] == end
    for (_, start, length), (_, following, _) in pairwise(told):
        assert start + length == following
        assert length == 8 * PAGE


def test_memory_is_as_it_was_after_a_training_that_is_broken_off(mapped, monkeypatch):
    monkeypatch.setattr(batches, "SHUFFLED_BYTES", 2 * PAGE)
    X = mapped(1000)["X"].T
    sources, m = dn.mlp([64, 1], dtype="float32").sources({"X": X, "Y": np.zeros((1, 1000), "f4")})
    made = batches.Batches(sources, {"X", "Y"}, m, 8)
    running = made.over(made.order("blocks", np.random.default_rng(0)))
    next(running)
    assert X._mmap.advice[0][0] == mmap.MADV_RANDOM
    running.close()
    assert X._mmap.advice[-1][0] == mmap.MADV_NORMAL


@pytest.mark.parametrize("view", [lambda a: a, lambda a: a[::3].T, lambda a: a[::-1].T])
def test_examples_in_no_piece_are_not_announced(mapped, view):
    array = view(mapped(60)["X"])
    with announcing(array) as announce:
        announce(0, 20)
    assert array._mmap.advice == []


def train(arrays):
    model = dn.mlp([64, 5, 1], seed=1, dtype="float32")
    model.fit(
        arrays["X"].T, arrays["Y"].T, epochs=2, batch_size=16, shuffle="blocks", metrics=[],
        progress=False,
    )  # fmt: skip
    return model.store.data


def test_the_bits_are_the_same_where_a_system_takes_no_advice(mapped, monkeypatch):
    monkeypatch.setattr(batches, "SHUFFLED_BYTES", 2 * PAGE)
    monkeypatch.setattr(batches, "WINDOW_BYTES", 4 * PAGE)
    arrays = mapped(1000)
    advised = train(arrays)
    assert len(arrays["X"]._mmap.advice) > 50
    assert arrays["Y"]._mmap.advice == []  # on a page of it are examples of many blocks
    for array in arrays.values():
        array._mmap.advice = []
    monkeypatch.setattr(ahead, "_WILLNEED", None)
    assert np.array_equal(train(arrays), advised)
    assert not any(array._mmap.advice for array in arrays.values())


# Chunks of a .h5 file.


@pytest.mark.parametrize("axis", [0, 1])
def test_the_chunks_of_the_examples_are_announced(tmp_path, monkeypatch, axis):
    shape, chunks = [(40, 6), (6, 40)][axis], [(4, 3), (3, 4)][axis]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("X", data=np.ones(shape), chunks=chunks)
        place = {
            tuple(info.chunk_offset): (info.byte_offset, info.size)
            for info in (data.id.get_chunk_info(i) for i in range(data.id.get_num_chunks()))
        }
    array = dn.data.mapped(tmp_path / "a.h5")["X"]
    array = array.T if axis == 0 else array
    told = []
    advise = lambda file, *advice: told.append(advice)  # noqa: E731
    monkeypatch.setattr(os, "posix_fadvise", advise)
    array.announce(9, 17)  # of the chunks 8 to 11, 12 to 15, 16 to 19
    wanted = [place[offset] for offset in place if 8 <= offset[axis] < 20]
    assert len(wanted) == 6
    ranges = [(start, start + length) for start, length, _ in told]
    assert sorted(ranges) == sorted((b // PAGE * PAGE, b + size) for b, size in wanted)
    assert {option for *_, option in told} == {os.POSIX_FADV_WILLNEED}


def test_chunks_are_read_where_nothing_can_be_announced(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("X", data=np.ones((40, 6)), chunks=(4, 3))
    monkeypatch.delattr(os, "posix_fadvise")
    array = dn.data.mapped(tmp_path / "a.h5")["X"].T
    array.announce(9, 17)
    assert array[0, 3] == 1.0
