"""What this machine can do at best, measured: the roofline, and the price of a call."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

Bound = Literal["flops", "bytes", "calls"]

#: Rows and columns of the product whose speed counts as the most that the processor can do.
PRODUCT = 512

#: Bytes of the copies by which memory is measured: in the nearest cache, in the last, in none.
COPIES = (2**14, 2**19, 2**25)

#: Each measurement is the best of so many.
ROUNDS = 7


@dataclass(frozen=True)
class Limits:
    """The least time for an amount of work.

    Attributes
    ----------
    flops : float
        Floating-point operations in a second, in a large product of matrices.
    bytes : tuple of (int, float)
        For copies of rising sizes in bytes, how many bytes are read and written in a second.
    call : float
        Seconds of a call of numpy on one number.

    Notes
    -----
    Source: Williams, Waterman, Patterson, *Roofline: an insightful visual performance model for
    multicore architectures* (2009); the price of a call is added to it.
    """

    flops: float
    bytes: tuple[tuple[int, float], ...]
    call: float

    def least(self, flops: float, nbytes: float) -> tuple[float, Bound]:
        """Return the least seconds for so much work, and what it is that takes them.

        Examples
        --------
        >>> limits = Limits(flops=1e9, bytes=((1000, 1e9), (10**6, 1e8)), call=1e-6)
        >>> limits.least(5e6, 100), limits.least(10, 50_000), limits.least(10, 100)
        ((0.005, 'flops'), (0.0005, 'bytes'), (1e-06, 'calls'))
        """
        speed = next((s for size, s in self.bytes if nbytes <= size), self.bytes[-1][1])
        times: dict[Bound, float] = {
            "flops": flops / self.flops,
            "bytes": nbytes / speed,
            "calls": self.call,
        }
        bound = max(times, key=times.__getitem__)
        return times[bound], bound


@cache
def measured(dtype: str) -> Limits:
    """Measure this machine, once in a process; it takes a few tenths of a second."""
    a, b, product = np.ones((3, PRODUCT, PRODUCT), dtype)
    flops = 2 * PRODUCT**3 / _best(lambda: np.dot(a, b, out=product), 1)
    copies = []
    for nbytes in COPIES:
        # A copy reads as many bytes as it writes.
        source, target = np.zeros((2, nbytes // 2), np.uint8)
        copies.append((nbytes, nbytes / _best(lambda s=source, t=target: np.copyto(t, s), 3)))  # type: ignore[misc]
    number = np.zeros(1, dtype)  # which adding does not change
    call = _best(lambda: np.add(number, number, out=number), 100)
    return Limits(flops, tuple(copies), call)


def _best(call: Callable[[], object], repeats: int) -> float:
    """Return the seconds of a call, the best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        best = min(best, (time.perf_counter() - start) / repeats)
    return best
