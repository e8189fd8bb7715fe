"""How each kind of box and arrow looks.

Fills and borders are tints and shades of the Okabe-Ito palette, which colour-blind readers tell
apart. Nothing depends on colour alone: in grey, an input is an ellipse, a layer with weights has
square corners and an activation round ones, what sums up values is a circle, a loss has cut
corners, a folded chain a heavy border and an output a double one; what only training needs is
dashed.
"""

from dataclasses import dataclass
from typing import Final

FONT: Final = "Helvetica"
TITLE_SIZE: Final = 13.0
PLAIN_SIZE: Final = 10.0
INK: Final = "#111111"
PLAIN_INK: Final = "#444444"
GREY: Final = "#767676"


@dataclass(frozen=True)
class Look:
    """How a box looks.

    Attributes
    ----------
    shape, fill, border : str
        Shape, colour inside, colour of the border.
    pen : float
        Width of the border.
    style : tuple of str
    margin : str
        Between the border and the text, to the sides and above, in inches.
    width : float, optional
        The least width, in inches.
    solid : bool
        Whether its border stays solid where only training needs it, as goes without saying.
    """

    shape: str
    fill: str
    border: str
    pen: float = 1.2
    style: tuple[str, ...] = ()
    margin: str = "0.15,0.07"
    width: float | None = None
    solid: bool = False


LOOKS: Final = {
    "input": Look("ellipse", "#FFFFFF", "#333333", margin="0,0"),
    "linear": Look("box", "#DCECF7", "#0072B2"),
    "activation": Look("box", "#FCEBCB", "#B87400", style=("rounded",)),
    "join": Look("box", "#F4F4F4", "#333333", style=("rounded",)),
    "reshape": Look("box", "#F4F4F4", "#767676", 0.8),
    "normalization": Look("box", "#DDF2EA", "#007A59", 0.8),
    "regularization": Look("box", "#FFFFFF", "#007A59", style=("rounded", "dashed")),
    "loss": Look("box", "#F7E3EE", "#A8447E", 2.0, ("diagonals",), "0.22,0.07", solid=True),
    "entry": Look("point", "#333333", "#333333", width=0.08),
    "penalty": Look("box", "#FFFFFF", "#A8447E", 1.2, ("diagonals",), "0.22,0.07", solid=True),
    "repeat": Look("box", "#DCECF7", "#0072B2", 2.8),
}

#: For kinds of ops that are not known here.
OTHER: Final = Look("box", "#FFFFFF", "#333333")

#: For what shows one sign only.
SIGN: Final = Look("circle", "#FFFFFF", "#333333", margin="0.02", width=0.3)

GRAPH: Final = {
    "fontname": FONT,
    "bgcolor": "white",
    "pad": "0.15",
    "nodesep": "0.35",
    "ranksep": "0.35",
    "labelloc": "t",
    "compound": "true",
}
NODE: Final = {"fontname": FONT, "fontcolor": INK, "height": "0.3"}
EDGE: Final = {"fontname": FONT, "color": "#333333", "penwidth": "1.1", "arrowsize": "0.75"}
GROUP: Final = {
    "style": "rounded,filled",
    "fillcolor": "#F7F7F7",
    "color": "#333333",
    "penwidth": "2",
    "margin": "12",
}

ARROWS: Final = {
    "value": {},
    "training": {"style": "dashed", "color": GREY},
    "penalty": {"style": "dashed", "color": "#A8447E", "arrowhead": "onormal", "weight": "0"},
}
