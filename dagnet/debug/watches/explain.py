"""The explanation of an alert, made while the values it is about are there."""

import numpy as np

from dagnet.debug.watches.base import Finding, Watch
from dagnet.debug.watches.sight import Sight
from dagnet.diagnosis import Bad, Diagnosis, diagnose, find_places
from dagnet.node import is_scaled
from dagnet.record import belongs
from dagnet.statistics_table import StatisticsTable, measure

#: What a step read, by its phase: names of values, or of groups of them.
_READ = {
    "forward": ("inputs", "params"),
    "backward": ("grad_output", "inputs", "params"),
    "update": ("params", "grad_params"),
}


def explain(watch: Watch, sight: Sight, finding: Finding) -> Diagnosis:
    """Return where the fault came from, if the watch can tell a bad element; else where it is."""
    bad = watch.bad()
    origin = None if bad is None else diagnose(sight.model.cache, bad)
    return origin or _as_found(sight, finding, bad)


def _as_found(sight: Sight, finding: Finding, bad: Bad | None) -> Diagnosis:
    record, graph = sight.record, sight.model.graph
    what = finding.what
    is_new = what in sight.made
    array = sight.array(what) if is_new else record.array(what)

    bad = bad or (_rows(finding.units) if finding.units else None)
    examples = what == "output" and is_scaled(sight.model.shapes[sight.node])
    places = None if bad is None else find_places(array, bad, examples)
    read = _READ[sight.phase]
    others = [name for name in record.names if name != what and belongs(name, read)]
    return Diagnosis(
        node=sight.node,
        kind=record.kind,
        op=type(record.op).__name__,
        phase="feed" if graph.vertices[sight.node].is_input else sight.phase,
        source=record.source,
        value=what,
        places=places,
        message=finding.message,
        evidence=(),
        table=StatisticsTable(
            [
                measure(sight.node, record.kind, what, lambda: array),
                *(record.measured(name) for name in others),
            ]
        ),
        position=sight.position,
    )


def _rows(units: tuple[int, ...]) -> Bad:
    """Return what makes every element of these units bad."""

    def bad(array: np.ndarray) -> np.ndarray:
        is_unit = np.isin(np.arange(array.shape[0]), units)
        return is_unit.reshape(-1, *(1,) * (array.ndim - 1))

    return bad
