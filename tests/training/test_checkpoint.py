"""Checkpoints: a training interrupted and resumed ends with the bits of one that ran on."""

import copy

import numpy as np
import pytest

import dagnet as dn
from dagnet.errors import (
    ArgumentError,
    ArgumentTypeError,
    DagnetError,
    FileAccessError,
    FileFormatError,
)
from dagnet.storage import read_archive, write_archive
from dagnet.training.checkpoint import KIND, fingerprint

M, M_VAL = 23, 11
RNG = np.random.default_rng(3)
X = RNG.standard_normal((5, M))
Y = (RNG.random((1, M)) > 0.5).astype(float)
X_VAL = RNG.standard_normal((5, M_VAL))
Y_VAL = (RNG.random((1, M_VAL)) > 0.5).astype(float)


def build(seed=13, units=7, name="linear1", **options):
    """Return a network with everything that draws or remembers."""
    x, y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    hidden = dn.ReLU(name="relu1")(dn.BatchNorm(name="norm1")(dn.Linear(units, name=name)(x)))
    dropped = dn.Dropout(0.3, name="drop1")(hidden)
    guess = dn.Sigmoid(name="sigmoid2")(dn.Linear(1, name="linear2")(dropped))
    cost = dn.BinaryCrossEntropy(name="cost")(guess, y)
    return dn.Model(cost, outputs=[guess], seed=seed, **options)


class Interrupt(dn.Callback):
    """Raises at one moment, given as an event and the count of epochs or updates."""

    def __init__(self, at=None, error=KeyboardInterrupt):
        self.at = at
        self.error = error
        self.metrics = []

    def _reach(self, event, count):
        if (event, count) == self.at:
            raise self.error

    def on_epoch_start(self, run):
        self._reach("epoch_start", run.epoch)

    def before_node(self, run, name, phase):
        if name == "relu1":
            self._reach(phase, run.step)

    def on_batch(self, run):
        self._reach("batch", run.step)

    def on_epoch(self, run):
        self.metrics.append((run.epoch, run.metrics["cost"], run.logged))
        self._reach("epoch", run.epoch)


class Stop(Interrupt):
    """Stops the training after an update."""

    def on_batch(self, run):
        if ("batch", run.step) == self.at:
            run.stop("enough")


ADAM = {"optimizer": lambda: dn.Adam(dn.Cosine(0.05, steps=70), clip_norm=0.5, weight_decay=0.01)}
OPTIMIZERS = {
    "SGD": lambda: dn.SGD(dn.InverseTime(0.3, decay=0.1)),
    "Momentum": lambda: dn.Momentum(0.1),
    "RMSProp": lambda: dn.RMSProp(dn.StepDecay(0.05, every=7, factor=0.5)),
    "Adam": ADAM["optimizer"],
    "AdamW": lambda: dn.AdamW(0.05),
}


def run(at=None, error=KeyboardInterrupt, make=build, data=(X, Y), watching=Interrupt, **options):
    """Train, with what happens at one moment; return all that must be the same in the end."""
    model, stopping, watch = make(), dn.EarlyStopping(patience=3), watching(at, error)
    optimizer = options.pop("optimizer", ADAM["optimizer"])()
    settings = {
        "epochs": 20,
        "batch_size": 6,
        "log_every": 2,
        "validation": (X_VAL, Y_VAL),
        "callbacks": [stopping, watch],
        "progress": False,
        "optimizer": optimizer,
    }
    try:
        history = model.fit(*data, **settings | options)
    except ZeroDivisionError:
        history = None
    return model, history, optimizer, stopping, watch


def assert_same_end(resumed, straight):
    (
        (model, history, optimizer, stopping, watch),
        (model2, history2, optimizer2, stopping2, all_),
    ) = (
        resumed,
        straight,
    )
    assert np.array_equal(model.store.data, model2.store.data)
    for owner, arrays in model2.state.items():
        for name, array in arrays.items():
            assert np.array_equal(model.state[owner][name], array)
    assert copy.deepcopy(model.rng).random(3).tolist() == model2.rng.random(3).tolist()
    assert list(history) == list(history2)
    for name in history2:
        assert np.array_equal(history[name], history2[name], equal_nan=True), name
    assert history.stopped == history2.stopped
    state, state2 = optimizer.state_dict(), optimizer2.state_dict()
    assert all(np.array_equal(state[name], state2[name]) for name in state2)
    assert optimizer.config == optimizer2.config
    assert (stopping.best, stopping.best_epoch) == (stopping2.best, stopping2.best_epoch)
    # Of the epochs that ended after the resumption, callbacks were told the same.
    assert watch.metrics == all_.metrics[len(all_.metrics) - len(watch.metrics) :]


