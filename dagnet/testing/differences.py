"""Central differences: a gradient against what a number does when its arguments are moved."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

#: How far an element of size 1 or less is moved to either side; a larger one in proportion.
STEP = 1e-5

#: Arrays up to this size are compared element by element, of larger ones this many elements.
EVERY, SOME = 256, 64

#: Random directions in which a larger array is moved, all its elements at once.
DIRECTIONS = 8

#: What rounding may add to a change, as a part of the values that changed: some fifty roundings.
NOISE = 1e-14

#: A disagreement is looked at again with steps that are smaller by these factors.
_SHRINK = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)

#: How many times larger than the doubt that differences leave an error must be to count.
_BEYOND_DOUBT = 10.0

_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Comparison:
    """How one gradient compares with central differences.

    Attributes
    ----------
    error : float
        The largest relative error found.
    wrong : bool
        Whether that is more than tolerated, and more than the differences leave open.
    elements, directions : int
        How many elements were compared one by one, and in how many directions all together.
    unresolved : int
        How many comparisons told nothing: steps of no size give differences that agree.
    index : tuple of int or None
        The element with the largest error; None where no single one is known.
    given, expected : float
        That element of the gradient, and what the differences give.
    """

    error: float = 0.0
    wrong: bool = False
    elements: int = 0
    directions: int = 0
    unresolved: int = 0
    index: tuple[int, ...] | None = None
    given: float = 0.0
    expected: float = 0.0


@dataclass(frozen=True)
class Change:
    """What a move did, half of the way from below to above.

    `number` is the change of the number, and `moved` the move. `size` says how exact that is: the
    sum of the number's terms that changed, and the largest of all, which a change below its
    rounding would leave as it is.
    """

    number: float
    moved: np.ndarray
    size: float


class Projected:
    """The number ``sum(projection * output())``, a function of arrays that `output` reads."""

    def __init__(self, output: Callable[[], np.ndarray], projection: np.ndarray):
        self._output = output
        self._projection = projection

    def change(self, array: np.ndarray, where: Any, step: Any) -> Change:
        """Move ``array[where]`` by `step` to either side, and back."""
        middle = np.array(array[where])
        above, below = middle + step, middle - step
        with np.errstate(all="ignore"):
            array[where] = above
            upper = np.array(self._output())
            array[where] = below
            lower = self._output()
            array[where] = middle
            # Subtracted before they are summed: what did not change adds no rounding.
            number = np.sum(self._projection * (upper - lower)) / 2
            terms = np.abs(self._projection * upper)
            size = np.sum(terms, where=upper != lower) + np.max(terms, initial=0.0)
        return Change(float(number), (above - below) / 2, float(size))


def compare(
    number: Projected,
    array: np.ndarray,
    gradient: np.ndarray,
    tolerance: float,
    rng: np.random.Generator,
) -> Comparison:
    """Compare the gradient of a number by an array with central differences.

    Every element of an array of up to `EVERY` elements is compared; of a larger one, `SOME` drawn
    at random, and all together in `DIRECTIONS` random directions. In each of these every element
    moves, up or down, by half a step to a step: so a single wrong element shows in each, and the
    errors of several would have to cancel in all of them.

    The error of an element is relative to its size, that of a direction to the length of the
    gradient; neither is finer than what rounding lets differences tell. Whatever disagrees is
    looked at again with smaller steps, down to a millionth: it is wrong only if it is so beyond
    the doubt that the differences leave.
    """
    bad = _not_finite(number, array, gradient)
    if bad:
        return bad
    found = _by_elements(number, array, gradient, tolerance, rng)
    if array.size <= EVERY or found.wrong:
        return found
    along = by_directions(number, array, gradient, tolerance, rng)
    worst = along if along.wrong or along.error > found.error else found
    return replace(
        worst,
        elements=found.elements,
        directions=along.directions,
        unresolved=found.unresolved + along.unresolved,
    )


def by_directions(
    number: Projected,
    array: np.ndarray,
    gradient: np.ndarray,
    tolerance: float,
    rng: np.random.Generator,
) -> Comparison:
    """Compare in random directions only; if one is wrong, look for an element that is."""
    bad = _not_finite(number, array, gradient)
    if bad:
        return bad
    steps = STEP * np.maximum(1.0, np.abs(array))
    error, resolved = 0.0, 0
    for _ in range(DIRECTIONS):
        signs = rng.choice((-1.0, 1.0), array.shape)
        step = signs * rng.uniform(0.5, 1.0, array.shape) * steps
        look = _Look(number, array, ..., step, gradient, tolerance)
        settled, known, _ = look.settle(float(np.linalg.norm(gradient * step)))
        if known and settled > tolerance:
            wrong = _trace(number, array, gradient, step)
            return replace(wrong, error=settled, directions=resolved + 1)
        resolved += known
        error = max(error, settled if known else 0.0)
    return Comparison(error, directions=resolved, unresolved=DIRECTIONS - resolved)


def _not_finite(number: Projected, array: np.ndarray, gradient: np.ndarray) -> Comparison | None:
    """Return the comparison of a gradient that has NaN or Inf, by the first of them."""
    bad = np.flatnonzero(~np.isfinite(gradient))
    if not bad.size:
        return None
    index = _index(int(bad[0]), array)
    change = number.change(array, index, STEP * max(1.0, abs(float(array[index]))))
    expected = change.number / float(change.moved)
    return Comparison(
        np.inf, True, elements=1, index=index, given=float(gradient[index]), expected=expected
    )


def _by_elements(
    number: Projected,
    array: np.ndarray,
    gradient: np.ndarray,
    tolerance: float,
    rng: np.random.Generator,
) -> Comparison:
    count = array.size if array.size <= EVERY else SOME
    if not count:
        return Comparison()
    chosen = np.arange(count) if count == array.size else rng.choice(array.size, count, False)
    indices = [_index(int(flat), array) for flat in chosen]
    steps = [STEP * max(1.0, abs(float(array[index]))) for index in indices]
    changes = [number.change(array, i, step) for i, step in zip(indices, steps, strict=True)]
    given = np.array([gradient[index] for index in indices])
    expected = np.array([c.number / float(c.moved) for c in changes])
    noise = np.array([NOISE * c.size / step for c, step in zip(changes, steps, strict=True)])
    with np.errstate(all="ignore"):
        sizes = np.fmax(np.fmax(np.abs(given), np.abs(expected)), noise / tolerance)
        errors = np.abs(given - expected) / np.fmax(sizes, _TINY)
    errors[np.isnan(errors)] = np.inf
    unresolved = 0
    for k in np.argsort(-errors, kind="stable"):
        if errors[k] <= tolerance:
            break
        look = _Look(number, array, indices[k], steps[k], gradient, tolerance)
        errors[k], known, change = look.settle(abs(steps[k] * given[k]))
        expected[k] = change.number / float(change.moved)
        if known and errors[k] > tolerance:
            break  # one is enough
        if not known:
            errors[k] = 0.0
            unresolved += 1
    k = int(np.argmax(errors))
    numbers = float(given[k]), float(expected[k])
    wrong = bool(errors[k] > tolerance)
    elements = count - unresolved
    return Comparison(float(errors[k]), wrong, elements, 0, unresolved, indices[k], *numbers)


@dataclass(frozen=True)
class _Look:
    """One move of an array, to be repeated with smaller and smaller steps."""

    number: Projected
    array: np.ndarray
    where: Any
    step: Any
    gradient: np.ndarray
    tolerance: float

    def settle(self, scale: float) -> tuple[float, bool, Change]:
        """Return the relative error, whether it is well enough known, and the change it is from.

        It is known if one step size agrees; or if, at the step size that leaves the least doubt,
        it is far beyond that. The doubt is how two steps differ, one half of the other.
        """
        least, best = np.inf, np.inf
        for shrink in _SHRINK:
            change = self._at(shrink)
            noise = NOISE * change.size / shrink
            size = max(scale, abs(change.number), _TINY)
            if noise > self.tolerance * size:
                if np.isfinite(least):
                    break  # smaller steps only tell of rounding
                size = noise / self.tolerance
            error = abs(float(np.vdot(self.gradient[self.where], change.moved)) - change.number)
            if error <= self.tolerance * size:
                return error / size, True, change
            doubt = (abs(change.number - self._at(shrink / 2).number) + noise) / size
            if doubt < least or not np.isfinite(least):
                least, best, kept = doubt, error / size, change
        return best, best > _BEYOND_DOUBT * least, kept

    def _at(self, part: float) -> Change:
        """Return a smaller move, in proportion to the whole one."""
        c = self.number.change(self.array, self.where, self.step * part)
        return Change(c.number / part, c.moved / part, c.size)


def _trace(
    number: Projected, array: np.ndarray, gradient: np.ndarray, step: np.ndarray
) -> Comparison:
    """Halve a direction that is wrong, following the larger error, down to one element."""

    def apart(part: np.ndarray) -> tuple[float, Change]:
        only = np.zeros(array.size)
        only[part] = step.flat[part]
        change = number.change(array, ..., only.reshape(array.shape))
        return abs(float(np.vdot(gradient, change.moved)) - change.number), change

    part = np.arange(array.size)
    while len(part) > 1:
        part = max(np.array_split(part, 2), key=lambda half: apart(half)[0])
    index = _index(int(part[0]), array)
    change = apart(part)[1]
    expected = change.number / float(change.moved[index])
    return Comparison(wrong=True, index=index, given=float(gradient[index]), expected=expected)


def _index(flat: int, array: np.ndarray) -> tuple[int, ...]:
    return tuple(map(int, np.unravel_index(flat, array.shape)))
