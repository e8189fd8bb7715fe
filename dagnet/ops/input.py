"""Inputs: where a network is fed."""

from typing import ClassVar

from dagnet.bounds import check_size
from dagnet.errors import ShapeError
from dagnet.names import check_name
from dagnet.node import Node, Shape, located, user_source
from dagnet.ops.base import Op
from dagnet.ops.frame import Frame


class Placeholder(Op):
    """The op of an `Input`: its value is fed."""

    shape: Shape = ()

    kind: ClassVar[str] = "input"
    symbol: ClassVar[str] = "input"
    arity: ClassVar[int | None] = 0
    size_fields: ClassVar[frozenset[str]] = frozenset({"shape"})

    @property
    def stem(self) -> str:
        return "input"

    def output_shape(self, *inputs: Shape) -> Shape:
        return tuple(self.shape)

    def flops(self, *inputs: tuple[int, ...]) -> int:
        return 0

    def forward(self, f: Frame) -> None:
        """Nothing to compute: the output is the fed array."""

    def backward(self, f: Frame) -> None:
        """Nothing to pass on: gradients end here."""


def Input(*shape: int, name: str | None = None, examples: bool = True) -> Node:  # noqa: N802
    """Declare an input of the network.

    Parameters
    ----------
    *shape : int
        Sizes of the axes before the examples axis: ``Input(12288)`` takes ``(12288, m)``.
    name : str, optional
        The key under which it is fed.
    examples : bool
        False for an array of exactly this shape, without an examples axis.

    Returns
    -------
    Node

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.Input(3, 64, 64, name="pictures").shape
    (3, 64, 64, 'm')
    """
    source = user_source()
    name = check_name(name, located("Input", source))
    label = located(name or "Input", source)
    for size in shape:
        check_size(size, f"{label}: every axis of an Input", error=ShapeError)
    full: Shape = (*map(int, shape), "m") if examples else tuple(map(int, shape))
    return Node(Placeholder(full), (), full, name, source)
