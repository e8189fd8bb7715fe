"""The profile of a training step: a row for every node, each way, and a table of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

from dagnet.profiling.limits import Bound
from dagnet.tables import html_table, text_table

_HEADER = ("node", "op", "phase", "time us", "of step", "flops", "bytes", "of limit", "limit")
_LEFT = ("node", "op", "phase", "limit")


@dataclass(frozen=True)
class NodeProfile:
    """What one node does in one phase of a step.

    Attributes
    ----------
    node, op : str
        The node's name, and the class of the op that runs for it.
    phase : {"forward", "backward"}
    seconds : float
        Median over the steps.
    flops, nbytes : int
        Floating-point operations, and bytes read and written, of the arrays it works on.
    least : float
        Seconds that the machine needs at least for so much work.
    bound : {"flops", "bytes", "calls"}
        What takes those seconds.
    """

    node: str
    op: str
    phase: Literal["forward", "backward"]
    seconds: float
    flops: int
    nbytes: int
    least: float
    bound: Bound

    @property
    def share(self) -> float:
        """How much of the limit is reached; 1 is all."""
        return self.least / self.seconds


class Profile(Sequence[NodeProfile]):
    """A training step, in the order in which it runs; printing it shows a table.

    Of a long one, the middle is left out there: ``sorted(found, key=lambda row: -row.seconds)``
    has all rows, the slowest first.

    Attributes
    ----------
    update : float
        Seconds of the optimizer's update; 0 if there was no optimizer.
    steps : int
        How many steps were timed.
    """

    def __init__(self, nodes: Sequence[NodeProfile], update: float, steps: int):
        self._nodes = tuple(nodes)
        self.update = update
        self.steps = steps

    @property
    def seconds(self) -> float:
        """Time of a step: of all nodes and the update."""
        return sum(node.seconds for node in self._nodes) + self.update

    @property
    def node_seconds(self) -> dict[str, float]:
        """Time of every node by its name, forward and backward together."""
        return self._by_node(lambda node: node.seconds)

    @property
    def node_shares(self) -> dict[str, float]:
        """How much of the machine's limit every node reaches, forward and backward together.

        Examples
        --------
        >>> forward = NodeProfile("tanh1", "Tanh", "forward", 4e-6, 10, 1000, 1e-6, "calls")
        >>> backward = NodeProfile("tanh1", "Tanh", "backward", 2e-6, 10, 1000, 2e-6, "bytes")
        >>> Profile([forward, backward], update=0.0, steps=1).node_shares
        {'tanh1': 0.5}
        """
        seconds = self.node_seconds
        least = self._by_node(lambda node: node.least)
        return {name: least[name] / seconds[name] for name in seconds}

    @overload
    def __getitem__(self, index: int) -> NodeProfile: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[NodeProfile]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self._nodes[index]

    def __len__(self) -> int:
        return len(self._nodes)

    def __str__(self) -> str:
        return text_table(_HEADER, self._rows(), left=_LEFT)

    def __repr__(self) -> str:
        return f"<Profile of {self.steps} steps, {self.seconds * 1e6:.0f} us each>"

    def _repr_html_(self) -> str:
        return html_table(_HEADER, list(self._rows()), left=_LEFT)

    def _by_node(self, read: Callable[[NodeProfile], float]) -> dict[str, float]:
        totals: dict[str, float] = {}
        for node in self._nodes:
            totals[node.node] = totals.get(node.node, 0.0) + read(node)
        return totals

    def _rows(self) -> Iterator[list[str]]:
        whole = self.seconds
        for n in self._nodes:
            work = [f"{n.flops:,}", f"{n.nbytes:,}", f"{n.share:.0%}", n.bound]
            yield [n.node, n.op, n.phase, *_time(n.seconds, whole), *work]
        if self.update:
            yield ["(parameters)", "", "update", *_time(self.update, whole), "", "", "", ""]


def _time(seconds: float, whole: float) -> list[str]:
    return [f"{seconds * 1e6:.1f}", f"{seconds / whole:.0%}"]
