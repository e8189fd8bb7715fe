"""Which instructions follow another part by part, without waiting for all of it."""

import numpy as np

from dagnet.fused.instructions import Array, Instruction, Written

#: An instruction, and those that change its result in place, each part while it is in the caches.
Chain = list[Instruction]


def join(groups: Written) -> list[list[Chain]]:
    """Join instructions to those before them where that is possible; drop empty groups.

    Those that are joined have no parts of their own.
    """
    joined: list[list[Chain]] = []
    for group in filter(None, groups):
        chain = _followed(group[0], joined[-1]) if joined and len(group) == 1 else None
        if chain:
            chain.append(group[0]._replace(parts=0))
        else:
            joined.append([[instruction] for instruction in group])
    return joined


def _followed(then: Instruction, group: list[Chain]) -> Chain | None:
    """Return the chain of which an instruction changes the result, and needs nothing else that is
    computed at the same time."""
    found = None
    for chain in group:
        result = chain[0].result
        if _same(result, then.result) and sum(_same(result, x) for x in then.arrays) > 1:
            found = chain
        elif result is None or any(_meet(result, x) for x in then.arrays):
            return None
    return found


def _same(a: Array, b: Array) -> bool:
    return a is not None and b is not None and a.ctypes.data == b.ctypes.data and a.size == b.size


def _meet(a: np.ndarray, b: Array) -> bool:
    return b is not None and np.may_share_memory(a, b)
