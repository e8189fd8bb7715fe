"""A trial: one op with one set of arguments, run again and again in fresh frames."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, NoReturn

import numpy as np

from dagnet.errors import ArgumentError, OpContractError
from dagnet.node import format_shape
from dagnet.ops.base import Example, Op
from dagnet.ops.frame import Frame

#: What buffers are filled with before a run. A comparison may hide one of them, but not both.
GARBAGE = (np.nan, 1e30)

#: How far inputs stay away from where an op is not differentiable.
MARGIN = 0.02

#: How often inputs that are too near are drawn again.
_DRAWS = 100


class Trial:
    """One op with one set of arguments.

    Attributes
    ----------
    op : Op
    inputs : tuple of ndarray
        Float64, away from the op's kinks.
    params, states : dict of ndarray
    m : int
        Number of examples.
    rng : numpy.random.Generator
        What every run draws from, always from the same place on.
    projection : ndarray
        Random gradient of the output; the differentiated number is ``sum(projection * output)``.
    """

    def __init__(
        self,
        op: Op,
        inputs: tuple[np.ndarray, ...],
        params: Mapping[str, np.ndarray],
        states: Mapping[str, np.ndarray],
        m: int,
        rng: np.random.Generator,
        draws: np.random.Generator,
    ):
        self.op = op
        self.inputs = inputs
        self.params = params
        self.states = states
        self.m = m
        self.rng = rng
        self.label = _label(op, self.shapes)
        self.projection = np.asarray(draws.normal(size=self.frame().output.shape))

    @classmethod
    def drawn(cls, example: Example, seed: int) -> "Trial":
        """Return a trial with arguments drawn at random."""
        op, draws = example.op, np.random.default_rng(seed)
        label = _label(op, example.shapes)
        inputs = guarded(label, lambda: _draw_inputs(example, draws))
        shapes = tuple(x.shape for x in inputs)
        parameters = example.params or {
            n: p.shape for n, p in guarded(label, lambda: op.parameters(*shapes)).items()
        }
        params = {n: draws.normal(size=shape) for n, shape in parameters.items()}
        declared = guarded(label, lambda: op.states(*shapes))
        states = {n: draws.uniform(0.5, 1.5, s.shape) for n, s in declared.items()}
        m = inputs[0].shape[-1] if inputs and inputs[0].ndim else 7
        return cls(op, inputs, params, states, m, np.random.default_rng(seed), draws)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        return tuple(x.shape for x in self.inputs)

    def frame(
        self,
        garbage: float = np.nan,
        dtype: type[np.floating] = np.float64,
        order: Any = "C",
        rng: np.random.Generator | None = None,
    ) -> Frame:
        """Return a frame with copies of the arguments and garbage everywhere else."""
        f = self.guard(
            lambda: Frame.allocate(
                self.op,
                *(np.array(x, dtype, order=order) for x in self.inputs),
                params={n: np.array(p, dtype) for n, p in self.params.items()},
                m=self.m,
                rng=deepcopy(self.rng if rng is None else rng),
            )
        )
        f.state = {n: np.array(s, dtype) for n, s in self.states.items()}
        for array in (f.output, *f.work.values(), *f.grad_params.values(), *f.grad_inputs):
            if array is not None:
                fill(array, garbage)
        if hasattr(self, "projection"):
            f.grad_output = np.array(self.projection, dtype, order=order)
        return f

    def forward(self, f: Frame) -> Frame:
        self.guard(lambda: self.op.forward(f))
        return f

    def backward(self, f: Frame) -> Frame:
        self.guard(lambda: self.op.backward(f))
        return f

    def again(self, f: Frame) -> np.ndarray:
        """Run forward from the same states and the same random numbers; return the output."""
        f.rng = deepcopy(self.rng)
        for name, state in self.states.items():
            np.copyto(f.state[name], state)
        return self.forward(f).output

    def run(self, f: Frame) -> dict[str, np.ndarray]:
        """Run forward and backward, and return what came out."""
        return results(self.backward(self.forward(f)))

    def guard(self, call: Callable[[], Any]) -> Any:
        """Call, and turn any exception into a broken rule."""
        return guarded(self.label, call)

    def fail(self, rule: str, what: str) -> NoReturn:
        raise OpContractError(rule, f"{self.label}: {what}")

    def same(
        self,
        rule: str,
        got: dict[str, np.ndarray],
        expected: dict[str, np.ndarray],
        why: str,
        rtol: float | None = None,
    ) -> None:
        """Fail with `rule` at the first element that differs in a name that both have.

        Equal means equal bits; with `rtol`, equal to that part of the array's largest element.
        """
        for name, b in expected.items():
            if name not in got:
                continue
            a = got[name]
            index = first_difference(a, b, rtol)
            if index is not None:
                where = f"{name}{list(index)}" if index else name
                self.fail(rule, f"{where} is {a[index]:.10g}, expected {b[index]:.10g}: {why}")


def results(f: Frame) -> dict[str, np.ndarray]:
    """Return copies of all that an op writes, by the names of error messages."""
    found = {"output": f.output.copy()}
    found |= {f"state[{n!r}]": s.copy() for n, s in f.state.items()}
    found |= {f"grad_inputs[{i}]": g.copy() for i, g in enumerate(f.grad_inputs) if g is not None}
    return found | {f"grad_params[{n!r}]": g.copy() for n, g in f.grad_params.items()}


def fill(array: np.ndarray, garbage: float) -> None:
    """Fill with garbage of the array's dtype."""
    if array.dtype.kind == "f":
        array.fill(garbage)
    else:
        array.fill(np.isnan(garbage))


