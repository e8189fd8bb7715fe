"""A way to run one op on arrays, as the engine does, and look at its frame."""

import json
from pathlib import Path

import numpy as np
import pytest

from dagnet.ops.frame import Frame


@pytest.fixture
def run():
    def run(op, *inputs, grad=None, params=None, state=None, m=None, rng=None):
        """Return the frame after forward and backward; `grad` is 1 everywhere if not given."""
        f = Frame.allocate(op, *map(np.asarray, inputs), params=params, m=m, rng=rng)
        f.state.update(state or {})
        if grad is not None:
            f.grad_output = np.asarray(grad, f.output.dtype)
        with np.errstate(all="ignore"):
            op.forward(f)
            op.backward(f)
        return f

    return run


@pytest.fixture(scope="session")
def seed_cases():
    return json.loads((Path(__file__).parents[1] / "data" / "seed_cases.json").read_text())
