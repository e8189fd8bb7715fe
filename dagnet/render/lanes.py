"""Lanes: the values that flow past the rows of a text, as lines made of characters."""

from collections.abc import Collection, Iterable

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8

#: Characters by the sides on which they join.
_LINES = " ╵╷│╴╯╮┤╶╰╭├─┴┬┼"
_ASCII = " |||-/\\+-\\/+-+++"


class Lanes:
    """The columns in which values flow from the boxes above to those below.

    Parameters
    ----------
    ascii : bool
        Whether only ASCII characters are used.
    """

    def __init__(self, *, ascii: bool = False):
        self._signs = _ASCII if ascii else _LINES
        #: For every column, what flows there: a box's key and who is still to read it.
        self._columns: list[tuple[str, set[str]] | None] = []

    def enter(self, key: str, tails: Collection[str]) -> tuple[int, str]:
        """Lead values to a box; return its column, and the row above it, if it needs one."""
        inputs = [
            i for i, lane in enumerate(self._columns) if lane is not None and lane[0] in tails
        ]
        for i in inputs:
            self._lane(i)[1].discard(key)
        ending = [i for i in inputs if not self._lane(i)[1]]
        column = min(ending) if ending else self._free()
        joined = [i for i in inputs if i != column]
        row = self._joining(column, joined, set(ending)) if joined else ""
        for i in ending:
            self._columns[i] = None
        return column, row

    def leave(self, column: int, key: str, readers: Iterable[str]) -> None:
        """Let the value of a box flow on from its column, if anybody below reads it."""
        waiting = set(readers)
        self._columns[column] = (key, waiting) if waiting else None
        while self._columns and self._columns[-1] is None:
            self._columns.pop()

    def row(self, column: int | None = None, sign: str = "") -> str:
        """Return a row of lanes that flow past, with a sign in one column."""
        cells = [self._signs[UP | DOWN] if lane else " " for lane in self._columns]
        if column is not None:
            cells += [" "] * (column + 1 - len(cells))
            cells[column] = sign
        return " ".join(cells).rstrip()

    def _lane(self, i: int) -> tuple[str, set[str]]:
        lane = self._columns[i]
        assert lane is not None
        return lane

    def _free(self) -> int:
        if None in self._columns:
            return self._columns.index(None)
        self._columns.append(None)
        return len(self._columns) - 1

    def _joining(self, column: int, joined: Collection[int], ending: Collection[int]) -> str:
        """Return the row in which lanes turn to the column of a box."""
        first, last = min(column, *joined), max(column, *joined)
        sides = [UP | DOWN if lane else 0 for lane in self._columns]
        sides[column] |= DOWN
        for i in joined:
            if i in ending:
                sides[i] &= ~DOWN
        text = ""
        for i, side in enumerate(sides):
            side |= LEFT * (first < i <= last) | RIGHT * (first <= i < last)
            text += self._signs[side] + self._signs[(LEFT | RIGHT) * (first <= i < last)]
        return text.rstrip()
