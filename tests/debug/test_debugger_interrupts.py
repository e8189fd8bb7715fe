"""Ctrl-C while a debugged run moves: it stops between two steps, as whole as ever."""

import signal

import numpy as np
import pytest
from debug_helpers import branchy, branchy_feeds, seen

import dagnet as dn


class Press:
    """A condition that never holds; the first time it is asked, someone presses Ctrl-C."""

    def __init__(self, times=1):
        self.times = times
        self.done = False

    def __call__(self, record):
        if not self.done:
            self.done = True
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)
        return False


@pytest.fixture
def debugger():
    return dn.Debugger(branchy(), branchy_feeds(), dn.Adam(0.1))


def fresh(position):
    """Return what is readable of an undisturbed run at a position."""
    debugger = dn.Debugger(branchy(), branchy_feeds(), dn.Adam(0.1))
    debugger.step(position)
    return seen(debugger.model)


@pytest.mark.parametrize(
    "move",
    [
        lambda debugger: debugger.run(),
        lambda debugger: debugger.step(12),
        lambda debugger: debugger.run_to("p"),
    ],
    ids=["run", "step", "run_to"],
)
def test_a_run_stops_after_the_step_under_way(debugger, move):
    debugger.break_at("drop", when=Press())
    with pytest.raises(KeyboardInterrupt):
        move(debugger)
    assert (debugger.stop.node, debugger.position) == ("drop", debugger.stop.position)
    assert seen(debugger.model) == fresh(debugger.position)
    move(debugger)
    assert seen(debugger.model) == fresh(debugger.position)


def test_going_back_stops_between_steps(debugger, monkeypatch):
    debugger.step(9)
    retreat, press = debugger._retreat, Press()
    monkeypatch.setattr(debugger, "_retreat", lambda: (retreat(), press(None)))
    with pytest.raises(KeyboardInterrupt):
        debugger.back(5)
    assert debugger.position == 8
    assert seen(debugger.model) == fresh(8)


def test_a_second_ctrl_c_comes_through_at_once(debugger):
    debugger.break_at("drop", when=Press(times=2))
    with pytest.raises(KeyboardInterrupt):
        debugger.run()
    assert debugger.stop.position == debugger.position
    assert seen(debugger.model) == fresh(debugger.position)


def test_ctrl_c_while_values_change_comes_when_they_have(debugger):
    press = Press()

    def zero(array):
        press(None)
        array[:] = 0

    debugger.run_to("skip")
    with pytest.raises(KeyboardInterrupt):
        debugger.set("relu1", "output", zero)
    assert not debugger.cache["relu1"].output.any()
    press.done = False
    debugger.set("shared", "params.b", np.ones((5, 1)))
    with pytest.raises(KeyboardInterrupt):
        debugger.recompute()
    assert not debugger.cache["drop"].output.any()


def test_without_ctrl_c_the_handler_is_as_before(debugger):
    before = signal.getsignal(signal.SIGINT)
    debugger.run()
    assert signal.getsignal(signal.SIGINT) is before
