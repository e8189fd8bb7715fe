"""A record: a training as it was before one of its steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dagnet.training.snapshot import Snapshot, snapshot

if TYPE_CHECKING:
    from dagnet.training.loop import Training

#: Bytes that a record takes beside its arrays: the generator's state, names, the objects.
OVERHEAD = 4096

#: A value of a node: ``("linear2", "grad_params.W")``.
Value = tuple[str, str]


@dataclass
class Record:
    """All that a training needs to make a step again, and what was noted of the step.

    Attributes
    ----------
    step : int
        The training step that comes next, from 1.
    snapshot : Snapshot
    whole : bool
        Whether the snapshot holds what the training's callbacks keep.
    values : dict of ndarray
        The selected values of the step.
    """

    step: int
    snapshot: Snapshot
    whole: bool = True
    values: dict[Value, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, training: "Training", whole: bool = True) -> "Record":
        """Return the record of where a training stands."""
        return cls(training.step + 1, snapshot(training), whole)

    @property
    def order(self) -> np.ndarray | None:
        """The epoch's order of examples, an array that records of one epoch share."""
        return self.snapshot.arrays.get("order")

    @property
    def nbytes(self) -> int:
        """Bytes without the order."""
        arrays = [a for name, a in self.snapshot.arrays.items() if name != "order"]
        return OVERHEAD + sum(a.nbytes for a in (*arrays, *self.values.values()))


def history_before(columns: Mapping[str, list], step: int) -> dict[str, list]:
    """Return the columns of a history as they were when a step began."""
    rows = sum(logged < step - 1 for logged in columns.get("step", ()))
    return {name: column[:rows] for name, column in columns.items()} if rows else {}


def expected_nbytes(training: "Training") -> int:
    """Return about what a record of a training takes, order and all, when it is under way."""
    model, optimizer = training.model, training.optimizer
    params = (1 + len(optimizer.slots)) * model.store.data.nbytes
    states = sum(a.nbytes for arrays in model.state.values() for a in arrays.values())
    order = 0 if training.batches.whole else training.batches.m * np.dtype(np.intp).itemsize
    return OVERHEAD + params + states + order + np.array(training.cost_sum).nbytes
