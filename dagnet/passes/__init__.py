"""Passes: named functions from a graph to a graph, or from a graph to facts about it."""

from typing import TYPE_CHECKING

from dagnet.late import late
from dagnet.passes.annotate import annotate
from dagnet.passes.blocks import block_wide_layers
from dagnet.passes.fusion import fuse_logits, fused_activations
from dagnet.passes.gradients import needs_gradient
from dagnet.passes.parameters import collect_parameters, collect_states, parameter_keys
from dagnet.passes.penalty import add_l2
from dagnet.passes.prediction import for_prediction, quiet_branches
from dagnet.passes.prune import prune
from dagnet.passes.scalars import measured_scalars
from dagnet.passes.shapes import infer_shapes
from dagnet.passes.verify import verify

if TYPE_CHECKING:
    from dagnet.passes.repeats import Repeat, find_repeats

#: Names that only drawing needs.
_LATE = {
    "Repeat": "dagnet.passes.repeats:Repeat",
    "find_repeats": "dagnet.passes.repeats:find_repeats",
}

__all__ = [
    "Repeat",
    "add_l2",
    "annotate",
    "block_wide_layers",
    "collect_parameters",
    "collect_states",
    "find_repeats",
    "for_prediction",
    "fuse_logits",
    "fused_activations",
    "infer_shapes",
    "measured_scalars",
    "needs_gradient",
    "parameter_keys",
    "prune",
    "quiet_branches",
    "verify",
]

__getattr__ = late(__name__, _LATE)
