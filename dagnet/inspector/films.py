"""Weights that look at pictures, as small pictures of themselves at many steps.

The arrays of such weights are too large to be in a page at every step, and a thinned-out sample
makes no picture. A byte for each weight does: it is for looking, not for reading numbers.
"""

from typing import Any

import numpy as np

from dagnet.cache import Cache
from dagnet.inspector.blobs import encoded
from dagnet.model import Model

#: Of the room for arrays, what films may take.
SHARE = 0.25


class Films:
    """The films of a model's weights.

    Parameters
    ----------
    model : Model
    pictured : list of str
        Inputs whose examples are pictures.
    """

    def __init__(self, model: Model, pictured: list[str]):
        self._nodes = [
            v.name
            for v in model.graph.vertices.values()
            if v.op.kind == "linear" and v.inputs[0] in pictured
        ]
        self._sizes = [model.store.arrays[model.keys[name]["W"]].size for name in self._nodes]
        self._steps: list[int] = []
        self._frames: dict[str, list[str]] = {name: [] for name in self._nodes}

    def plan(self, steps: list[int], limit: int, room: int) -> int:
        """Choose the steps that have a picture, evenly, and return the bytes that they take.

        None are needed where all weights, of at most `limit` elements, are whole at every step.
        """
        if not self._nodes or max(self._sizes) <= limit:
            return 0
        each = 4 * sum(self._sizes) // 3 + 8 * len(self._sizes)
        every = next((n for n in range(1, len(steps)) if self._count(steps, n) * each <= room), 0)
        self._steps = steps[::-1][::every][::-1] if every else []
        return len(self._steps) * each

    @staticmethod
    def _count(steps: list[int], every: int) -> int:
        return -(-len(steps) // every)

    def add(self, step: int, cache: Cache) -> None:
        """Take the pictures of a step, if it has some."""
        if step in self._steps:
            for name in self._nodes:
                self._frames[name].append(encoded(shades(cache[name].params["W"]), "u1"))

    def data(self, order: list[int], first_blob: int) -> tuple[dict[str, Any], list[str]]:
        """Return what the page needs to find each picture, and the blobs.

        `order` is that in which steps were added; the blobs' numbers begin at `first_blob`.
        """
        taken = [step for step in order if step in self._steps]
        found: dict[str, Any] = {}
        blobs: list[str] = []
        for name, frames in self._frames.items():
            numbers = range(first_blob + len(blobs), first_blob + len(blobs) + len(frames))
            found[name] = [[step, number] for step, number in zip(taken, numbers, strict=True)]
            blobs += frames
        return found, blobs


def shades(W: np.ndarray) -> np.ndarray:
    """Return a byte for each weight: 128 about 0, and each row as wide as it can be.

    Examples
    --------
    >>> shades(np.array([[-2.0, 0.0, 1.0], [0.0, 0.0, 0.5]])).tolist()
    [[0, 128, 191], [128, 128, 255]]
    """
    finite = np.where(np.isfinite(W), W, 0.0)
    size = np.abs(finite).max(axis=1, keepdims=True, initial=0)
    return np.rint(127.5 + 127.5 * finite / np.where(size, size, 1)).astype(np.uint8)
