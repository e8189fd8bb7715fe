"""The search for the first bad value of a run, in the order of execution."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dagnet.diagnosis.evidence import Evidence, Reading, Reads, find_evidence
from dagnet.diagnosis.places import Bad, Places, find_places, not_finite
from dagnet.diagnosis.report import Diagnosis
from dagnet.diagnosis.sentences import first_element, made_of
from dagnet.errors import NotKeptError
from dagnet.graph import ParamKey
from dagnet.node import is_scaled
from dagnet.passes import infer_shapes
from dagnet.plan import BufferKey, ParamTarget, Step
from dagnet.statistics_table import StatisticsTable

if TYPE_CHECKING:
    from dagnet.cache import Cache


def diagnose(cache: "Cache", bad: Bad = not_finite) -> Diagnosis | None:
    """Return the first bad value of the last run, or None if none is bad.

    What a step reads comes before what it makes: fed arrays, then parameters, then its output;
    backward, the gradients it sends on, then those of its parameters. Of a run that is not over,
    what is computed so far is looked at; of one that kept only what is needed, what is still there.

    Parameters
    ----------
    cache : Cache
        As ``model.cache``.
    bad : callable
        Takes an array and returns a bool for each element, or one for all. By default, NaN and
        infinity are bad.

    Raises
    ------
    NotKeptError
        If nothing has run, or if the values of the last run are gone.

    Examples
    --------
    >>> import numpy as np, dagnet as dn
    >>> model = dn.mlp([3, 5, 1], seed=1)
    >>> model.params["linear2"]["W"][0, 4] = np.inf
    >>> J = model.forward({"X": np.ones((3, 7)), "Y": np.ones((1, 7))})
    >>> print(diagnose(model.cache).message)
    params.W is inf at [0, 4] before the step that reads it
    """
    return _Search(cache, bad).first()


class _Found(NamedTuple):
    """A value of a node, where it came about; no array if it was not kept.

    `key` is the parameter whose gradient it is, if the sum over several uses is meant.
    """

    phase: str
    node: str
    value: str
    array: np.ndarray | None
    key: ParamKey | None = None


class _Search:
    def __init__(self, cache: "Cache", bad: Bad):
        self._cache = cache
        self._bad = bad
        self._run = cache.run
        self._binding = self._run.binding
        self._plan = self._binding.plan
        self._graph = self._plan.graph
        self._shapes = infer_shapes(self._graph)
        self._seen: set[str | ParamKey] = set()
        self._last_to_send = {
            self._graph.vertices[step.name].inputs[slot]: step.name
            for step in self._plan.backward
            for slot, target in enumerate(step.targets)
            if target is not None
        }
        self._shares = [
            (step.name, param.name, param.key, param.part)
            for step in self._plan.backward
            for param in step.params
        ]
        uses = Counter(key for _, _, key, _ in self._shares)
        self._shared = {key for key, count in uses.items() if count > 1}
        if self._binding.position < 0:
            raise NotKeptError("the values are gone: the run failed, or another took its memory")

    def first(self) -> Diagnosis | None:
        unseen = []
        for position, step in enumerate(self._plan.steps[: self._binding.position]):
            values = self._forward if step.phase == "forward" else self._backward
            for found in values(step):
                if found.array is None:
                    unseen.append(f"{found.node}.{found.value}")
                    continue
                places = find_places(found.array, self._bad, self._has_examples(found))
                if places is not None:
                    made = found.phase in ("forward", "backward")
                    return self._diagnosis(found, places, unseen, position + made)
        return None

    # The values of a step, in the order in which it comes to them.

    def _forward(self, step: Step) -> Iterator[_Found]:
        name = step.name
        for input in self._graph.vertices[name].inputs:
            if self._graph.vertices[input].is_input and self._is_new(input):
                yield _Found("feed", input, "output", self._output(input))
        for local, key in self._plan.params[name].items():
            if self._is_new(key):
                yield _Found("parameters", name, f"params.{local}", self._param(key))
        yield _Found("forward", name, "output", self._output(name))

    def _backward(self, step: Step) -> Iterator[_Found]:
        name = step.name
        for slot, target in enumerate(step.targets):
            if target is not None:
                yield _Found("backward", name, f"grad_inputs.{slot}", self._part(name, slot))
        for total in dict.fromkeys(target.total for target in step.targets if target):
            if total is not None and self._last_to_send[total[1]] == name:
                yield _Found("backward", total[1], "grad_output", self._held(total))
        for param in step.params:
            yield from self._param_gradient(step, param)

    def _param_gradient(self, step: Step, param: ParamTarget) -> Iterator[_Found]:
        """Yield a step's share in a parameter's gradient, and the whole once it is whole."""
        found = _Found("backward", step.name, f"grad_params.{param.name}", None)
        last = self._plan.steps[self._plan.gradient_positions[param.key]] is step
        if param.part is not None or not last:
            yield found._replace(array=self._held(param.part) if param.part else None)
        if last:
            key = param.key if param.key in self._shared else None
            yield found._replace(array=self._run.grads[param.key], key=key)

    def _is_new(self, key: str | ParamKey) -> bool:
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new

    def _held(self, key: BufferKey) -> np.ndarray | None:
        return self._binding.arrays[key] if self._run.holds(key) else None

    def _output(self, name: str) -> np.ndarray | None:
        if self._graph.vertices[name].is_input:
            return self._binding.frames[name].output
        return self._held(("output", name))

    def _param(self, key: ParamKey) -> np.ndarray | None:
        # A run that keeps all has a copy. After another, they may have been updated.
        over = self._binding.position == len(self._plan.steps)
        return None if over and self._plan.keep == "needed" else self._run.params[key]

    def _part(self, name: str, slot: int) -> np.ndarray | None:
        """Return what a node sent to the gradient of an input, unless others were added there."""
        step = self._plan.backward_steps.get(name)
        target = step and step.targets[slot]
        if not target or (target.first and target.total is None):
            return None
        return self._held(target.buffer)

    def _has_examples(self, found: _Found) -> bool:
        group, _, slot = found.value.partition(".")
        if group not in ("output", "grad_output", "grad_inputs"):
            return False
        v = self._graph.vertices[found.node]
        return is_scaled(self._shapes[v.inputs[int(slot)] if slot else v.name])

    # The diagnosis.

    def _diagnosis(
        self, found: _Found, places: Places, unseen: list[str], position: int
    ) -> Diagnosis:
        record = self._cache[found.node]
        evidence: tuple[Evidence, ...] = ()
        readings: tuple[Reading, ...] = ()
        assert found.array is not None  # it was looked at
        if found.phase == "feed":
            message = f"the array that was fed is {first_element(places)}"
        elif found.phase == "parameters":
            message = f"{found.value} is {first_element(places)} before the step that reads it"
        elif found.value == "grad_output" or found.key is not None:
            readings = self._summands(found)
            message = _sum_up(readings, places)
        else:
            reads = self._reads(found)
            readings = reads.all
            evidence = self._evidence(found, places, reads)
            message = self._made(found, places, evidence, readings)
        bad = Reading(found.node, record.kind, found.value, found.array)
        return Diagnosis(
            node=found.node,
            kind=record.kind,
            op=type(record.op).__name__,
            phase=found.phase,
            source=record.source,
            value=found.value,
            places=places,
            message=message,
            evidence=evidence,
            table=StatisticsTable(reading.measured() for reading in (bad, *readings)),
            unseen=tuple(unseen),
            position=position,
        )

    def _made(
        self,
        found: _Found,
        places: Places,
        evidence: tuple[Evidence, ...],
        readings: tuple[Reading, ...],
    ) -> str:
        op = type(self._cache[found.node].op).__name__
        what = op if found.phase == "forward" else f"the backward of {op}"
        skipped = self._run.fused.get(found.node)
        if skipped is not None:
            what += f", computed from the logits before {skipped},"
        assert found.array is not None
        kept = all(reading.array is not None for reading in readings)
        return made_of(what, places, evidence, found.array.dtype, kept)

    def _evidence(self, found: _Found, places: Places, reads: Reads) -> tuple[Evidence, ...]:
        op = self._graph.vertices[found.node].op
        done = self._binding.frames[found.node]
        assert found.array is not None
        examples = self._has_examples(found)
        return find_evidence(op, done, reads, found.value, found.array, places, examples, self._bad)

    def _reads(self, found: _Found) -> Reads:
        """Return what a step read. States may be as the step left them."""
        name = found.node
        v = self._graph.vertices[name]
        inputs = tuple(self._reading(n, "output", self._output(n)) for n in v.inputs)
        params = {
            local: self._reading(name, f"params.{local}", self._param(key))
            for local, key in self._plan.params[name].items()
        }
        frame = self._binding.frames[name]
        others = [self._reading(name, f"state.{n}", a) for n, a in frame.state.items()]
        if found.phase == "backward":
            others.append(self._reading(name, "grad_output", self._held(("grad", name))))
            if "output" in v.op.reads:
                others.append(self._reading(name, "output", self._output(name)))
        return Reads(inputs, params, tuple(others))

    def _summands(self, found: _Found) -> tuple[Reading, ...]:
        """Return the parts of a gradient that several steps add to."""
        if found.key is None:
            return tuple(
                self._reading(reader, f"grad_inputs.{slot}", self._part(reader, slot))
                for reader, slot in self._graph.consumers[found.node]
                if reader in self._plan.backward_steps
            )
        return tuple(
            self._reading(name, f"grad_params.{local}", self._held(part) if part else None)
            for name, local, key, part in self._shares
            if key == found.key
        )

    def _reading(self, node: str, value: str, array: np.ndarray | None) -> Reading:
        return Reading(node, self._graph.vertices[node].op.kind, value, array)


def _sum_up(summands: Sequence[Reading], places: Places) -> str:
    if any(part.array is None for part in summands):
        parts = "gradients of which not all were kept"
    else:
        parts = f"{len(summands)} gradients that are not bad"
    return f"{parts} add up to {first_element(places)}"
