"""A plain layered layout, for where there is no layout engine, or too many boxes for one."""

from dataclasses import replace
from html import escape

from dagnet.render.drawing import Arrow, Box, Drawing
from dagnet.render.text import text_width
from dagnet.text import printable

GAP_X, GAP_Y, MARGIN, PADDING = 28.0, 34.0, 12.0, 12.0
BULGE = 220.0
LINE, TITLE_SIZE, PLAIN_SIZE = 14.0, 13.0, 10.0


def plain_svg(drawing: Drawing) -> str:
    """Return a drawing as SVG: boxes in rows, each below all that it reads, and straight arrows.

    Its elements have the ids and classes that those of `dagnet.render` have.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet.render.compose import compose
    >>> svg = plain_svg(compose(dn.mlp([5, 3, 1]).graph))
    >>> svg.count('class="node'), svg.count('class="edge')
    (7, 6)
    """
    sizes = {box.key: _size(box) for box in drawing.boxes}
    rows = _rows(drawing)
    places = _places(rows, sizes)
    width = max((x + sizes[key][0] for key, (x, _) in places.items()), default=0) + MARGIN
    height = max((y + sizes[key][1] for key, (_, y) in places.items()), default=0) + MARGIN
    row_of = {key: i for i, keys in enumerate(rows) for key in keys}
    body = []
    for arrow in drawing.arrows:
        around = row_of[arrow.head] - row_of[arrow.tail] > 1  # past the boxes between them
        body.append(_arrow(arrow, places, sizes, BULGE if around else 0.0))
    body += [_box(box, places[box.key], sizes[box.key]) for box in drawing.boxes]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.2f} {height:.2f}" '
        f'width="{width:.0f}pt" height="{height:.0f}pt"><g class="graph">{"".join(body)}</g></svg>'
    )


def with_headings(drawing: Drawing) -> Drawing:
    """Return the drawing without groups: their borders are not drawn, their dots say what is in."""
    headings = {group.key: group.lines[:1] for group in drawing.groups}
    boxes = [
        replace(box, lines=headings.get(box.group or "", ())) if box.kind == "entry" else box
        for box in drawing.boxes
    ]
    return replace(drawing, boxes=tuple(boxes), groups=())


def _size(box: Box) -> tuple[float, float]:
    widths = [
        text_width(printable(line.text), bold=line.role == "title") * _font(line.role)
        for line in box.lines
    ]
    return max(widths, default=0) + 2 * PADDING, LINE * max(len(box.lines), 1) + PADDING


def _font(role: str) -> float:
    return TITLE_SIZE if role == "title" else PLAIN_SIZE


def _rows(drawing: Drawing) -> list[list[str]]:
    """Return the keys of the boxes by rows: one below the lowest box that has an arrow to it."""
    row = {box.key: 0 for box in drawing.boxes}
    tails: dict[str, list[str]] = {key: [] for key in row}
    for arrow in drawing.arrows:
        if arrow.kind in ("value", "training") and arrow.tail != arrow.head:
            tails[arrow.head].append(arrow.tail)
    done: set[str] = set()
    for box in drawing.boxes:  # in topological order, but for what leads back into a group
        row[box.key] = max((row[tail] + 1 for tail in tails[box.key] if tail in done), default=0)
        done.add(box.key)
    heads: dict[str, list[str]] = {key: [] for key in row}
    for head, of_head in tails.items():
        for tail in of_head:
            heads[tail].append(head)
    for key in row:  # an input stands right above its first reader
        if not tails[key] and heads[key]:
            row[key] = max(0, min(row[head] for head in heads[key]) - 1)
    rows: list[list[str]] = [[] for _ in range(max(row.values(), default=-1) + 1)]
    for key, index in row.items():
        rows[index].append(key)
    return [keys for keys in rows if keys]


def _places(
    rows: list[list[str]], sizes: dict[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    widths = [sum(sizes[k][0] for k in keys) + GAP_X * (len(keys) - 1) for keys in rows]
    widest = max(widths, default=0)
    places: dict[str, tuple[float, float]] = {}
    y = MARGIN
    for keys, width in zip(rows, widths, strict=True):
        x = MARGIN + (widest - width) / 2
        for key in keys:
            places[key] = (x, y)
            x += sizes[key][0] + GAP_X
        y += max(sizes[key][1] for key in keys) + GAP_Y
    return places


def _box(box: Box, place: tuple[float, float], size: tuple[float, float]) -> str:
    (x, y), (width, height) = place, size
    marks = ["output"] * box.output + ["training"] * box.training
    texts = []
    for i, line in enumerate(box.lines, start=1):
        weight = ' font-weight="bold"' if line.role == "title" else ""
        texts.append(
            f'<text x="{x + width / 2:.2f}" y="{y + PADDING / 2 + LINE * i - 3.5:.2f}" '
            f'text-anchor="middle" font-family="Helvetica,Arial,sans-serif" '
            f'font-size="{_font(line.role)}"{weight}>{escape(printable(line.text))}</text>'
        )
    return (
        f'<g id="node-{escape(box.key)}" class="{escape(" ".join(["node", box.kind, *marks]))}">'
        f"<title>{escape(box.tooltip)}</title>"
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" rx="5" '
        f'fill="#ffffff" stroke="#333333"/>{"".join(texts)}</g>'
    )


def _arrow(
    arrow: Arrow,
    places: dict[str, tuple[float, float]],
    sizes: dict[str, tuple[float, float]],
    bulge: float,
) -> str:
    (tail_x, tail_y), (head_x, head_y) = places[arrow.tail], places[arrow.head]
    x1, y1 = tail_x + sizes[arrow.tail][0] / 2, tail_y + sizes[arrow.tail][1]
    x2, y2 = head_x + sizes[arrow.head][0] / 2, head_y
    middle = (y1 + y2) / 2
    return (
        f'<g id="edge-{escape(arrow.key)}" class="edge {arrow.kind}">'
        f"<title>{escape(arrow.tooltip)}</title>"
        f'<path fill="none" stroke="#333333" d="M{x1:.2f},{y1:.2f}C{x1 + bulge:.2f},{middle:.2f} '
        f'{x2 + bulge:.2f},{middle:.2f} {x2:.2f},{y2 - 7:.2f}"/>'
        f'<polygon fill="#333333" stroke="#333333" points="{x2 - 3:.2f},{y2 - 8:.2f} '
        f'{x2 + 3:.2f},{y2 - 8:.2f} {x2:.2f},{y2:.2f}"/></g>'
    )
