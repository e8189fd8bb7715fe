"""The console inside fit: where it comes up, how training goes on and ends, and Ctrl-C there."""

import builtins
import signal
from io import StringIO

import numpy as np
import pytest
from engine_helpers import bits
from rich.console import Console

import dagnet as dn
from dagnet.training.progress import ProgressBar

M = 7
X = np.random.default_rng(0).standard_normal((5, M))
Y = (X[:1] > 0).astype(float)


@pytest.fixture
def model():
    return dn.mlp([5, 3, 1], seed=1)


@pytest.fixture
def debugger(model):
    return dn.Debugger(model)


def fit(model, epochs=3, **options):
    return model.fit(X, Y, epochs=epochs, optimizer=dn.SGD(0.1), progress=False, **options)


def plain(epochs=3):
    model = dn.mlp([5, 3, 1], seed=1)
    fit(model, epochs)
    return bits(model.store.data)


def test_continue_goes_on_to_the_next_stop_and_to_the_end(debugger, model, type_in, capsys):
    debugger.break_at("relu1")
    type_in("c", "n", "back", "c", "c")
    assert fit(model, debugger=debugger).stopped == "finished"
    assert capsys.readouterr().out.count("breakpoint 1 at relu1") == 3
    assert bits(model.store.data) == plain()


def test_a_breakpoint_at_an_input_stops_before_every_step(debugger, model, type_in):
    debugger.break_at("X")
    type_in("p 1", "clear", "c")
    assert fit(model, debugger=debugger).stopped == "finished"
    assert debugger.breakpoints[:] == []
    assert bits(model.store.data) == plain()


@pytest.mark.parametrize("lines", [["q"], [], ["n", "quit"]])
def test_quit_or_ctrl_d_ends_training_after_this_update_without_another_stop(
    debugger, model, type_in, lines, capsys
):
    debugger.break_at("linear1")
    debugger.break_at("linear1", "backward")
    type_in(*lines)
    history = fit(model, debugger=debugger)
    assert history.stopped == "stopped in the debugger"
    shown = capsys.readouterr().out
    assert shown.count("breakpoint 1 at") == 1
    assert "breakpoint 2" not in shown
    assert bits(model.store.data) == plain(epochs=1)
    type_in("clear", "c")
    assert fit(model, debugger=debugger).stopped == "finished"


def test_a_value_set_at_the_prompt_changes_the_training(debugger, model, type_in):
    debugger.break_at("relu1")
    type_in("set relu1.output = 0", "q")
    before = model.get_params()
    fit(model, debugger=debugger)
    after = model.get_params()
    assert bits(after["linear2"]["W"]) == bits(before["linear2"]["W"])  # nothing came in
    assert bits(after["linear2"]["b"]) != bits(before["linear2"]["b"])


def test_at_the_end_of_a_step_the_user_is_told_how_to_go_on(debugger, model, type_in, capsys):
    debugger.break_at("linear1", "update")
    type_in("n", "restart", "q")
    fit(model, debugger=debugger)
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("***")]
    assert said[0].startswith("*** the run is at its end")
    assert said[1] == "*** inside fit, training decides what runs next"


def test_ctrl_c_at_the_prompt_gives_up_the_line_and_not_the_training(
    debugger, model, monkeypatch, type_in
):
    debugger.break_at("relu1")
    type_in("clear", "c")
    typed, pressed = builtins.input, []

    def answer(prompt):
        if not pressed:
            pressed.append(True)
            signal.raise_signal(signal.SIGINT)
        return typed(prompt)

    monkeypatch.setattr("builtins.input", answer)
    before = signal.getsignal(signal.SIGINT)
    assert fit(model, debugger=debugger).stopped == "finished"
    assert signal.getsignal(signal.SIGINT) is before
    assert bits(model.store.data) == plain()


def test_the_progress_bar_makes_room():
    bar = ProgressBar(3, Console(file=StringIO(), force_terminal=True))
    live = bar._progress.live
    bar.on_start(None)
    with bar.making_room():
        assert not live.is_started
    assert live.is_started
    bar.on_end(None)
    with bar.making_room():
        pass
    assert not live.is_started


def test_callbacks_make_room_while_someone_talks_with_the_user(model):
    class Drawing(dn.Callback):
        drawing = True

        def making_room(self):
            return self

        def __enter__(self):
            self.drawing = False

        def __exit__(self, *error):
            self.drawing = True

    drawing, seen = Drawing(), []
    debugger = dn.Debugger(model, on_stop=lambda d: seen.append(drawing.drawing))
    debugger.break_at("relu1")
    fit(model, epochs=2, debugger=debugger, callbacks=[drawing])
    assert seen == [False, False]
    assert drawing.drawing