MOMENTS = [
    ("batch", 1),  # the first update
    ("batch", 4),  # the last one of the first epoch
    ("batch", 6),
    ("batch", 7),
    ("batch", 8),
    ("batch", 31),
    ("epoch_start", 1),
    ("epoch_start", 4),
    ("epoch", 1),
    ("epoch", 3),
    ("epoch", 4),
    ("epoch", 10),  # the best epoch, 6, is over
    ("batch", 45),
]


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda m: f"{m[0]}{m[1]}")
def test_resumed_after_an_interruption_it_ends_with_the_same_bits(moment, tmp_path):
    path = tmp_path / "training"
    _, history, *_ = run(moment, checkpoint=path)
    assert history.stopped == "interrupted"
    straight = run()
    assert_same_end(run(resume=path), straight)
    assert straight[1].stopped.endswith("in epoch 6")
    assert straight[1].last["epoch"] == 12


@pytest.mark.parametrize("step", [2, 4, 7])
def test_resumed_after_a_stop_within_an_epoch_it_does_the_rest(step, tmp_path):
    path = tmp_path / "training"
    _, history, *_ = run(("batch", step), checkpoint=path, checkpoint_every=1, watching=Stop)
    assert (history.stopped, history.last["step"]) == ("enough", step)
    assert_same_end(run(resume=path), run())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_with_every_optimizer(name, tmp_path):
    path, optimizer = tmp_path / "training", OPTIMIZERS[name]
    run(("batch", 10), checkpoint=path, optimizer=optimizer)
    assert_same_end(run(resume=path, optimizer=optimizer), run(optimizer=optimizer))


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": None},
        {"shuffle": False},
        {"batch_size": 40},
        {"keep": "all"},
        {"scaling": "standardize"},
        {
            "make": lambda: build(dtype="float32"),
            "data": (X.astype("f4"), Y.astype(int)),
            "validation": None,
        },
        {"make": lambda: build(seed=np.random.RandomState(5))},
        {"make": lambda: build(seed=np.random.Generator(np.random.MT19937(5)))},
        {"make": lambda: build(seed=np.random.Generator(np.random.Philox(5)))},
        {"make": lambda: build(executor="interpreted", l2=0.3)},
    ],
    ids=["full", "in order", "one batch", "all", "scaled", "f4", "legacy", "mt", "philox", "l2"],
)
def test_with_every_way_to_train(options, tmp_path):
    path = tmp_path / "training"
    if options.get("validation", X) is None:
        options = options | {"callbacks": []}
    interrupt = {"callbacks": [Interrupt(("batch", 6))]} if "callbacks" in options else {}
    run(("batch", 6), checkpoint=path, **options | interrupt)
    resumed, other = run(resume=path, **options), run(**options)
    assert resumed[1]["step"][-1] > 6
    assert_same_end(resumed, other)


def test_interrupted_again_and_again(tmp_path):
    path, moments = tmp_path / "training", [("batch", 3), ("batch", 9), ("epoch", 3), ("batch", 16)]
    run(moments[0], checkpoint=path)
    for moment in moments[1:]:
        run(moment, checkpoint=path, resume=path)
    assert_same_end(run(resume=path), run())


@pytest.mark.parametrize("every", [1, 3])
def test_after_a_crash_it_goes_on_from_the_last_checkpoint(every, tmp_path):
    path = tmp_path / "training"
    _, history, *_ = run(("batch", 19), ZeroDivisionError, checkpoint=path, checkpoint_every=every)
    assert history is None
    resumed = run(resume=path)
    assert_same_end(resumed, run())
    assert resumed[4].metrics[0][0] == 5 if every == 1 else 4


