"""The differences of two models or runs: where the first value differs, and how it spreads."""

from dagnet.debug.diff.models import diff, diff_models
from dagnet.debug.diff.result import Diff
from dagnet.debug.diff.runs import run_alike

__all__ = ["Diff", "diff", "diff_models", "run_alike"]
