"""dagnet: define a neural network, compile it to a graph, train it, draw it, read every value."""

from typing import TYPE_CHECKING

from dagnet.errors import DagnetError
from dagnet.graph import Graph
from dagnet.late import late
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
from dagnet.training import (
    SGD,
    Adam,
    AdamW,
    Cosine,
    InverseTime,
    Momentum,
    Optimizer,
    RMSProp,
    Schedule,
    StepDecay,
)

if TYPE_CHECKING:
    from dagnet import data
    from dagnet.debug import watches
    from dagnet.debug.debugger import Debugger
    from dagnet.debug.diff import diff
    from dagnet.debug.gradcheck import gradcheck
    from dagnet.debug.recorder import Recorder
    from dagnet.inspector import report, view
    from dagnet.render.terminal import draw_text
    from dagnet.storage import load
    from dagnet.training import Callback, EarlyStopping, History

__version__ = "0.1.0"

#: Names that a training step does not need, and where they are: imported when one is asked for.
_LATE = {
    "Callback": "dagnet.training:Callback",
    "Debugger": "dagnet.debug.debugger:Debugger",
    "EarlyStopping": "dagnet.training:EarlyStopping",
    "History": "dagnet.training:History",
    "Recorder": "dagnet.debug.recorder:Recorder",
    "data": "dagnet.data",
    "diff": "dagnet.debug.diff:diff",
    "draw_text": "dagnet.render.terminal:draw_text",
    "gradcheck": "dagnet.debug.gradcheck:gradcheck",
    "load": "dagnet.storage:load",
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

__getattr__ = late(__name__, _LATE)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
