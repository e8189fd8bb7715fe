"""Running one op again on fewer of its values, to find the single one that makes a bad element."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from dagnet.diagnosis.places import Bad, Index, bad_elements
from dagnet.ops.base import Op
from dagnet.ops.frame import Frame

#: What stands for every value that is left out: harmless to logarithms, quotients and powers.
_HARMLESS = 0.5


@dataclass(frozen=True)
class Rerun:
    """One step of a run, to be run again on changed values.

    Attributes
    ----------
    op : Op
    arrays : tuple of ndarray
        Its inputs, then its parameters. None of these arrays is written to.
    params : tuple of str
        The names of the parameters.
    state : dict of ndarray
    grad_output : ndarray or None
        None if the result is the output.
    m : int
        The number of examples.
    value : str
        Which result is bad: ``"output"``, ``"grad_inputs.0"``, ``"grad_params.W"``.
    bad : callable
    """

    op: Op
    arrays: tuple[np.ndarray, ...]
    params: tuple[str, ...]
    state: dict[str, np.ndarray]
    grad_output: np.ndarray | None
    m: int
    value: str
    bad: Bad

    def culprit(self, index: Index, examples: bool) -> tuple[Sequence[int], Index] | None:
        """Return which arrays at which place alone make the result bad at an index.

        Inputs of one shape stand and fall together: a probability goes with its target. None if it
        takes several places, or if running the op again shows something else than the run did.

        Parameters
        ----------
        index : tuple of int
        examples : bool
            Whether the last axis of the result is that of the examples.
        """
        if not self._is_bad(self.arrays, index):
            return None
        few, start, there = self._fewest_examples(index, examples)
        found = few._search(there)
        if few is self or found is None:
            return found
        group, place = found
        if self._has_examples(self.arrays[group[0]]):
            place = (*place[:-1], place[-1] + start)
        return (group, place) if self.is_alone(group, place, index) else self._search(index)

    def _search(self, index: Index) -> tuple[Sequence[int], Index] | None:
        for group in self._groups():
            place = self._narrow(group, index)
            if place is not None:
                return group, place
        return None

    # A layer is run faster on one example than on all.

    def _fewest_examples(self, index: Index, examples: bool) -> tuple["Rerun", int, Index]:
        """Return a run on as few examples as stay bad, the first of them, and the index there."""
        if examples:
            one, there = self._on_examples(index[-1], index[-1] + 1), (*index[:-1], 0)
            return (one, index[-1], there) if one._is_bad(one.arrays, there) else (self, 0, index)
        few, start = self, 0
        while few.m > 1:
            half = few.m // 2
            for begin, end in ((0, half), (half, few.m)):
                part = few._on_examples(begin, end)
                if part._is_bad(part.arrays, index):
                    few, start = part, start + begin
                    break
            else:
                break
        return few, start, index

    def _on_examples(self, start: int, stop: int) -> "Rerun":
        grad = self.grad_output
        return replace(
            self,
            arrays=(
                *(self._taken(array, start, stop) for array in self._inputs),
                *self.arrays[len(self._inputs) :],
            ),
            grad_output=None if grad is None else self._taken(grad, start, stop),
            m=stop - start,
        )

    def _taken(self, array: np.ndarray, start: int, stop: int) -> np.ndarray:
        return array[..., start:stop] if self._has_examples(array) else array

    def _has_examples(self, array: np.ndarray) -> bool:
        return array.shape[-1:] == (self.m,)

    @property
    def _inputs(self) -> tuple[np.ndarray, ...]:
        return self.arrays[: len(self.arrays) - len(self.params)]

    def is_alone(self, group: Sequence[int], place: Index, index: Index) -> bool:
        """Return whether what stands at one place of a group makes the result bad at an index."""
        start = int(np.ravel_multi_index(place, self.arrays[group[0]].shape))
        return self._is_bad(self._only(group, start, start + 1), index)

    def _groups(self) -> list[list[int]]:
        n_inputs = len(self._inputs)
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for position, array in enumerate(self._inputs):
            by_shape.setdefault(array.shape, []).append(position)
        return [*by_shape.values(), *([i] for i in range(n_inputs, len(self.arrays)))]

    def _narrow(self, group: Sequence[int], index: Index) -> Index | None:
        """Halve the values that are kept for as long as one half is enough."""
        shape = self.arrays[group[0]].shape
        start, stop = 0, prod(shape)
        if self._is_bad(self._only(group, 0, 0), index):
            return None
        while stop - start > 1:
            middle = (start + stop) // 2
            if self._is_bad(self._only(group, start, middle), index):
                stop = middle
            elif self._is_bad(self._only(group, middle, stop), index):
                start = middle
            else:
                return None
        return tuple(map(int, np.unravel_index(start, shape)))

    def _only(self, group: Sequence[int], start: int, stop: int) -> list[np.ndarray]:
        """Return the arrays with a group's values, but for a stretch of them, made harmless."""
        arrays = list(self.arrays)
        for position in group:
            array = arrays[position]
            kept = np.full(array.size, _HARMLESS, array.dtype)
            kept[start:stop] = array.ravel()[start:stop]
            arrays[position] = kept.reshape(array.shape)
        return arrays

    def _is_bad(self, arrays: Sequence[np.ndarray], index: Index) -> bool:
        n_inputs = len(self._inputs)
        params = dict(zip(self.params, arrays[n_inputs:], strict=True))
        frame = Frame.allocate(self.op, *arrays[:n_inputs], params=params, m=self.m)
        frame.state = {name: array.copy() for name, array in self.state.items()}
        _ask_for(frame, self.value)
        try:
            with np.errstate(all="ignore"):
                self.op.forward(frame)
                if self.grad_output is not None:
                    frame.grad_output = self.grad_output
                    self.op.backward(frame)
        except Exception:
            return False  # an op may refuse values that the run never gave it
        return bool(bad_elements(_result(frame, self.value), self.bad)[index])


def _ask_for(frame: Frame, value: str) -> None:
    """Ask for one gradient only: the others take as long."""
    frame.grad_inputs = tuple(
        grad if value == f"grad_inputs.{slot}" else None
        for slot, grad in enumerate(frame.grad_inputs)
    )
    frame.grad_params = {
        name: grad for name, grad in frame.grad_params.items() if value == f"grad_params.{name}"
    }


def _result(frame: Frame, value: str) -> np.ndarray:
    group, _, key = value.partition(".")
    if group == "grad_params":
        return frame.grad_params[key]
    result = frame.grad_inputs[int(key)] if group == "grad_inputs" else frame.output
    assert result is not None  # labels, which get no gradient, are never bad
    return result
