"""From a drawing to DOT text. The only module that knows the graphviz package."""

from collections import defaultdict

import graphviz

from dagnet.render import style
from dagnet.render.drawing import Arrow, Box, Drawing, Group
from dagnet.render.headings import Heading, heading_key, headings
from dagnet.render.labels import Labels
from dagnet.render.theme import colouring
from dagnet.text import printable

RANKDIR = {"down": "TB", "right": "LR"}


def to_source(
    drawing: Drawing, direction: str, *, has_fonts: bool = True, theme: str = "light"
) -> str:
    """Return the DOT text of a drawing.

    Parameters
    ----------
    drawing : Drawing
    direction : {"down", "right"}
    has_fonts : bool
        Whether the engine that will lay it out measures texts with the fonts of the machine.
    theme : {"light", "dark", "auto"}
        Pictures that adapt are drawn in light colours first.

    Examples
    --------
    >>> from dagnet.render.drawing import Drawing
    >>> print(to_source(Drawing((), (), ()), "right"))
    digraph {
        graph [bgcolor="#FFFFFF" ... rankdir=LR ranksep=0.35]
        ...
    }
    """
    return _Writer(drawing, direction, has_fonts, theme).dot.source


class _Writer:
    """Puts the parts of a drawing into a `graphviz.Digraph`."""

    def __init__(self, drawing: Drawing, direction: str, has_fonts: bool, theme: str):
        self._colour = colour = colouring(theme)
        self._labels = Labels(has_fonts, colour)
        self._measuring = drawing.legend is not None
        graph = {**style.GRAPH, "bgcolor": colour(style.PAPER), "rankdir": RANKDIR[direction]}
        if len(drawing.boxes) > style.MOST_POLISHED:
            graph |= style.ROUGH
        if drawing.title or drawing.notes or drawing.legend:
            graph["label"] = self._labels.head(drawing.title, drawing.notes, drawing.legend)
        node = {**style.NODE, "fontcolor": colour(style.INK)}
        self.dot = graphviz.Digraph(graph_attr=graph, node_attr=node, edge_attr=style.EDGE)
        self._members: dict[str | None, list[Box]] = defaultdict(list)
        for box in drawing.boxes:
            self._members[box.group].append(box)
        self._inner: dict[str | None, list[Group]] = defaultdict(list)
        for group in drawing.groups:
            self._inner[group.parent].append(group)
        self._headings = headings(drawing) if direction == "down" else {}
        self._fill(self.dot, None)
        for key, heading in self._headings.items():
            self._place_heading(key, heading)
        for arrow in drawing.arrows:
            self._add_arrow(arrow)

    def _fill(self, dot: graphviz.Digraph, group: str | None) -> None:
        """Write the boxes and groups of one group, or those of none."""
        for box in self._members[group]:
            self._add_box(dot, box)
        for inner in self._inner[group]:
            self._add_group(dot, inner)

    def _add_box(self, dot: graphviz.Digraph, box: Box) -> None:
        look = style.SIGN if box.symbol else style.LOOKS.get(box.kind, style.OTHER)
        fill, border, pen, styles = self._surface(box, look)
        attributes = {
            "label": self._labels.box(box.lines, _ink(box)) if box.lines else "",
            "shape": look.shape,
            "style": ",".join(dict.fromkeys(["filled", *look.style, *styles])),
            "fillcolor": self._colour(fill),
            "color": self._colour(border),
            "penwidth": f"{pen:g}",
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

    def _surface(self, box: Box, look: style.Look) -> tuple[str, str, float, list[str]]:
        """Return fill, border, its width, and styles."""
        styles = ["dashed"] * (box.training and not look.solid)
        if box.change is not None:
            fill, border, line = style.CHANGES[box.change]
            return fill, border, max(look.pen, 2.2), [*styles, line]
        if box.level is None:
            fill = look.fill if not self._measuring or box.kind == "entry" else style.PAPER
            return fill, look.border, look.pen, styles
        fill = style.NOT_FINITE if box.level != box.level else style.SCALE[_step(box.level)]
        return fill, look.border, look.pen, styles

    def _add_group(self, dot: graphviz.Digraph, group: Group) -> None:
        border = style.BORDERS[group.kind]
        label, tooltip = self._labels.box(group.lines), _tooltip(group.tooltip)
        attributes = {
            "style": border.style,
            "fillcolor": self._colour(border.fill),
            "color": self._colour(border.border),
            "penwidth": f"{border.pen:g}",
            "margin": "12",
            "labeljust": border.just,
            "label": "" if group.key in self._headings else label,
            "id": f"group-{group.key}",
            "class": group.kind,
            "tooltip": tooltip,
        }
        with dot.subgraph(name=f"cluster_{group.key}", graph_attr=attributes) as inner:
            if group.key in self._headings:
                key = heading_key(group.key)
                more = {"id": f"heading-{group.key}", "class": "heading", "tooltip": tooltip}
                inner.node(key, label=label, shape="plain", **more)
            self._fill(inner, group.key)

    def _place_heading(self, group: str, heading: Heading) -> None:
        """Write the lines, which are not drawn, that hold a heading in its row."""
        key = heading_key(group)
        self.dot.edge(key, heading.above, style="invis", weight="0")
        if heading.below is not None:
            # Of no weight, an edge into a group may run upwards.
            self.dot.edge(heading.below, key, style="invis", weight="1")

    def _add_arrow(self, arrow: Arrow) -> None:
        stroke = style.STROKES[arrow.kind]
        attributes = {
            **dict(stroke.more),
            "color": self._colour(stroke.color),
            "id": f"edge-{arrow.key}",
            "class": f"{arrow.kind} {arrow.change or ''}".rstrip(),
            "tooltip": _tooltip(arrow.tooltip),
        }
        if arrow.change is not None:
            _, color, line = style.CHANGES[arrow.change]
            attributes |= {"color": self._colour(color), "style": line}
        if arrow.label:
            attributes["label"] = self._labels.arrow(arrow.label, stroke.ink)
        if arrow.into:
            attributes |= {"lhead": f"cluster_{arrow.into}", "minlen": "2"}
        if arrow.kind != "gradient":
            self.dot.edge(arrow.tail, arrow.head, **attributes)
            return
        # Layout engines set it beside the forward arrow if it runs the same way, drawn backwards.
        if arrow.out_of:
            attributes |= {"lhead": f"cluster_{arrow.out_of}", "minlen": "2"}
        self.dot.edge(arrow.head, arrow.tail, **attributes)


def _step(level: float) -> int:
    return round(level * (len(style.SCALE) - 1))


def _ink(box: Box) -> str | None:
    """Return the ink on a colour of the scale; elsewhere, every kind of line has its own."""
    if box.level is None:
        return None
    deep = box.level == box.level and _step(box.level) >= style.DEEP
    return style.DEEP_INK if deep else style.INK


def _marks(box: Box) -> list[str]:
    marks = ["output"] * box.output + ["training"] * box.training
    return marks if box.change is None else [*marks, box.change]


# Text. Keys need no escaping: they hold no character that means anything to DOT or XML.


def _tooltip(text: str) -> str:
    """Return text as a tooltip: there, engines read XML entities, and backslashes twice over."""
    escaped = printable(text, keep="\n").replace("&", "&amp;").replace("\\", 4 * "\\")
    return graphviz.nohtml(escaped.replace("\n", "\\n"))
