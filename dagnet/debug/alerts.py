"""Alerts: what a watch saw, where and when."""

from dataclasses import dataclass, field

from dagnet.debug.places import Phase
from dagnet.diagnosis import Diagnosis
from dagnet.errors import NotKeptError


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
