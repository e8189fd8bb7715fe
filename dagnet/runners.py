"""Runners: the ways a model runs, each with its lowered graph, plan, scheduler and feed check."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dagnet.binding import Binding
from dagnet.errors import FeedTypeError, GraphError
from dagnet.feeds import CheckedFeeds, Feeder, feed_rules
from dagnet.garbage import collection_paused
from dagnet.graph import Graph, ParamKey
from dagnet.node import Shape, is_scaled
from dagnet.parameters import ParameterStore
from dagnet.passes import (
    for_prediction,
    fuse_logits,
    fused_activations,
    measured_scalars,
    prune,
    quiet_branches,
)
from dagnet.plan import KEEPS, Keep
from dagnet.planner import make_plan
from dagnet.scheduler import Scheduler
from dagnet.settings import check_choice
from dagnet.stored import BLOCK_BYTES


@dataclass(frozen=True)
class Runner:
    """A scheduler with the check of its feeds.

    Attributes
    ----------
    scheduler : Scheduler
    feeder : Feeder
    fused : mapping of str to str
        For each loss computed from logits, the activation it skips.
    """

    scheduler: Scheduler
    feeder: Feeder
    fused: Mapping[str, str]

    def begin(self, feeds: Mapping[str, Any]) -> Binding:
        """Check the feeds and put them in place for a run."""
        return self.scheduler.begin(*self.feeder(feeds))

    def forward(self, feeds: Mapping[str, Any]) -> Binding:
        """Check the feeds anew and run all forward steps on them."""
        binding = self.scheduler.begin(*self.feeder.check(feeds))
        with np.errstate(all="ignore"):
            self.scheduler.forward(binding)
        return binding

    def blocks(self, feeds: Mapping[str, Any], m: int) -> Iterator[tuple[slice, CheckedFeeds]]:
        """Read checked feeds some of which are streams, block by block, each into the same arrays.

        How many examples are in a block follows from the bytes that each takes in the run.
        """
        from dagnet.streams import Gatherer, Stream  # here, because only reading files needs it

        plan = self.scheduler.plan
        scaled = {name for name in feeds if is_scaled(plan.graph.vertices[name].op.output_shape())}
        streams = [source for source in feeds.values() if isinstance(source, Stream)]
        taken = plan.scaled_size + sum(stream.example_bytes for stream in streams)
        length = min(m, max(1, BLOCK_BYTES // max(1, taken)))  # a run may have no examples
        gather = Gatherer(feeds, scaled)
        for start in range(0, m, length):
            which = slice(start, min(start + length, m))
            yield which, gather(which)


class Runners:
    """The runners of one graph, each made when first used."""

    def __init__(
        self,
        graph: Graph,
        shapes: Mapping[str, Shape],
        store: ParameterStore,
        states: Mapping[ParamKey, np.ndarray],
        rng: np.random.Generator,
        check_finite: bool,
        binding: type[Binding] = Binding,
    ):
        self._binding = binding
        self._graph = graph
        self._shapes = shapes
        self._store = store
        self._states = states
        self._rng = rng
        self._check_finite = check_finite
        self._training: dict[tuple[str, frozenset[str]], Runner] = {}

    def training(self, keep: Keep, apart: frozenset[str] = frozenset()) -> Runner:
        """Forward and backward, in training mode, keeping what is needed or all.

        `apart` names activations that no loss skips.
        """
        runner = self._training.get((keep, apart)) if isinstance(keep, str) else None
        if runner is None:
            if not isinstance(keep, str):  # mostly, a second array
                names = ", ".join(f"{name!r}: ..." for name in self._graph.inputs)
                raise FeedTypeError(
                    f"keep must be 'all' or 'needed', not {type(keep).__name__}; "
                    f"arrays are fed in one dict: {{{names}}}"
                )
            check_choice("way to keep values", keep, KEEPS)
            with collection_paused():
                lowered = quiet_branches(fuse_logits(self._with_losses(), apart))
                fused = fused_activations(self._graph, lowered)
                if keep == "needed":
                    lowered = prune(lowered, lowered.losses, ())
                # Both ways take the same feeds, whether or not a branch of the outputs runs.
                runner = self._runner(lowered, self._graph.inputs, fused, keep=keep)
            self._training[keep, apart] = runner
        return runner

    @cached_property
    def predicting(self) -> Runner:
        """Forward to the outputs, in prediction mode."""
        with collection_paused():
            graph = prune(for_prediction(self._graph), (), self._graph.outputs)
            return self._forward_only(graph)

    @cached_property
    def evaluating(self) -> Runner:
        """Forward to the outputs and the losses, in prediction mode."""
        with collection_paused():
            return self._forward_only(fuse_logits(for_prediction(self._with_losses())))

    def _forward_only(self, graph: Graph) -> Runner:
        """Return how a graph runs that keeps its outputs and what `Totals` reads."""
        wanted = dict.fromkeys([*graph.outputs, *measured_scalars(graph, self._shapes)])
        kept = graph.replace(outputs=tuple(wanted))
        return self._runner(kept, graph.inputs, backward=False)

    def _with_losses(self) -> Graph:
        if not self._graph.losses:
            raise GraphError("the model has no cost: it can predict, but not train")
        return self._graph

    def _runner(
        self,
        graph: Graph,
        inputs: Iterable[str],
        fused: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Runner:
        dtype = str(self._store.data.dtype)
        plan = make_plan(self._binding.lower(graph), dtype=dtype, **options)
        # The rules come from the graph as defined: fusion must not change what may be fed.
        feeder = Feeder(feed_rules(self._graph, inputs), dtype, self._check_finite)
        scheduler = Scheduler(plan, self._store, self._states, self._rng, self._binding)
        return Runner(scheduler, feeder, fused or {})


def binding_of(executor: str) -> type[Binding]:
    """Return how an executor binds plans to memory."""
    if executor != "fused":
        return Binding
    from dagnet.fused import FusedBinding  # here, because it loads LLVM

    return FusedBinding
