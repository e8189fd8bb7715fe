"""What can be laid over a drawing by its name: numbers of the definition and of the last run."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import hypot

import numpy as np

from dagnet.cache import Record
from dagnet.errors import NotKeptError, UnknownNameError
from dagnet.graph import Graph
from dagnet.model import Model
from dagnet.passes.gradients import needs_gradient
from dagnet.passes.shapes import infer_shapes
from dagnet.profiling import Profile
from dagnet.profiling.nodes import last_step, node_bytes, node_seconds
from dagnet.render.facts import Facts
from dagnet.render.overlay import Overlay
from dagnet.statistics import Statistics, statistics


@dataclass(frozen=True)
class Subject:
    """A graph, and the model whose last run is looked at, if there is one."""

    graph: Graph
    model: Model | None

    def ran(self) -> Model:
        """Return the model, or raise if nothing of it has run."""
        if self.model is None:
            raise NotKeptError("only the graph was given, and no model that has run")
        _ = self.model.cache.run
        return self.model

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all values; for one example if nothing has run."""
        try:
            m = self.ran().cache.run.binding.m
        except NotKeptError:
            m = 1
        return {
            name: tuple(m if isinstance(d, str) else d for d in shape)
            for name, shape in infer_shapes(self.graph).items()
        }


def measured(name: str, graph: Graph, model: Model | None) -> Overlay:
    """Return an overlay by its name.

    Parameters
    ----------
    name : str
        One of `MEASURES`.
    graph : Graph
    model : Model or None
        Of this graph; its last run is looked at.

    Returns
    -------
    Overlay
        Without values, and with a note that says why, if the model has not run so far.

    Raises
    ------
    UnknownNameError
        If there is no such overlay.
    """
    if name not in MEASURES:
        raise UnknownNameError.of("overlay", name, MEASURES)
    measure, empty = MEASURES[name]
    try:
        return replace(empty, values=dict(measure(Subject(graph, model))))
    except NotKeptError as error:
        return replace(empty, note=str(error))


def profiled(profile: Profile) -> Overlay:
    """Return the overlay ``"limit"`` of a profile, so that nothing is measured anew."""
    return replace(MEASURES["limit"][1], values=profile.node_shares)


Pairs = Iterator[tuple[str, float]]


def _parameters(subject: Subject) -> Pairs:
    facts = Facts(subject.graph)
    for v in subject.graph.vertices.values():
        if facts.parameters(v) and facts.first_use[v.owner] == v.name:
            yield v.name, float(facts.total([v]))


def _flops(subject: Subject) -> Pairs:
    shapes = subject.shapes()
    for v in subject.graph.vertices.values():
        if not v.is_input:
            yield v.name, float(v.op.flops(*(shapes[n] for n in v.inputs)))


def _time(subject: Subject) -> Pairs:
    model = subject.ran()
    yield from node_seconds(model, model.cache).items()


def _limit(subject: Subject) -> Pairs:
    model = subject.ran()
    yield from last_step(model, model.cache).node_shares.items()


def _bytes(subject: Subject) -> Pairs:
    model = subject.ran()
    totals = node_bytes(model.cache)
    yield from ((name, float(totals[name])) for name in model.graph if name in totals)


def _of_outputs(read: Callable[[Statistics], float]) -> Callable[[Subject], Pairs]:
    def measure(subject: Subject) -> Pairs:
        for name, record in subject.ran().cache.items():
            yield name, read(statistics(record.output))

    return measure


def _gradient_norms(subject: Subject) -> Pairs:
    model = subject.ran()
    trained = [name for name, keys in model.keys.items() if keys]
    flowing = needs_gradient(model.graph, trained)
    for name in model.graph:
        if name in flowing:
            yield name, statistics(model.cache[name].grad_output).norm


def _update_ratios(subject: Subject) -> Pairs:
    """Compare the parameters that the last run used with those that the model has now."""
    model = subject.ran()
    ratios = {}
    owners: set[str] = set()
    for name, record in model.cache.items():
        owner = model.graph.vertices[name].owner
        if owner in model.params and owner not in owners:
            owners.add(owner)
            ratios[name] = _update_ratio(record, model.params[owner])
    if not any(ratios.values()):
        raise NotKeptError(
            "no update since the last run: model.train_step(feeds, optimizer, keep='all') makes one"
        )
    yield from ratios.items()


def _update_ratio(record: Record, after: Mapping[str, np.ndarray]) -> float:
    change = size = 0.0
    for key, array in after.items():
        before = record.params[key]
        change = hypot(change, statistics(array - before).norm)
        size = hypot(size, statistics(before).norm)
    return change / size if size else float("nan")


Measure = Callable[[Subject], Pairs]

#: By name: how it is measured, and the overlay without values.
MEASURES: dict[str, tuple[Measure, Overlay]] = {
    "parameters": (_parameters, Overlay("parameters", unit="count", scale="log", total=True)),
    "flops": (_flops, Overlay("flops, forward", unit="count", scale="log", total=True)),
    "time": (_time, Overlay("time, forward and backward", unit="s", scale="log", total=True)),
    "bytes": (_bytes, Overlay("bytes of values and gradients", unit="B", scale="log", total=True)),
    "limit": (_limit, Overlay("share of the machine's limit", unit="%", worst="least")),
    "mean": (_of_outputs(lambda s: s.mean), Overlay("mean of the output", worst="odd")),
    "std": (
        _of_outputs(lambda s: s.std),
        Overlay("standard deviation of the output", scale="log", worst="odd"),
    ),
    "max": (
        _of_outputs(lambda s: max(abs(s.min), abs(s.max))),
        Overlay("largest magnitude in the output", scale="log"),
    ),
    "zeros": (_of_outputs(lambda s: s.zeros), Overlay("share of zeros in the output", unit="%")),
    "grad_norm": (
        _gradient_norms,
        Overlay("norm of the gradient", scale="log", worst="odd"),
    ),
    "update_ratio": (
        _update_ratios,
        Overlay("norm of the update / norm of the weights", scale="log", worst="odd"),
    ),
}