def test_a_checkpoint_is_written_every_so_many_epochs(tmp_path):
    path, written = tmp_path / "training", []

    class Look(dn.Callback):
        def on_epoch_start(self, run):
            written.append(read_archive(path, KIND).metadata["epoch"] if path.exists() else 0)

    build().fit(
        X, Y, epochs=8, callbacks=[Look()], checkpoint=path, checkpoint_every=3, progress=False
    )
    assert written == [0, 0, 0, 3, 3, 3, 6, 6]
    path.unlink()
    written.clear()
    build().fit(X, Y, epochs=5, callbacks=[Look()], checkpoint=path, log_every=2, progress=False)
    assert written == [0, 0, 2, 2, 4]


def test_a_finished_training_can_be_made_longer(tmp_path):
    path, options = tmp_path / "training", {"callbacks": [], "checkpoint_every": 2, "log_every": 1}
    run(epochs=4, checkpoint=path, **options)
    assert_same_end(run(epochs=7, resume=path, **options), run(epochs=7, **options))
    model, history, *_ = run(epochs=4, resume=path, **options)
    assert history.stopped == "finished"
    assert history["epoch"].tolist() == [1, 2, 3, 4]
    assert np.array_equal(model.store.data, run(epochs=4, **options)[0].store.data)


def test_what_a_callback_changed_in_the_optimizer_is_restored(tmp_path):
    class Halve(dn.Callback):
        def on_epoch(self, run):
            run.optimizer.learning_rate /= 2

    path, options = tmp_path / "training", {"optimizer": lambda: dn.Adam(0.2), "epochs": 6}
    run(checkpoint=path, callbacks=[Halve(), Interrupt(("batch", 14))], **options)
    resumed = run(resume=path, callbacks=[Halve()], **options)
    assert_same_end(resumed, run(callbacks=[Halve()], **options))
    assert resumed[2].learning_rate == 0.2 / 2**6


class Counter(dn.Callback):
    """Keeps values that JSON has no words for, and an array."""

    def __init__(self):
        self.lowest = np.inf
        self.trace = np.zeros(3)

    def on_start(self, run):
        self.__init__()

    def on_batch(self, run):
        self.trace += [run.step, 1.0, run.metrics["cost"]]

    def state_dict(self):
        return {"lowest": self.lowest, "names": ["a", None]}, {"trace": self.trace}

    def load_state_dict(self, values, arrays):
        assert values["names"] == ["a", None]
        self.lowest, self.trace = values["lowest"], arrays["trace"]


def test_callbacks_of_ones_own_keep_their_state(tmp_path):
    path, counters = tmp_path / "training", [Counter() for _ in range(3)]
    run(checkpoint=path, callbacks=[counters[0], Interrupt(("batch", 6))])
    run(resume=path, callbacks=[counters[1]])
    run(callbacks=[counters[2]])
    assert counters[1].lowest == np.inf
    assert np.array_equal(counters[1].trace, counters[2].trace)
    assert counters[0].trace[0] == 1 + 2 + 3 + 4 + 5 + 6


def test_a_state_that_is_no_json_names_the_callback(tmp_path):
    counter = Counter()
    counter.state_dict = lambda: ({"of": object()}, {})
    with pytest.raises(ArgumentTypeError, match="Counter: state_dict is not JSON"):
        run(checkpoint=tmp_path / "training", callbacks=[counter])


def test_a_training_that_diverged_can_be_resumed(tmp_path):
    path = tmp_path / "training"
    options = {"data": (X * 1e200, Y), "optimizer": lambda: dn.SGD(1e3), "callbacks": []}
    options |= {"make": lambda: dn.mlp([5, 3, 1], output="identity", seed=1), "validation": None}
    run(checkpoint=path, **options | {"callbacks": [Interrupt(("batch", 14))]})
    resumed = run(resume=path, **options)
    assert np.isnan(resumed[1]["cost"][-1])
    assert list(resumed[1]["cost"]) == pytest.approx(list(run(**options)[1]["cost"]), nan_ok=True)


@pytest.mark.parametrize("phase", ["forward", "backward"])
def test_amid_an_update_no_checkpoint_is_written(phase, tmp_path):
    """It would hold an update half made; the last whole one stays."""
    path = tmp_path / "training"
    _, history, *_ = run((phase, 10), checkpoint=path, checkpoint_every=1)
    assert history.stopped == "interrupted"
    assert history.last["step"] == 10
    assert read_archive(path, KIND).metadata["step"] == 8
    assert_same_end(run(resume=path), run())


# What is refused; nothing has changed then.


