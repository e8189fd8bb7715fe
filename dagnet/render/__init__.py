"""Drawing a network: a figure of its graph, as a file or as text."""

from dagnet.errors import DrawingError
from dagnet.render.draw import draw
from dagnet.render.figure import render, to_dot, to_svg
from dagnet.render.measures import MEASURES
from dagnet.render.overlay import Overlay
from dagnet.render.terminal import draw_text

__all__ = ["MEASURES", "DrawingError", "Overlay", "draw", "draw_text", "render", "to_dot", "to_svg"]
