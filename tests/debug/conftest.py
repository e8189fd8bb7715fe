"""What tests of the console share: someone who types."""

import pytest


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
