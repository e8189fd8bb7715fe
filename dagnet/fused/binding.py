"""A plan bound to memory whose steps run in as few calls as can be."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from dagnet.executors import Call
from dagnet.fused.instructions import Written, backward, collect, forward
from dagnet.fused.program import Program, runs
from dagnet.graph import Graph
from dagnet.plan import Step
from dagnet.scheduler import Binding

_Layout = tuple[np.dtype, tuple[int, ...], bool]


def _layout(array: np.ndarray) -> _Layout:
    return array.dtype, array.strides, array.flags.aligned


class FusedBinding(Binding):
    """A binding whose `forward_calls` and `backward_calls` run programs, where they can.

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
        self._programs: list[Program] = []
        self._views: dict[str, np.ndarray] = {}
        #: How each input lay in memory when the programs were written.
        self._layouts: dict[str, _Layout] = {}
        self._moved: set[str] = set()

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
            if _layout(array) != self._layouts.get(name):
                self._write()
                break
            for program in self._programs:
                program.move(name, array.ctypes.data)
        self._moved.clear()

    def _write(self) -> None:
        """Write the programs anew."""
        fed = {name: self.frames[name].output for name in self.plan.graph.inputs}
        self._layouts = {name: _layout(array) for name, array in fed.items()}
        # The same array may be fed twice, and only one of the two move later: views differ.
        self._views = {name: array.view() for name, array in fed.items()}
        self._programs = []
        for name, view in self._views.items():
            super().show(name, view)
        self.forward_calls = self._fuse(self.forward, self._forward_work)
        self.backward_calls = self._fuse(self.backward, self._backward_work)
        self._views = {}
        for name, array in fed.items():
            super().show(name, array)

    def _fuse(
        self,
        steps: Iterable[tuple[Step, list[Call]]],
        work: Callable[[Step], Written | None],
    ) -> list[Call]:
        """Return the calls for some steps: a program's for each stretch of instructions."""
        calls: list[Call] = []
        stretch: Written = []
        for step, own in steps:
            groups = work(step)
            if groups is not None and all(runs(i, self._dtype) for them in groups for i in them):
                stretch += groups
                continue
            calls += self._program(stretch)
            calls += own
            stretch = []
        return calls + self._program(stretch)

    def _program(self, stretch: Written) -> list[Call]:
        if not any(stretch):
            return []
        self._programs.append(Program(stretch, self._views, self._dtype))
        return [self._programs[-1].call]

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