def state_of(model, optimizer):
    return (
        model.store.data.tobytes(),
        [array.tobytes() for arrays in model.state.values() for array in arrays.values()],
        str(model.rng.bit_generator.state),
        dict(model.scaling),
        str(optimizer.state_dict()),
        str(optimizer.config),
    )


def assert_refused(path, error, message, make=build, data=(X, Y), optimizer=None, **options):
    model, optimizer = make(), (optimizer or ADAM["optimizer"])()
    started, before = [], state_of(model, optimizer)
    watch = dn.Callback()
    watch.on_start = started.append
    settings = {"batch_size": 6, "progress": False, "callbacks": [watch], "resume": path}
    with pytest.raises(error, match=message) as caught:
        model.fit(*data, optimizer=optimizer, **settings | options)
    assert isinstance(caught.value, DagnetError)
    assert "\n" not in str(caught.value)
    assert started == []
    assert state_of(model, optimizer) == before


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "training"
    run(("batch", 6), checkpoint=path)
    return path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"make": lambda: build(units=6)}, "is of another network"),
        ({"make": lambda: build(name="first")}, "is of another network"),
        ({"make": lambda: build(l2=0.1)}, "is of another network"),
        (
            {"make": lambda: build(dtype="float32"), "data": (X.astype("f4"), Y.astype(int))},
            "made with dtype 'float64', the training has 'float32'",
        ),
        (
            {"make": lambda: build(seed=np.random.Generator(np.random.MT19937(1)))},
            "made with bit_generator 'PCG64', the training has 'MT19937'",
        ),
        ({"batch_size": 5}, "made with batch_size 6, the training has 5"),
        ({"batch_size": None}, "made with batch_size 6, the training has None"),
        ({"shuffle": False}, "made with shuffle True, the training has False"),
        ({"data": (X[:, 1:], Y[:, 1:])}, "made with examples 23, the training has 22"),
        ({"data": (X + 1.0, Y)}, "is of other training data or scaling"),
        ({"data": (X, 1.0 - Y)}, "is of other training data or scaling"),
        ({"data": (X[:, ::-1], Y)}, "is of other training data or scaling"),
        ({"scaling": "minmax"}, "is of other training data or scaling"),
        ({"optimizer": lambda: dn.SGD(0.1)}, "with the optimizer .*Adam.*SGD"),
        ({"optimizer": lambda: dn.Adam(0.05)}, "with the optimizer .*Cosine.*0.05"),
        (
            {
                "optimizer": lambda: dn.Adam(
                    dn.Cosine(0.05, steps=70), clip_norm=0.6, weight_decay=0.01
                )
            },
            "with the optimizer .*'clip_norm': 0.5.*'clip_norm': 0.6",
        ),
    ],
)
def test_a_checkpoint_of_something_else_is_refused(options, message, checkpoint):
    assert_refused(checkpoint, ArgumentError, message, **options)


def test_the_same_data_in_another_memory_order_is_the_same(checkpoint):
    data = (np.asfortranarray(X), Y.astype(int))
    assert_same_end(run(resume=checkpoint, data=data), run(data=data))


def test_the_same_network_defined_on_another_line_is_the_same(tmp_path):
    def elsewhere():
        return dn.mlp([5, 7, 1], seed=1)

    path = tmp_path / "training"
    run(("batch", 6), checkpoint=path, make=lambda: dn.mlp([5, 7, 1], seed=1))
    assert_same_end(run(resume=path, make=elsewhere), run(make=elsewhere))


def test_every_value_counts_in_the_fingerprint():
    feeds = {"X": X, "Y": Y, "labels": np.arange(M), "one": np.array(3.0)}
    found = {fingerprint(feeds)}
    for name, array in feeds.items():
        changed = array.copy()
        changed[(-1,) * array.ndim] += 1
        found.add(fingerprint(feeds | {name: changed}))
    found.add(fingerprint(feeds | {"X": X.reshape(23, 5)}))
    found.add(fingerprint(feeds | {"X": X.astype("f4")}))
    assert len(found) == 7


@pytest.mark.parametrize("place", [0, 9, 60, 400, -1, -300, -2500])
def test_a_damaged_file_is_refused(place, checkpoint, tmp_path):
    data = bytearray(checkpoint.read_bytes())
    data[place] ^= 1
    path = tmp_path / "damaged"
    path.write_bytes(data)
    assert_refused(path, FileFormatError, "damaged")


