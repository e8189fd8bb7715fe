"""The progress bar on a terminal and its silence elsewhere, and the log file."""

import io
import re
import sys
import threading

import numpy as np
import pytest
from rich.console import Console

import dagnet as dn
from dagnet.errors import FileAccessError
from dagnet.training.progress import LogFile, ProgressBar, format_metrics

M = 23
RNG = np.random.default_rng(2)
X = RNG.standard_normal((5, M))
Y = (X[:1] > 0).astype(float)


class Terminal(io.StringIO):
    def isatty(self):
        return True

    @property
    def plain(self):
        """What was written, without the codes that colour and move."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())


@pytest.fixture
def terminal(monkeypatch):
    """Make standard error a terminal, whatever the tests run in, from when this is called."""

    def begin():
        for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.setattr(sys, "stderr", Terminal())
        return sys.stderr

    return begin


def fit(model=None, **options):
    return (model or dn.mlp([5, 3, 1], seed=1)).fit(X, Y, **{"epochs": 5} | options)


def drawn(epochs, width=200, **options):
    """Train with a bar on a terminal of our own; return what the last drawing shows."""
    terminal = Terminal()
    console = Console(file=terminal, force_terminal=True, width=width)
    bar = ProgressBar(epochs, console)
    history = fit(epochs=epochs, callbacks=[bar], progress=False, **options)
    return last_drawing(terminal), history


def last_drawing(terminal):
    shown = terminal.plain
    return shown[shown.rindex("epoch ") :]


# The bar.


def test_the_bar_shows_epochs_cost_and_metrics():
    line, history = drawn(5, validation=(X, Y), metrics=["accuracy", "f1"])
    assert line.startswith("epoch 5/5")
    for name in ("cost", "accuracy", "f1", "val_cost", "val_accuracy", "val_f1"):
        assert f" {format_metrics({name: history.last[name]})} " in f"{line.rstrip()} "


@pytest.mark.parametrize("width", [80, 50])
def test_on_a_narrow_terminal_nothing_is_cut_off(width):
    shown, history = drawn(120, width, validation=(X, Y), metrics=["accuracy", "f1"])
    assert shown.startswith("epoch 120/120 ")
    assert len(shown.splitlines()[0].rstrip()) <= width
    words = shown.split()
    for name in ("cost", "accuracy", "f1", "val_cost", "val_accuracy", "val_f1"):
        number = format_metrics({name: history.last[name]}).split()[1]
        assert words[words.index(name) + 1] == number


def test_metrics_stay_on_the_bar_in_epochs_that_do_not_measure_them():
    terminal = Terminal()
    bar = ProgressBar(7, Console(file=terminal, force_terminal=True, width=120))

    class Stop(dn.Callback):
        def on_epoch(self, run):
            if run.epoch == 6:
                raise ZeroDivisionError
            self.cost, self.seen = run.metrics["cost"], run.history.last

    stop = Stop()
    with pytest.raises(ZeroDivisionError):
        fit(epochs=7, log_every=4, callbacks=[bar, stop], progress=False)
    line = last_drawing(terminal)
    assert line.startswith("epoch 6/7")
    assert format_metrics({"accuracy": stop.seen["accuracy"]}) in line
    assert format_metrics({"cost": stop.seen["cost"]}) not in line


def test_training_shows_a_bar_on_a_terminal(terminal):
    stderr = terminal()
    history = fit()
    shown = stderr.plain
    assert "epoch 5/5" in shown
    assert format_metrics({"cost": history.last["cost"]}) in shown
    assert "accuracy" in shown


class NoThreads(dn.Callback):
    """Notices what would redraw a bar."""

    def on_start(self, run):
        self.threads = set(threading.enumerate())

    def on_epoch(self, run):
        assert set(threading.enumerate()) <= self.threads


def test_progress_false_shows_nothing(terminal, capfd):
    stderr = terminal()
    fit(progress=False, callbacks=[NoThreads()])
    assert stderr.getvalue() == ""
    assert capfd.readouterr() == ("", "")


def test_without_a_terminal_nothing_is_shown(capfd, monkeypatch):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    fit(progress=True, callbacks=[NoThreads()])
    assert capfd.readouterr() == ("", "")


def test_the_bar_does_not_change_the_bits(terminal):
    stderr = terminal()
    shown, hidden = dn.mlp([5, 3, 1], seed=1), dn.mlp([5, 3, 1], seed=1)
    assert fit(shown, batch_size=6).columns == fit(hidden, batch_size=6, progress=False).columns
    assert np.array_equal(shown.store.data, hidden.store.data)
    assert stderr.plain.count("epoch 5/5") == 1


class Fail(dn.Callback):
    def __init__(self, at):
        self.at = at

    def on_epoch(self, run):
        if self.at == "epoch":
            raise ZeroDivisionError

    def on_end(self, run):
        if self.at == "end":
            raise ZeroDivisionError


@pytest.mark.parametrize("at", ["epoch", "end", None])
def test_the_terminal_is_given_back_however_training_ends(at, terminal):
    stderr = terminal()
    threads = set(threading.enumerate())
    out = sys.stdout
    try:
        fit(callbacks=[Fail(at)])
    except ZeroDivisionError:
        assert at is not None
    assert sys.stderr is stderr
    assert sys.stdout is out
    for thread in set(threading.enumerate()) - threads:  # what redraws the bar was told to end
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert stderr.getvalue().rindex("\x1b[?25h") > stderr.getvalue().rindex("\x1b[?25l")


def test_names_that_look_like_markup_are_shown_as_they_are():
    def off(predictions, targets):
        return 0.5

    off.__name__ = "[/red]{gap}"
    line, _ = drawn(2, metrics=[off])
    assert "[/red]{gap} 0.5" in line


def test_a_resumed_bar_goes_on_where_training_does(tmp_path):
    path = tmp_path / "training"
    fit(epochs=3, checkpoint=path, checkpoint_every=3, progress=False)
    line, _ = drawn(5, resume=path)
    assert line.startswith("epoch 5/5")


# The log file.


def test_the_log_file_has_a_line_for_every_row(tmp_path):
    path = tmp_path / "training.log"
    history = fit(
        epochs=7, log_every=3, callbacks=[LogFile(path)], validation=(X, Y), progress=False
    )
    names = ["cost", "accuracy", "val_cost", "val_accuracy"]
    expected = [
        f"epoch {epoch}  " + format_metrics({name: history[name][row] for name in names})
        for row, epoch in enumerate([1, 3, 6, 7])
    ]
    assert path.read_text().splitlines() == [*expected, "finished"]
    assert re.fullmatch(
        r"epoch 1  cost \d\.\d+  accuracy \d\.\d+  val_cost .*  val_accuracy .*", expected[0]
    )


def test_the_log_file_grows_as_training_goes(tmp_path):
    path, lengths = tmp_path / "training.log", []

    class Look(dn.Callback):
        def on_epoch(self, run):
            lengths.append(len(path.read_text().splitlines()))

    fit(epochs=5, log_every=2, callbacks=[LogFile(path), Look()], progress=False)
    assert lengths == [1, 2, 2, 3, 4]
    fit(epochs=1, callbacks=[LogFile(path)], progress=False)
    assert path.read_text().splitlines()[-3:][0] == "finished"
    assert len(path.read_text().splitlines()) == 7


def test_a_training_that_was_stopped_has_its_last_row_in_the_log_file(tmp_path):
    class Stop(dn.Callback):
        def on_epoch(self, run):
            if run.epoch == 5:
                run.stop("enough")

    path = tmp_path / "training.log"
    history = fit(epochs=20, log_every=4, callbacks=[LogFile(path), Stop()], progress=False)
    lines = path.read_text().splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1", "epoch 4", "epoch 5", "enough"]
    assert format_metrics({"accuracy": history.last["accuracy"]}) in lines[2]


def test_an_interrupted_training_has_its_last_row_in_the_log_file(tmp_path):
    class Interrupt(dn.Callback):
        def on_batch(self, run):
            if run.step == 10:
                raise KeyboardInterrupt

    path = tmp_path / "training.log"
    history = fit(batch_size=6, callbacks=[LogFile(path), Interrupt()], progress=False)
    lines = path.read_text().splitlines()
    cost = format_metrics({"cost": history.last["cost"]})
    assert lines[-2:] == [f"epoch 3  {cost}", "interrupted"]
    assert len(lines) == 4


def test_a_training_that_failed_says_so_in_the_log_file(tmp_path):
    path = tmp_path / "training.log"
    with pytest.raises(ZeroDivisionError):
        fit(callbacks=[LogFile(path), Fail("epoch")], progress=False)
    lines = path.read_text().splitlines()
    assert lines[-1] == "broken off"
    assert len(lines) == 2


def test_a_log_file_that_cannot_be_written_is_noticed_at_once(tmp_path):
    for path in (tmp_path, tmp_path / "no" / "log"):
        with pytest.raises(FileAccessError, match="cannot write"):
            LogFile(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.69314718, "0.6931"),
        (0.000012345678, "1.235e-05"),
        (1.0, "1.0000"),
        (12.34567, "12.3457"),
        (-2.5, "-2.5000"),
        (1.5e7, "1.5e+07"),
        (0.0, "0"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_are_short(value, text):
    assert format_metrics({"cost": value, "f1": 0.5}) == f"cost {text}  f1 0.5"


def test_a_log_that_cannot_be_written_any_more_is_named(tmp_path):
    log = LogFile(tmp_path / "train.log")
    (tmp_path / "train.log").mkdir()
    model = dn.mlp([3, 1], seed=1)
    with pytest.raises(FileAccessError, match=r"cannot write .*train\.log"):
        model.fit(np.ones((3, 5)), np.ones((1, 5)), epochs=1, callbacks=[log])
