"""The steps that were recomputed last, as far as there is room for them."""

from collections import OrderedDict

from dagnet.cache import Cache

#: Bytes that the copy of a run takes for every node beside its arrays.
NODE_BYTES = 4096


class Recent:
    """Caches by training step; of too many, those go that were not asked for the longest.

    Attributes
    ----------
    nbytes : int
    """

    def __init__(self) -> None:
        self._caches: OrderedDict[int, Cache] = OrderedDict()

    @property
    def nbytes(self) -> int:
        return sum(map(_nbytes, self._caches.values()))

    def get(self, step: int) -> Cache | None:
        if step in self._caches:
            self._caches.move_to_end(step)
        return self._caches.get(step)

    def put(self, step: int, cache: Cache, limit: int) -> None:
        """Keep a cache if it fits, and let others go for it."""
        if _nbytes(cache) <= limit:
            self.shrink(limit - _nbytes(cache))
            self._caches[step] = cache

    def shrink(self, limit: int) -> None:
        """Let caches go until the others take so many bytes at most."""
        nbytes = self.nbytes
        while self._caches and nbytes > limit:
            nbytes -= _nbytes(self._caches.popitem(last=False)[1])

    def clear(self) -> None:
        self._caches.clear()


def _nbytes(cache: Cache) -> int:
    return cache.run.nbytes + NODE_BYTES * len(cache)
