"""What a picture says to who does not see it: a title, and what stands in its boxes."""

import re
from html import escape

from dagnet.render.drawing import Box, Drawing
from dagnet.render.facts import listed
from dagnet.render.words import Words
from dagnet.text import printable


def captioned(svg: bytes, drawing: Drawing, words: Words) -> bytes:
    """Return a picture in SVG with a title and a description, which screen readers read.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet.render.compose import compose
    >>> drawing = compose(dn.mlp([5, 1]).graph)
    >>> print(captioned(b"<svg></svg>", drawing, Words()).decode())
    <svg role="img"><title>network of 5 nodes</title><desc>X, input
    LINEAR, linear1, W (1, 5)   b (1, 1), 6 parameters, reads X
    ...
    """
    names = {box.key: listed(box.names) for box in drawing.boxes if box.names}
    reads: dict[str, dict[str, None]] = {}
    for arrow in drawing.arrows:
        if arrow.kind not in ("value", "training"):
            continue
        if arrow.head in names:
            reads.setdefault(arrow.head, {})[names[arrow.tail]] = None
        else:  # the dot of a group, whose arrow comes before those from it
            names[arrow.head] = names[arrow.tail]
    rows = [_row(box, list(reads.get(box.key, ())), words) for box in drawing.boxes if box.names]
    nodes = words.counted(sum(len(box.names) for box in drawing.boxes), "node")
    title = drawing.title or words("network of {}", nodes)
    parts = (("title", title), ("desc", "\n".join([*drawing.notes, *rows])))
    said = "".join(f"<{tag}>{escape(printable(t, keep=chr(10)))}</{tag}>" for tag, t in parts)
    head = rb'<svg role="img"\1>' + said.encode().replace(b"\\", b"\\\\")
    return re.sub(rb"<svg\b([^>]*)>", head, svg, count=1)


def _row(box: Box, reads: list[str], words: Words) -> str:
    texts = [line.text for line in box.lines]
    if box.symbol:
        texts.append(listed(box.names))
    if reads:
        texts.append(words("reads {}", words(", ").join(reads)))
    return words(", ").join(dict.fromkeys(texts))
