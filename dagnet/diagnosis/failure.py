"""The diagnosis of an op that raised: what it was given when it did."""

from collections.abc import Mapping

import numpy as np

from dagnet.diagnosis.evidence import Reading
from dagnet.diagnosis.places import Places, find_places, not_finite
from dagnet.diagnosis.report import Diagnosis
from dagnet.diagnosis.sentences import first_element
from dagnet.ops.base import Op
from dagnet.ops.frame import Frame
from dagnet.statistics_table import StatisticsTable


def explain_failure(op: Op, frame: Frame, phase: str, error: Exception) -> Diagnosis:
    """Return what an op read when it raised, and whether that was finite.

    Parameters
    ----------
    op : Op
    frame : Frame
        As the op saw it.
    phase : {"forward", "backward"}
    error : Exception

    Examples
    --------
    >>> import numpy as np, dagnet as dn
    >>> frame = dn.Frame.allocate(dn.ReLU(), np.array([[1.0, np.nan, 3.0]]))
    >>> print(explain_failure(dn.ReLU(), frame, "forward", ValueError("no")).message)
    ValueError: no; inputs.0 is nan at [0, 1]
    """
    read = _read(op, frame, phase)
    value, places = _first_bad(read, frame.m)
    finding = f"{value} is {first_element(places)}" if places else "all that it read is finite"
    readings = (Reading(frame.name, op.kind, name, array) for name, array in read.items())
    return Diagnosis(
        node=frame.name,
        kind=op.kind,
        op=type(op).__name__,
        phase=phase,
        source=frame.source,
        value=value,
        places=places,
        message=f"{type(error).__name__}: {error}; {finding}",
        evidence=(),
        table=StatisticsTable(reading.measured() for reading in readings),
    )


def _first_bad(read: Mapping[str, np.ndarray], m: int) -> tuple[str, Places | None]:
    for value, array in read.items():
        examples = array.ndim > 0 and array.shape[-1] == m and not value.startswith("params")
        places = find_places(array, not_finite, examples)
        if places is not None:
            return value, places
    return "", None


def _read(op: Op, frame: Frame, phase: str) -> dict[str, np.ndarray]:
    """Return what the op may read in a phase: what it may not may be gone by then."""
    forward = phase == "forward"
    read = {} if forward else {"grad_output": frame.grad_output}
    if forward or "inputs" in op.reads:
        read |= {f"inputs.{slot}": array for slot, array in enumerate(frame.inputs)}
    if not forward and "output" in op.reads:
        read["output"] = frame.output
    if forward or "params" in op.reads:
        read |= {f"params.{name}": array for name, array in frame.params.items()}
    return read | {f"state.{name}": array for name, array in frame.state.items()}
