"""The catalogue: every watch that comes with dagnet, and the names they are asked for by."""

from typing import Any

from dagnet.debug.watches import activations, cost, gradients, parameters, targets, values
from dagnet.debug.watches.base import Watch
from dagnet.errors import ArgumentTypeError, UnknownNameError

#: Every watch, in the order of the documentation.
CATALOGUE: tuple[type[Watch], ...] = (
    values.Nan,
    values.Inf,
    values.NearOverflow,
    values.ExpOverflow,
    values.UnscaledInput,
    values.AllZero,
    values.Constant,
    values.Jump,
    activations.DeadUnits,
    activations.DeadLayer,
    activations.Saturated,
    activations.CollapsedSoftmax,
    activations.RangeDrift,
    activations.FewToNormalize,
    gradients.VanishingGradient,
    gradients.FadingGradient,
    gradients.ExplodingGradient,
    gradients.ZeroGradient,
    parameters.FrozenWeights,
    parameters.LargeUpdate,
    parameters.SmallUpdate,
    parameters.GrowingWeights,
    parameters.ShrinkingWeights,
    parameters.SymmetricUnits,
    parameters.LinearOnLinear,
    cost.CostNotFinite,
    cost.FlatCost,
    cost.RisingCost,
    cost.LossDomain,
    targets.Guessing,
    targets.SortedBatches,
)


def watch_of(given: Any) -> Watch:
    """Return the watch that a user gave, or named.

    Raises
    ------
    UnknownNameError
        If no watch has the name; it offers the nearest ones.

    Examples
    --------
    >>> watch_of("dead relu")
    DeadUnits()
    """
    if isinstance(given, Watch):
        return given
    if not isinstance(given, str):
        what = given.__name__ + " itself" if isinstance(given, type) else repr(given)
        raise ArgumentTypeError(
            f"a watch is a name such as 'nan', or an object such as dn.watches.Nan(), not {what}"
        )
    names = {watch.name: watch for watch in CATALOGUE}
    if given not in names:
        raise UnknownNameError.of("watch", given, names)
    return names[given]()
