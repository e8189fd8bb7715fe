"""Mini-batches: every example once, in the order given, without a copy too many."""

import tracemalloc

import numpy as np
import pytest

import dagnet as dn
from dagnet.errors import ArgumentError
from dagnet.training.batches import Batches

M = 23


def numbered(m=M):
    """Return feeds whose columns know their number."""
    X = np.arange(3.0 * m).reshape(3, m)
    return {"X": X, "Y": np.arange(m).reshape(1, m), "table": np.ones((2, 5))}


def batches(size, m=M):
    return Batches(numbered(m), {"X", "Y"}, m, size)


@pytest.mark.parametrize("size", [1, 6, 22, 23, 40])
def test_every_example_comes_once_in_the_order_given(size):
    order = np.random.default_rng(1).permutation(M)
    made = batches(size)
    seen, lengths = [], []
    for feeds in made.over(order):
        seen += feeds["Y"][0].tolist()
        lengths.append(feeds["X"].shape[1])
        assert np.array_equal(feeds["X"][0], feeds["Y"][0])
        assert np.array_equal(feeds["X"][2], feeds["Y"][0] + 2 * M)
    assert seen == order.tolist()
    assert set(lengths[:-1]) <= {min(size, M)}
    assert 1 <= lengths[-1] <= min(size, M)
    assert lengths == [made.length(number) for number in range(made.count)]
    assert [made.done(n) for n in range(made.count + 1)] == [0, *np.cumsum(lengths).tolist()]


def test_it_can_begin_in_the_middle():
    order = np.random.default_rng(2).permutation(M)
    made = batches(6)
    every = [feeds["Y"].copy() for feeds in made.over(order)]
    for first in range(made.count + 1):
        rest = [feeds["Y"].copy() for feeds in made.over(order, first)]
        assert len(rest) == made.count - first
        assert all(map(np.array_equal, rest, every[first:]))


def test_all_at_once_is_the_arrays_themselves():
    feeds = numbered()
    made = Batches(feeds, {"X", "Y"}, M, None)
    assert made.whole
    (only,) = made.over(None)
    assert all(only[name] is feeds[name] for name in feeds)
    assert list(made.over(None, 1)) == []


def test_inputs_without_examples_are_handed_on_as_they_are():
    feeds = numbered()
    for batch in Batches(feeds, {"X", "Y"}, M, 6).over(np.arange(M)):
        assert batch["table"] is feeds["table"]


def test_batches_keep_the_dtype_and_take_any_memory_order():
    feeds = {"X": np.asfortranarray(numbered()["X"].astype("f4")), "Y": numbered()["Y"][:, ::-1]}
    order = np.random.default_rng(3).permutation(M)
    for number, batch in enumerate(Batches(feeds, {"X", "Y"}, M, 6).over(order)):
        chosen = order[6 * number : 6 * number + 6]
        for name, array in feeds.items():
            assert batch[name].dtype == array.dtype
            assert np.array_equal(batch[name], array[:, chosen])


def test_pictures_are_gathered_along_their_last_axis():
    pictures = np.random.default_rng(4).standard_normal((3, 2, 5, 7))
    order = np.array([6, 0, 3, 1, 5, 2, 4])
    found = [b["X"].copy() for b in Batches({"X": pictures}, {"X"}, 7, 3).over(order)]
    assert np.array_equal(np.concatenate(found, axis=-1), pictures[..., order])


def test_batches_of_one_length_share_their_memory():
    addresses = {}
    made = batches(6)
    for _ in range(3):
        for feeds in made.over(np.arange(M)):
            length = feeds["X"].shape[1]
            addresses.setdefault(length, set()).add(feeds["X"].ctypes.data)
    assert {length: len(found) for length, found in addresses.items()} == {6: 1, 5: 1}


@pytest.mark.parametrize("size", [0, -1, True, False, 1.5, "6", [6]])
def test_a_size_that_is_no_positive_integer(size):
    with pytest.raises(ArgumentError, match="batch_size must be a positive integer or None"):
        batches(size)


# In training.


class Watch(dn.Callback):
    """Keeps what the model was fed, batch by batch."""

    def __init__(self):
        self.fed = []

    def on_batch(self, run):
        self.fed.append(run.model.cache["X"].output.copy())


@pytest.mark.parametrize("shuffle", [True, False])
def test_an_epoch_is_every_example_once_in_an_order_from_the_models_generator(shuffle):
    feeds, watch, epochs = numbered(), Watch(), 3
    model = dn.mlp([3, 1], seed=1)
    rng = dn.mlp([3, 1], seed=1).rng
    model.fit(
        feeds["X"],
        feeds["Y"] % 2,
        batch_size=6,
        epochs=epochs,
        shuffle=shuffle,
        keep="all",
        callbacks=[watch],
        progress=False,
    )
    assert [fed.shape[1] for fed in watch.fed] == [6, 6, 6, 5] * epochs
    orders = []
    for epoch in range(epochs):
        fed = np.concatenate(watch.fed[4 * epoch : 4 * epoch + 4], axis=1)
        expected = rng.permutation(M) if shuffle else np.arange(M)
        assert np.array_equal(fed, feeds["X"][:, expected])
        orders.append(tuple(expected))
    assert len(set(orders)) == (epochs if shuffle else 1)
    assert model.rng.bit_generator.state == rng.bit_generator.state


@pytest.mark.parametrize("keep", ["needed", "all"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_full_batch_is_not_copied(order, keep):
    X = np.array(numbered()["X"] / (3 * M), order=order)
    Y = (numbered()["Y"] % 2).astype(float)
    shared = []

    class Look(dn.Callback):
        def on_batch(self, run):
            record = run.model.cache["X"]
            shared.append(np.shares_memory(record.output, X) and record.output.shape == X.shape)

    model = dn.mlp([3, 5, 1], seed=1)
    model.fit(X, Y, epochs=2, keep=keep, callbacks=[Look()], progress=False)
    assert shared == [True, True]


@pytest.mark.parametrize("batch_size", [None, 100])
def test_memory_does_not_grow_from_update_to_update(batch_size):
    m = 250
    X = np.random.default_rng(5).standard_normal((300, m))
    Y = (X[:1] > 0).astype(float)
    taken = []

    class Measure(dn.Callback):
        def on_epoch(self, run):
            taken.append(tracemalloc.get_traced_memory())
            tracemalloc.reset_peak()

    model = dn.mlp([300, 7, 1], seed=1)
    tracemalloc.start()
    try:
        model.fit(
            X,
            Y,
            epochs=40,
            log_every=40,
            batch_size=batch_size,
            callbacks=[Measure()],
            optimizer=dn.Adam(0.01),
            progress=False,
        )
    finally:
        tracemalloc.stop()
    warm = taken[15:-1]  # the last epoch measures, too
    batch = 300 * (batch_size or m) * 8
    assert max(now for now, _ in warm) - warm[0][0] < 10_000
    assert max(peak - now for now, peak in warm) < batch / 10
    if batch_size is None:
        assert taken[1][0] < X.nbytes  # no copy of the data has been made, then
