"""What a drawing says about the vertices of a graph."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields

from dagnet.graph import Graph, Vertex
from dagnet.node import Shape, format_shape
from dagnet.ops.frame import Parameter
from dagnet.passes.shapes import infer_shapes
from dagnet.render.text import joined, shortened
from dagnet.render.words import ENGLISH, Words
from dagnet.text import printable

#: Vertices with the same place in the blocks of a repeat; a vertex on its own is a column of one.
Column = Sequence[Vertex]


class Facts:
    """A graph with all that is asked about it while it is drawn.

    Attributes
    ----------
    graph : Graph
    shapes : dict of tuple
        Of every vertex's output; inferred if not given. `reads` has the shapes of inputs for
        vertices that read others than those in this graph.
    first_use : dict of str
        For every owner of parameters, the first vertex in the graph that uses them.
    words : Words
        What texts are written in.
    """

    def __init__(
        self,
        graph: Graph,
        shapes: Mapping[str, Shape] | None = None,
        reads: Mapping[str, list[Shape]] | None = None,
        words: Words = ENGLISH,
    ):
        self.graph = graph
        self.words = words
        self.shapes = infer_shapes(graph) if shapes is None else shapes
        self._reads = reads or {}
        self.first_use: dict[str, str] = {}
        for v in graph.vertices.values():
            self.first_use.setdefault(v.owner, v.name)
        self._outputs = frozenset(graph.outputs)
        self._predicting = graph.ancestors(graph.outputs)

    def input_shapes(self, v: Vertex) -> list[Shape]:
        return self._reads.get(v.name) or [self.shapes[name] for name in v.inputs]

    def parameters(self, v: Vertex) -> dict[str, Parameter]:
        """Return the parameters a vertex uses, its own or shared."""
        return v.op.parameters(*self.input_shapes(v))

    def entries(self, block: Sequence[str]) -> list[str]:
        """Return the vertices outside a block that it reads."""
        inside = set(block)
        read = (name for member in block for name in self.graph.vertices[member].inputs)
        return list(dict.fromkeys(name for name in read if name not in inside))

    def total(self, vertices: Iterable[Vertex]) -> int:
        """Return how many trained numbers these vertices bring in: shared ones count once."""
        return sum(
            p.size
            for v in vertices
            if self.first_use[v.owner] == v.name
            for p in self.parameters(v).values()
        )

    def is_training_only(self, v: Vertex) -> bool:
        """Tell whether the losses need it and no output does."""
        if not self.graph.outputs:
            return v.op.kind in ("loss", "penalty")
        return v.name not in self._predicting

    def is_output(self, v: Vertex) -> bool:
        return v.name in self._outputs

    # Texts.

    def parameter_texts(self, column: Column) -> list[str]:
        """Return what to say about the parameters of a column; nothing if it has none."""
        owned = [self.parameters(v) for v in column]
        if not owned[0]:
            return []
        shapes = "   ".join(
            f"{name} {joined(format_shape(p[name].shape) for p in owned)}" for name in owned[0]
        )
        return [shapes, self.ownership(column)]

    def ownership(self, column: Column) -> str:
        """Return how many parameters a column brings in, or whose it shares."""
        v = column[0]
        if self.first_use[v.owner] != v.name:
            return self.words("shared with {}", shortened(printable(self.first_use[v.owner])))
        count = self.words.counted(self.total(column), "parameter")
        return self.words("{}, shared by all", count) if self.is_shared(column) else count

    def is_shared(self, column: Column) -> bool:
        """Tell whether all vertices of a column use the same parameters."""
        return (
            len(column) > 1
            and column[0].owner == column[1].owner
            and bool(self.parameters(column[0]))
        )


def settings(v: Vertex) -> list[str]:
    """Return the hyperparameters worth seeing: neither sizes nor at their defaults.

    Examples
    --------
    >>> import dagnet as dn
    >>> graph = dn.Graph.from_nodes(outputs=[dn.Dropout(0.2, name="drop")(dn.Input(5))])
    >>> settings(graph["drop"])
    ['rate = 0.2']
    """
    shown = []
    for field in fields(v.op):
        value = getattr(v.op, field.name)
        if field.name == "name" or field.name in v.op.size_fields:
            continue
        if field.default is not MISSING and repr(value) == repr(field.default):
            continue
        shown.append(f"{field.name} = {setting(value)}")
    return shown


def setting(value: object) -> str:
    """Return a hyperparameter's value as text."""
    return shortened(printable(value if isinstance(value, str) else repr(value)))


def listed(names: Sequence[str]) -> str:
    """Return names on a box: all of two, else the first and the last."""
    shown = [shortened(printable(name)) for name in names]
    return shown[0] if len(shown) == 1 else f"{shown[0]} … {shown[-1]}"
