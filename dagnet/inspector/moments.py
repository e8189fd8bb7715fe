"""The moments that a page shows: one run, or the recorded steps of a training."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Protocol

from dagnet.cache import Cache
from dagnet.debug.diff.runs import run_aside
from dagnet.errors import ArgumentError, ArgumentTypeError
from dagnet.graph import Graph, Vertex
from dagnet.model import Model


class Recording(Protocol):
    """What a page needs of a recording, such as `dn.Recorder` makes."""

    marks: dict[int, list[str]]

    @property
    def model(self) -> Model:
        """The model that was trained."""

    @property
    def steps(self) -> list[int]:
        """The recorded steps."""

    @property
    def last(self) -> int:
        """The last step that was made, recorded or not."""

    def at(self, step: int) -> Cache:
        """Return the values of a step."""


class Moments(ABC):
    """Where the values come from.

    Attributes
    ----------
    steps : list of int
        Recorded steps; ``[0]`` for a run that is none of a training; empty if nothing has run.
    marks : dict of list of str
        Steps that are worth looking at, and why.
    """

    def __init__(self, steps: list[int], marks: Mapping[int, list[str]] | None = None):
        self.steps = steps
        self.marks = dict(marks or {})

    @abstractmethod
    def at(self, step: int) -> Cache:
        """Return the values of one of the steps."""


class _OneRun(Moments):
    def __init__(self, cache: Cache):
        super().__init__([0] if cache.has_run else [])
        self._cache = cache

    def at(self, step: int) -> Cache:
        return self._cache


class _Recorded(Moments):
    def __init__(self, recording: Recording):
        steps = [*recording.steps]
        if recording.last > steps[-1]:
            steps.append(recording.last)  # how it ended is what one wants to see
        super().__init__(steps, recording.marks)
        self._recording = recording

    def at(self, step: int) -> Cache:
        return self._recording.at(step)


def moments_of(
    model: Model, X: Any = None, Y: Any = None, recording: Recording | None = None
) -> Moments:
    """Return what there is to show of a model.

    That is a recording, if there is one; else a training pass over the data, which leaves the
    model as it is; else the model's last run.

    Raises
    ------
    ArgumentError
        If the recording is of another network, or holds no step.
    FeedError
        If the data do not fit.
    """
    if recording is not None:
        _check_same(model.graph, recording.model.graph)
        if not recording.steps:
            raise ArgumentError("report: the recording holds no step yet")
        return _Recorded(recording)
    if X is None:
        if Y is not None:
            raise ArgumentTypeError("report: targets Y were given without examples X")
        return _OneRun(model.cache)
    feeds = model.prepare(model.feeds(X, Y))
    return _OneRun(run_aside(model, feeds, deepcopy(model.rng)))


def _check_same(mine: Graph, recorded: Graph) -> None:
    """Raise unless two graphs are of the same network; name the first difference."""
    problem = first_difference(mine, recorded)
    if problem:
        raise ArgumentError(f"report: the recording is of another model: {problem}")


def first_difference(mine: Graph, recorded: Graph) -> str:
    """Return the first difference of two graphs in words; empty if there is none."""
    for a, b in zip(mine.vertices.values(), recorded.vertices.values(), strict=False):
        if a.name != b.name:
            return f"where the model has {a.label}, it has {b.label}"
        for what, of_a, of_b in _facts(a, b):
            if of_a != of_b:
                return f"{a.label} has {what} {of_a}, recorded is {of_b}"
    longer, which = (mine, "the model") if len(mine) > len(recorded) else (recorded, "it")
    if len(mine) != len(recorded):
        extra = list(longer.vertices.values())[min(len(mine), len(recorded))]
        return f"only {which} has {extra.label}"
    for what in ("losses", "outputs"):
        if getattr(mine, what) != getattr(recorded, what):
            return f"the model's {what} are {getattr(mine, what)}, not {getattr(recorded, what)}"
    return ""


def _facts(a: Vertex, b: Vertex) -> list[tuple[str, Any, Any]]:
    facts: list[tuple[str, Any, Any]] = [
        ("the op", type(a.op).__name__, type(b.op).__name__),
        ("the inputs", list(a.inputs), list(b.inputs)),
        ("the parameters of", a.owner, b.owner),
    ]
    theirs = b.op.config
    facts += [(k, repr(v), repr(theirs.get(k))) for k, v in a.op.config.items()]
    return facts
