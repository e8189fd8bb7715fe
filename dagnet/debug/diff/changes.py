"""What differs in the definitions of two nodes that correspond."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from dagnet.debug.diff.align import Alignment
from dagnet.debug.diff.places import class_name
from dagnet.graph import Graph, ParamKey, Vertex
from dagnet.node import Source, format_shape
from dagnet.ops.base import Op
from dagnet.passes import infer_shapes
from dagnet.passes.configs import comparable
from dagnet.passes.parameters import keeps_arrays


@dataclass(frozen=True)
class Change:
    """A node that both graphs have, but not with the same definition.

    Attributes
    ----------
    node, other : str
        Its names in the two graphs.
    what : tuple of str
        What was changed: ``"units 5 -> 7"``, ``"ReLU -> Tanh"``.
    sources : tuple of (Source or None)
        The lines that made the two.
    """

    node: str
    other: str
    what: tuple[str, ...]
    sources: tuple[Source | None, Source | None]


def changes(alignment: Alignment) -> tuple[Change, ...]:
    """Return every changed node, in execution order.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet.debug.diff.align import align
    >>> a, b = (dn.mlp([5, units, 1], hidden=g).graph for units, g in ((3, "relu"), (7, "tanh")))
    >>> for change in changes(align(a, b)):
    ...     print(change.node, change.other, change.what)
    linear1 linear1 ('units 3 -> 7',)
    relu1 tanh1 ('ReLU -> Tanh',)
    """
    comparison = _Comparison(alignment)
    found = []
    for name, other in alignment.image.items():
        v, w = alignment.a.vertices[name], alignment.b.vertices[other]
        what = tuple(comparison.of(v, w))
        if what:
            found.append(Change(name, other, what, (v.source, w.source)))
    return tuple(found)


class _Comparison:
    def __init__(self, alignment: Alignment):
        self._image = alignment.image
        self._paired = set(alignment.image.values())
        self._shapes = infer_shapes(alignment.a), infer_shapes(alignment.b)
        self._roles_of = _roles(alignment.a), _roles(alignment.b)

    def of(self, v: Vertex, w: Vertex) -> Iterator[str]:
        """Yield what differs between two vertices."""
        yield from _ops(v.op, w.op)
        yield from self._wiring(v, w)
        yield from self._sharing(v, w)
        yield from self._roles(v, w)

    def _wiring(self, v: Vertex, w: Vertex) -> Iterator[str]:
        if len(v.inputs) != len(w.inputs):
            yield f"{len(v.inputs)} inputs -> {len(w.inputs)}"
        for slot, (name, other) in enumerate(zip_longest(v.inputs, w.inputs)):
            # Where one of the two was added or removed, this is said there.
            if name in self._image and other in self._paired and self._image[name] != other:
                yield f"input {slot} from {name} -> {other}"

    def _sharing(self, v: Vertex, w: Vertex) -> Iterator[str]:
        owners = [
            u.owner if u.owner != u.name and keeps_arrays(u, shapes) else None
            for u, shapes in zip((v, w), self._shapes, strict=True)
        ]
        here, there = owners
        if here is not None and there is not None:
            same = self._image.get(here, there) == there
        else:
            same = here is there
        if not same:
            yield f"parameters {_whose(here)} -> {_whose(there)}"
        lent = [self._image[owner] for owner in _lenders(v.borrows) if owner in self._image]
        borrowed = [owner for owner in _lenders(w.borrows) if owner in self._paired]
        if set(lent) != set(borrowed):
            yield "over other weights"

    def _roles(self, v: Vertex, w: Vertex) -> Iterator[str]:
        here, there = (
            " and ".join(role for role, names in roles.items() if u.name in names) or "neither"
            for u, roles in zip((v, w), self._roles_of, strict=True)
        )
        if here != there:
            yield f"{here} -> {there}"


def _ops(op: Op, other: Op) -> Iterator[str]:
    if op is other:
        return
    if class_name(op) != class_name(other):
        here, there = type(op).__name__, type(other).__name__
        if here == there:
            here, there = class_name(op), class_name(other)
        yield f"{here} -> {there}"
        return
    for name, value in op.config.items():
        if comparable(value) != comparable(other.config.get(name)):
            yield f"{name} {_shown(value)} -> {_shown(other.config.get(name))}"


def _shown(value: object) -> object:
    """Return a hyperparameter as it reads best: a shape as elsewhere, ``(3, m)``."""
    return format_shape(value) if isinstance(value, tuple) else value


def _whose(owner: str | None) -> str:
    return "of its own" if owner is None else f"of {owner}"


def _lenders(borrows: tuple[ParamKey, ...]) -> list[str]:
    return [owner for owner, _ in borrows]


def _roles(graph: Graph) -> dict[str, frozenset[str]]:
    return {"a loss": frozenset(graph.losses), "an output": frozenset(graph.outputs)}
