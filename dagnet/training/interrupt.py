"""Ctrl-C while something runs that must not be left half done: what is in progress ends first."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def noticing_interrupts() -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether Ctrl-C was pressed since; a second Ctrl-C raises.

    Only the main thread gets signals; elsewhere the function always says no. It does so, too,
    where Ctrl-C is ignored, as in a process that a shell runs in the background.
    """
    pressed = False

    def notice(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, before)

    if not _can_handle():
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, notice)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def deferring_interrupts() -> Iterator[Callable[[], bool]]:
    """As `noticing_interrupts`, but if Ctrl-C was pressed, KeyboardInterrupt follows at the end."""
    with noticing_interrupts() as interrupted:
        yield interrupted
    if interrupted():
        raise KeyboardInterrupt


@contextmanager
def raising_interrupts() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt for a while, even inside `noticing_interrupts`."""
    if not _can_handle():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _can_handle() -> bool:
    in_main = threading.current_thread() is threading.main_thread()
    # None: the handler was not installed from Python, and could not be put back.
    return in_main and signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, None)
