"""A record: the arrays of one node in the last run, by name."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from dagnet.errors import NotKeptError, UnknownNameError
from dagnet.graph import Vertex
from dagnet.node import Source
from dagnet.run import read_only
from dagnet.statistics_table import Entry, StatisticsTable, measure

if TYPE_CHECKING:
    from dagnet.cache import Cache

#: The attributes of a record that hold arrays, in the order of a run: how names of values begin.
GROUPS = (
    "inputs",
    "output",
    "params",
    "state",
    "saved",
    "grad_output",
    "grad_inputs",
    "grad_params",
)


class Record:
    """The arrays of one node in the last run, as read-only views.

    Attributes
    ----------
    name, kind : str
    source : Source or None
    inputs : tuple of ndarray
    output : ndarray
    params, state, saved : dict of ndarray
        Parameters, untrained state, and what the op kept for its backward, such as a mask.
    grad_output : ndarray
        Gradient of the cost J with respect to the output.
    grad_inputs : tuple of (ndarray or None)
        What this node contributes to the gradient of each of its inputs; None for labels.
    grad_params : dict of ndarray
        Gradient of J with respect to the parameters, summed over all uses of a shared one.

    Notes
    -----
    The arrays are views: the next run overwrites them. Copy what you want to keep. Each has a name,
    of its attribute and its key there: ``"output"``, ``"inputs.0"``, ``"grad_params.W"``. Printing
    the record shows them all in a table.

    Examples
    --------
    >>> import numpy as np, dagnet as dn
    >>> model = dn.mlp([3, 5, 1], seed=1)
    >>> J = model.forward({"X": np.ones((3, 7)), "Y": np.ones((1, 7))})
    >>> record = model.cache["linear1"]
    >>> {name: array.shape for name, array in record.arrays().items()}
    {'inputs.0': (3, 7), 'output': (5, 7), 'params.W': (5, 3), 'params.b': (5, 1)}
    >>> record.array("params.b").shape
    (5, 1)
    """

    def __init__(self, cache: "Cache", vertex: Vertex):
        self._cache = cache
        self._vertex = vertex
        self.name = vertex.name
        self.kind = vertex.op.kind
        self.op = vertex.op
        self.source: Source | None = vertex.source

    def __repr__(self) -> str:
        return f"<Record of {self._vertex.label}: {self.kind}>"

    def __str__(self) -> str:
        return str(self.statistics())

    def _repr_html_(self) -> str:
        return self.statistics()._repr_html_()

    @property
    def inputs(self) -> tuple[np.ndarray, ...]:
        return tuple(self._cache.output(name) for name in self._vertex.inputs)

    @property
    def output(self) -> np.ndarray:
        return self._cache.output(self.name)

    @property
    def params(self) -> dict[str, np.ndarray]:
        return self._cache.named_params(self.name, self._cache.run.params)

    @property
    def state(self) -> dict[str, np.ndarray]:
        frame = self._cache.frame(self.name)
        return {name: read_only(array) for name, array in frame.state.items()} if frame else {}

    @property
    def saved(self) -> dict[str, np.ndarray]:
        frame = self._cache.frame(self.name)
        return {
            name: read_only(array)
            for name, array in (frame.work.items() if frame else ())
            if self._cache.run.holds(("work", self.name, name))
        }

    @property
    def grad_output(self) -> np.ndarray:
        return self._cache.grad_output(self.name)

    @property
    def grad_inputs(self) -> tuple[np.ndarray | None, ...]:
        slots = range(len(self._vertex.inputs))
        return tuple(self._cache.grad_input(self.name, slot) for slot in slots)

    @property
    def grad_params(self) -> dict[str, np.ndarray]:
        self._cache.run.require_params_gradient(self.name)
        return self._cache.named_params(self.name, self._cache.run.grads)

    @property
    def names(self) -> list[str]:
        """The names of all arrays that the node has, whether or not they can be read now."""
        keys: dict[str, Iterable[object]] = {
            "inputs": range(len(self._vertex.inputs)),
            "params": self._cache.run.keys[self.name],
            "state": self.state,
            "saved": self._cache.saved_names(self.name),
        }
        keys |= {"grad_inputs": keys["inputs"], "grad_params": keys["params"]}
        return [
            name
            for group in GROUPS
            for name in ([f"{group}.{key}" for key in keys[group]] if group in keys else [group])
        ]

    def array(self, name: str) -> np.ndarray:
        """Return the array of a name such as ``"grad_params.W"``.

        Raises
        ------
        UnknownNameError
            If the node has no such array; the message offers the nearest names.
        NotKeptError
            If it cannot be read now.
        """
        if name not in (names := self.names):
            raise UnknownNameError.of(f"value of {self.name}", name, names)
        group, _, key = name.partition(".")
        if group == "inputs":
            return self._cache.output(self._vertex.inputs[int(key)])
        if group == "grad_inputs":
            gradient = self._cache.grad_input(self.name, int(key))
            if gradient is None:
                raise NotKeptError(f"{self.name}.{name}: no gradient flows to this input")
            return gradient
        if group == "saved":
            self._cache.run.require(("work", self.name, key), f"{self.name}.{name}")
        return getattr(self, group)[key] if key else getattr(self, group)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every array that can be read now, by its name."""
        found = {}
        for name in self.names:
            with suppress(NotKeptError):
                found[name] = self.array(name)
        return found

    def measured(self, name: str) -> Entry:
        """Return the statistics of one array, or why it cannot be read."""
        return measure(self.name, self.kind, name, lambda: self.array(name))

    def statistics(self) -> StatisticsTable:
        """Return the statistics of all arrays; without a run, of none."""
        names = self.names if self._cache.has_run else []
        place = f", made in {self.source}" if self.source else ""
        nothing = "" if self._cache.has_run else "; nothing has run yet"
        return StatisticsTable(map(self.measured, names), f"{self.name}: {self.op}{place}{nothing}")


def belongs(name: str, wanted: Collection[str]) -> bool:
    """Return whether the name of a value, or its group, is among those wanted."""
    return name in wanted or name.partition(".")[0] in wanted
