"""What holds for all tests."""

import signal


def pytest_configure():
    """Let Ctrl-C reach the tests that send it, also where a shell started us in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
