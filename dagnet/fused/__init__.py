"""The fused executor: steps of a plan in a few compiled calls, for networks of small arrays.

A step on small arrays takes as long as numpy needs to be called at all. This package writes the
steps that it knows into programs, which one compiled function runs without returning to Python;
what it does not know stays the numpy call that it is. It needs numba, so it is imported when asked
for only.
"""

from dagnet.errors import MissingDependencyError

try:
    import numba  # noqa: F401
except ImportError:
    raise MissingDependencyError(
        "executor='fused' needs numba: install it with pip install 'dagnet[jit]', "
        "or leave out the executor"
    ) from None

from dagnet.fused.binding import FusedBinding

__all__ = ["FusedBinding"]
