"""The drawings of a page: folded, and every node by itself."""

from collections.abc import Iterator
from typing import Any

from dagnet.errors import MissingDependencyError
from dagnet.graph import Graph
from dagnet.inspector.layout import plain_svg, with_headings
from dagnet.render.collapse import View, view_of
from dagnet.render.compose import compose_view
from dagnet.render.dot import to_source
from dagnet.render.drawing import Box, Drawing, Group
from dagnet.render.engine import Engine, find_engine
from dagnet.render.facts import Facts
from dagnet.render.words import Words
from dagnet.text import printable

#: Boxes above which the plain layout is used: engines take long over more.
MOST_LAID_OUT = 300

#: Levels that have a drawing of their own.
MOST_LEVELS = 4

#: Nodes above which not every one is drawn.
MOST_DRAWN = 2000


def drawings_of(graph: Graph) -> dict[str, dict[str, Any]]:
    """Return the drawings by name, from the most folded to that of every node.

    ``"1"``, ``"2"`` and so on have so many levels of scopes and repeats open, ``"folded"`` all of
    them; in ``"nodes"``, if that differs, there is a box for each. Each drawing has the text of its
    SVG; what its elements say in Chinese, where that differs: the tooltip and the texts, by the id
    of the element; and for every box the nodes that it stands for.
    """
    engine = _engine()
    levels = min(view_of(graph, True).depth - 1, MOST_LEVELS)
    found = {
        str(level): _drawn(graph, view_of(graph, level), engine) for level in range(1, levels + 1)
    }
    found["folded"] = _drawn(graph, view_of(graph, True), engine)
    if len(found["folded"]["boxes"]) != len(graph) and len(graph) <= MOST_DRAWN:
        found["nodes"] = _drawn(graph, view_of(graph, False), engine)
    return found


def _engine() -> Engine | None:
    try:
        return find_engine()
    except MissingDependencyError:
        return None


def _drawn(graph: Graph, view: View, engine: Engine | None) -> dict[str, Any]:
    drawing = compose_view(Facts(graph), view)
    chinese = compose_view(Facts(graph, words=Words("zh")), view)
    plain = engine is None or len(drawing.boxes) > MOST_LAID_OUT
    if engine is None or plain:
        drawing, chinese = with_headings(drawing), with_headings(chinese)
        svg = plain_svg(drawing)
    else:
        source = to_source(drawing, "down", has_fonts=engine.has_fonts)
        text = engine.run(source, "svg").decode()
        svg = text[text.index("<svg") :]
    english = dict(_said(drawing))
    return {
        "svg": svg,
        "zh": {key: said for key, said in _said(chinese) if said != english[key]},
        "plain": plain,
        "boxes": {f"node-{box.key}": list(box.names) for box in drawing.boxes},
    }


def _said(drawing: Drawing) -> Iterator[tuple[str, list[str]]]:
    """Yield what the elements of a drawing say, by their ids: the tooltip, then every text."""
    for box in drawing.boxes:
        yield f"node-{box.key}", _texts(box)
    for group in drawing.groups:
        tooltip, *texts = _texts(group)
        if group.kind == "scope":  # its texts stand in a heading
            yield f"group-{group.key}", [tooltip]
            yield f"heading-{group.key}", [tooltip, *texts]
        else:
            yield f"group-{group.key}", [tooltip, *texts]
    for arrow in drawing.arrows:
        texts = [arrow.label] if arrow.label else []
        yield f"edge-{arrow.key}", [printable(arrow.tooltip, keep="\n"), *texts]


def _texts(part: Box | Group) -> list[str]:
    return [printable(part.tooltip, keep="\n"), *(line.text for line in part.lines)]