def first_difference(
    a: np.ndarray, b: np.ndarray, rtol: float | None = None
) -> tuple[int, ...] | None:
    """Return the first index at which two arrays differ, None if they are equal."""
    both_nan = np.isnan(a) & np.isnan(b)
    if rtol is None:
        equal = both_nan | ((a == b) & (np.signbit(a) == np.signbit(b)))
    else:
        scale = np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
        with np.errstate(all="ignore"):
            equal = both_nan | (a == b) | (np.abs(a - b) <= rtol * scale)
    if equal.all():
        return None
    return tuple(map(int, np.unravel_index(np.argmin(equal), equal.shape)))


def away_from_kinks(
    op: Op,
    inputs: tuple[np.ndarray, ...],
    draw: Callable[[], tuple[np.ndarray, ...]],
    margin: float,
) -> tuple[np.ndarray, ...] | None:
    """Return the inputs, with elements drawn again until all are this far from the op's kinks.

    None if that takes too many draws.
    """
    inputs = tuple(x.copy() for x in inputs)
    for _ in range(_DRAWS):
        distance = op.kinks(*inputs)
        if distance is None or not (near := distance < margin).any():
            return inputs
        for x, again in zip(inputs, draw(), strict=True):
            where = near if near.shape == x.shape else np.True_
            np.copyto(x, again, where=where)
    return None


def _label(op: Op, shapes: tuple[tuple[int, ...], ...]) -> str:
    return f"{op!r} on {', '.join(map(format_shape, shapes)) or '()'}"


def guarded(label: str, call: Callable[[], Any]) -> Any:
    """Call, and turn any exception into a broken rule."""
    try:
        with np.errstate(all="ignore"):
            return call()
    except (OpContractError, ArgumentError):
        raise
    except Exception as error:
        raise OpContractError("runs", f"{label}: {type(error).__name__}: {error}") from error


def _draw_inputs(example: Example, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Return inputs whose every element is away from the op's kinks."""

    def draw() -> tuple[np.ndarray, ...]:
        if example.draw is not None:
            return tuple(np.array(x, np.float64) for x in example.draw(rng))
        return tuple(np.asarray(rng.normal(size=shape)) for shape in example.shapes)

    inputs = away_from_kinks(example.op, draw(), draw, MARGIN)
    if inputs is None:
        raise ArgumentError(
            f"{example.op!r}: {_DRAWS} draws did not get away from its kinks; give draw="
        )
    return inputs
