"""Feeds: the arrays a user gives to a run, checked against the model's inputs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dagnet.arrays import as_array, not_finite
from dagnet.errors import FeedError, FeedTypeError, UnknownNameError
from dagnet.graph import Graph
from dagnet.node import Shape, format_shape, is_scaled
from dagnet.ops.base import Op
from dagnet.settings import DTYPES


@dataclass(frozen=True)
class FeedRule:
    """What one input takes.

    Attributes
    ----------
    name : str
    label : str
        The name with the user's line, for messages.
    shape : tuple
    readers : tuple of (Op, int)
        The ops that refuse values outside their domain, each with the slot in which it reads them.
    one_hot : bool
        Whether it holds one-hot columns; integer labels are then taken, too.
    """

    name: str
    label: str
    shape: Shape
    readers: tuple[tuple[Op, int], ...]
    one_hot: bool

    @cached_property
    def sizes(self) -> Shape:
        """The axes whose size is known: all, or all but the last, which holds the examples."""
        return self.shape[: len(self.shape) - is_scaled(self.shape)]

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Return whether an array may have this shape."""
        return len(shape) == len(self.shape) and shape[: len(self.sizes)] == self.sizes


def feed_rules(graph: Graph, names: Iterable[str]) -> dict[str, FeedRule]:
    """Return the rules of the named inputs of a graph."""
    rules = {}
    for name in names:
        shape = graph.vertices[name].op.output_shape()
        readers = [(graph.vertices[n].op, slot) for n, slot in graph.input_consumers[name]]
        one_hot = any(slot in op.one_hot_inputs for op, slot in readers)
        label = graph.vertices[name].label
        picky = tuple((op, s) for op, s in readers if type(op).feed_problem is not Op.feed_problem)
        rules[name] = FeedRule(name, label, shape, picky, one_hot and len(shape) == 2)
    return rules


def no_mapping(feeds: object, names: Iterable[str]) -> FeedTypeError:
    """Return the error for feeds that are no dict; `names` are those of the inputs."""
    return FeedTypeError(
        f"feeds must be a dict of arrays by input name ({', '.join(names)}), "
        f"got {type(feeds).__name__}"
    )


class Unread:
    """An input that is not in memory yet, and is checked when it is read."""

    shape: tuple[int, ...]


class CheckedFeeds(dict[str, np.ndarray]):
    """Feeds that are checked already, so that no run does it; `m` is the number of examples."""

    def __init__(self, arrays: Mapping[str, Any], m: int):
        super().__init__(arrays)
        self.m = m


