"""The arrays an op declares, and the frame in which it sees them."""

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from dagnet.node import Shape, Source

if TYPE_CHECKING:
    from dagnet.ops.base import Op


class Parameter(NamedTuple):
    """A trained array of an op.

    Weights state their `fan_in` and `fan_out`: the model's initialiser (or `init`, if given)
    draws them, and L2 and weight decay shrink them. Everything else starts at `fill`.
    """

    shape: tuple[int, ...]
    fan_in: int | None = None
    fan_out: int | None = None
    init: str | float | None = None
    fill: float = 0.0

    @property
    def is_weight(self) -> bool:
        return self.fan_in is not None

    @property
    def size(self) -> int:
        return prod(self.shape)


class State(NamedTuple):
    """An array of an op that training changes without a gradient, such as a running mean."""

    shape: tuple[int, ...]
    fill: float = 0.0


class Work(NamedTuple):
    """An array an op computes in besides its output.

    `life` says when its content matters: during the `"forward"` call, during the `"backward"`
    call, or `"saved"` from forward to backward. `dtype` is the model's unless given.
    """

    shape: Shape
    life: Literal["forward", "backward", "saved"]
    dtype: str | None = None


class Frame:
    """The arrays of one node, as an op's `forward` and `backward` see them.

    Attributes
    ----------
    name : str
    source : Source or None
        The user's file and line.
    inputs : tuple of ndarray
        One per input, in order. Read only.
    output : ndarray
        `forward` overwrites all of it; `backward` may read it if the op's `reads` says so.
    params, state, work : dict of ndarray
        By the names the op declared.
    grad_output : ndarray
        Gradient of the cost with respect to the output. Read only.
    grad_inputs : tuple of (ndarray or None)
        `backward` overwrites all of each array and skips None, which was not asked for.
    grad_params : dict of ndarray
        `backward` overwrites each array that is there; a missing name was not asked for.
    m : int
        Number of examples of this run.
    rng : numpy.random.Generator
        For ops that draw random numbers.
    """

    __slots__ = (
        "grad_inputs",
        "grad_output",
        "grad_params",
        "inputs",
        "m",
        "name",
        "output",
        "params",
        "rng",
        "source",
        "state",
        "work",
    )

    name: str
    source: Source | None
    inputs: tuple[np.ndarray, ...]
    output: np.ndarray
    params: dict[str, np.ndarray]
    state: dict[str, np.ndarray]
    work: dict[str, np.ndarray]
    grad_output: np.ndarray
    grad_inputs: tuple[np.ndarray | None, ...]
    grad_params: dict[str, np.ndarray]
    m: int
    rng: np.random.Generator

    @classmethod
    def allocate(
        cls,
        op: "Op",
        *inputs: np.ndarray,
        params: Mapping[str, np.ndarray] | None = None,
        m: int | None = None,
        rng: np.random.Generator | None = None,
    ) -> "Frame":
        """Return a frame with fresh arrays for one op on its own, outside any graph.

        Parameters
        ----------
        op : Op
        *inputs : ndarray
            What the op reads, examples on the last axis.
        params : mapping of ndarray, optional
            Its parameters; as declared by the op, zeros for weights, if not given.
        m : int, optional
            Number of examples; the length of the first input's last axis if not given.
        rng : numpy.random.Generator, optional

        Examples
        --------
        >>> import numpy as np, dagnet as dn
        >>> from dagnet.ops.frame import Frame
        >>> frame = Frame.allocate(dn.ReLU(), np.array([[-1.0, 2.0]]))
        >>> dn.ReLU().forward(frame)
        >>> frame.output
        array([[0., 2.]])
        """
        shapes = tuple(x.shape for x in inputs)
        dtype = np.result_type(*inputs, *(params or {}).values(), np.float32)
        frame = cls()
        frame.name, frame.source = op.stem, None
        frame.inputs = inputs
        frame.output = np.empty(sizes(op.output_shape(*shapes)), dtype)
        frame.params = dict(params or {}) or {
            name: np.full(p.shape, p.fill, dtype) for name, p in op.parameters(*shapes).items()
        }
        frame.state = {n: np.full(s.shape, s.fill, dtype) for n, s in op.states(*shapes).items()}
        frame.work = {
            n: np.empty(sizes(w.shape), np.dtype(w.dtype or dtype))
            for n, w in op.workspace(*shapes).items()
        }
        frame.grad_output = np.ones_like(frame.output)
        frame.grad_inputs = tuple(
            None if i in op.constant_inputs else np.empty(s, dtype) for i, s in enumerate(shapes)
        )
        frame.grad_params = {n: np.empty_like(p) for n, p in frame.params.items()}
        if m is None:
            m = inputs[0].shape[-1] if inputs and inputs[0].ndim else 1
        frame.m = m
        frame.rng = rng if rng is not None else np.random.default_rng(0)
        return frame


def sizes(shape: Shape) -> tuple[int, ...]:
    """Return a shape without symbols as plain integers."""
    return tuple(int(size) for size in shape)
