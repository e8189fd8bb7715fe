"""Alerts: what a watch saw, where and when."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from dagnet.debug.places import Phase
from dagnet.diagnosis import Diagnosis
from dagnet.errors import NotKeptError

#: Nodes that are listed where many alerts are summed up.
_NODES = 4


@dataclass(frozen=True)
class Alert:
    """Something a watch was set on has happened.

    Attributes
    ----------
    watch : str
        Name of the watch: ``"nan"``.
    node : str
    phase : {"forward", "backward", "update"}
    iteration : int
        Number of the training step, from 1.
    position : int
        How many steps of the run were done.
    message : str
        A sentence with what was measured and the threshold.
    value, threshold : float or None
    what : str
        Which value of the node it is about: ``"output"``, ``"grad_params.W"``.
    units : tuple of int
        Units it is about, if not all.
    remedy : str
        What to do about it.
    """

    watch: str
    node: str
    phase: Phase
    iteration: int
    position: int
    message: str
    value: float | None = None
    threshold: float | None = None
    what: str = "output"
    units: tuple[int, ...] = ()
    remedy: str = ""
    _diagnosis: Diagnosis | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return f"step {self.iteration}, {self.phase} {self.node}: {self.watch}: {self.message}"

    def why(self) -> Diagnosis:
        """Return where it came from, as far as that can be told, and what the step had read.

        It is made when the alert is, of the values at that time: for every alert that stops the
        run, and for the first of each watch at each node in a training.

        Raises
        ------
        NotKeptError
            If it is another one.
        """
        if self._diagnosis is None:
            raise NotKeptError(
                f"{self}: only the first alert of a watch at a node, and those that stop, are "
                "explained"
            )
        return self._diagnosis


class Alerts(list[Alert]):
    """What watches have seen, oldest first; printed, the first of each watch, and what to do.

    A fault draws others behind it, so that the first is the one to look at.
    """

    def __str__(self) -> str:
        by_watch: dict[str, list[Alert]] = {}
        for alert in self:
            by_watch.setdefault(alert.watch, []).append(alert)
        return "\n".join(line for alerts in by_watch.values() for line in _summed_up(alerts))


def _summed_up(alerts: list[Alert]) -> Iterator[str]:
    """Yield what there is to say of the alerts of one watch."""
    first, *others = alerts
    yield str(first)
    if first.remedy:
        yield f"    what to do: {first.remedy}"
    if others:
        nodes = dict.fromkeys(alert.node for alert in others)
        more = ", ..." if len(nodes) > _NODES else ""
        yield (
            f"    and {len(others)} more, to step {others[-1].iteration}, "
            f"at {', '.join(islice(nodes, _NODES))}{more}"
        )
