"""The values of a plan and their lifetimes: which are born when, and what may take turns."""

from math import prod

import numpy as np

from dagnet.arena import pack
from dagnet.node import Shape, is_scaled
from dagnet.plan import ALIGNMENT, BufferKey, Buffers, Kind


class Lifetimes:
    """All values of a plan in columns; a value is its number there.

    Parameters
    ----------
    dtype : str
        Of values that name no other.

    Attributes
    ----------
    keys : list of BufferKey
    kinds : list of Kind
    births, deaths : list of int
        The positions that write a value and that read it last.
    in_place : list of (int, int)
        Old and new values of ops that could write the new one over the old one, in the order of
        births.
    """

    def __init__(self, dtype: str) -> None:
        self._dtype = dtype
        self.keys: list[BufferKey] = []
        self.kinds: list[Kind] = []
        self.births: list[int] = []
        self.deaths: list[int] = []
        self.in_place: list[tuple[int, int]] = []
        self._kinds: dict[tuple[Shape, str], Kind] = {}

    def write(self, key: BufferKey, shape: Shape, birth: int, dtype: str | None = None) -> int:
        """Return the number of a new value, which nothing reads as yet."""
        self.keys.append(key)
        self.kinds.append(self._kind(shape, dtype or self._dtype))
        self.births.append(birth)
        self.deaths.append(birth)
        return len(self.keys) - 1

    def outlive(self, value: int, position: int) -> None:
        """Let a value live at least until then."""
        if self.deaths[value] < position:
            self.deaths[value] = position

    def packed(self, sharing: bool) -> tuple[Buffers, int, int]:
        """Return a buffer for every value, and the sizes of the scaled and the fixed memory.

        If `sharing`, an op writes over its input, or over the gradient it read, where nobody
        needs those any more.
        """
        roots, ends = list(range(len(self.keys))), list(self.deaths)
        if sharing:
            self._share(roots, ends)
        offsets = [0] * len(roots)
        scaled = self._place(True, roots, ends, offsets)
        fixed = self._place(False, roots, ends, offsets)
        places = [offsets[root] for root in roots]
        return Buffers(self.keys, self.kinds, places, self.births, self.deaths), scaled, fixed

    def _kind(self, shape: Shape, dtype: str) -> Kind:
        kind = self._kinds.get((shape, dtype))
        if kind is None:
            kind = self._kinds[shape, dtype] = _sized(shape, dtype)
        return kind

    def _share(self, roots: list[int], ends: list[int]) -> None:
        """Note for each value the first in its place, and for that one when the last there dies."""
        kinds, births, deaths = self.kinds, self.births, self.deaths
        for old, new in self.in_place:
            if deaths[old] == births[new] and kinds[old] is kinds[new]:
                roots[new] = roots[old]
                ends[roots[old]] = deaths[new]

    def _place(self, scaled: bool, roots: list[int], ends: list[int], offsets: list[int]) -> int:
        """Give an offset to all values that grow with the examples, or to all others; return how
        much memory they take."""
        kinds, births = self.kinds, self.births
        first = [v for v, root in enumerate(roots) if v == root and kinds[v].scaled == scaled]
        packing = pack(
            [kinds[v].size for v in first], [births[v] for v in first], [ends[v] for v in first]
        )
        for value, offset in zip(first, packing.offsets, strict=True):
            offsets[value] = offset
        return packing.size


def _sized(shape: Shape, dtype: str) -> Kind:
    """Return the kind with its bytes rounded up, to keep all values aligned."""
    scaled = is_scaled(shape)
    unit = 8 if scaled else ALIGNMENT
    size = prod(int(n) for n in (shape[:-1] if scaled else shape))
    return Kind(shape, dtype, -(-size * np.dtype(dtype).itemsize // unit) * unit, scaled)
