"""The backward pass on a drawing: an arrow against every one along which a gradient flows."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from dagnet.errors import NotKeptError
from dagnet.graph import Graph
from dagnet.model import Model
from dagnet.node import format_shape
from dagnet.passes.gradients import needs_gradient
from dagnet.passes.shapes import infer_shapes
from dagnet.render.drawing import Arrow, Drawing, Use
from dagnet.render.facts import Facts
from dagnet.render.words import ENGLISH, Words
from dagnet.statistics import statistics

_MEANING = "arrows with open heads: gradients of the cost, in reverse order"


def with_gradients(
    drawing: Drawing, graph: Graph, model: Model | None, words: Words = ENGLISH
) -> Drawing:
    """Return the drawing with the backward pass: with norms, if the model has gone backward.

    Parameters
    ----------
    drawing : Drawing
    graph : Graph
    model : Model or None
        Of this graph.
    words : Words
        What texts are written in.
    """
    flow = _Flow(graph, model, words)
    arrows = [new for arrow in drawing.arrows for new in (arrow, *flow.against(arrow))]
    meaning = words(_MEANING)
    note = (
        words("{}; no norms: {}", meaning, flow.missing)
        if flow.missing
        else words("{}, with their norms", meaning)
    )
    return replace(drawing, arrows=tuple(arrows), notes=(*drawing.notes, note))


class _Flow:
    """Where gradients flow, and how large they are."""

    def __init__(self, graph: Graph, model: Model | None, words: Words):
        self._graph = graph
        self._words = words
        self._shapes = infer_shapes(graph)
        facts = Facts(graph)
        trained = [v.name for v in graph.vertices.values() if facts.parameters(v)]
        self._wanted = needs_gradient(graph, trained)
        #: Why there are no norms; empty if there are.
        self.missing = ""
        self._grad_inputs = cache(lambda name: model.cache[name].grad_inputs) if model else None
        if model is None:
            self.missing = "only the graph was given"
            return
        try:
            for name in graph.losses:
                self._grad_inputs(name)  # type: ignore[misc]
        except NotKeptError as error:
            self.missing = str(error)

    def against(self, arrow: Arrow) -> Iterator[Arrow]:
        """Yield the arrow of the gradient that comes back along a forward one."""
        uses = [use for use in arrow.uses if self._flows(use)]
        if not uses:
            return
        norms = [] if self.missing else [n for n in map(self._norm, uses) if n is not None]
        use = uses[0]
        shape = format_shape(self._shapes[use.value])
        lines = [f"{use.reader} → {use.value}", self._words("gradient {}", shape)]
        text = _range(norms)
        yield Arrow(
            key=f"{arrow.key}~gradient",
            tail=arrow.head,
            head=arrow.tail,
            kind="gradient",
            tooltip="\n".join([*lines, *[self._words("norm {}", text)] * bool(norms)]),
            label=text,
            out_of=arrow.into,
        )

    def _flows(self, use: Use) -> bool:
        v = self._graph.vertices[use.reader]
        return (
            use.reader in self._wanted
            and use.value in self._wanted
            and use.slot not in v.op.constant_inputs
        )

    def _norm(self, use: Use) -> float | None:
        gradient = self._grad_inputs(use.reader)[use.slot]  # type: ignore[misc]
        return None if gradient is None else statistics(gradient).norm


def _range(norms: list[float]) -> str:
    if not norms:
        return ""
    low, high = (f"{f(norms):.2g}" for f in (min, max))
    return low if low == high else f"{low} … {high}"
