"""The console in a real terminal: Tab, the arrow keys, Ctrl-C and Ctrl-D."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dagnet as dn

NETWORK = """
import dagnet as dn

X, Y = dn.Input(2, name="X"), dn.Input(1, name="Y")
A = dn.ReLU(name="relu1")(dn.Linear(5, name="linear1")(X))
for i in range(2, 40):
    A = dn.ReLU(name=f"relu{i}")(dn.Add(name=f"block/{i} [sum]")(A, A))
A = dn.Linear(1, name="last")(A)
cost = dn.BinaryCrossEntropy(name="cost")(dn.Sigmoid(name="P")(A), Y)
model = dn.Model(cost, seed=1)
"""

PROMPT = "(dagnet) "

ROOT = str(Path(dn.__file__).parents[1])


class Terminal:
    """A process on a terminal of its own, to type into and to read from."""

    def __init__(self, *command, cwd):
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_take_terminal,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "120", "PYTHONPATH": ROOT},
        )
        os.close(theirs)
        self._shown = ""  # and not yet read

    def type(self, text, until=PROMPT):
        """Type, and return what the terminal shows until some text comes."""
        os.write(self._ours, text.encode())
        return self.read(until)

    def read(self, until=PROMPT):
        """Return what is shown up to this text, or until the process ends if it is None."""
        while until is None or until not in self._shown:
            ready, _, _ = select.select([self._ours], [], [], 30)
            assert ready, f"nothing more comes after {self._shown!r}"
            try:
                piece = os.read(self._ours, 65536)
            except OSError:  # how Linux says that the other end is closed
                piece = b""
            if not piece:
                assert until is None, self._shown
                return self._shown
            self._shown = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", self._shown + piece.decode())
        end = self._shown.index(until) + len(until)
        shown, self._shown = self._shown[:end], self._shown[end:]
        return shown

    def close(self):
        os.close(self._ours)
        self.process.kill()
        self.process.wait()


def _take_terminal():
    """Make the terminal the process's own, so that Ctrl-C on it is a signal."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def terminal(tmp_path):
    (tmp_path / "net.py").write_text(NETWORK)
    words = ["-m", "dagnet", "debug", "net.py", "--data", "moons:m=20"]
    opened = Terminal(sys.executable, *words, cwd=tmp_path)
    yield opened
    opened.close()


def position(shown):
    return int(re.findall(r"position (\d+)", shown)[-1])


def test_a_session(terminal):
    terminal.read()
    assert "until relu1" in terminal.type("unt\t relu1", until="relu1")
    assert "position 2, forward relu1" in terminal.type("\n")
    # A name with a space and brackets, and a value behind it; both are completed in the middle.
    terminal.type("p block/2 \t.outp\t", until="block/2 [sum].output")
    assert "not computed yet" in terminal.type("\n")
    shown = terminal.type("p linear1.params.\t\t", until="linear1.params.b")
    assert "linear1.params.W" in shown
    terminal.read("p linear1.params.")  # the line is shown again below the list
    assert "5x2 float64" in terminal.type("W\n")
    # Ctrl-C gives up the line and nothing else.
    terminal.type("back 2", until="back 2")
    time.sleep(0.3)  # who types is slower than readline, which misses a signal before it waits
    assert "position" not in terminal.type("\x03")
    assert position(terminal.type("n\n")) == 3
    # The arrow key brings a line back; an empty line repeats the command.
    assert position(terminal.type("\x1b[A\n")) == 4
    assert position(terminal.type("\n")) == 5
    terminal.type("\x04", until=None)
    assert terminal.process.wait(60) == 0


def test_ctrl_c_stops_a_run_between_two_steps_and_it_goes_on_to_the_same_end(terminal, tmp_path):
    terminal.read()
    # The condition waits for a file, which comes after Ctrl-C: so that is surely amid the step.
    wait = "any(iter(lambda: __import__('os').path.exists('go'), True))"
    terminal.type(f"b relu6 when print('now', flush=True) or {wait}\n")
    terminal.type("c\n", until="now")
    terminal.type("\x03", until="^C")
    (tmp_path / "go").touch()
    shown = terminal.read()
    assert "interrupted" in shown
    assert position(shown) == 12
    terminal.type("clear\n")
    at_end = terminal.type("c\n")
    model = _model(tmp_path)
    moons = dn.data.moons(m=20)
    cost = model.forward({"X": moons.X, "Y": moons.Y})
    assert f"update; cost {cost:.4g}" in at_end
    terminal.type("q\n", until=None)
    assert terminal.process.wait(60) == 0


def _model(directory):
    names = {}
    exec((directory / "net.py").read_text(), names)
    return names["model"]
