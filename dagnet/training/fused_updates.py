"""The updates of the optimizers as one compiled sweep each, for the fused executor."""

from collections.abc import Callable

from dagnet.fused import kernels
from dagnet.training.optimizer import Optimizer, Update
from dagnet.training.optimizer_state import Array, Arrays
from dagnet.training.optimizers import SGD, Adam, Momentum, RMSProp

#: By the method that each stands for: a subclass that inherits the method is in, too.
_SWEEPS: dict[Callable[..., None], Callable[..., None]] = {
    SGD.update: kernels.sgd,
    Momentum.update: kernels.momentum,
    RMSProp.update: kernels.rmsprop,
    Adam.update: kernels.adam,
}


def fused_update(optimizer: Optimizer) -> Update:
    """Return what does the same as ``optimizer.update``: in one sweep, if there is one for it."""
    sweep = _SWEEPS.get(type(optimizer).update)
    if sweep is None:
        return optimizer.update

    def update(p: Array, g: Array, slots: Arrays, scratch: Array, numbers: Arrays) -> None:
        sweep(p, g, *slots, numbers)

    return update