def test_a_truncated_foreign_or_missing_file_is_refused(checkpoint, tmp_path):
    data, path = checkpoint.read_bytes(), tmp_path / "file"
    for length in (0, 5, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        assert_refused(path, FileFormatError, "file")
    path.write_text("cost,accuracy\n0.5,0.9\n")
    assert_refused(path, FileFormatError, "not a safetensors file")
    build().save(path)
    assert_refused(path, FileFormatError, "it holds 'model', where 'checkpoint' was expected")
    assert_refused(tmp_path, FileAccessError, "is a directory")
    assert_refused(tmp_path / "nothing", FileAccessError, "there is no file")


def forged(checkpoint, path, change):
    """Write a checkpoint whose arrays and document were changed; a list replaces the document."""
    archive = read_archive(checkpoint, KIND)
    arrays, metadata = dict(archive.arrays), dict(archive.metadata)
    made = change(arrays, metadata)
    write_archive(path, KIND, arrays, made if isinstance(made, list) else metadata)
    return path


def test_what_is_missing_in_a_checkpoint_is_noticed(checkpoint, tmp_path):
    archive = read_archive(checkpoint, KIND)
    for name in archive.arrays:
        if not name.startswith("callback."):  # a training need not have the same callbacks
            path = forged(checkpoint, tmp_path / "file", lambda a, _, name=name: a.pop(name))
            assert_refused(path, FileFormatError, "not a usable checkpoint")
    for key in archive.metadata:
        path = forged(checkpoint, tmp_path / "file", lambda _, document, key=key: document.pop(key))
        # What decides whether the checkpoint is of this training comes as that error.
        assert_refused(path, (FileFormatError, ArgumentError), "checkpoint")


@pytest.mark.parametrize(
    "change",
    [
        lambda a, d: a.update(params=a["params"][:-1]),
        lambda a, d: a.update(params=a["params"].astype("f4")),
        lambda a, d: a.update({"state.0": a["state.0"][:1]}),
        lambda a, d: a.update({"optimizer.m": a["optimizer.m"][1:]}),
        lambda a, d: a.update({"optimizer.v": a["optimizer.v"].astype("f4")}),
        lambda a, d: a.update(order=np.zeros(M, int)),
        lambda a, d: a.update(order=np.arange(M + 1)),
        lambda a, d: a.update(cost_sum=np.zeros(2)),
        lambda a, d: a.update({"history.cost": np.zeros(9)}),
        lambda a, d: d.update(batch=5),
        lambda a, d: d.update(batch=-1),
        lambda a, d: d.update(batch=True),
        lambda a, d: d.update(epoch="2"),
        lambda a, d: d.update(step=2.5),
        lambda a, d: d.update(under_way=1),
        lambda a, d: d.update(generator={"bit_generator": "MT19937"}),
        lambda a, d: d.update(generator="7"),
        lambda a, d: d.update(optimizer_steps=-1),
        lambda a, d: d.update(optimizer_now={"name": "SGD"}),
        lambda a, d: d.update(callbacks=3),
        lambda a, d: d.update(callbacks=[{"name": "EarlyStopping", "values": "{"}]),
        lambda a, d: d.update(history="cost"),
        lambda a, d: [],
        lambda a, d: ["epoch"],
    ],
)
def test_a_checkpoint_that_somebody_made_up_is_refused(change, checkpoint, tmp_path):
    path = forged(checkpoint, tmp_path / "file", change)
    assert_refused(path, FileFormatError, "not a usable checkpoint")


def test_a_place_that_cannot_be_written_is_noticed_before_training(tmp_path):
    file = tmp_path / "file"
    file.write_text("here is no directory")
    started = []
    watch = dn.Callback()
    watch.on_start = started.append
    model = build()
    before = model.store.data.copy()
    for path in (tmp_path, tmp_path / "no" / "such", file / "below"):
        with pytest.raises(FileAccessError, match="cannot write"):
            model.fit(X, Y, checkpoint=path, callbacks=[watch], progress=False)
    assert started == []
    assert np.array_equal(model.store.data, before)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_nothing_is_left_beside_the_checkpoint(tmp_path):
    run(("batch", 6), checkpoint=tmp_path / "training", checkpoint_every=1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["training"]
