"""A plan bound to memory whose steps run in as few calls as can be."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np

from dagnet.binding import Binding
from dagnet.executors import Call
from dagnet.fused.instructions import Written, collect
from dagnet.fused.program import Program, runs
from dagnet.fused.writers import backward, forward
from dagnet.graph import Graph
from dagnet.plan import Step

#: The calls of a step and, where there are, instructions for the same.
Work = tuple[list[Call], Written | None]


class FusedBinding(Binding):
    """A binding whose calls for a whole pass run programs, where they can.

    `forward` and `backward`, step by step for hooks and the debugger, are the calls of numpy that
    they always are; both write the same buffers.
    """

    @staticmethod
    def lower(graph: Graph) -> Graph:
        """Return the graph as it is: products of any size are cut where programs are written."""
        return graph

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self._dtype = np.dtype(self.plan.dtype)
        self._one = np.ones((), self._dtype)
        self._programs: list[Program] = []
        #: How each input lay in memory when the programs were written.
        self._layouts: dict[str, tuple[np.dtype, tuple[int, ...], bool]] = {}
        self._moved: set[str] = set()

    @cached_property
    def forward_calls(self) -> list[Call]:
        return self._fuse(self._forward_pass)

    @cached_property
    def backward_calls(self) -> list[Call]:
        return self._fuse(self._backward_pass)

    @cached_property
    def training_calls(self) -> list[Call]:
        seeds = [[collect(self.arrays[key], self._one, first=True)] for key, _ in self.seeds()]
        return self._fuse(
            lambda: [*self._forward_pass(), (self.seeding, seeds), *self._backward_pass()]
        )

    def feed(self, feeds: Mapping[str, np.ndarray]) -> None:
        super().feed(feeds)
        if self._moved:
            self._follow()

    def replace(self, name: str, array: np.ndarray) -> None:
        super().replace(name, array)
        self._follow()

    def show(self, name: str, array: np.ndarray) -> None:
        super().show(name, array)
        self._moved.add(name)

    def _follow(self) -> None:
        """Let the programs read the inputs where they are now."""
        for name in self._moved:
            array = self.frames[name].output
            layout = array.dtype, array.strides, array.flags.aligned
            if self._layouts.get(name) != layout:
                self._layouts[name] = layout
                self._forget()
            if self._programs:
                address = array.ctypes.data
                for program in self._programs:
                    program.move(name, address)
        self._moved.clear()

    def _forget(self) -> None:
        """Forget all programs: they will be written anew when they are needed."""
        self._programs = []
        for name in ("forward_calls", "backward_calls", "training_calls"):
            self.__dict__.pop(name, None)

    def _fuse(self, work: Callable[[], list[Work]]) -> list[Call]:
        """Return the calls for some steps, a program's for each stretch of instructions."""
        calls: list[Call] = []
        stretch: Written = []
        with self._inputs_apart() as inputs:
            for own, groups in work():
                if groups is not None and runs(groups, self._dtype):
                    stretch += groups
                    continue
                calls += self._program(stretch, inputs)
                calls += own
                stretch = []
            return calls + self._program(stretch, inputs)

    @contextmanager
    def _inputs_apart(self) -> Iterator[dict[str, np.ndarray]]:
        """Show each input by an object of its own: the same array may be fed twice, and only one
        of the two move later."""
        fed = {name: self.frames[name].output for name in self.plan.graph.inputs}
        apart = {name: array.view() for name, array in fed.items()}
        for name, array in apart.items():
            super().show(name, array)
        yield apart
        for name, array in fed.items():
            super().show(name, array)

    def _program(self, stretch: Written, inputs: Mapping[str, np.ndarray]) -> list[Call]:
        if not any(stretch):
            return []
        self._programs.append(Program(stretch, inputs, self._dtype))
        return [self._programs[-1].call]

    def _forward_pass(self) -> list[Work]:
        return [(calls, self._forward_work(step)) for step, calls in self.forward]

    def _backward_pass(self) -> list[Work]:
        return [(calls, self._backward_work(step)) for step, calls in self.backward]

    def _forward_work(self, step: Step) -> Written | None:
        return forward(self.plan.graph.vertices[step.name].op, self.frames[step.name])

    def _backward_work(self, step: Step) -> Written | None:
        written = backward(self.plan.graph.vertices[step.name].op, self.frames[step.name])
        if written is None:
            return None
        # One after the other: several may be added to one total.
        added = [
            [collect(self.arrays[t.total], self.arrays[t.buffer], t.first)]
            for t in step.targets
            if t is not None and t.total is not None
        ]
        added += [
            [collect(self.grads[p.key], self.arrays[p.part], p.first)]
            for p in step.params
            if p.part is not None
        ]
        return written + added
