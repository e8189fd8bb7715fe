"""How each kind of box and arrow looks.

Fills and borders are tints and shades of the Okabe-Ito palette, which colour-blind readers tell
apart. Nothing depends on colour alone: in grey, an input is an ellipse, a layer with weights has
square corners and an activation round ones, what sums up values is a circle, a loss has cut
corners, a folded chain a heavy border and an output a double one; what only training needs is
dashed, shared weights are joined by dots, a gradient has an open arrowhead, and what an overlay
shows runs from light to dark.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

FONT: Final = "Helvetica"
TITLE_SIZE: Final = 13.0
PLAIN_SIZE: Final = 10.0
LABEL_SIZE: Final = 9.0

PAPER: Final = "#FFFFFF"
INK: Final = "#111111"
PLAIN_INK: Final = "#444444"
GREY: Final = "#6B6B6B"

#: Texts on the dark end of the scale.
DEEP_INK: Final = "#FEFEFE"


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
    "reshape": Look("box", "#F4F4F4", GREY, 0.8),
    "normalization": Look("box", "#DDF2EA", "#007A59", 0.8),
    "regularization": Look("box", "#FFFFFF", "#007A59", style=("rounded", "dashed")),
    "loss": Look("box", "#F7E3EE", "#A8447E", 2.0, ("diagonals",), "0.22,0.07", solid=True),
    "entry": Look("point", "#333333", "#333333", width=0.08),
    "penalty": Look("box", "#FFFFFF", "#A8447E", 1.2, ("diagonals",), "0.22,0.07", solid=True),
    "repeat": Look("box", "#DCECF7", "#0072B2", 2.8),
    "scope": Look("box", "#EFEFEF", "#333333", 2.0, ("rounded",), "0.2,0.1"),
    "run": Look("box", "#FFFFFF", "#333333", 2.0, ("rounded", "dashed"), "0.2,0.1"),
}

#: For kinds of ops that are not known here.
OTHER: Final = Look("box", "#FFFFFF", "#333333")

#: For what shows one sign only.
SIGN: Final = Look("circle", "#FFFFFF", "#333333", margin="0.02", width=0.3)

GRAPH: Final = {
    "fontname": FONT,
    "pad": "0.15",
    "nodesep": "0.35",
    "ranksep": "0.35",
    "labelloc": "t",
    "compound": "true",
}
#: Boxes up to which a layout engine may take its time. Beyond, it gives up early what it would
#: improve in the square of the boxes: crossings, ranks, and how straight a path is.
MOST_POLISHED: Final = 1000
ROUGH: Final = {"mclimit": "0.1", "nslimit": "0", "nslimit1": "0.1"}

NODE: Final = {"fontname": FONT, "height": "0.3"}
EDGE: Final = {"fontname": FONT, "penwidth": "1.1", "arrowsize": "0.75"}


@dataclass(frozen=True)
class Stroke:
    """How an arrow looks; `more` are attributes of the layout engine."""

    color: str
    ink: str
    more: tuple[tuple[str, str], ...] = ()


STROKES: Final = {
    "value": Stroke("#333333", GREY),
    "training": Stroke(GREY, GREY, (("style", "dashed"),)),
    "penalty": Stroke(
        "#A8447E", GREY, (("style", "dashed"), ("arrowhead", "onormal"), ("weight", "0"))
    ),
    "gradient": Stroke(
        "#D55E00",
        "#A34700",
        (("dir", "back"), ("arrowtail", "onormal"), ("penwidth", "1.3")),
    ),
    "shared": Stroke(
        "#0072B2",
        "#0072B2",
        (("style", "dotted"), ("dir", "none"), ("constraint", "false"), ("penwidth", "1.8")),
    ),
}


@dataclass(frozen=True)
class Border:
    """How the border of a group looks."""

    fill: str
    border: str
    pen: float
    style: str
    just: str


BORDERS: Final = {
    "repeat": Border("#F7F7F7", "#333333", 2.0, "rounded,filled", "c"),
    "scope": Border("#FBFBF4", "#8C8C8C", 1.0, "rounded,filled", "l"),
}

#: What differs in a picture of two networks, besides the words that say so.
CHANGES: Final = {
    "added": ("#DDF2EA", "#007A59", "bold"),
    "removed": ("#FFFFFF", "#B3261E", "dashed"),
    "changed": ("#FCF3C0", "#8A6D00", "bold"),
}


def _between(one: str, other: str, share: float) -> str:
    channels = (
        round(int(one[i : i + 2], 16) * (1 - share) + int(other[i : i + 2], 16) * share)
        for i in (1, 3, 5)
    )
    return "#" + "".join(f"{channel:02X}" for channel in channels)


def _scale(*anchors: str) -> tuple[str, ...]:
    """Return four colours from each anchor to the next, and the last."""
    colours = [_between(one, other, k / 4) for one, other in pairwise(anchors) for k in range(4)]
    return (*colours, anchors[-1])


#: From least to most, ever darker.
SCALE: Final = _scale("#FFF8E1", "#7FB8CC", "#0B3A66")

#: From this place on the scale, texts are light.
DEEP: Final = 6

#: For what is no finite number.
NOT_FINITE: Final = "#F6C9C4"

#: The colours of the dark theme, in the place of those above. No two of them are the same.
DARK: Final = {
    PAPER: "#15181C",
    INK: "#F0F0F0",
    PLAIN_INK: "#C4C4C4",
    GREY: "#9B9B9B",
    DEEP_INK: "#0A0A0A",
    "#333333": "#C9C9C9",
    "#DCECF7": "#11344A",
    "#0072B2": "#56B4E9",
    "#FCEBCB": "#4A3405",
    "#B87400": "#E69F00",
    "#F4F4F4": "#2A2D31",
    "#DDF2EA": "#0B3B2E",
    "#007A59": "#35BE94",
    "#F7E3EE": "#48203A",
    "#A8447E": "#DE8FBC",
    "#EFEFEF": "#30343A",
    "#F7F7F7": "#1F2328",
    "#FBFBF4": "#1B1E22",
    "#8C8C8C": "#7A7A7A",
    "#D55E00": "#FF9147",
    "#A34700": "#FFB07C",
    "#B3261E": "#FF8A80",
    "#FCF3C0": "#453A06",
    "#8A6D00": "#E6C84B",
    NOT_FINITE: "#6B2A25",
    **dict(zip(SCALE, _scale("#22211B", "#184554", "#D9F3FF"), strict=True)),
}
