"""Training on a file larger than memory: it stays in the file, and the numbers stay the same."""

import os
import subprocess
import sys
import threading
from zipfile import ZipFile

import h5py
import numpy as np
import pytest

import dagnet as dn
from dagnet import runners, stored
from dagnet.errors import (
    ArgumentError,
    FeedError,
    FeedTypeError,
    FileAccessError,
    FileFormatError,
)
from dagnet.training import batches, evaluation
from dagnet.training.orders import shuffled_blocks

#: Bytes that the process may take while it trains, and how many times more are in the file. The
#: library of .h5 files keeps memory of its own.
LIMITS, TIMES = {".npz": 2**25, ".h5": 2**26}, 4

FEATURES = 64

TRAIN = """
import resource, sys
import numpy as np
import dagnet as dn

def taken():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmData")) * 1024

arrays = dn.data.mapped(sys.argv[1])
X, Y = arrays["X"].T, arrays["Y"].T
limit = int(sys.argv[2])
assert X.nbytes == {times} * limit
model = dn.mlp([{features}, 8, 1], seed=1)
warm = {{"X": np.zeros(({features}, 256)), "Y": np.zeros((1, 256))}}
model.forward(warm, keep="needed")  # numpy and BLAS make their buffers
model.backward()
resource.setrlimit(resource.RLIMIT_DATA, (taken() + limit,) * 2)
try:
    np.array(X)
except MemoryError:
    print("too large to read")
history = model.fit(
    X, Y, epochs=1, batch_size=256, shuffle="blocks", scaling="standardize", validation=(X, Y),
    progress=False,
)
print(model.predict(X).shape, *(history.last[k] for k in ("accuracy", "val_accuracy")))
"""


def large_file(path):
    m = TIMES * LIMITS[path.suffix] // (8 * FEATURES)
    X = np.random.default_rng(0).standard_normal((m, FEATURES))
    Y = (X[:, :1] > 0).astype(float)
    if path.suffix == ".npz":
        np.savez(path, X=X, Y=Y)
        return
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=X, chunks=(256, FEATURES))
        file.create_dataset("Y", data=Y, compression="lzf")


@pytest.mark.parametrize("ending", LIMITS)
def test_a_file_four_times_the_memory_allowed(tmp_path, ending):
    path = tmp_path / f"large{ending}"
    large_file(path)
    limit = LIMITS[ending]
    code = TRAIN.format(times=TIMES, features=FEATURES)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(limit)],
        capture_output=True, text=True,
    )  # fmt: skip
    path.unlink()
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == "too large to read"
    assert second.startswith(f"(1, {TIMES * limit // (8 * FEATURES)}) 0.")
    *_, train, held_out = second.split()
    assert train == held_out  # the same data


# The same numbers as from memory.

M = 53


