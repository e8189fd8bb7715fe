"""The parts of one computation shared among threads: the caller's own and some that wait.

Numpy lets go of the interpreter while it computes, so threads that each call it on large arrays
run side by side. The threads are started when they are first needed, and only as many as there
are processors for this process.
"""

import os
from collections.abc import Callable, Iterator
from threading import Lock, Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from queue import SimpleQueue

#: Variables with which users say how many threads the matrix products of numpy may take.
THREAD_LIMITS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")

Started = TypeVar("Started")


def share(task: Callable[[int], object], parts: int) -> None:
    """Call ``task(0)``, ..., ``task(parts - 1)``, each once, and return when all are done.

    The parts must not depend on each other, nor on the thread: they run in any order, in this
    thread and in whichever worker is free. With one processor, or with all workers busy, this
    thread runs them all.

    Parameters
    ----------
    task : callable
        Gets the number of a part.
    parts : int

    Raises
    ------
    BaseException
        What a part raised, the first if several did; parts that had not begun are left out. When
        this function returns or raises, `KeyboardInterrupt` included, no part is running.

    Examples
    --------
    >>> squares = [0] * 5
    >>> share(lambda i: squares.__setitem__(i, i * i), 5)
    >>> squares
    [0, 1, 4, 9, 16]
    """
    job = _Job(task, parts)
    try:
        try:
            _workers.offer(job, parts - 1)
            job.work()
        finally:
            job.finish()
    finally:
        job.finish()  # an interrupt may have cut the first short
    if job.error is not None:
        raise job.error


class _Job:
    """The parts of one call of `share`, and how many workers are at them."""

    __slots__ = ("_active", "_idle", "_lock", "_next", "_parts", "_task", "error")

    def __init__(self, task: Callable[[int], object], parts: int):
        self._task: Callable[[int], object] | None = task
        self._parts = parts
        self._next = 0
        self._active = 0
        self._lock = Lock()
        self._idle = Lock()  # held while a worker is in
        self.error: BaseException | None = None

    def work(self) -> None:
        """Run parts until none is left."""
        while (claim := self._claim()) is not None:
            task, part = claim
            task(part)

    def help(self) -> None:
        """Run parts as a worker: keep the error for the caller, and tell when done."""
        with self._lock:
            if self._task is None:
                return
            self._active += 1
            if self._active == 1:
                self._idle.acquire()
        try:
            self.work()
        except BaseException as error:
            with self._lock:
                self._next = self._parts
                self.error = self.error or error
        finally:
            with self._lock:
                self._active -= 1
                if self._active == 0:
                    self._idle.release()

    def finish(self) -> None:
        """Let no thread begin another part, and wait for those that are in one."""
        with self._lock:
            self._next = self._parts
            self._task = None  # the job may lie in the queue for a while; the arrays need not
        with self._idle:
            pass

    def _claim(self) -> tuple[Callable[[int], object], int] | None:
        with self._lock:
            part = self._next
            if self._task is None or part >= self._parts:
                return None
            self._next = part + 1
            return self._task, part


class _Workers:
    """Threads that wait for jobs. They are daemons: waiting, they hold up nobody's exit."""

    _jobs: "SimpleQueue[_Job]"

    def __init__(self) -> None:
        self._lock = Lock()
        self._count: int | None = None

    def offer(self, job: _Job, wanted: int) -> None:
        """Ask up to `wanted` workers to help with a job."""
        if self._count is None:
            self._start()
        for _ in range(min(wanted, self._count or 0)):
            self._jobs.put(job)

    def _start(self) -> None:
        with self._lock:
            if self._count is not None:
                return
            from queue import SimpleQueue  # here, because few models have such layers

            self._jobs = SimpleQueue()
            self._count = sum(1 for _ in start_helpers(self._start_one))

    def _start_one(self) -> None:
        Thread(target=self._serve, name="dagnet-worker", daemon=True).start()

    def _serve(self) -> None:
        while True:
            self._jobs.get().help()


def start_helpers(start: Callable[[], Started]) -> Iterator[Started]:
    """Start a thread for each processor but the caller's, and yield what `start` returns.

    Fewer where the system has no more threads, or the interpreter is on its way out.
    """
    try:
        for _ in range(processors() - 1):
            yield start()
    except RuntimeError:
        pass


def processors() -> int:
    """Return how many threads this process may keep busy.

    As many as it has processors, but no more than the user allows the products of numpy.
    """
    limits = [int(n) for name in THREAD_LIMITS if (n := os.environ.get(name, "")).isdecimal()]
    if hasattr(os, "sched_getaffinity"):
        available = len(os.sched_getaffinity(0))
    else:
        available = os.cpu_count() or 1
    return max(1, min([available, *(n for n in limits if n > 0)]))


def _forget() -> None:
    """Begin anew in a forked child: it has this module's memory, and none of its threads."""
    global _workers
    _workers = _Workers()


_workers = _Workers()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
