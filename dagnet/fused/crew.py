"""The threads that help with programs: one fewer than there are processors for this process.

They wait asleep. When a program is long enough to be shared they are woken, and stay awake for a
moment after it, since in training the next step follows soon.
"""

import atexit
import os
from threading import Lock, Thread, local

import numpy as np

from dagnet.fused.compiled.blocks import AREA
from dagnet.fused.compiled.shared import HELP, SHARED, STOP
from dagnet.fused.loading import NOTHING, Execute, Integer
from dagnet.memory import aligned
from dagnet.ops.workers import start_helpers

_HELP = Integer(HELP)


class _Area(local):
    """Memory in which a thread lays out parts of matrices: each thread sees its own."""

    def __init__(self) -> None:
        memory = aligned(AREA)
        self.address = Integer(memory.ctypes.data)
        # With the address, so that a call in progress keeps it, too: a daemon thread may still be
        # in one when the interpreter, on its way out, drops what threads have of their own.
        self.address.memory = memory  # type: ignore[attr-defined]


_own = _Area()


def area() -> Integer:
    """Return the address of the scratch memory of this thread."""
    return _own.address


class Crew:
    """Helpers and what they share.

    Attributes
    ----------
    shared : ndarray of int64
    address : Integer
        Of `shared`.
    free : Lock
        Held by the thread whose program the crew is at.
    helpers : list of Helper, optional
        None until they are needed for the first time.
    """

    def __init__(self) -> None:
        self.shared = aligned(8 * SHARED).view(np.int64)
        self.shared.fill(0)
        self.address = Integer(self.shared.ctypes.data)
        self.free = Lock()
        self.helpers: list[Helper] | None = None

    def wake(self, execute: Execute) -> None:
        """Have all helpers look for parts of programs that this function runs."""
        if self.helpers is None:
            self._start()
        for helper in self.helpers or ():
            helper.wake(execute)

    def _start(self) -> None:
        self.helpers = []
        for helper in start_helpers(lambda: Helper(self.shared)):
            self.helpers.append(helper)

    def stop(self) -> None:
        """End all helpers: compiled code must not run when the interpreter is gone."""
        self.shared[STOP] = 1
        for helper in self.helpers or ():
            helper.end()


class Helper:
    """One thread, which sleeps until it is woken."""

    def __init__(self, shared: np.ndarray):
        self._shared = shared
        self._asleep = True
        self._bed = Lock()
        self._bed.acquire()
        self._execute: Execute | None = None
        self.thread = Thread(target=self._serve, name="dagnet-helper", daemon=True)
        self.thread.start()

    def wake(self, execute: Execute | None) -> None:
        self._execute = execute
        if self._asleep:
            self._asleep = False
            self._bed.release()

    def end(self) -> None:
        self.wake(None)
        self.thread.join(1.0)

    def _serve(self) -> None:
        address = Integer(self._shared.ctypes.data)
        # It says that it is asleep before it looks at STOP, and `Crew.stop` sets STOP before it
        # wakes who is asleep: so none goes to bed for good.
        while not self._shared[STOP]:
            self._bed.acquire()
            if (execute := self._execute) is not None:  # once: `end` may take it away
                execute(_HELP, address, NOTHING, area())
            self._asleep = True


def _forget() -> None:
    """Begin anew in a forked child: it has this module's memory, and none of its threads."""
    global team
    team = Crew()


team = Crew()
atexit.register(lambda: team.stop())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
