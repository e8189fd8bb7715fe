"""What a watch is: a condition on the values of a node, and how often it must hold to be told."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, dataclass_transform

from dagnet.bounds import check_not_negative, check_size
from dagnet.debug.places import Phase
from dagnet.debug.watches.sight import Sight
from dagnet.diagnosis import Bad
from dagnet.graph import Vertex
from dagnet.model import Model


@dataclass(frozen=True)
class Finding:
    """What a watch found at a node in one training step.

    Attributes
    ----------
    message : str
        A sentence with what was measured and the threshold.
    value, threshold : float or None
    what : str
        Which value of the node it is about: ``"output"``, ``"grad_params.W"``.
    units : tuple of int
        Units it is about, if not all: places on axis 0.
    """

    message: str
    value: float | None = None
    threshold: float | None = None
    what: str = "output"
    units: tuple[int, ...] = ()


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
@dataclass(frozen=True)
class Watch(ABC):
    """Base class of every watch. Subclasses become frozen dataclasses by themselves.

    A watch of your own needs `look`; its thresholds are fields with a default, positive numbers.

    Parameters
    ----------
    over : int
        In how many training steps in a row the condition must hold before it is told.

    Class attributes
    ----------------
    name : str
        What alerts call it; by default made of the class's name, ``"too large"`` of `TooLarge`.
    phases : tuple of {"forward", "backward", "update"}
        When it looks.
    kinds : frozenset of str or None
        Kinds of nodes that it looks at; None for all.
    formula, remedy : str
        For the documentation: the condition, and what to do about it.

    Examples
    --------
    >>> import numpy as np, dagnet as dn
    >>> class TooLarge(dn.watches.Watch):
    ...     limit: float = 10.0
    ...
    ...     def look(self, sight):
    ...         largest = sight.facts().largest
    ...         if largest > self.limit:
    ...             return dn.watches.Finding(f"{largest:g} > {self.limit:g}", largest, self.limit)
    >>> model = dn.mlp([3, 5, 1], seed=1)
    >>> debugger = dn.Debugger(model, {"X": np.full((3, 7), 100.0), "Y": np.ones((1, 7))})
    >>> debugger.watch(TooLarge(limit=99), kind="input")
    <watch 1: TooLarge(limit=99) at X, Y, stops>
    >>> debugger.run().alerts[0].message
    '100 > 99'
    """

    over: int = field(default=1, kw_only=True)

    name: ClassVar[str]
    phases: ClassVar[tuple[Phase, ...]] = ("forward",)
    kinds: ClassVar[frozenset[str] | None] = None
    formula: ClassVar[str] = ""
    remedy: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in vars(cls):
            cls.name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__).lower()
        dataclass(frozen=True, repr=False)(cls)

    def __post_init__(self) -> None:
        check_size(self.over, f"{type(self).__name__}: over")
        for each in fields(self):
            if each.name != "over":
                check_not_negative(getattr(self, each.name), f"{type(self).__name__}: {each.name}")

    def __repr__(self) -> str:
        """Show what differs from the defaults."""
        given = [
            f"{each.name}={getattr(self, each.name)!r}"
            for each in fields(self)
            if getattr(self, each.name) != each.default
        ]
        return f"{type(self).__name__}({', '.join(given)})"

    @property
    def in_a_row(self) -> int:
        """In how many steps in a row `look` must find something: `over`, unless `look` counts."""
        return self.over

    def applies(self, vertex: Vertex, model: Model) -> bool:
        """Return whether it looks at this node."""
        return self.kinds is None or vertex.op.kind in self.kinds

    @abstractmethod
    def look(self, sight: Sight) -> Finding | None:
        """Return what is wrong with the node as it is seen now; None if nothing."""

    def bad(self) -> Bad | None:
        """Return what makes an element bad, to search where it came from; None if one does not."""
        return None


def is_hidden(vertex: Vertex, model: Model) -> bool:
    """Return whether only other layers read a node: no loss does, and it is no output."""
    readers = [model.graph.vertices[name] for name, _ in model.graph.consumers[vertex.name]]
    return bool(readers) and all(reader.op.kind != "loss" for reader in readers)


def has_weights(vertex: Vertex, model: Model) -> bool:
    """Return whether a node multiplies by weights."""
    keys = model.keys[vertex.name].values()
    return vertex.op.kind != "penalty" and any(model.store.parameters[k].is_weight for k in keys)


def listed(units: tuple[int, ...], shown: int = 8) -> str:
    """Return the numbers of units as text.

    >>> listed((4,)), listed((0, 2, 5), shown=2)
    ('unit 4', 'units 0, 2, ...')
    """
    more = ", ..." if len(units) > shown else ""
    return f"unit{'s' if len(units) > 1 else ''} {', '.join(map(str, units[:shown]))}{more}"
