"""The inspector: one HTML file that shows a network, and every number that flowed through it."""

from dagnet.inspector.pages import report, view
from dagnet.inspector.result import Report

__all__ = ["Report", "report", "view"]
