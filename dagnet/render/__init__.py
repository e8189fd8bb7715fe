"""Drawing a network: a figure of its graph, as a file or as text."""

from dagnet.errors import DrawingError
from dagnet.render.figure import render, to_dot, to_svg

__all__ = ["DrawingError", "render", "to_dot", "to_svg"]
