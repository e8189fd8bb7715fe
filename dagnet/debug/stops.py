"""Stops: where a debugged run stands still, and why."""

from dataclasses import dataclass

from dagnet.debug.alerts import Alert
from dagnet.debug.breakpoints import Breakpoint
from dagnet.debug.places import Phase
from dagnet.node import Source, located


@dataclass(frozen=True)
class Stop:
    """A run that stands still after a step.

    Attributes
    ----------
    position : int
        How many steps are done; the update of the parameters is the last one.
    node : str
        The node whose step was done last; ``""`` at the start and after the update.
    phase : {"forward", "backward", "update", "start"}
    source : Source or None
        The user's line that made the node.
    breakpoints : tuple of (Breakpoint, str)
        The breakpoints that stopped it, each with the node that it was hit at.
    alerts : tuple of Alert
        The alerts that stopped it.
    """

    position: int
    node: str
    phase: Phase | str
    source: Source | None = None
    breakpoints: tuple[tuple[Breakpoint, str], ...] = ()
    alerts: tuple[Alert, ...] = ()

    def __bool__(self) -> bool:
        """Whether a breakpoint or an alert stopped the run."""
        return bool(self.breakpoints or self.alerts)

    def __str__(self) -> str:
        node = f" {located(self.node, self.source)}" if self.node else ""
        reasons = [f"breakpoint {b.number} at {name}" for b, name in self.breakpoints]
        reasons += [str(alert) for alert in self.alerts]
        why = f": {'; '.join(reasons)}" if reasons else ""
        return f"position {self.position}, {self.phase}{node}{why}"
