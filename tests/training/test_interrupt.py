"""Ctrl-C: training ends after the update under way, with everything as of that update."""

import os
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import dagnet as dn
from dagnet.training.interrupt import noticing_interrupts

M = 23
RNG = np.random.default_rng(9)
X = RNG.standard_normal((5, M))
Y = (RNG.random((1, M)) > 0.5).astype(float)


@pytest.fixture(autouse=True)
def handler():
    """Begin with a handler of our own, which must be the one in place after every test."""

    def raise_it(number, frame):
        raise KeyboardInterrupt("not noticed")

    before = signal.signal(signal.SIGINT, raise_it)
    yield raise_it
    after = signal.signal(signal.SIGINT, before)
    assert after is raise_it


def press():
    signal.raise_signal(signal.SIGINT)


class Press(dn.Callback):
    """Presses Ctrl-C at one event, some times over."""

    def __init__(self, at, count, times=1):
        self.at = at
        self.count = count
        self.times = times
        self.events = []

    def _reach(self, event, count):
        self.events.append((event, count))
        if (event, count) == (self.at, self.count):
            for _ in range(self.times):
                press()

    def on_start(self, run):
        self._reach("start", 0)

    def on_epoch_start(self, run):
        self._reach("epoch_start", run.epoch)

    def on_batch(self, run):
        self._reach("batch", run.step)

    def on_epoch(self, run):
        self._reach("epoch", run.epoch)

    def on_end(self, run):
        self._reach("end", run.step)


class PressAmidUpdate(Press):
    def after_node(self, run, name, phase):
        if name == "linear2":
            self._reach(phase, run.step)


def fit(model, *callbacks, **options):
    settings = {"epochs": 6, "batch_size": 6, "optimizer": dn.Adam(0.05), "progress": False}
    return model.fit(X, Y, callbacks=callbacks, **settings | options)


def after(updates):
    """Return the parameters after a number of plain updates, and the mean cost of the last epoch.

    The epoch may not be complete.
    """
    model, optimizer = dn.mlp([5, 7, 1], seed=1), dn.Adam(0.05)
    cost = np.nan
    for step in range(updates):
        if step % 4 == 0:
            order, total, seen = model.rng.permutation(M), 0.0, 0
        chosen = order[6 * (step % 4) : 6 * (step % 4) + 6]
        feeds = {"X": np.take(X, chosen, 1), "Y": np.take(Y, chosen, 1)}
        total += model.train_step(feeds, optimizer) * len(chosen)
        seen += len(chosen)
        cost = total / seen
    return model.store.data, cost


