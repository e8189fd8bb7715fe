"""Executors: two ways to run the bound calls of a plan. Both make the same calls, so the same bits.

*Compiled* only calls. *Interpreted* also tells a hook before and after every node.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from dagnet.errors import DagnetError, OpError
from dagnet.node import located
from dagnet.ops.base import Op
from dagnet.ops.frame import Frame
from dagnet.plan import Step

Call = Callable[[], object]


class Hooks(Protocol):
    """Who wants to know about every node."""

    def before_node(self, name: str, phase: str) -> None:
        """Called before a node runs, with `phase` ``"forward"`` or ``"backward"``."""

    def after_node(self, name: str, phase: str) -> None:
        """Called after a node ran."""


class Silent:
    """Hooks for an interpreted run that nobody watches."""

    def before_node(self, name: str, phase: str) -> None:
        """Nothing to do."""

    def after_node(self, name: str, phase: str) -> None:
        """Nothing to do."""


def run_compiled(calls: Sequence[Call]) -> None:
    """Make all calls, in order."""
    call: Call | None = None
    try:
        for call in calls:
            call()
    except Exception as error:
        raise _blame(call, error) from error


def run_interpreted(steps: Sequence[tuple[Step, Sequence[Call]]], hooks: Hooks) -> None:
    """Make the calls of each step, telling the hooks before and after."""
    for step, calls in steps:
        hooks.before_node(step.name, step.phase)
        run_compiled(calls)
        hooks.after_node(step.name, step.phase)


def _blame(call: Call | None, error: Exception) -> Exception:
    if isinstance(error, DagnetError):
        return error
    what = f"{type(error).__name__} while running: {error}"
    function, frame = getattr(call, "__func__", None), getattr(call, "__self__", None)
    op = getattr(function, "__self__", None)
    if not isinstance(op, Op) or not isinstance(frame, Frame):
        return OpError(f"a node: {what}")
    phase = "backward" if function == op.backward else "forward"
    from dagnet.diagnosis import explain_failure  # here, because it is seldom needed

    # Now, while the arrays are still as the op saw them.
    found = explain_failure(op, frame, phase, error)
    return OpError.of(f"{located(frame.name, frame.source)}: {what}", found)
