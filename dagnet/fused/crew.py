"""The threads that help with programs: one fewer than there are processors for this process.

They wait asleep. When a program is long enough to be shared they are woken, and stay awake for a
moment after it, since in training the next step follows soon.
"""

import atexit
import os
from threading import Lock, Thread, local

import numpy as np

from dagnet.fused.compiled.execute import HELP, SHARED, STOP, execute
from dagnet.fused.compiled.products import AREA
from dagnet.ops.workers import processors
from dagnet.scheduler import aligned


class _Area(local):
    """Memory in which a thread lays out parts of matrices: each thread sees its own."""

    def __init__(self) -> None:
        self._memory = aligned(AREA)
        self.address = self._memory.ctypes.data


_own = _Area()


def area() -> int:
    """Return the address of the scratch memory of this thread."""
    return _own.address


class Crew:
    """Helpers and what they share.

    Attributes
    ----------
    shared : ndarray of int64
    free : Lock
        Held by the thread whose program the crew is at.
    helpers : list of Helper, optional
        None until they are needed for the first time.
    """

    def __init__(self) -> None:
        self.shared = aligned(8 * SHARED).view(np.int64)
        self.shared.fill(0)
        self.free = Lock()
        self.helpers: list[Helper] | None = None

    def wake(self, like: np.ndarray) -> None:
        """Have all helpers look for parts of programs of the dtype of an empty array."""
        if self.helpers is None:
            self._start()
        for helper in self.helpers or ():
            helper.wake(like)

    def _start(self) -> None:
        self.helpers = []
        try:
            for _ in range(processors() - 1):
                self.helpers.append(Helper(self.shared))
        except RuntimeError:
            pass  # no more threads, or the interpreter is on its way out: fewer will do

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
        self._like = np.empty(0, np.float64)
        self.thread = Thread(target=self._serve, name="dagnet-helper", daemon=True)
        self.thread.start()

    def wake(self, like: np.ndarray) -> None:
        self._like = like
        if self._asleep:
            self._asleep = False
            self._bed.release()

    def end(self) -> None:
        self.wake(self._like)
        self.thread.join(1.0)

    def _serve(self) -> None:
        program, constants = np.empty(0, np.int64), np.empty(0, np.float64)
        # It says that it is asleep before it looks at STOP, and `Crew.stop` sets STOP before it
        # wakes who is asleep: so none goes to bed for good.
        while not self._shared[STOP]:
            self._bed.acquire()
            execute(HELP, self._shared, program, constants, area(), self._like)
            self._asleep = True


def _forget() -> None:
    """Begin anew in a forked child: it has this module's memory, and none of its threads."""
    global team
    team = Crew()


team = Crew()
atexit.register(lambda: team.stop())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
