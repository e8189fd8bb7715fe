"""The updates of the optimizers in compiled code, one sweep each, for the fused executor."""

import numpy as np

from dagnet.executors import Call
from dagnet.fused.compiled import codes
from dagnet.fused.instructions import update
from dagnet.fused.program import Program, runs
from dagnet.training.optimizer import Optimizer
from dagnet.training.optimizers import SGD, Adam, Momentum, RMSProp

#: By the method that each replaces, so that subclasses which inherit the method are in, too.
_CODES = {
    SGD.update: codes.SGD,
    Momentum.update: codes.MOMENTUM,
    RMSProp.update: codes.RMSPROP,
    Adam.update: codes.ADAM,
}


def sweep(optimizer: Optimizer, arrays: tuple[np.ndarray, ...], numbers: np.ndarray) -> Call | None:
    """Return the call that does what ``optimizer.update`` does; None if there is none for it.

    `arrays` are the parameters, their gradient and the slots; `numbers` those of the method of
    this name in one array.
    """
    code = _CODES.get(type(optimizer).update)
    if code is None:
        return None
    groups, dtype = [[update(code, arrays, numbers)]], arrays[0].dtype
    return Program(groups, {}, dtype).call if runs(groups, dtype) else None
