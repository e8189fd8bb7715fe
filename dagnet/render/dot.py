"""From a drawing to DOT text. The only module that knows the graphviz package."""

from collections import defaultdict
from collections.abc import Iterable
from html import escape as escape_html
from math import ceil

import graphviz

from dagnet.render import style
from dagnet.render.drawing import Arrow, Box, Drawing, Group, Line
from dagnet.render.text import is_wide, text_width
from dagnet.text import printable

RANKDIR = {"down": "TB", "right": "LR"}

#: Height of a line, in multiples of the font's.
LEADING = 1.25

#: Engines without fonts know the widths of characters up to this one.
LAST_KNOWN = 0x7FF

#: Room for wide characters if an engine may have fonts, or not, in multiples of what they need.
SPARE = 1.2


def to_source(drawing: Drawing, direction: str, *, has_fonts: bool = True) -> str:
    """Return the DOT text of a drawing.

    Parameters
    ----------
    drawing : Drawing
    direction : {"down", "right"}
    has_fonts : bool
        Whether the engine that will lay it out measures texts with the fonts of the machine.

    Examples
    --------
    >>> from dagnet.render.drawing import Drawing
    >>> print(to_source(Drawing((), (), ()), "right"))
    digraph {
        graph [bgcolor=white ... rankdir=LR ranksep=0.35]
        ...
    }
    """
    return _Writer(drawing, direction, _Labels(has_fonts)).dot.source


class _Writer:
    """Puts the parts of a drawing into a `graphviz.Digraph`."""

    def __init__(self, drawing: Drawing, direction: str, labels: "_Labels"):
        self._label = labels
        graph = {**style.GRAPH, "rankdir": RANKDIR[direction]}
        if drawing.title:
            graph["label"] = labels([Line(printable(drawing.title), "title")])
        self.dot = graphviz.Digraph(graph_attr=graph, node_attr=style.NODE, edge_attr=style.EDGE)
        members: dict[str | None, list[Box]] = defaultdict(list)
        for box in drawing.boxes:
            members[box.group].append(box)
            if box.group is None:
                self._add_box(self.dot, box)
        for group in drawing.groups:
            self._add_group(group, members[group.key])
        for arrow in drawing.arrows:
            self._add_arrow(arrow)

    def _add_box(self, dot: graphviz.Digraph, box: Box) -> None:
        look = style.SIGN if box.symbol else style.LOOKS.get(box.kind, style.OTHER)
        dashed = box.training and not look.solid
        attributes = {
            "label": self._label(box.lines) if box.lines else "",
            "shape": look.shape,
            "style": ",".join(dict.fromkeys(["filled", *look.style, *["dashed"] * dashed])),
            "fillcolor": look.fill,
            "color": look.border,
            "penwidth": f"{look.pen:g}",
            "margin": look.margin,
            "id": f"node-{box.key}",
            "class": graphviz.escape(" ".join([box.kind, *_marks(box)])),
            "tooltip": _tooltip(box.tooltip),
        }
        if box.output:
            attributes["peripheries"] = "2"
        if look.width is not None:
            attributes["width"] = f"{look.width:g}"
        dot.node(box.key, **attributes)

    def _add_group(self, group: Group, boxes: Iterable[Box]) -> None:
        attributes = {
            **style.GROUP,
            "label": self._label(group.lines),
            "id": f"group-{group.key}",
            "class": "repeat",
            "tooltip": _tooltip(group.tooltip),
        }
        with self.dot.subgraph(name=f"cluster_{group.key}", graph_attr=attributes) as inner:
            for box in boxes:
                self._add_box(inner, box)

    def _add_arrow(self, arrow: Arrow) -> None:
        attributes = {
            **style.ARROWS[arrow.kind],
            "id": f"edge-{arrow.key}",
            "class": arrow.kind,
            "tooltip": _tooltip(arrow.tooltip),
        }
        if arrow.into:
            attributes |= {"lhead": f"cluster_{arrow.into}", "minlen": "2"}
        self.dot.edge(arrow.tail, arrow.head, **attributes)


def _marks(box: Box) -> list[str]:
    return ["output"] * box.output + ["training"] * box.training


# Text. Keys need no escaping: they hold no character that means anything to DOT or XML.


def _tooltip(text: str) -> str:
    """Return text as a tooltip: there, engines read XML entities, and backslashes twice over."""
    escaped = printable(text, keep="\n").replace("&", "&amp;").replace("\\", 4 * "\\")
    return graphviz.nohtml(escaped.replace("\n", "\\n"))


class _Labels:
    """HTML-like labels, one row for each line.

    An engine without fonts takes Chinese characters and arrows for narrower ones than they are,
    and sets them too far to the right. Then a row gets a table of the size that it really has,
    which stays in the middle. Engines with fonts know better, and only get room to spare.
    """

    def __init__(self, has_fonts: bool):
        self._has_fonts = has_fonts

    def __call__(self, lines: Iterable[Line]) -> str:
        rows = "".join(f"<TR>{self._cell(line)}</TR>" for line in lines)
        return f"<{_table(rows, 1)}>"

    def _cell(self, line: Line) -> str:
        bold = line.role == "title"
        points = style.TITLE_SIZE if bold else style.PLAIN_SIZE
        color = style.INK if bold else style.PLAIN_INK
        text = escape_html(line.text).replace("\\", "\\\\")
        content = f"<B>{text}</B>" if bold else text
        content = f'<FONT POINT-SIZE="{points:g}" COLOR="{color}">{content}</FONT>'
        width = text_width(line.text, bold=bold) * points
        if not self._has_fonts and any(ord(char) > LAST_KNOWN for char in line.text):
            size = f'FIXEDSIZE="TRUE" WIDTH="{ceil(width)}" HEIGHT="{ceil(points * LEADING)}"'
            row = f'<TR><TD ALIGN="LEFT">{content}</TD></TR>'
            return f"<TD>{_table(row, 0, size)}</TD>"
        if any(map(is_wide, line.text)):
            return f'<TD WIDTH="{ceil(SPARE * width)}">{content}</TD>'
        return f"<TD>{content}</TD>"


def _table(rows: str, spacing: int, size: str = "") -> str:
    borders = f'BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="{spacing}"'
    return f"<TABLE {borders} {size}>{rows}</TABLE>"
