"""Watches: what may go wrong in a training, each a condition that a debugger looks at."""

from dagnet.debug.watches.activations import (
    CollapsedSoftmax,
    DeadLayer,
    DeadUnits,
    FewToNormalize,
    RangeDrift,
    Saturated,
)
from dagnet.debug.watches.base import Finding, Watch
from dagnet.debug.watches.catalogue import CATALOGUE
from dagnet.debug.watches.cost import CostNotFinite, FlatCost, LossDomain, RisingCost
from dagnet.debug.watches.gradients import (
    ExplodingGradient,
    FadingGradient,
    VanishingGradient,
    ZeroGradient,
)
from dagnet.debug.watches.parameters import (
    FrozenWeights,
    GrowingWeights,
    LargeUpdate,
    LinearOnLinear,
    ShrinkingWeights,
    SmallUpdate,
    SymmetricUnits,
)
from dagnet.debug.watches.sight import Sight
from dagnet.debug.watches.targets import Guessing, SortedBatches
from dagnet.debug.watches.values import (
    AllZero,
    Constant,
    ExpOverflow,
    Inf,
    Jump,
    Nan,
    NearOverflow,
    UnscaledInput,
)

__all__ = [
    "CATALOGUE",
    "AllZero",
    "CollapsedSoftmax",
    "Constant",
    "CostNotFinite",
    "DeadLayer",
    "DeadUnits",
    "ExpOverflow",
    "ExplodingGradient",
    "FadingGradient",
    "FewToNormalize",
    "Finding",
    "FlatCost",
    "FrozenWeights",
    "GrowingWeights",
    "Guessing",
    "Inf",
    "Jump",
    "LargeUpdate",
    "LinearOnLinear",
    "LossDomain",
    "Nan",
    "NearOverflow",
    "RangeDrift",
    "RisingCost",
    "Saturated",
    "ShrinkingWeights",
    "Sight",
    "SmallUpdate",
    "SortedBatches",
    "SymmetricUnits",
    "UnscaledInput",
    "VanishingGradient",
    "Watch",
    "ZeroGradient",
]
