"""The rules of the contract, one function each; `check_op` describes them."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from copy import copy, deepcopy
from typing import Any

import numpy as np

from dagnet.errors import ShapeError
from dagnet.node import Shape
from dagnet.ops.frame import Frame
from dagnet.testing.trial import GARBAGE, Trial, fill, results

KINDS = {
    "linear",
    "activation",
    "join",
    "reshape",
    "normalization",
    "regularization",
    "loss",
    "penalty",
    "input",
}


def check(trial: Trial) -> None:
    """Check every rule but the gradient and the allocation."""
    check_declaration(trial)
    check_config(trial)
    check_shape(trial)
    check_buffers(trial)
    check_overwrite(trial)
    check_read_only(trial)
    check_repeat(trial)
    check_reads(trial)
    check_skip(trial)
    if trial.op.in_place:
        check_in_place(trial)
    check_memory_order(trial)
    check_float32(trial)


def check_declaration(trial: Trial) -> None:
    op = trial.op
    if getattr(op, "kind", None) not in KINDS:
        trial.fail("declaration", f"kind is {getattr(op, 'kind', None)!r}, not one of {KINDS}")
    if odd := set(op.reads) - {"inputs", "output", "params"}:
        trial.fail("declaration", f"reads holds {sorted(odd)}")
    if op.in_place and "inputs" in op.reads:
        trial.fail("declaration", "in_place overwrites the first input, which backward reads")
    flops = trial.guard(lambda: op.flops(*trial.shapes))
    if not isinstance(flops, int | np.integer) or flops < 0:
        trial.fail("declaration", f"flops gives {flops!r}, not a number of operations")
    for name, work in op.workspace(*trial.shapes).items():
        if work.life not in ("forward", "backward", "saved"):
            trial.fail("declaration", f"work {name!r} has the life {work.life!r}")


def check_config(trial: Trial) -> None:
    op = trial.op
    try:
        again = type(op)(**json.loads(json.dumps(op.config)))
    except Exception as error:
        trial.fail("config", f"{op.config} does not survive JSON: {type(error).__name__}: {error}")
    if json.dumps(again.config) != json.dumps(op.config):
        trial.fail("config", f"through JSON it is {again.config}, expected {op.config}")


def check_shape(trial: Trial) -> None:
    """Compare the shape rules for a symbolic number of examples with those for m."""
    op, m = trial.op, trial.m
    symbolic: tuple[Shape, ...] = tuple(
        (*shape[:-1], "m") if shape and shape[-1] == m else shape for shape in trial.shapes
    )

    def shapes(*inputs: Shape) -> dict[str, Any]:
        found: dict[str, Any] = {"output": op.output_shape(*inputs)}
        found |= {f"work {n!r}": w.shape for n, w in op.workspace(*inputs).items()}
        found |= {f"state {n!r}": s.shape for n, s in op.states(*inputs).items()}
        return found | {f"parameter {n!r}": p.shape for n, p in op.parameters(*inputs).items()}

    try:
        general = shapes(*symbolic)
    except Exception as error:
        trial.fail("shape", f"inputs {symbolic}: {type(error).__name__}: {error}")
    for name, expected in shapes(*trial.shapes).items():
        got = tuple(m if size == "m" else size for size in general.get(name, ()))
        if got != tuple(expected):
            trial.fail(
                "shape",
                f"{name} is {general.get(name)} for inputs {symbolic}, {expected} for m={m}",
            )


def check_buffers(trial: Trial) -> None:
    f = trial.frame()
    before = copy_frame(f)
    trial.backward(trial.forward(f))
    for name in ("output", "grad_output"):
        if getattr(f, name) is not getattr(before, name):
            trial.fail("buffers", f"{name} was replaced by another array; write into it (out=)")
    for name in ("inputs", "grad_inputs"):
        pairs = zip(getattr(f, name), getattr(before, name), strict=True)
        for i, (now, then) in enumerate(pairs):
            if now is not then:
                trial.fail("buffers", f"{name}[{i}] was replaced by another array")
    for name in ("params", "state", "work", "grad_params"):
        now, then = getattr(f, name), getattr(before, name)
        if now.keys() != then.keys() or any(now[k] is not then[k] for k in then):
            trial.fail("buffers", f"{name} holds other arrays than before: {sorted(now)}")


def check_overwrite(trial: Trial) -> None:
    one, other = (trial.run(trial.frame(garbage)) for garbage in GARBAGE)
    trial.same(
        "overwrite",
        one,
        other,
        "it depends on what the buffers held before; an element is not written, or scratch is "
        "read before it is written",
    )


def check_read_only(trial: Trial) -> None:
    def read_only(f: Frame, in_backward: bool) -> dict[str, np.ndarray]:
        found = {f"inputs[{i}]": x.copy() for i, x in enumerate(f.inputs)}
        found |= {f"params[{n!r}]": p.copy() for n, p in f.params.items()}
        found["grad_output"] = f.grad_output.copy()
        if in_backward:
            found["output"] = f.output.copy()
            found |= {f"state[{n!r}]": s.copy() for n, s in f.state.items()}
        return found

    f = trial.frame()
    for call, in_backward in ((trial.forward, False), (trial.backward, True)):
        before = read_only(f, in_backward)
        call(f)
        trial.same("read only", read_only(f, in_backward), before, f"{call.__name__} changed it")


def check_repeat(trial: Trial) -> None:
    f = trial.frame()
    first = trial.run(f)
    for array in (*f.grad_params.values(), *(g for g in f.grad_inputs if g is not None)):
        fill(array, np.nan)
    trial.same("repeat", results(trial.backward(f)), first, "a second backward gives another")


def check_reads(trial: Trial) -> None:
    """Destroy, one at a time, what backward did not declare to read."""
    expected = trial.run(trial.frame())
    for garbage in GARBAGE:
        for what, key in destroyable(trial):
            f = trial.forward(trial.frame(garbage))
            output = f.output.copy()
            for array in arrays(f, what, key):
                fill(array, garbage)
            trial.backward(f)
            np.copyto(f.output, output)
            name = (
                f"work[{key!r}], of another life," if what == "work" else f"{what}, not in reads,"
            )
            trial.same("reads", results(f), expected, f"backward reads {name} which are gone")


def destroyable(trial: Trial) -> Iterator[tuple[str, str]]:
    """Yield what may be gone before backward: undeclared reads, and scratch."""
    for what in ("inputs", "output", "params"):
        if what not in trial.op.reads:
            yield what, ""
    for name, work in trial.op.workspace(*trial.shapes).items():
        if work.life != "saved":
            yield "work", name


def arrays(f: Frame, what: str, key: str) -> tuple[np.ndarray, ...]:
    if what == "work":
        return (f.work[key],)
    return {"inputs": f.inputs, "output": (f.output,), "params": tuple(f.params.values())}[what]


def check_skip(trial: Trial) -> None:
    """Leave out one gradient at a time, then all of them."""
    expected = trial.run(trial.frame())
    n = len(trial.inputs)
    names = list(trial.params)
    for left_out in [*range(n), *names, None]:
        f = trial.frame()
        f.grad_inputs = tuple(
            None if left_out in (None, i) else g for i, g in enumerate(f.grad_inputs)
        )
        f.grad_params = {
            k: g for k, g in f.grad_params.items() if left_out is not None and k != left_out
        }
        asked = set(f.grad_params)
        got = trial.run(f)
        trial.same("skip", got, expected, f"the gradient {left_out!r} was not asked for")
        if set(f.grad_params) != asked:
            trial.fail("skip", f"grad_params got {set(f.grad_params) - asked}, not asked for")


def check_in_place(trial: Trial) -> None:
    expected = trial.run(trial.frame())
    f = trial.frame()
    f.output = f.inputs[0]
    if f.output.shape != f.grad_output.shape:
        trial.fail("in place", "the output has another shape than the first input")
    f.grad_inputs = (f.grad_output, *f.grad_inputs[1:])
    got = trial.run(f)
    trial.same(
        "in place",
        got,
        expected,
        "output and first input share their array, and so do their gradients",
    )


def check_memory_order(trial: Trial) -> None:
    expected = trial.run(trial.frame())
    got = trial.run(trial.frame(order="F"))
    trial.same("memory order", got, expected, "inputs are in Fortran order", rtol=1e-10)


def check_float32(trial: Trial) -> None:
    expected = trial.run(trial.frame())
    got = trial.run(trial.frame(dtype=np.float32))
    ahead = deepcopy(trial.rng)
    ahead.random()
    other = trial.forward(trial.frame(rng=ahead)).output
    if np.array_equal(other, expected["output"]):  # not random: a float32 draws other numbers
        trial.same("float32", got, expected, "in float64 it is the latter", rtol=1e-3)


def check_allocation(trial: Trial) -> None:
    """Measure the memory that a second run takes, on inputs of about a megabyte."""
    if not trial.inputs:
        return
    largest = max(trial.inputs, key=np.size)
    times = -(-(2**17) // max(1, largest.size))
    big = copy(trial)
    big.inputs = tuple(np.concatenate([x] * times, axis=-1) for x in trial.inputs if x.ndim)
    big.m = trial.m * times
    try:
        output = trial.op.output_shape(*big.shapes)
        trial.op.parameters(*big.shapes)
    except ShapeError:
        return  # the last axis is fixed
    big.projection = np.ones([int(size) for size in output])
    f = big.frame()
    big.run(f)
    limit = max(x.nbytes for x in big.inputs) // 4
    for call in (big.forward, big.backward):
        peak = peak_of(call, f)
        if peak > limit:
            trial.fail(
                "allocation",
                f"{call.__name__} takes {peak} bytes beside its buffers, for inputs of "
                f"{4 * limit} bytes; declare a workspace and compute with out=",
            )


def peak_of(call: Callable[[Frame], Frame], f: Frame) -> int:
    """Return the most memory, in bytes, that a call held beyond what was there before."""
    ours = not tracemalloc.is_tracing()
    if ours:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        call(f)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if ours:
            tracemalloc.stop()


def copy_frame(f: Frame) -> Frame:
    """Return a frame with the same arrays in containers of its own."""
    other = copy(f)
    for name in ("params", "state", "work", "grad_params"):
        setattr(other, name, dict(getattr(f, name)))
    return other