@pytest.fixture(params=["last", "first", "chunks"])
def small(request, tmp_path):
    """The arrays in memory, and the same in a file; pieces of 7 examples at most."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((5, M)) * 3 + 1
    Y = rng.integers(0, 3, M)
    if request.param == "last":
        np.savez(tmp_path / "a.npz", X=X, Y=Y)
        found = dn.data.mapped(tmp_path / "a.npz")
        return X, Y, found["X"], found["Y"]
    X = np.asfortranarray(X)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        options = {"chunks": (4, 2)} if request.param == "chunks" else {}
        file.create_dataset("X", data=X.T, **options)
        file["Y"] = Y
    found = dn.data.mapped(tmp_path / "a.h5")
    return X, Y, found["X"].T, found["Y"]


def network(**options):
    return dn.mlp([5, 7, 3], output="softmax", seed=1, **options)


@pytest.mark.parametrize("shuffle", [True, False, "blocks"])
def test_the_bits_are_those_of_training_from_memory(small, shuffle):
    X, Y, X_stored, Y_stored = small
    trained = [network(), network()]
    options = {"epochs": 3, "batch_size": 8, "shuffle": shuffle, "metrics": [], "progress": False}
    costs = [
        model.fit(*data, **options)["cost"]
        for model, data in zip(trained, [(X, Y), (X_stored, Y_stored)], strict=True)
    ]
    assert np.array_equal(*costs)
    assert np.array_equal(trained[0].store.data, trained[1].store.data)


@pytest.mark.parametrize("shuffle", [True, False, "blocks"])
def test_so_they_are_if_only_some_of_the_batches_are_read_at_once(small, shuffle, monkeypatch):
    """Three batches of 8 are read at once, the last 5 examples after the sixth."""
    monkeypatch.setattr(batches, "BLOCK_BYTES", 4 * 8 * 6 * 8 + 1)
    monkeypatch.setattr(batches, "FEWEST_STAGED", 3)
    test_the_bits_are_those_of_training_from_memory(small, shuffle)


def test_batches_of_a_file_are_read_together(tmp_path, monkeypatch):
    """Of 53 examples in batches of 8, 24 are read at once; from the third batch on, 29 are left."""
    np.savez(tmp_path / "a.npz", X=np.arange(M * 4.0).reshape(M, 4), Y=np.zeros((M, 1)))
    arrays = dn.data.mapped(tmp_path / "a.npz")
    feeds, m = dn.mlp([4, 1]).sources({"X": arrays["X"].T, "Y": arrays["Y"].T})
    monkeypatch.setattr(batches, "BLOCK_BYTES", 31 * 5 * 8)
    monkeypatch.setattr(batches, "FEWEST_STAGED", 3)
    found, lengths = [], []
    checked = feeds["X"]._feeder.check_values
    monkeypatch.setattr(
        feeds["X"]._feeder,
        "check_values",
        lambda rule, array: (lengths.append(array.shape[-1]), checked(rule, array)),
    )
    made = batches.Batches(feeds, {"X", "Y"}, m, 8)
    for batch in made.over(np.arange(M)[::-1], first=3):
        found += batch["X"][0].tolist()
        assert batch.m == batch["X"].shape[-1] == batch["Y"].shape[-1]
    assert found == [4.0 * i for i in reversed(range(M - 24))]
    assert lengths == [24, 24, 5, 5]


def blocks_of_seven(monkeypatch):
    monkeypatch.setattr(stored, "BLOCK_BYTES", 7 * 5 * 8)
    monkeypatch.setattr(runners, "BLOCK_BYTES", 2000)


def test_scaling_metrics_and_validation_are_those_of_training_from_memory(small, monkeypatch):
    blocks_of_seven(monkeypatch)
    X, Y, X_stored, Y_stored = small
    rows = []
    for x, y in [(X, Y), (X_stored, Y_stored)]:
        model = network(l2=0.5)
        history = model.fit(
            x, y, epochs=2, batch_size=8, scaling="standardize", validation=(x, y),
            metrics=["accuracy", "f1"], progress=False,
        )  # fmt: skip
        rows.append(history.last)
    assert rows[1] == pytest.approx(rows[0], rel=1e-9)
    assert {"accuracy", "f1", "val_cost", "val_accuracy", "val_f1"} <= set(rows[0])


@pytest.mark.parametrize("l2", [0.0, 0.7])
def test_evaluation_and_prediction_in_blocks(small, monkeypatch, l2):
    X, Y, X_stored, Y_stored = small
    names = ["accuracy", "precision", "recall", "f1"]
    model = network(l2=l2)
    expected = model.evaluate(X, Y, names)
    blocks_of_seven(monkeypatch)
    lengths = []
    begin = type(model.runner().scheduler).begin
    monkeypatch.setattr(
        type(model.runner().scheduler),
        "begin",
        lambda self, feeds, m: lengths.append(m) or begin(self, feeds, m),
    )
    found = model.evaluate(X_stored, Y_stored, names)
    assert len(lengths) > 3
    assert sum(lengths) == M
    assert found == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(model.predict(X_stored), model.predict(X), rtol=1e-12)


def test_regression_and_a_function_in_blocks(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    X, Y = rng.standard_normal((5, M)), rng.standard_normal((2, M))
    np.savez(tmp_path / "a.npz", X=X, Y=Y)
    arrays = dn.data.mapped(tmp_path / "a.npz")
    model = dn.mlp([5, 2], output="identity", seed=1)

    def worst(predictions, targets):
        return np.max(np.abs(predictions - targets))

    metrics = ["mae", "mse", "r2", worst]
    expected = model.evaluate(X, Y, metrics)
    monkeypatch.setattr(runners, "BLOCK_BYTES", 1000)
    assert model.evaluate(arrays["X"], arrays["Y"], metrics) == pytest.approx(expected, rel=1e-12)
    mixed = model.evaluate(arrays["X"], Y, metrics)  # one in the file, one in memory
    assert mixed == pytest.approx(expected, rel=1e-12)


def test_between_two_blocks_the_model_may_be_asked_for_more(small, monkeypatch):
    X, Y, X_stored, Y_stored = small
    model = network()
    blocks_of_seven(monkeypatch)
    asked = []

    def ask():
        feeds, m = model.sources({"X": X_stored, "Y": Y_stored})
        for which, _, _, outputs in model.assess_in_blocks(feeds, m):
            model.evaluate(X, Y)
            asked.append((*outputs.values(), model.predict(X[:, which])))

    thread = threading.Thread(target=ask, daemon=True)  # it might wait for itself
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert len(asked) > 3
    for of_block, alone in asked:
        np.testing.assert_allclose(of_block, alone, rtol=1e-12)


def squashed(error, penalty):
    return [dn.Tanh()(error), penalty]


def multiplied(error, penalty):
    return [dn.Multiply()(error, dn.Add()(error, penalty)), error]


@pytest.mark.parametrize("executor", ["compiled", "fused"])
@pytest.mark.parametrize("costs", [squashed, multiplied])
def test_costs_made_of_losses_and_outputs_without_examples_in_blocks(
    tmp_path, monkeypatch, costs, executor
):
    rng = np.random.default_rng(4)
    X, Y = rng.standard_normal((5, M)), rng.standard_normal((2, M))
    np.savez(tmp_path / "a.npz", X=X, Y=Y)
    arrays = dn.data.mapped(tmp_path / "a.npz")
    x, y = dn.Input(5, name="X"), dn.Input(2, name="Y")
    guess = dn.Linear(2, name="guess")(x)
    error = dn.MeanSquaredError(name="error")(guess, y)
    size = dn.Huber(name="size")(guess, dn.Dropout(0.5)(dn.Linear(2)(x)))
    model = dn.Model(costs(error, size), outputs=[guess, size], seed=1, l2=0.3, executor=executor)
    expected, outputs = model.evaluate(X, Y), model.predict(X)
    monkeypatch.setattr(runners, "BLOCK_BYTES", 1000)
    assert model.evaluate(arrays["X"], arrays["Y"]) == pytest.approx(expected, rel=1e-12)
    assert model.predict(arrays["X"])["size"] == pytest.approx(outputs["size"], rel=1e-12)


def test_a_metric_that_raises_within_a_block_leaves_the_model_to_others(small, monkeypatch):
    def broken(predictions, targets):
        raise ZeroDivisionError

    _, _, X_stored, Y_stored = small
    monkeypatch.setattr(evaluation, "is_mean", lambda metric: True)
    model = network()
    with pytest.raises(ZeroDivisionError) as kept:  # the traceback, as a console does
        model.evaluate(X_stored, Y_stored, [broken])
    assert kept.tb
    assert model.predict(X_stored).shape == (3, M)


def test_inputs_without_examples_beside_a_file(tmp_path, monkeypatch):
    rng = np.random.default_rng(5)
    X, Y, table = rng.standard_normal((5, M)), rng.standard_normal((2, M)), np.eye(3, 7)
    np.save(tmp_path / "table.npy", table)
    np.savez(tmp_path / "a.npz", X=X, Y=Y)
    arrays = dn.data.mapped(tmp_path / "a.npz") | {"table": table}
    inputs = {"X": dn.Input(5, name="X"), "table": dn.Input(3, 7, name="table", examples=False)}
    guess, rows = dn.Linear(2)(inputs["X"]), dn.Linear(3, name="rows")(inputs["table"])
    losses = [dn.MeanSquaredError()(guess, dn.Input(2, name="Y"))]
    losses.append(dn.MeanSquaredError()(rows, dn.Input(3, 7, name="wanted", examples=False)))
    model = dn.Model(losses, outputs=[guess, rows], seed=1)
    targets = {"Y": Y, "wanted": table}
    expected = model.evaluate({"X": X, "table": table}, targets, ["mae", "r2"])
    monkeypatch.setattr(runners, "BLOCK_BYTES", 1000)
    found = model.evaluate(
        {"X": arrays["X"], "table": table}, targets | {"Y": arrays["Y"]}, ["mae", "r2"]
    )
    assert found == pytest.approx(expected, rel=1e-12)
    alone = dn.Model(losses[1:], outputs=[rows], seed=1)
    in_file = np.load(tmp_path / "table.npy", mmap_mode="r")
    assert np.array_equal(alone.predict(in_file), alone.predict(table))


def test_bytes_and_other_byte_orders_become_the_models_dtype(tmp_path):
    rng = np.random.default_rng(4)
    X = rng.integers(0, 255, (M, 5)).astype("u1")
    Y = rng.integers(0, 2, (1, M))
    np.savez(tmp_path / "a.npz", X=X, Y=Y, swapped=X.astype(">f8"))
    arrays = dn.data.mapped(tmp_path / "a.npz")
    options = {"epochs": 2, "batch_size": 8, "metrics": [], "progress": False}
    trained = []
    for x in (X.T.astype(float), arrays["X"].T, arrays["swapped"].T):
        model = dn.mlp([5, 1], seed=1)
        model.fit(x, arrays["Y"] if x.base is not None else Y, **options)
        trained.append(model.store.data)
    assert np.array_equal(trained[0], trained[1])
    assert np.array_equal(trained[0], trained[2])


def test_a_training_goes_on_to_the_same_bits(small, tmp_path):
    _, _, X, Y = small
    options = {"batch_size": 8, "shuffle": "blocks", "metrics": [], "progress": False}
    straight, first, second = network(), network(), network()
    straight.fit(X, Y, epochs=4, **options)
    first.fit(X, Y, epochs=2, checkpoint=tmp_path / "half.st", **options)
    second.fit(X, Y, epochs=4, resume=tmp_path / "half.st", **options)
    assert np.array_equal(second.store.data, straight.store.data)
    with pytest.raises(ArgumentError, match="other training data"):
        network().fit(np.asarray(X) + 1, Y, epochs=4, resume=tmp_path / "half.st", **options)


# Bad input.


def test_a_bad_number_is_found_when_it_is_read_and_its_example_named(tmp_path):
    X = np.ones((M, 5))
    X[41, 2] = np.nan
    np.savez(tmp_path / "a.npz", X=X, Y=np.zeros((1, M)))
    arrays = dn.data.mapped(tmp_path / "a.npz")
    model = dn.mlp([5, 1], seed=1)
    with pytest.raises(FeedError, match=r"1 NaN.*in the file it is example 41$"):
        model.fit(arrays["X"].T, arrays["Y"], batch_size=8, progress=False)
    with pytest.raises(FeedError, match=r"in the file it is example 41$"):
        model.predict(arrays["X"].T)
    with pytest.raises(FeedError, match="Inf among"):
        model.fit(arrays["X"][:, :].T, np.full((1, M), np.inf), batch_size=8, progress=False)


def test_a_label_that_is_none_is_named(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.ones((5, M)), Y=np.r_[np.zeros(M - 1, int), 3])
    arrays = dn.data.mapped(tmp_path / "a.npz")
    with pytest.raises(FeedError, match=rf"labels must be 0 to 2.*the file it is example {M - 1}$"):
        network().evaluate(arrays["X"], arrays["Y"])


def test_what_does_not_fit_is_refused_before_anything_is_read(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.ones((M, 5)), Y=np.zeros((1, M)), f4=np.ones((5, M), "f4"))
    arrays = dn.data.mapped(tmp_path / "a.npz")
    model = dn.mlp([5, 1], seed=1)
    before = model.store.data.copy()
    for x, error, message in [
        (arrays["X"], FeedError, r"feed the transpose \(\.T\)"),
        (arrays["X"][1:].T, FeedError, "different numbers of examples"),
        (arrays["f4"], FeedTypeError, "the model is float64, but float32 was fed"),
    ]:
        with pytest.raises(error, match=message):
            model.fit(x, arrays["Y"], batch_size=8, progress=False)
    with pytest.raises(ArgumentError, match="shuffle must be True, False or 'blocks'"):
        model.fit(arrays["X"].T, arrays["Y"], batch_size=8, shuffle="block")
    assert np.array_equal(model.store.data, before)


# Shuffling in blocks.


@pytest.mark.parametrize(("m", "block", "window"), [(53, 4, 3), (5, 7, 2), (24, 4, 2), (9, 1, 4)])
def test_blocks_are_shuffled_and_mixed_within_windows(m, block, window):
    rng = np.random.default_rng(6)
    order = shuffled_blocks(m, block, window, rng)
    assert sorted(order.tolist()) == list(range(m))
    for first in range(0, m, block * window):
        blocks = set((order[first : first + block * window] // block).tolist())
        assert len(blocks) <= window + 1  # one more where the short last block is among them
    if m > block:
        assert not np.array_equal(order, np.arange(m))
        assert not np.array_equal(order, shuffled_blocks(m, block, window, rng))


def test_a_block_is_of_whole_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "SHUFFLED_BYTES", 10 * (5 * 8 + 8))
    monkeypatch.setattr(batches, "WINDOW_BYTES", 1)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("X", data=np.ones((M, 5)), chunks=(4, 5))
        file["Y"] = np.zeros((M, 1))
    arrays = dn.data.mapped(tmp_path / "a.h5")
    sources, m = dn.mlp([5, 1]).sources({name: array.T for name, array in arrays.items()})
    made = batches.Batches(sources, {"X", "Y"}, m, 8)
    order = made.order("blocks", np.random.default_rng(1))
    assert len(set((order[:24] // 12).tolist())) <= 3  # 10 examples are wanted, 12 are 3 chunks


# What can be mapped.


def test_the_arrays_are_those_of_the_file(tmp_path):
    path = tmp_path / "a.npz"
    rng = np.random.default_rng(1)
    arrays = {
        "C": rng.standard_normal((3, 5, 7)),
        "F": np.asfortranarray(rng.standard_normal((3, 5)).astype("float32")),
        "bytes": rng.integers(0, 255, 7).astype("uint8"),
        "empty": np.empty((0, 3)),
    }
    np.savez(path, **arrays)
    found = dn.data.mapped(path)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert isinstance(found["C"], np.memmap)
    assert not found["C"].flags.writeable
    assert found["F"].flags.f_contiguous


def test_what_cannot_be_mapped_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, X=np.ones(3))
    with pytest.raises(FileFormatError, match="X is compressed"):
        dn.data.mapped(path)
    np.savez(path, X=np.array([{}], object))
    with pytest.raises(FileFormatError, match="X holds Python objects"):
        dn.data.mapped(path)
    with ZipFile(path, "w") as archive:
        archive.writestr("X.npy", b"no array")
    with pytest.raises(FileFormatError):
        dn.data.mapped(path)
    path.write_bytes(b"no zip file")
    with pytest.raises(FileFormatError):
        dn.data.mapped(path)


def test_a_file_that_becomes_shorter_is_an_error_and_no_end_of_the_process(tmp_path):
    path = tmp_path / "large.npz"
    np.savez(path, X=np.ones((20_000, 50)), Y=np.zeros((20_000, 1)))
    arrays = dn.data.mapped(path)

    class Cut(dn.Callback):
        def on_batch(self, run):
            if run.step == 3:
                os.truncate(path, 100_000)

    model = dn.mlp([50, 1], seed=1)
    with pytest.raises(FileAccessError, match=r"large\.npz has become shorter"):
        model.fit(arrays["X"].T, arrays["Y"].T, epochs=2, batch_size=64, callbacks=[Cut()])
    with pytest.raises(FileAccessError, match=r"large\.npz has become shorter"):
        model.fit(arrays["X"].T, arrays["Y"].T, epochs=1, batch_size=64)
