"""The values of a page: statistics of everything, and a sample of every array."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dagnet.cache import Cache
from dagnet.errors import NotKeptError
from dagnet.inspector.blobs import Blobs, digest, format_of
from dagnet.inspector.budget import Budget, Item, Survey
from dagnet.inspector.sampling import strides_for
from dagnet.record import belongs
from dagnet.statistics import statistics

#: Bins of a histogram, between the least and the greatest finite value.
BINS = 32

#: Dead units of an array that are named.
MOST_DEAD = 1000

#: Fields of `Statistics` that a page shows, in the order in which it has them.
STATS = ("mean", "std", "min", "max", "zeros", "nan", "inf", "norm")


def survey(last: Cache, first: Cache) -> Survey:
    """Look at the arrays of two steps, the last and the first.

    What is the same in both is constant. The larger of the two counts: the last batch of an epoch
    may be small.
    """
    larger, other = (last, first) if last.run.binding.m >= first.run.binding.m else (first, last)
    constant = {content for _, content, _ in _digests_of(other)}
    items: dict[bytes, Item] = {}
    values = 0
    for name, content, array in _digests_of(larger):
        values += 1
        examples = is_by_example(name, array, larger.run.binding.m)
        itemsize = {"f8": 8, "f4": 4, "u1": 1}[format_of(array.dtype)]
        items[content] = Item(array.shape, itemsize, examples, content in constant)
    return Survey(list(items.values()), values)


def _digests_of(cache: Cache) -> Iterator[tuple[str, bytes, np.ndarray]]:
    for record in cache.values():
        for name, array in record.arrays().items():
            if not name.startswith("inputs."):
                yield name, digest(array), array


def is_by_example(name: str, array: np.ndarray, m: int) -> bool:
    """Return whether an array has a column for each of the m examples."""
    owned = belongs(name, ("params", "grad_params", "state"))
    return not owned and array.ndim > 0 and array.shape[-1] == m


class Values:
    """Collects the values of all steps.

    Attributes
    ----------
    table : dict
        By node and value, an entry for each step: what a page reads.
    blobs : Blobs
    """

    def __init__(self, budget: Budget):
        self._budget = budget
        self.blobs = Blobs()
        self.table: dict[str, dict[str, list[Any]]] = {}

    def collect(self, step: int, cache: Cache) -> None:
        """Take what the page holds of a step; the last one comes first, whose samples are best."""
        index = self._budget.steps.index(step)
        limit = self._budget.limit(step)
        m = cache.run.binding.m
        for node, record in cache.items():
            of_node = self.table.setdefault(node, {})
            for name in record.names:
                if name.startswith("inputs."):
                    continue  # another node's output
                entries = of_node.setdefault(name, [None] * len(self._budget.steps))
                try:
                    array = record.array(name)
                except NotKeptError as error:
                    entries[index] = {"missing": str(error)}
                else:
                    entries[index] = self._entry(array, limit, is_by_example(name, array, m))
                    if record.kind == "activation" and name == "output":
                        entries[index]["dead"] = _dead_units(array)

    def _entry(self, array: np.ndarray, limit: int, examples: bool) -> dict[str, Any]:
        strides = strides_for(array.shape, limit, examples)
        of = statistics(array)
        return {
            "shape": list(array.shape),
            "dtype": array.dtype.name,
            "examples": examples,
            "stats": [getattr(of, name) for name in STATS],
            "bins": _histogram(array, of.min, of.max),
            **self.blobs.add(array, strides, digest(array)),
        }


def _histogram(array: np.ndarray, low: float, high: float) -> list[int]:
    """Count the finite values in equal bins from the least to the greatest of them."""
    if not low < high:
        return []
    values = np.asarray(array, dtype=np.float64).ravel()
    values = values[np.isfinite(values)]
    with np.errstate(all="ignore"):
        place = (values / 2 - low / 2) / (high / 2 - low / 2)  # halves: the range may overflow
    bins = np.minimum((place * BINS).astype(np.intp), BINS - 1)
    counts: list[int] = np.bincount(bins, minlength=BINS).tolist()
    return counts


def _dead_units(array: np.ndarray) -> list[int]:
    """Return the rows that are 0 for every example; of very many, the first ones."""
    if array.ndim != 2:
        return []
    return np.flatnonzero(~array.any(axis=1))[:MOST_DEAD].tolist()


def costs(losses: Sequence[str], table: Mapping[str, Mapping[str, list[Any]]]) -> list[Any]:
    """Return the cost at every step: the sum of the losses, which are numbers."""
    columns = [table[name]["output"] for name in losses]
    return [
        sum(entry["stats"][0] for entry in row) if all(e and "stats" in e for e in row) else None
        for row in zip(*columns, strict=True)
    ]
