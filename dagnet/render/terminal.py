"""A drawing as plain text, for terminals."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Unpack

from dagnet.graph import Graph
from dagnet.model import Model
from dagnet.render.draw import Options, draw
from dagnet.render.drawing import Box, Drawing, Group
from dagnet.render.facts import listed
from dagnet.render.lanes import Lanes
from dagnet.render.text import columns_of
from dagnet.render.words import Words
from dagnet.text import printable

#: What marks the row of a box, by its kind; in ASCII, the second.
_SIGNS = {"input": "○o", "loss": "◆x", "penalty": "◇x", "repeat": "▣#", "scope": "▣#", "run": "▣#"}
_OTHER = "●*"
_DOT = "•."

#: Columns at which titles are no longer aligned.
_WIDEST_TITLE = 28


def draw_text(network: Graph | Model, *, ascii: bool = False, **options: Unpack[Options]) -> str:
    """Return the drawing of a network as plain text: a row for every box, lines for the values.

    Parameters
    ----------
    network : Graph or Model
    ascii : bool
        Whether only ASCII characters are used, but for names.
    **options
        What is drawn, see `draw`.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet.render import draw_text
    >>> x = dn.Input(3, name="x")
    >>> skip = dn.Add(name="skip")(dn.ReLU(name="bend")(dn.Linear(3, name="line")(x)), x)
    >>> print(draw_text(dn.Graph.from_nodes(outputs=[skip])))
    ○    x       input   (3, m)
    ├─╮
    │ ●  LINEAR  line   W (3, 3)   b (3, 1)   12 parameters   (3, m)
    │ ●  RELU    bend   (3, m)
    ├─╯
    ●    +       skip
    """
    words = Words(options.get("language", "en"))
    text = "\n".join(_Rows(draw(network, **options), ascii, words).all())
    return text if not ascii else text.translate(_PLAIN)


#: What stands for the signs in texts where there is only ASCII.
_PLAIN = str.maketrans({"→": "->", "×": "x", "…": "...", "·": "-", "\xa0": " "})


class _Rows:
    def __init__(self, drawing: Drawing, ascii: bool, words: Words):
        self._drawing = drawing
        self._ascii = ascii
        self._words = words
        self._lanes = Lanes(ascii=ascii)
        self._groups = {group.key: group for group in drawing.groups}
        self._order = {box.key: i for i, box in enumerate(drawing.boxes)}
        self._tails: dict[str, set[str]] = defaultdict(set)
        self._heads: dict[str, list[str]] = defaultdict(list)
        self._said: dict[str, list[str]] = defaultdict(list)
        self._read_arrows()
        titles = [columns_of(_title(box)) for box in drawing.boxes]
        self._pad = max([width for width in titles if width <= _WIDEST_TITLE], default=0)
        self._gutter = 0

    def _read_arrows(self) -> None:
        lost = {box.key for box in self._drawing.boxes if box.change == "removed"}
        for arrow in self._drawing.arrows:
            if arrow.change == "removed" and arrow.head not in lost:
                continue  # what is still there reads something else now
            if arrow.kind in ("value", "training"):
                if self._order[arrow.tail] < self._order[arrow.head]:
                    self._tails[arrow.head].add(arrow.tail)
                    self._heads[arrow.tail].append(arrow.head)
                else:
                    self._said[arrow.head].append(self._words("reads {} below", arrow.tail))
                if arrow.label and arrow.label not in self._said[arrow.tail]:
                    self._said[arrow.tail].append(arrow.label)
            elif arrow.kind == "gradient" and arrow.label:
                self._said[arrow.head].append(self._words("gradient {}", arrow.label))

    def all(self) -> list[str]:
        rows = list(self._body())
        self._gutter = max((columns_of(lanes) for lanes, _ in rows), default=0)
        body = [f"{lanes:<{self._gutter}}  {text}".rstrip() for lanes, text in rows]
        return [*self._head(), *body]

    def _head(self) -> Iterator[str]:
        drawing = self._drawing
        yield from [printable(drawing.title)] if drawing.title else []
        yield from drawing.notes
        if drawing.legend is not None:
            marks = " … ".join(drawing.legend.marks)
            yield self._words("{}: {}", drawing.legend.title, marks)
            yield from drawing.legend.notes

    def _body(self) -> Iterator[tuple[str, str]]:
        around: list[str] = []
        for box in self._drawing.boxes:
            path = self._path(box)
            while around != path[: len(around)]:
                around.pop()
                yield self._lanes.row(), self._border(len(around)) + self._sign("└", "`")
            for key in path[len(around) :]:
                text = self._border(len(around)) + self._sign("┌ ", "/ ")
                yield self._lanes.row(), text + _heading(self._groups[key])
                around.append(key)
            yield from self._rows_of(box, len(around))
        for depth in reversed(range(len(around))):
            yield self._lanes.row(), self._border(depth) + self._sign("└", "`")

    def _rows_of(self, box: Box, depth: int) -> Iterator[tuple[str, str]]:
        column, row = self._lanes.enter(box.key, self._tails[box.key])
        if row:
            yield row, self._border(depth).rstrip()
        signs = _DOT if box.kind == "entry" else _SIGNS.get(box.kind, _OTHER)
        lanes = self._lanes.row(column, self._sign(*signs))
        self._lanes.leave(column, box.key, self._heads[box.key])
        yield lanes, self._border(depth) + self._text(box)

    def _text(self, box: Box) -> str:
        title = _title(box)
        rest = [line.text for line in box.lines if line.role != "title"]
        if box.symbol and box.names:
            rest = [listed(box.names)]
        rest += self._said[box.key]
        padding = " " * max(0, self._pad - columns_of(title))
        return "  ".join([title + padding, "   ".join(rest)]).rstrip()

    def _path(self, box: Box) -> list[str]:
        """Return the groups around a box, the outermost first."""
        path: list[str] = []
        key = box.group
        while key is not None:
            path.append(key)
            key = self._groups[key].parent
        return path[::-1]

    def _border(self, depth: int) -> str:
        return self._sign("│ ", "| ") * depth

    def _sign(self, line: str, plain: str) -> str:
        return plain if self._ascii else line


def _title(box: Box) -> str:
    return " ".join(line.text for line in box.lines if line.role == "title")


def _heading(group: Group) -> str:
    return "   ".join(line.text for line in group.lines)
