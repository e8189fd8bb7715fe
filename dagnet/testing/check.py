"""check_op: run an op against every rule of the contract."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dagnet.errors import ArgumentError, ArgumentTypeError, ShapeError
from dagnet.ops.base import Example, Op
from dagnet.testing import gradients, rules
from dagnet.testing.trial import Trial


@dataclass(frozen=True)
class OpReport:
    """What `check_op` measured.

    Attributes
    ----------
    op : str
        Name of the class.
    runs : int
        Number of argument sets it was checked with.
    input_error, param_error : float
        Largest error of a gradient against central differences, relative to the gradient.
    """

    op: str
    runs: int
    input_error: float
    param_error: float


def check_op(
    op: Op | type[Op],
    *,
    shapes: Sequence[tuple[int, ...]] | None = None,
    draw: Callable[[np.random.Generator], tuple[np.ndarray, ...]] | None = None,
    params: Mapping[str, tuple[int, ...]] | None = None,
    seed: int = 0,
    tolerance: float = 1e-6,
) -> OpReport:
    """Check an op against the contract, or raise an error that says which rule it breaks.

    Parameters
    ----------
    op : Op or class
        With `shapes` or `draw`, it is checked on those (a class is called without arguments);
        without, on the ``examples()`` that its class gives.
    shapes : sequence of tuple, optional
        One shape per input, examples on the last axis. Take sizes that differ, such as
        ``(5, 3)``: a transposition hides in a square.
    draw : callable, optional
        Takes a `numpy.random.Generator` and returns the inputs, where normal numbers will not do.
    params : mapping of tuple, optional
        Shapes of the parameters, for an op that borrows them.
    seed : int
        Of everything that is drawn.
    tolerance : float
        Largest relative error of a gradient.

    Returns
    -------
    OpReport

    Raises
    ------
    OpContractError
        It names the rule, the array and the element, what was expected and what came.

    Notes
    -----
    The rules, by the name in the error:

    ``runs``
        No exception, float64 and float32.
    ``declaration``
        `kind`, `reads`, `flops` are sensible; an in-place op does not read its inputs.
    ``config``
        The hyperparameters survive JSON and rebuild the op.
    ``shape``
        The shape rules answer for ``"m"`` as for a number.
    ``buffers``
        It writes into the arrays it was given and puts no others in their place.
    ``overwrite``
        Every element of the output and of the asked gradients is written; nothing depends on
        what the buffers held before.
    ``read only``
        Inputs, parameters and the incoming gradient, and in backward the output and the states,
        are left alone.
    ``repeat``
        A second backward gives the same.
    ``reads``
        Backward needs nothing that the op did not declare.
    ``skip``
        A gradient that is not asked for is skipped; the others stay the same.
    ``in place``
        If declared, sharing arrays changes nothing.
    ``memory order``, ``float32``
        Fortran order and float32 give the same to rounding.
    ``gradient``
        Gradients equal central differences, away from `kinks`.
    ``allocation``
        No large array is made in forward or backward.

    Examples
    --------
    >>> from dagnet.testing import check_op
    >>> import dagnet as dn
    >>> check_op(dn.Tanh(), shapes=[(5, 3)]).input_error < 1e-8
    True
    """
    errors = []
    for example in _examples(op, shapes, draw, params):
        trial = Trial.drawn(example, seed)
        rules.check(trial)
        errors.append(gradients.check(trial, tolerance))
        rules.check_allocation(trial)
    name = op.__name__ if isinstance(op, type) else type(op).__name__
    inputs, parameters = zip(*errors, strict=True)
    return OpReport(name, len(errors), max(inputs), max(parameters))


def _examples(
    op: Op | type[Op],
    shapes: Sequence[tuple[int, ...]] | None,
    draw: Callable[[np.random.Generator], tuple[np.ndarray, ...]] | None,
    params: Mapping[str, tuple[int, ...]] | None,
) -> list[Example]:
    """Return what to check the op on, or raise if there is nothing."""
    if not isinstance(op, Op) and not (isinstance(op, type) and issubclass(op, Op)):
        raise ArgumentTypeError(f"check_op takes an op or its class, not {type(op).__name__}")
    if shapes is not None or draw is not None or params is not None:
        one = op if isinstance(op, Op) else op()
        if shapes is None:
            inputs = draw(np.random.default_rng(0)) if draw else ()
            shapes = [np.shape(x) for x in inputs]
        return [Example(one, tuple(map(tuple, shapes)), draw, params)]
    found = list(op.examples() if isinstance(op, type) else _fitting(op))
    if not found:
        name = op.__name__ if isinstance(op, type) else type(op).__name__
        raise ArgumentError(f"{name} gives no fitting examples(); give check_op the shapes")
    return found


def _fitting(op: Op) -> Iterator[Example]:
    """Yield the examples of the op's class whose shapes this op takes too."""
    for example in op.examples():
        try:
            op.output_shape(*example.shapes)
        except ShapeError:
            continue
        yield Example(op, example.shapes, example.draw, example.params)
