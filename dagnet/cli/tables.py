"""The tables that commands print, of nodes and of arrays."""

from collections.abc import Mapping

import numpy as np

from dagnet.cache import Record
from dagnet.errors import NotKeptError
from dagnet.model import Model
from dagnet.statistics import Statistics, statistics
from dagnet.tables import print_table
from dagnet.text import number

#: Values of an array that its preview shows.
PREVIEWED = 4

_COLUMNS = ("shape", "mean", "std", "min", "max", "zeros")


def print_nodes(model: Model) -> None:
    """Print a row of statistics for every node of the last run, forward and backward."""
    rows = []
    for record in model.cache.values():
        gradient = gradient_of(record)
        norm = "-" if gradient is None else _norm(statistics(gradient))
        rows.append([record.name, *_cells(statistics(record.output)), norm])
    print_table(["node", *_COLUMNS, "gradient norm"], rows, left=["node"])


def print_arrays(arrays: Mapping[str, np.ndarray]) -> None:
    """Print a row of statistics and the first values for every array."""
    rows = [
        [name, *_cells(of), _norm(of), preview(array)]
        for name, array in arrays.items()
        for of in [statistics(array)]
    ]
    print_table(["array", *_COLUMNS, "norm", "values"], rows, left=["array", "values"])


def gradient_of(record: Record) -> np.ndarray | None:
    """Return the gradient with respect to a node's output; None where none flows."""
    try:
        return record.grad_output
    except NotKeptError:
        return None


def preview(array: np.ndarray) -> str:
    """Return the first values.

    >>> preview(np.arange(6.0).reshape(2, 3))
    '0, 1, 2, 3, ...'
    """
    shown = ", ".join(number(float(value)) for value in array.flat[:PREVIEWED])
    return shown + (", ..." if array.size > PREVIEWED else "")


def _norm(of: Statistics) -> str:
    """Return the norm, unless the array has values that are not finite."""
    return "nan" if of.nan else number(float("inf") if of.inf else of.norm)


def _cells(of: Statistics) -> list[str]:
    shape = "x".join(map(str, of.shape)) or "scalar"
    if of.nan or of.inf:
        shape += f" ({of.nan} NaN, {of.inf} Inf)"
    numbers = [number(value) for value in (of.mean, of.std, of.min, of.max)]
    return [shape, *numbers, f"{of.zeros:.1%}"]
