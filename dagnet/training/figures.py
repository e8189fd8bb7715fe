"""Where plots are drawn. The only importer of matplotlib for them."""

from typing import TYPE_CHECKING

from dagnet.errors import MissingDependencyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
