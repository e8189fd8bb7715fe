"""What a model asks of an optimizer."""

from typing import Protocol

from dagnet.errors import ArgumentTypeError
from dagnet.parameters import ParameterStore


class Updates(Protocol):
    """What `train_step` asks of an optimizer."""

    def step(self, store: ParameterStore) -> None:
        """Update the parameters from their gradients."""


def check_updates(optimizer: object) -> None:
    """Raise unless it is something that updates parameters."""
    if not callable(getattr(optimizer, "step", None)):
        raise ArgumentTypeError(
            f"the optimizer must be an object such as dn.SGD(0.01), got {optimizer!r}"
        )
