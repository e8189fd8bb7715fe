"""Where the texts of scopes stand if values flow down: in rows of their own, beside the arrows.

A layout engine writes the text of a border wherever arrows may pass, but leads them around nodes.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dagnet.render.drawing import Drawing, Group


class Heading(NamedTuple):
    """The text of a scope: below what comes in first, and above the first thing inside.

    `below` and `above` are keys of nodes; from outside, perhaps nothing comes in.
    """

    below: str | None
    above: str


def heading_key(group: str) -> str:
    """Return the key of the node that holds the text of a group."""
    return f"{group}~heading"


def headings(drawing: Drawing) -> dict[str, Heading]:
    """Return the headings of the scopes that are open, by the keys of their groups.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet.render.compose import compose
    >>> X = dn.Input(5, name="X")
    >>> with dn.scope("encoder"):
    ...     A = dn.ReLU(name="bend")(dn.Linear(3, name="line")(X))
    >>> headings(compose(dn.Graph.from_nodes(outputs=[A])))
    {'(scope)~encoder~line~bend': Heading(below='X', above='line')}
    """
    groups = {group.key: group for group in drawing.groups}
    place = {box.key: i for i, box in enumerate(drawing.boxes)}
    around = {box.key: list(_around(box.group, groups)) for box in drawing.boxes}
    first: dict[str, str] = {}
    above: dict[str, str] = {}
    for box in drawing.boxes:
        inner = box.key
        for key in around[box.key]:
            if key not in first:
                first[key], above[key] = box.key, inner
            inner = heading_key(key) if groups[key].kind == "scope" else box.key
    below: dict[str, str] = {}
    for arrow in drawing.arrows:
        if arrow.kind in ("value", "training"):
            for key in set(around[arrow.head]).difference(around[arrow.tail]):
                if place[arrow.tail] < place[first[key]]:  # else the heading would be in a cycle
                    below.setdefault(key, arrow.tail)
    return {
        key: Heading(below.get(key), above[key])
        for key, group in groups.items()
        if group.kind == "scope" and key in first
    }


def _around(key: str | None, groups: Mapping[str, Group]) -> Iterator[str]:
    """Yield the keys of a group and those around it, the innermost first."""
    while key is not None:
        yield key
        key = groups[key].parent
