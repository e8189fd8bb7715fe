"""Running one op again on fewer of its values, to find the single one that makes a bad element."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    done : Frame
        The arrays of the step in the run; they are not written to.
    arrays : tuple of ndarray
        Its inputs, then its parameters.
    params : tuple of str
        The names of the parameters.
    value : str
        Which result is bad: ``"output"``, ``"grad_inputs.0"``, ``"grad_params.W"``.
    bad : callable
    """

    op: Op
    done: Frame
    arrays: tuple[np.ndarray, ...]
    params: tuple[str, ...]
    value: str
    bad: Bad

    def culprit(self, index: Index) -> tuple[Sequence[int], Index] | None:
        """Return which arrays at which place alone make the result bad at an index.

        Inputs of one shape stand and fall together: a probability goes with its target. None if it
        takes several places, or if running the op again shows something else than the run did.
        """
        if not self._is_bad(self.arrays, index):
            return None
        for group in self._groups():
            place = self._narrow(group, index)
            if place is not None:
                return group, place
        return None

    def is_alone(self, group: Sequence[int], place: Index, index: Index) -> bool:
        """Return whether what stands at one place of a group makes the result bad at an index."""
        start = int(np.ravel_multi_index(place, self.arrays[group[0]].shape))
        return self._is_bad(self._only(group, start, start + 1), index)

    def _groups(self) -> list[list[int]]:
        n_inputs = len(self.arrays) - len(self.params)
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for position, array in enumerate(self.arrays[:n_inputs]):
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
        n_inputs = len(self.arrays) - len(self.params)
        params = dict(zip(self.params, arrays[n_inputs:], strict=True))
        frame = Frame.allocate(self.op, *arrays[:n_inputs], params=params, m=self.done.m)
        frame.state = {name: array.copy() for name, array in self.done.state.items()}
        try:
            with np.errstate(all="ignore"):
                self.op.forward(frame)
                if self.value != "output":
                    frame.grad_output = self.done.grad_output
                    self.op.backward(frame)
        except Exception:
            return False  # an op may refuse values that the run never gave it
        return bool(bad_elements(_result(frame, self.value), self.bad)[index])


def _result(frame: Frame, value: str) -> np.ndarray:
    group, _, key = value.partition(".")
    if group == "grad_params":
        return frame.grad_params[key]
    result = frame.grad_inputs[int(key)] if group == "grad_inputs" else frame.output
    assert result is not None  # labels, which get no gradient, are never bad
    return result
