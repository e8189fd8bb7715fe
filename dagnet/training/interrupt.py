"""Ctrl-C during training: the update in progress is finished first."""

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

    in_main = threading.current_thread() is threading.main_thread()
    # None: whoever embeds Python handles it, and it could not be put back.
    if not in_main or signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, notice)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)
