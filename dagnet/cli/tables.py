"""The tables that commands print, of nodes and of arrays."""

from collections.abc import Mapping

import numpy as np

from dagnet.model import Model
from dagnet.statistics import statistics
from dagnet.statistics_table import COLUMNS, cells
from dagnet.tables import print_table
from dagnet.text import number

#: Values of an array that its preview shows.
PREVIEWED = 4


def print_nodes(model: Model) -> None:
    """Print a row of statistics for every node of the last run, forward and backward."""
    rows = []
    for record in model.cache.values():
        *output, _ = cells(record.measured("output"))
        *_, gradient = cells(record.measured("grad_output"))
        rows.append([record.name, *output, gradient])
    print_table(["node", *COLUMNS[:-1], "gradient norm"], rows, left=["node"])


def print_arrays(arrays: Mapping[str, np.ndarray]) -> None:
    """Print a row of statistics and the first values for every array."""
    rows = [[name, *cells(statistics(array)), preview(array)] for name, array in arrays.items()]
    print_table(["array", *COLUMNS, "values"], rows, left=["array", "values"])


def preview(array: np.ndarray) -> str:
    """Return the first values.

    >>> preview(np.arange(6.0).reshape(2, 3))
    '0, 1, 2, 3, ...'
    """
    shown = ", ".join(number(float(value)) for value in array.flat[:PREVIEWED])
    return shown + (", ..." if array.size > PREVIEWED else "")
