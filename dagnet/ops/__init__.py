"""The ops: one class each, holding all its mathematics."""

from dagnet.ops.activations import ELU, Identity, LeakyReLU, ReLU
from dagnet.ops.base import Op
from dagnet.ops.batch_norm import BatchNorm, FrozenBatchNorm
from dagnet.ops.binary_cross_entropy import BinaryCrossEntropy, BinaryCrossEntropyWithLogits
from dagnet.ops.blocked_linear import BlockedLinear
from dagnet.ops.categorical_cross_entropy import (
    CategoricalCrossEntropy,
    CategoricalCrossEntropyWithLogits,
)
from dagnet.ops.dropout import Dropout
from dagnet.ops.gelu import GELU
from dagnet.ops.input import Input, Placeholder
from dagnet.ops.join import Add, Concat, Multiply
from dagnet.ops.linear import Linear
from dagnet.ops.losses import Huber, MeanAbsoluteError, MeanSquaredError
from dagnet.ops.normalization import LayerNorm
from dagnet.ops.penalty import L2
from dagnet.ops.reshape import Flatten
from dagnet.ops.sigmoids import Sigmoid, Softplus, Tanh
from dagnet.ops.softmax import Softmax

__all__ = [
    "ELU",
    "GELU",
    "L2",
    "REGISTRY",
    "Add",
    "BatchNorm",
    "BinaryCrossEntropy",
    "BinaryCrossEntropyWithLogits",
    "BlockedLinear",
    "CategoricalCrossEntropy",
    "CategoricalCrossEntropyWithLogits",
    "Concat",
    "Dropout",
    "Flatten",
    "FrozenBatchNorm",
    "Huber",
    "Identity",
    "Input",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Multiply",
    "Op",
    "Placeholder",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]

#: Every op by the name of its class, as files store it.
REGISTRY: dict[str, type[Op]] = {
    op.__name__: op
    for op in (
        Placeholder,
        Linear,
        BlockedLinear,
        # activations
        ReLU,
        LeakyReLU,
        ELU,
        GELU,
        Softplus,
        Sigmoid,
        Tanh,
        Softmax,
        Identity,
        # joins and shapes
        Add,
        Multiply,
        Concat,
        Flatten,
        # regularisation and normalisation
        Dropout,
        BatchNorm,
        FrozenBatchNorm,
        LayerNorm,
        # losses and penalties
        BinaryCrossEntropy,
        BinaryCrossEntropyWithLogits,
        CategoricalCrossEntropy,
        CategoricalCrossEntropyWithLogits,
        MeanSquaredError,
        MeanAbsoluteError,
        Huber,
        L2,
    )
}
