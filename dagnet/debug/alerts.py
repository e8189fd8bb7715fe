"""Alerts: what a watch saw, where and when."""

from dataclasses import dataclass

from dagnet.debug.places import Phase


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
    """

    watch: str
    node: str
    phase: Phase
    iteration: int
    position: int
    message: str
    value: float | None = None
    threshold: float | None = None

    def __str__(self) -> str:
        return f"step {self.iteration}, {self.phase} {self.node}: {self.watch}: {self.message}"
