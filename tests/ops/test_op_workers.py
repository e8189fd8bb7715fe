"""Sharing work among threads: every part once, errors out, nothing left running."""

import os
import signal
import subprocess
import sys
import threading
import time
import weakref

import pytest

from dagnet.ops import workers
from dagnet.ops.workers import processors, share


@pytest.fixture
def three_workers(monkeypatch):
    """As on four processors, with threads not yet started."""
    monkeypatch.setattr(workers, "processors", lambda: 4)
    monkeypatch.setattr(workers, "_workers", workers._Workers())


class Meeting:
    """A task whose first parts wait until so many threads are in it."""

    def __init__(self, threads):
        self.barrier = threading.Barrier(threads, timeout=30)
        self.threads = threads
        self.running = []

    def __call__(self, part):
        self.running.append(part)
        try:
            if part < self.threads:
                self.barrier.wait()
            self.do(part)
        finally:
            self.running.remove(part)

    def do(self, part):
        """What comes after the meeting."""


@pytest.mark.parametrize("parts", [0, 1, 2, 100])
def test_every_part_is_run_once(parts):
    done = []
    share(done.append, parts)
    assert sorted(done) == list(range(parts))


@pytest.mark.usefixtures("three_workers")
def test_workers_take_part():
    share(Meeting(4), 9)  # none of the four would come past the barrier alone


@pytest.mark.usefixtures("three_workers")
@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
@pytest.mark.parametrize("where", ["caller", "worker"])
def test_an_error_reaches_the_caller_when_no_part_runs_any_more(where, error):
    main = threading.current_thread()

    class Failing(Meeting):
        def do(self, part):
            if (threading.current_thread() is main) == (where == "caller"):
                raise error
            time.sleep(0.02)  # so that others are at work when it fails

    task = Failing(4)
    with pytest.raises(type(error)) as caught:
        share(task, 50)
    assert caught.value is error
    assert task.running == []
    share(Meeting(4), 4)  # all workers live


@pytest.mark.usefixtures("three_workers")
def test_an_interrupt_waits_for_the_parts_that_run():
    main = threading.current_thread()

    class Interrupted(Meeting):
        def do(self, part):
            if threading.current_thread() is main:
                signal.raise_signal(signal.SIGINT)
            time.sleep(0.02)

    task = Interrupted(4)
    with pytest.raises(KeyboardInterrupt):
        share(task, 50)
    assert task.running == []


@pytest.mark.usefixtures("three_workers")
def test_several_threads_share_at_once_and_within_each_other():
    done = []

    def outer(part):
        share(lambda inner: done.append((part, inner)), 5)

    threads = [threading.Thread(target=share, args=(outer, 7)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(done) == sorted((p, i) for p in range(7) for i in range(5) for _ in range(6))


@pytest.mark.usefixtures("three_workers")
def test_the_task_is_let_go():
    class Task:
        def __call__(self, part):
            pass

    task = Task()
    share(task, 3)
    gone = weakref.ref(task)
    del task
    assert gone() is None


@pytest.mark.usefixtures("three_workers")
def test_without_threads_the_caller_does_it_all(monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    seen = []
    share(lambda part: seen.append((part, threading.current_thread())), 3)
    assert seen == [(part, threading.current_thread()) for part in range(3)]


@pytest.mark.parametrize("variable", workers.THREAD_LIMITS)
def test_no_more_threads_than_the_user_allows(monkeypatch, variable):
    for name in workers.THREAD_LIMITS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(6)), raising=False)
    assert processors() == 6
    for text, expected in (("3", 3), ("1", 1), ("99", 6), ("0", 6), ("", 6), ("many", 6)):
        monkeypatch.setenv(variable, text)
        assert processors() == expected


SCRIPT = """
import atexit, os, sys, threading
from dagnet.ops import workers
workers.processors = lambda: 3

def meet():
    barrier = threading.Barrier(3, timeout=30)
    workers.share(lambda part: barrier.wait(), 3)

assert threading.active_count() == 1, "threads at import"
meet()
assert threading.active_count() == 3
"""


def run(code):
    warnings = ["-W", "error", "-W", "ignore:This process:DeprecationWarning"]  # fork and threads
    result = subprocess.run(
        [sys.executable, *warnings, "-c", SCRIPT + code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.split()


def test_threads_start_when_needed_and_hold_up_no_exit():
    assert run("atexit.register(lambda: print(*range(2), flush=True)); atexit.register(meet)") == [
        "0",
        "1",
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_has_workers_of_its_own():
    assert run(
        "child = os.fork()\n"
        "meet()\n"
        "if not child: print('met', flush=True); os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    ) == ["met"]
