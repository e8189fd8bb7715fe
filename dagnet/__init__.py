"""dagnet: define a neural network, compile it to a graph, train it, draw it, read every value."""

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from dagnet import data
from dagnet.errors import DagnetError
from dagnet.graph import Graph
from dagnet.model import Model
from dagnet.networks import mlp
from dagnet.node import Node
from dagnet.ops import (
    ELU,
    GELU,
    L2,
    Add,
    BatchNorm,
    BinaryCrossEntropy,
    BinaryCrossEntropyWithLogits,
    BlockedLinear,
    CategoricalCrossEntropy,
    CategoricalCrossEntropyWithLogits,
    Concat,
    Dropout,
    Flatten,
    FrozenBatchNorm,
    Huber,
    Identity,
    Input,
    LayerNorm,
    LeakyReLU,
    Linear,
    MeanAbsoluteError,
    MeanSquaredError,
    Multiply,
    Op,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Tanh,
)
from dagnet.ops.base import Example
from dagnet.ops.frame import Frame, Parameter, State, Work
from dagnet.scopes import scope
from dagnet.storage import load
from dagnet.training import (
    SGD,
    Adam,
    AdamW,
    Callback,
    Cosine,
    EarlyStopping,
    History,
    InverseTime,
    Momentum,
    Optimizer,
    RMSProp,
    Schedule,
    StepDecay,
)

if TYPE_CHECKING:
    from dagnet.debug import watches
    from dagnet.debug.debugger import Debugger
    from dagnet.debug.diff import diff
    from dagnet.debug.gradcheck import gradcheck
    from dagnet.debug.recorder import Recorder
    from dagnet.inspector import report, view
    from dagnet.render.terminal import draw_text

__version__ = "0.1.0"

#: Names for looking inside, and where they are: imported when one is asked for.
_LATE = {
    "Debugger": "dagnet.debug.debugger:Debugger",
    "Recorder": "dagnet.debug.recorder:Recorder",
    "diff": "dagnet.debug.diff:diff",
    "draw_text": "dagnet.render.terminal:draw_text",
    "gradcheck": "dagnet.debug.gradcheck:gradcheck",
    "report": "dagnet.inspector:report",
    "view": "dagnet.inspector:view",
    "watches": "dagnet.debug.watches",
}

__all__ = [
    "ELU",
    "GELU",
    "L2",
    "SGD",
    "Adam",
    "AdamW",
    "Add",
    "BatchNorm",
    "BinaryCrossEntropy",
    "BinaryCrossEntropyWithLogits",
    "BlockedLinear",
    "Callback",
    "CategoricalCrossEntropy",
    "CategoricalCrossEntropyWithLogits",
    "Concat",
    "Cosine",
    "DagnetError",
    "Debugger",
    "Dropout",
    "EarlyStopping",
    "Example",
    "Flatten",
    "Frame",
    "FrozenBatchNorm",
    "Graph",
    "History",
    "Huber",
    "Identity",
    "Input",
    "InverseTime",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Model",
    "Momentum",
    "Multiply",
    "Node",
    "Op",
    "Optimizer",
    "Parameter",
    "RMSProp",
    "ReLU",
    "Recorder",
    "Schedule",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "State",
    "StepDecay",
    "Tanh",
    "Work",
    "data",
    "diff",
    "draw_text",
    "gradcheck",
    "load",
    "mlp",
    "report",
    "scope",
    "view",
    "watches",
]


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'dagnet' has no attribute {name!r}")
    return resolve_name(_LATE[name])


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
