"""The command line: ``dagnet demo``, ``dagnet train``, ``dagnet inspect`` and so on."""

from dagnet.cli.app import main

__all__ = ["main"]
