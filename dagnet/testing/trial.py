"""A trial: one op with one set of arguments, run again and again in fresh frames."""

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from dagnet.errors import ArgumentError, OpContractError
from dagnet.node import format_shape
from dagnet.ops.base import Example
from dagnet.ops.frame import Frame

#: What buffers are filled with before a run. A comparison may swallow the one, not the other too.
GARBAGE = (np.nan, 1e30)

#: How far inputs stay away from where an op is not differentiable.
MARGIN = 0.02


class Trial:
    """One op with one set of arguments.

    Attributes
    ----------
    op : Op
    inputs : tuple of ndarray
        Float64, drawn away from the op's kinks.
    params, states : dict of ndarray
        Drawn, too.
    projection : ndarray
        Random gradient of the output; the differentiated number is ``sum(projection * output)``.
    """

    def __init__(self, example: Example, seed: int):
        self.op = example.op
        self.seed = seed
        self.label = f"{example.op!r} on {', '.join(map(format_shape, example.shapes)) or '()'}"
        rng = np.random.default_rng(seed)
        self.inputs = self.guard(lambda: _draw_inputs(example, rng))
        shapes = self.shapes
        parameters = example.params or {
            n: p.shape for n, p in self.guard(lambda: self.op.parameters(*shapes)).items()
        }
        self.params = {n: rng.normal(size=shape) for n, shape in parameters.items()}
        states = self.guard(lambda: self.op.states(*shapes))
        self.states = {n: rng.uniform(0.5, 1.5, s.shape) for n, s in states.items()}
        self.m = self.inputs[0].shape[-1] if self.inputs and self.inputs[0].ndim else 7
        self.projection = np.asarray(rng.normal(size=self.frame().output.shape))

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        return tuple(x.shape for x in self.inputs)

    def frame(
        self,
        garbage: float = np.nan,
        dtype: type[np.floating] = np.float64,
        order: Any = "C",
        seed: int | None = None,
    ) -> Frame:
        """Return a frame with copies of the arguments and garbage everywhere else."""
        f = self.guard(
            lambda: Frame.allocate(
                self.op,
                *(np.array(x, dtype, order=order) for x in self.inputs),
                params={n: np.array(p, dtype) for n, p in self.params.items()},
                m=self.m,
                rng=np.random.default_rng(self.seed if seed is None else seed),
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

    def run(self, f: Frame) -> dict[str, np.ndarray]:
        """Run forward and backward, and return what came out."""
        return results(self.backward(self.forward(f)))

    def guard(self, call: Callable[[], Any]) -> Any:
        """Call, and turn any exception into a broken rule."""
        try:
            with np.errstate(all="ignore"):
                return call()
        except (OpContractError, ArgumentError):
            raise
        except Exception as error:
            raise OpContractError(
                "runs", f"{self.label}: {type(error).__name__}: {error}"
            ) from error

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


def _draw_inputs(example: Example, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Return inputs whose every element is away from the op's kinks."""

    def draw() -> tuple[np.ndarray, ...]:
        if example.draw is not None:
            return tuple(np.array(x, np.float64) for x in example.draw(rng))
        return tuple(np.asarray(rng.normal(size=shape)) for shape in example.shapes)

    inputs = draw()
    for _ in range(100):
        distance = example.op.kinks(*inputs)
        if distance is None or not (near := distance < MARGIN).any():
            return inputs
        for x, again in zip(inputs, draw(), strict=True):
            where = near if near.shape == x.shape else np.True_
            np.copyto(x, again, where=where)
    raise ArgumentError(f"{example.op!r}: 100 draws did not get away from its kinks; give draw=")
