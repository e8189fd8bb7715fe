"""The plan: everything about a run that can be decided before it, as frozen data.

A plan is a list of steps: the forward steps in topological order, then the backward steps in
exactly the reverse order. A position in that list is a number; a value lives from the position
that writes it to the last one that reads it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from dagnet.graph import Graph, ParamKey
from dagnet.node import Shape, is_scaled

Keep = Literal["needed", "all"]
KEEPS: tuple[Keep, ...] = ("needed", "all")

#: What a buffer holds: ``("output", node)``, ``("work", node, name)``, ``("grad", node)`` for the
#: gradient of a node's output, ``("part", node, slot)`` for what a node adds to the gradient of
#: the input in that slot, ``("param_part", node, name)`` likewise for a shared parameter.
BufferKey = tuple[str, str] | tuple[str, str, int] | tuple[str, str, str]

#: Fixed buffers start at multiples of this, as processors read memory.
ALIGNMENT = 64


class Buffer(NamedTuple):
    """Where a value lives. If the shape ends in `"m"`, sizes and offsets are per example."""

    shape: Shape
    dtype: str
    offset: int
    birth: int
    death: int

    @property
    def scaled(self) -> bool:
        return is_scaled(self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What values must have in common to take turns in one place; equal ones are one object.

    `size` counts bytes, per example if `scaled`.
    """

    shape: Shape
    dtype: str
    size: int
    scaled: bool


class Buffers(Mapping[BufferKey, Buffer]):
    """The buffers of a plan, in columns: of very many, few are ever asked for."""

    def __init__(
        self,
        keys: Sequence[BufferKey],
        kinds: Sequence[Kind],
        offsets: Sequence[int],
        births: Sequence[int],
        deaths: Sequence[int],
    ):
        self._rows = {key: row for row, key in enumerate(keys)}
        self._kinds = kinds
        self._offsets = offsets
        self._births = births
        self._deaths = deaths

    def __getitem__(self, key: BufferKey) -> Buffer:
        row = self._rows[key]
        kind, offset = self._kinds[row], self._offsets[row]
        return Buffer(kind.shape, kind.dtype, offset, self._births[row], self._deaths[row])

    def __contains__(self, key: object) -> bool:
        return key in self._rows  # without making a buffer, as a mapping would by itself

    def __iter__(self) -> Iterator[BufferKey]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def places(self) -> Iterator[tuple[BufferKey, Kind, int]]:
        """Return the key, the kind and the offset of every buffer."""
        return zip(self._rows, self._kinds, self._offsets, strict=True)


class Target(NamedTuple):
    """Where a gradient contribution goes: into a buffer, from there copied or added to a total.

    Without a total, `first` says that others will be added to the buffer itself.
    """

    buffer: BufferKey
    total: BufferKey | None = None
    first: bool = False


class ParamTarget(NamedTuple):
    """Where a node's share in a parameter's gradient goes: there, or by a `part` added to it.

    `name` is the op's own for the parameter. The `first` part is copied instead of added.
    """

    name: str
    key: ParamKey
    part: BufferKey | None = None
    first: bool = False


class Step(NamedTuple):
    """One stop of a run. `targets` (one per input) and `params` are for backward steps."""

    name: str
    phase: Literal["forward", "backward"]
    targets: tuple[Target | None, ...] = ()
    params: tuple[ParamTarget, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A graph with its steps and buffers.

    Attributes
    ----------
    graph : Graph
        The lowered graph that runs.
    keep : {"needed", "all"}
        `"needed"`: memory is reused as soon as the ops' `reads` allow. `"all"`: every value and
        gradient survives the run.
    steps : tuple of Step
        Forward, then backward.
    n_forward : int
        How many of the steps are forward.
    buffers : Buffers
        A mapping of BufferKey to Buffer.
    params : mapping
        For each node, its parameters by the op's own names.
    scaled_size, fixed_size : int
        Bytes of the two arenas: per example, and independent of the examples.
    seeds : tuple of (str, bool)
        The losses, whose gradient starts at 1; True where other gradients are added to it.
    dtype : str
    """

    graph: Graph
    keep: Keep
    steps: tuple[Step, ...]
    n_forward: int
    buffers: Buffers
    params: Mapping[str, Mapping[str, ParamKey]]
    scaled_size: int
    fixed_size: int
    seeds: tuple[tuple[str, bool], ...]
    dtype: str

    @property
    def forward(self) -> tuple[Step, ...]:
        return self.steps[: self.n_forward]

    @property
    def backward(self) -> tuple[Step, ...]:
        return self.steps[self.n_forward :]

    @cached_property
    def backward_steps(self) -> dict[str, Step]:
        """The backward step of every node that has one."""
        return {step.name: step for step in self.backward}

    @cached_property
    def backward_positions(self) -> dict[str, int]:
        """The position of every node's backward step."""
        return {step.name: i for i, step in enumerate(self.backward, start=self.n_forward)}

    @cached_property
    def positions(self) -> dict[str, int]:
        """The position of every node's forward step."""
        return {step.name: i for i, step in enumerate(self.forward)}

    @cached_property
    def saving(self) -> frozenset[str]:
        """The nodes that save something besides their output for their backward step."""
        n = self.n_forward
        return frozenset(
            str(key[1])
            for key in self.buffers
            if key[0] == "work" and self.buffers[key].birth < n <= self.buffers[key].death
        )

    @cached_property
    def gradient_positions(self) -> dict[ParamKey, int]:
        """The position at which the last contribution to each parameter's gradient is made."""
        return {
            param.key: position for position, step in enumerate(self.steps) for param in step.params
        }

    def survives(self, key: BufferKey) -> bool:
        """Whether a buffer still holds its value when the run is over."""
        return key in self.buffers and self.buffers[key].death >= len(self.steps)

    def nbytes(self, m: int) -> int:
        """Return the bytes of all buffers for a run of m examples."""
        return self.scaled_size * m + self.fixed_size
