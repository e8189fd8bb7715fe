"""What a watch remembers of one node, by training steps: going back counts nothing twice."""

from typing import Any


class Memory:
    """In how many training steps in a row something was found, and what was kept of them.

    Examples
    --------
    >>> memory = Memory()
    >>> [memory.streak(iteration, found=True) for iteration in (1, 2, 2, 3)]
    [1, 2, 2, 3]
    >>> memory.streak(3, found=False), memory.streak(3, found=True)  # gone back, and on again
    (0, 3)
    >>> memory.streak(5, found=True)
    1
    """

    def __init__(self) -> None:
        self._last = 0
        self._count = 0
        self._kept: dict[int, Any] = {}
        self._first: tuple[int, Any] | None = None

    def streak(self, iteration: int, found: bool) -> int:
        """Count a training step; return in how many in a row something was found."""
        if not found:
            if self._last == iteration:  # it was found here before the run went back
                self._last, self._count = iteration - 1, self._count - 1
            return 0
        if self._last != iteration:
            self._count = self._count + 1 if self._last == iteration - 1 else 1
            self._last = iteration
        return self._count

    def keep(self, iteration: int, value: Any, steps: int) -> list[Any]:
        """Keep a value of this training step; return those of the steps just before it.

        >>> memory = Memory()
        >>> [memory.keep(i, f"step {i}", 2) for i in (1, 2, 2, 4)]
        [[], ['step 1'], ['step 1'], []]
        """
        self._kept[iteration] = value
        for old in [i for i in self._kept if i < iteration - steps]:
            del self._kept[old]
        before = []
        for i in range(iteration - 1, iteration - 1 - steps, -1):
            if i not in self._kept:
                break
            before.append(self._kept[i])
        return before

    def first(self, iteration: int, value: Any) -> Any:
        """Return what was given in the first training step."""
        if self._first is None or self._first[0] == iteration:
            self._first = iteration, value
        return self._first[1]
