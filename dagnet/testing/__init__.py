"""The contract of an op as a check, for the ops of this package and for your own."""

from dagnet.testing.check import OpReport, check_op

__all__ = ["OpReport", "check_op"]
