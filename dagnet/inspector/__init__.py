"""The inspector: one HTML file that shows a network, and every number that flowed through it."""

from dagnet.inspector.report import report, view

__all__ = ["report", "view"]