@pytest.mark.parametrize(
    ("press", "updates", "rows"),
    [
        (Press("start", 0), 1, [1]),
        (Press("epoch_start", 1), 1, [1]),
        (Press("batch", 1), 1, [1]),
        (Press("batch", 3), 3, [3]),
        (Press("batch", 4), 4, [4]),
        (Press("batch", 10), 10, [4, 8, 10]),
        (Press("epoch", 2), 8, [4, 8]),
        (Press("epoch_start", 3), 9, [4, 8, 9]),
        (PressAmidUpdate("forward", 9), 10, [4, 8, 10]),
        (PressAmidUpdate("backward", 6), 7, [4, 7]),
    ],
    ids=lambda value: f"{value.at} {value.count}" if isinstance(value, Press) else "",
)
def test_the_update_under_way_is_finished_and_nothing_more_is_done(press, updates, rows):
    press.__init__(press.at, press.count)
    model = dn.mlp([5, 7, 1], seed=1)
    history = fit(model, press)
    expected, cost = after(updates)
    assert np.array_equal(model.store.data, expected)
    assert history.stopped == "interrupted"
    assert history["step"].tolist() == rows
    assert history.last["epoch"] == -(-updates // 4)
    assert history.last["cost"] == pytest.approx(cost, rel=1e-14)
    assert press.events[-1] == ("end", updates)
    ended = [count for event, count in press.events if event == "epoch"]
    assert ended == list(range(1, updates // 4 + 1))


def test_an_epoch_whose_last_update_it_was_is_ended_properly():
    model, press = dn.mlp([5, 7, 1], seed=1), Press("batch", 8)
    history = fit(model, press, validation=(X, Y))
    assert press.events[-2:] == [("epoch", 2), ("end", 8)]
    assert history.last["val_cost"] == model.evaluate(X, Y)["cost"]


def test_the_last_epoch_has_a_row_even_if_it_was_not_due():
    history = fit(dn.mlp([5, 7, 1], seed=1), Press("batch", 12), log_every=4)
    assert history["epoch"].tolist() == [1, 3]


def test_after_the_very_last_update_training_is_finished():
    history = fit(dn.mlp([5, 7, 1], seed=1), Press("batch", 24))
    assert history.stopped == "finished"
    assert not np.isnan(history.last["accuracy"])


def test_full_batches():
    model, plain = dn.mlp([5, 7, 1], seed=1), dn.mlp([5, 7, 1], seed=1)
    history = fit(model, Press("batch", 3), batch_size=None)
    optimizer = dn.Adam(0.05)
    costs = [plain.train_step({"X": X, "Y": Y}, optimizer) for _ in range(3)]
    assert np.array_equal(model.store.data, plain.store.data)
    assert history["cost"].tolist() == pytest.approx(costs, rel=1e-14)
    assert history.stopped == "interrupted"


def test_a_callback_that_raises_keyboard_interrupt_is_ctrl_c():
    class Raise(dn.Callback):
        def on_batch(self, run):
            if run.step == 6:
                raise KeyboardInterrupt

    model, end = dn.mlp([5, 7, 1], seed=1), Press("never", 0)
    history = fit(model, Raise(), end)
    assert np.array_equal(model.store.data, after(6)[0])
    assert history.stopped == "interrupted"
    assert history.last["step"] == 6
    assert end.events[-1] == ("end", 6)


@pytest.mark.parametrize("press", [Press("batch", 3, 2), PressAmidUpdate("backward", 3, 2)])
def test_the_second_ctrl_c_leaves_at_once(press, tmp_path):
    model, path, last = dn.mlp([5, 7, 1], seed=1), tmp_path / "training", Press("never", 0)
    with pytest.raises(KeyboardInterrupt, match="not noticed"):
        fit(model, press, last, checkpoint=path)
    assert press.events[-1] == last.events[-1] == ("end", 3)
    assert np.array_equal(model.store.data, after(3)[0])
    assert not path.exists()


def test_a_stop_and_ctrl_c_at_once_give_the_reason_of_the_stop():
    class Both(dn.Callback):
        def on_batch(self, run):
            if run.step == 2:
                press()
                run.stop("enough")

    history = fit(dn.mlp([5, 7, 1], seed=1), Both())
    assert history.stopped == "enough"
    assert history["step"].tolist() == [2]


def test_an_error_puts_the_handler_back(handler):
    class Fail(dn.Callback):
        def on_batch(self, run):
            assert signal.getsignal(signal.SIGINT) is not handler
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fit(dn.mlp([5, 7, 1], seed=1), Fail())
    assert signal.getsignal(signal.SIGINT) is handler


def test_early_stopping_restores_the_best_also_then():
    stopping = dn.EarlyStopping("val_cost", patience=50)
    rng = np.random.default_rng(12)
    held_out = (rng.standard_normal((5, 11)), (rng.random((1, 11)) > 0.5).astype(float))
    model = dn.mlp([5, 7, 1], seed=1)
    options = {"epochs": 60, "validation": held_out, "optimizer": dn.Adam(0.1), "log_every": 1}
    history = fit(model, stopping, Press("batch", 170), **options)
    assert history.stopped == "interrupted"
    assert stopping.best_epoch < 40
    assert model.evaluate(*held_out)["cost"] == stopping.best


def test_elsewhere_than_in_the_main_thread_it_always_says_no(handler):
    found = []

    def look():
        with noticing_interrupts() as interrupted:
            found.append((interrupted(), signal.getsignal(signal.SIGINT) is handler))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [(False, True)]


def test_where_ctrl_c_is_ignored_it_stays_ignored(handler):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        history = fit(dn.mlp([5, 7, 1], seed=1), Press("batch", 3))
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, handler)
    assert history.stopped == "finished"


def test_the_handlers_of_trainings_within_trainings_are_put_back_in_order():
    class Inner(dn.Callback):
        def on_epoch(self, run):
            if run.epoch == 2:
                inner = fit(dn.mlp([5, 7, 1], seed=1), Press("batch", 3))
                assert inner.stopped == "interrupted"

    history = fit(dn.mlp([5, 7, 1], seed=1), Inner(), epochs=3)
    assert history.stopped == "finished"


# From outside, into a training that would go on for hours.

CHILD = """
    import sys
    import numpy as np
    import dagnet as dn

    data = np.load(sys.argv[1])

    class Ready(dn.Callback):
        def on_batch(self, run):
            if run.step == 50:
                print("ready", flush=True)

    model, optimizer = dn.mlp([5, 7, 1], seed=1), dn.Adam(0.001)
    history = model.fit(
        data["X"], data["Y"], epochs=10**9, batch_size=6, optimizer=optimizer, log_every=10**4,
        callbacks=[Ready()], checkpoint=sys.argv[2], checkpoint_every=10**8,
    )
    np.savez(sys.argv[3], params=model.store.data, **history.columns)
    print(history.stopped, flush=True)
"""


def test_a_real_ctrl_c_and_going_on_from_there(tmp_path):
    data, checkpoint, result = (tmp_path / n for n in ("data.npz", "training", "result.npz"))
    np.savez(data, X=X, Y=Y)
    child = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(CHILD), data, checkpoint, result],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
    assert (child.returncode, out, err) == (0, "interrupted\n", "")

    found = np.load(result)
    steps = int(found["step"][-1])
    assert steps >= 50
    assert found["epoch"][-1] == -(-steps // 4)

    class Until(dn.Callback):
        def on_batch(self, run):
            if run.step == steps:
                run.stop("here")

    options = {"epochs": 10**9, "optimizer": dn.Adam(0.001), "log_every": 10**4}
    model = dn.mlp([5, 7, 1], seed=1)
    history = fit(model, Until(), **options)
    assert np.array_equal(found["params"], model.store.data)
    assert found["cost"].tolist() == history["cost"].tolist()

    # The checkpoint goes on from that very update, in this process.
    steps += 7
    resumed, straight = dn.mlp([5, 7, 1], seed=1), dn.mlp([5, 7, 1], seed=1)
    fit(resumed, Until(), resume=checkpoint, **options | {"optimizer": dn.Adam(0.001)})
    fit(straight, Until(), **options | {"optimizer": dn.Adam(0.001)})
    assert np.array_equal(resumed.store.data, straight.store.data)
