"""The drawings of a page: folded, and every node by itself."""

from typing import Any

from dagnet.errors import MissingDependencyError
from dagnet.graph import Graph
from dagnet.inspector.layout import plain_svg
from dagnet.render.collapse import view_of
from dagnet.render.compose import compose
from dagnet.render.dot import to_source
from dagnet.render.drawing import Drawing
from dagnet.render.engine import Engine, find_engine

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
    SVG, and for every box the nodes that it stands for, by the id of the box's element.
    """
    engine = _engine()
    levels = min(view_of(graph, True).depth - 1, MOST_LEVELS)
    found = {
        str(level): _drawn(compose(graph, fold=level), engine) for level in range(1, levels + 1)
    }
    folded = compose(graph, fold=True)
    found["folded"] = _drawn(folded, engine)
    if len(folded.boxes) != len(graph) and len(graph) <= MOST_DRAWN:
        found["nodes"] = _drawn(compose(graph, fold=False), engine)
    return found


def _engine() -> Engine | None:
    try:
        return find_engine()
    except MissingDependencyError:
        return None


def _drawn(drawing: Drawing, engine: Engine | None) -> dict[str, Any]:
    plain = engine is None or len(drawing.boxes) > MOST_LAID_OUT
    if engine is None or plain:
        svg = plain_svg(drawing)
    else:
        source = to_source(drawing, "down", has_fonts=engine.has_fonts)
        text = engine.run(source, "svg").decode()
        svg = text[text.index("<svg") :]
    return {
        "svg": svg,
        "plain": plain,
        "boxes": {f"node-{box.key}": list(box.names) for box in drawing.boxes},
    }
