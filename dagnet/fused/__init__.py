"""The fused executor: steps of a plan in a few compiled calls, for networks of small arrays.

A step on small arrays takes as long as numpy needs to be called at all. This package writes the
steps that it knows into programs, which one compiled function runs without returning to Python;
what it does not know stays the numpy call that it is. It needs the packages of the extra ``jit``,
so it is imported when asked for only.
"""

from importlib.util import find_spec

from dagnet.errors import MissingDependencyError

if missing := [name for name in ("numba", "llvmlite", "platformdirs") if find_spec(name) is None]:
    raise MissingDependencyError(
        f"executor='fused' needs {', '.join(missing)}: install with "
        "pip install 'dagnet[jit]', or leave out the executor"
    )

from dagnet.fused.binding import FusedBinding

__all__ = ["FusedBinding"]
