"""What tests of the console share: a run, commands from a script, and someone who types."""

import numpy as np
import pytest
from engine_helpers import bits

import dagnet as dn
from dagnet.debug.console import run_script
from dagnet.errors import DebuggerError

M = 7


def network():
    """Return a model whose nodes have names that are odd in Python, and one that is a builtin."""
    X, Y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    A = dn.ReLU(name="relu1")(dn.Linear(3, name="linear1")(X))
    B = dn.Tanh(name="block/1.tanh [b]")(dn.Linear(3, name="block/1")(A))
    A = dn.Add(name="sum")(A, B)
    P = dn.Sigmoid(name="P")(dn.Linear(1, name="2")(A))
    return dn.Model(dn.BinaryCrossEntropy(name="cost")(P, Y), seed=1)


@pytest.fixture
def debugger():
    rng = np.random.default_rng(0)
    feeds = {"X": rng.standard_normal((5, M)), "Y": rng.integers(0, 2, (1, M)).astype(float)}
    return dn.Debugger(network(), feeds, dn.SGD(0.1))


@pytest.fixture
def do(debugger, capsys):
    """Return a function that carries out commands and returns what they print, without echo."""

    def call(*lines):
        run_script(debugger, lines, "script")
        shown = capsys.readouterr().out.splitlines()
        first = next(i for i, line in enumerate(shown) if line.startswith("(dagnet) "))
        return "\n".join(line for line in shown[first:] if not line.startswith("(dagnet) "))

    return call


@pytest.fixture
def refused(debugger, capsys):
    """Return a function that carries out a command that must fail, and returns the message."""

    def call(line):
        before = debugger.position, len(debugger.breakpoints), bits(debugger.model.store.data)
        with pytest.raises(DebuggerError, match=r"^script:1: ") as caught:
            run_script(debugger, [line], "script")
        capsys.readouterr()
        now = debugger.position, len(debugger.breakpoints), bits(debugger.model.store.data)
        assert now == before
        return str(caught.value)

    return call


@pytest.fixture
def type_in(monkeypatch):
    """Return a function that has `input` give these lines, then end; an exception is raised."""

    def call(*lines):
        waiting = iter(lines)

        def answer(prompt):
            line = next(waiting, EOFError())
            if isinstance(line, BaseException):
                raise line
            return line

        monkeypatch.setattr("builtins.input", answer)

    return call