class Feeder:
    """Checks feeds once and hands the same arrays on while they stay the same objects.

    Parameters
    ----------
    rules : mapping of str to FeedRule
    dtype : str
        The model's dtype. Floats must have it; integers and booleans are converted.
    check_finite : bool
        Whether NaN and Inf are errors.
    """

    def __init__(self, rules: Mapping[str, FeedRule], dtype: str, check_finite: bool = True):
        self.rules = rules
        self.dtype = np.dtype(dtype)
        self.check_finite = check_finite
        self._scaled = [name for name, rule in rules.items() if is_scaled(rule.shape)]
        self._given: dict[str, object] = {}
        self._arrays: dict[str, np.ndarray] = {}
        self._m = 1

    def __call__(self, feeds: Mapping[str, object]) -> tuple[dict[str, np.ndarray], int]:
        """Return what `check` does; arrays that the last call was given are not checked again."""
        if isinstance(feeds, CheckedFeeds):
            return feeds, feeds.m
        if not self._unchanged(feeds):
            self._check_names(feeds)
            arrays = {
                name: self._arrays[name]
                if name in self._given and self._given[name] is feeds[name]
                else self._checked(rule, feeds[name])
                for name, rule in self.rules.items()
            }
            self._m = self._count_examples(arrays)
            # What was converted is a copy: convert it again next time, it may have been written to.
            self._given = {n: feeds[n] for n in self.rules if arrays[n] is feeds[n]}
            self._arrays = arrays
        return self._arrays, self._m

    def check(self, feeds: Mapping[str, object]) -> tuple[dict[str, np.ndarray], int]:
        """Return the arrays to run on, and the number of examples.

        Raises
        ------
        FeedError
            For inputs missing or unknown, shapes that do not fit, no examples, different
            numbers of examples, NaN or Inf, labels outside the loss's range.
        FeedTypeError
            For arrays that do not hold numbers, or floats of another precision.
        """
        if isinstance(feeds, CheckedFeeds):
            return feeds, feeds.m
        self._check_names(feeds)
        arrays = {name: self._checked(rule, feeds[name]) for name, rule in self.rules.items()}
        return arrays, self._count_examples(arrays)

    def forget(self) -> None:
        """Check the next feeds in any case, even if the same arrays come again."""
        self._given = {}

    def _unchanged(self, feeds: Mapping[str, object]) -> bool:
        given = self._given
        if not len(given) == len(self.rules) == len(feeds):
            return False
        for name, array in given.items():  # noqa: SIM110 - a generator takes twice as long
            if feeds.get(name) is not array:
                return False
        return True

    def _check_names(self, feeds: Mapping[str, object]) -> None:
        if not isinstance(feeds, Mapping):
            raise no_mapping(feeds, self.rules)
        if feeds.keys() == self.rules.keys():
            return
        for name in feeds:
            if name not in self.rules:
                problem = UnknownNameError.of("input", name, self.rules)
                raise FeedError(f"an array was fed for {name!r}, but there is {problem}")
        missing = [rule.label for name, rule in self.rules.items() if name not in feeds]
        raise FeedError(f"nothing was fed for {', '.join(missing)}")

    def _checked(self, rule: FeedRule, value: object) -> Any:
        if type(value) is np.ndarray and value.dtype == self.dtype and rule.fits(value.shape):
            array: np.ndarray = value
        elif isinstance(value, Unread):
            return value
        else:
            array = self.array(rule, value)
        self.check_values(rule, array)
        return array

    def takes_labels(self, rule: FeedRule, array: Any) -> bool:
        """Return whether an array holds integer labels, which become one-hot columns."""
        return rule.one_hot and array.ndim == 1 and array.dtype.kind in "iu"

    def array(self, rule: FeedRule, value: object) -> np.ndarray:
        """Return what was fed in the shape and dtype that a run takes, or raise."""
        array = as_array(value, rule.label)
        if self.takes_labels(rule, array):
            return self.one_hot(rule, array)
        self.check_shape(rule, array)
        if array.dtype.kind != "f":
            return array.astype(self.dtype)
        if array.dtype != self.dtype and not hasattr(value, "dtype"):
            return array.astype(self.dtype)  # a list has no precision of its own
        if array.dtype != self.dtype:
            other = array.dtype.name
            buildable = other in DTYPES and array.dtype.isnative
            raise FeedTypeError(
                f"{rule.label}: the model is {self.dtype}, but {array.dtype} was fed; convert it "
                f"with .astype({str(self.dtype)!r})"
                + (f", or build the model with dtype={other!r}" if buildable else "")
            )
        return array

    def check_shape(self, rule: FeedRule, array: Any) -> None:
        """Raise unless an array has the shape that the input takes."""
        if rule.fits(array.shape):
            return
        expected, hint = rule.shape, ""
        labels = rule.one_hot and array.shape[:1] == (1,)
        turned = array.ndim == 2 and len(expected) == 2 and array.shape[1] == expected[0]
        if turned and not labels:
            hint = "; examples go on the last axis: feed the transpose (.T)"
        elif rule.one_hot:
            hint = (
                f"; targets are one-hot columns {format_shape(expected)} "
                f"or integer labels of shape (m,), of an integer dtype"
            )
        elif array.ndim == 1 and expected == (1, "m"):
            hint = "; feed .reshape(1, -1)"
        raise FeedError(
            f"{rule.label}: takes an array of shape {format_shape(expected)}, "
            f"got {array.shape}{_axis(expected, array.shape)}{hint}"
        )

    def one_hot(
        self, rule: FeedRule, labels: np.ndarray, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Return integer labels as one-hot columns, in `out` if given; or raise."""
        classes = int(rule.shape[0])
        bad = np.flatnonzero((labels < 0) | (labels >= classes))
        if bad.size:
            raise FeedError(
                f"{rule.label}: labels must be 0 to {classes - 1}; {bad.size} are not, "
                f"the first is {labels[bad[0]]} at example {bad[0]}; labels count from 0"
            )
        columns = np.empty((classes, labels.size), self.dtype) if out is None else out
        columns.fill(0.0)
        columns[labels, np.arange(labels.size)] = 1.0
        return columns

    def _count_examples(self, arrays: Mapping[str, np.ndarray]) -> int:
        counts = {arrays[name].shape[-1] for name in self._scaled}
        if len(counts) > 1:
            listed = ", ".join(
                f"{self.rules[n].label} has {arrays[n].shape[-1]}" for n in self._scaled
            )
            raise FeedError(f"the inputs have different numbers of examples: {listed}")
        m = counts.pop() if counts else 1
        if m == 0:
            raise FeedError(f"{self.rules[self._scaled[0]].label}: the array holds no examples")
        return m

    def check_values(self, rule: FeedRule, array: np.ndarray) -> None:
        """Raise if the numbers are not finite, or outside the domain of an op that reads them."""
        if self.check_finite:
            problem = not_finite(array)
            if problem:
                raise FeedError(
                    f"{rule.label}: {problem}; to run on it all the same, build the model with "
                    "check_finite=False"
                )
        for op, slot in rule.readers:
            problem = op.feed_problem(slot, array)
            if problem:
                raise FeedError(f"{rule.label}: {problem}")


def _axis(expected: Shape, shape: tuple[int, ...]) -> str:
    if len(expected) != len(shape):
        return f" ({len(expected)} axes expected, {len(shape)} came)"
    for axis, (want, have) in enumerate(zip(expected, shape, strict=True)):
        if isinstance(want, int) and want != have:
            return f" (axis {axis}: {want} expected, {have} came)"
    return ""
