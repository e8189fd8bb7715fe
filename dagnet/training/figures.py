"""Where plots are drawn, and in which colours. The only importer of matplotlib for them."""

from typing import TYPE_CHECKING

from dagnet.errors import MissingDependencyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Okabe and Ito's colours, which colour-blind readers tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def axes(ax: "Axes | None" = None) -> "Axes":
    """Return the axes given, or those of a new figure, which is not shown.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise MissingDependencyError('plot needs matplotlib: pip install "dagnet[plot]"') from error
    return plt.subplots(figsize=(7.0, 4.0), layout="constrained")[1] if ax is None else ax
