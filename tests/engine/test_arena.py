"""Arena packing: what lives together never overlaps, and what is dead makes room."""

from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from random_networks import random_dags

from dagnet import arena


class Lifetime(NamedTuple):
    size: int
    birth: int
    death: int


class Packing(NamedTuple):
    offsets: dict
    size: int


def pack(lifetimes):
    """Pack values that have names."""
    offsets, size = arena.pack(*([v[i] for v in lifetimes.values()] for i in range(3)))
    return Packing(dict(zip(lifetimes, offsets, strict=True)), size)


def make(rows):
    return {
        i: Lifetime(size, birth, birth + length) for i, (size, birth, length) in enumerate(rows)
    }


def peak(lifetimes):
    """The most units that live at one position."""
    return max(
        (
            sum(v.size for v in lifetimes.values() if v.birth <= now <= v.death)
            for now in {v.birth for v in lifetimes.values()}
        ),
        default=0,
    )


values = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 30), st.integers(0, 12)), max_size=40
)


@random_dags
@given(values)
def test_no_two_values_that_live_at_one_position_overlap(rows):
    lifetimes = make(rows)
    packing = pack(lifetimes)
    assert packing.offsets.keys() == lifetimes.keys()
    for i, a in lifetimes.items():
        assert packing.offsets[i] >= 0
        assert packing.offsets[i] + a.size <= max(packing.size, packing.offsets[i])
        for j, b in lifetimes.items():
            if i < j and a.birth <= b.death and b.birth <= a.death and a.size and b.size:
                apart = (
                    packing.offsets[i] + a.size <= packing.offsets[j]
                    or packing.offsets[j] + b.size <= packing.offsets[i]
                )
                assert apart, (a, b)


@random_dags
@given(values)
def test_the_size_lies_between_the_peak_and_no_reuse_at_all(rows):
    lifetimes = make(rows)
    assert peak(lifetimes) <= pack(lifetimes).size <= sum(v.size for v in lifetimes.values())


@random_dags
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), min_size=1), st.integers(1, 64))
def test_values_of_one_size_need_no_more_than_the_peak(spans, size):
    lifetimes = make([(size, birth, length) for birth, length in spans])
    assert pack(lifetimes).size == peak(lifetimes)


def test_a_long_chain_needs_two_blocks():
    lifetimes = {i: Lifetime(7, i, i + 1) for i in range(1000)}
    assert pack(lifetimes).size == 2 * 7


def test_freed_neighbours_merge():
    """Two blocks of 3 and 5, side by side and dead, hold a later one of 8."""
    lifetimes = {"a": Lifetime(3, 0, 1), "b": Lifetime(5, 0, 2), "c": Lifetime(8, 3, 3)}
    assert pack(lifetimes).size == 8


def test_the_smallest_gap_that_fits_is_taken():
    """Gaps of 7 and 3, each between values that stay: 3 goes into that of 3, and 7 still fits."""
    lifetimes = {
        "gap7": Lifetime(7, 0, 3),
        "stays": Lifetime(1, 1, 9),
        "gap3": Lifetime(3, 2, 3),
        "three": Lifetime(3, 4, 9),
        "seven": Lifetime(7, 5, 9),
    }
    packing = pack(lifetimes)
    assert packing.size == 11
    assert packing.offsets["three"] in (0, 8)


def test_a_chain_of_values_of_any_size_needs_no_more_than_two_neighbours():
    sizes = [1 + i * 37 % 101 for i in range(500)]
    lifetimes = {i: Lifetime(size, i, i + 1) for i, size in enumerate(sizes)}
    assert pack(lifetimes).size == max(a + b for a, b in pairwise(sizes))


def test_values_that_wait_for_the_way_back_need_no_more_than_the_peak():
    """As in training: one of each pair waits for its turn in the reverse order, one does not."""
    n = 300
    lifetimes = {("waits", i): Lifetime(1 + i * 37 % 101, i, 2 * n - i) for i in range(n)}
    lifetimes |= {("passes", i): Lifetime(1 + i * 53 % 97, i, i + 1) for i in range(2 * n)}
    assert pack(lifetimes).size == peak(lifetimes)


def test_what_lives_at_one_position_alone_takes_turns_in_one_place():
    waiting = {i: Lifetime(4, i, 40 - i) for i in range(20)}
    works = {(t, size): Lifetime(size, t, t) for t in range(20, 40) for size in (3, 5)}
    packing = pack(waiting | works)
    assert packing.size == peak(waiting | works)
    for size in (3, 5):
        assert len({packing.offsets[t, size] for t in range(20, 40)}) == 1


@random_dags
@given(values.filter(any))
def test_the_start_of_every_value_is_a_multiple_of_what_all_sizes_are(rows):
    lifetimes = {key: Lifetime(8 * v.size, v.birth, v.death) for key, v in make(rows).items()}
    packing = pack(lifetimes)
    assert not any(offset % 8 for offset in packing.offsets.values())
    assert packing.size % 8 == 0


@random_dags
@given(values)
def test_memory_stays_near_the_peak_for_any_lifetimes(rows):
    lifetimes = make(rows)
    assert pack(lifetimes).size <= 1.5 * peak(lifetimes)


def test_nothing_and_empty_values_need_no_memory():
    assert pack({}).size == 0
    assert pack({"a": Lifetime(0, 0, 5), "b": Lifetime(0, 2, 3)}).size == 0


def test_the_packing_does_not_change_from_run_to_run():
    lifetimes = {i: Lifetime(1 + i * 7 % 11, i * 5 % 13, i * 5 % 13 + i % 4) for i in range(60)}
    assert pack(lifetimes) == pack(dict(lifetimes))
