"""The graph: what a definition compiles to. The only module that knows networkx."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dagnet.definition import ancestors, assign_names, node_list
from dagnet.errors import GraphError, UnknownNameError
from dagnet.node import Node, Source, located
from dagnet.ops.base import Op
from dagnet.ops.checks import check_arity
from dagnet.scopes import scope_paths

if TYPE_CHECKING:
    import networkx

#: The vertex that owns a parameter, and the parameter's name there: ``("linear2", "W")``.
ParamKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Vertex:
    """A node's entry in a graph, with every reference by name.

    Attributes
    ----------
    name : str
    op : Op
    inputs : tuple of str
        Names of the vertices it reads, in order: the truth from which edges are derived.
    owner : str
        The name under which its parameters and state are kept: its own, or that of the first
        use of its op, which need not be in the graph any more.
    borrows : tuple of ParamKey
        Parameters of other vertices that it reads, such as the weights in an L2 penalty.
    source : Source or None
        The user's file and line.
    scope : tuple of str
        Names of the groups it is in, the outermost first; see `dn.scope`.
    """

    name: str
    op: Op
    inputs: tuple[str, ...] = ()
    owner: str = ""
    borrows: tuple[ParamKey, ...] = ()
    source: Source | None = None
    scope: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "owner", self.owner or self.name)

    @property
    def label(self) -> str:
        """The name with the user's line, as error messages begin."""
        return located(self.name, self.source)

    @property
    def is_input(self) -> bool:
        return self.op.kind == "input"


class Graph:
    """A directed acyclic graph of vertices, in topological order; it never changes.

    Parameters
    ----------
    vertices : iterable of Vertex
        In definition order, which breaks ties in the topological order.
    losses : sequence of str
        The scalars whose sum is the cost.
    outputs : sequence of str
        What a prediction returns.
    names : mapping of Node to str, optional
        Which vertex each node of the definition became.
    attributes : mapping of str to mapping, optional
        Facts about vertices for the networkx graph: for each attribute, its value by vertex.

    Raises
    ------
    GraphError
        If a name occurs twice, an input is unknown, the number of inputs does not suit an op,
        or there is a cycle.

    Examples
    --------
    >>> import dagnet as dn
    >>> x = dn.Input(5, name="x")
    >>> graph = dn.Graph.from_nodes(outputs=[dn.Add()(dn.ReLU()(x), x)])
    >>> list(graph)
    ['x', 'relu1', 'add1']
    >>> graph["add1"].inputs
    ('relu1', 'x')
    >>> graph.nx.number_of_edges()
    3
    """

    def __init__(
        self,
        vertices: Iterable[Vertex],
        losses: Sequence[str] = (),
        outputs: Sequence[str] = (),
        names: Mapping[Node, str] | None = None,
        attributes: Mapping[str, Mapping[str, object]] | None = None,
    ):
        self.vertices: dict[str, Vertex] = _topological(vertices)
        self._describe(losses, outputs, names, attributes)

    def _describe(
        self,
        losses: Sequence[str],
        outputs: Sequence[str],
        names: Mapping[Node, str] | None,
        attributes: Mapping[str, Mapping[str, object]] | None,
    ) -> None:
        for name in (*losses, *outputs):
            if name not in self.vertices:
                raise UnknownNameError.of("node", name, self.vertices)
        self.losses = tuple(losses)
        self.outputs = tuple(outputs)
        self.names = dict(names or {})
        self.attributes = dict(attributes or {})

    @classmethod
    def from_nodes(cls, losses: Sequence[Node] = (), outputs: Sequence[Node] = ()) -> "Graph":
        """Compile the nodes that the given ones depend on, and nothing else.

        Nodes without a name are numbered in definition order: ``relu1``, ``relu2``.
        """
        losses, outputs = node_list(losses), node_list(outputs)
        nodes = ancestors((*losses, *outputs))
        if not nodes:
            raise GraphError("a network needs a cost or an output")
        names = assign_names(nodes)
        owners: dict[int, str] = {}
        vertices = []
        for node, scope in zip(nodes, scope_paths(n.scopes for n in nodes), strict=True):
            name = names[node]
            owner = owners.setdefault(id(node.op), name)
            inputs = tuple(names[n] for n in node.inputs)
            vertices.append(Vertex(name, node.op, inputs, owner, (), node.source, scope))
        return cls(vertices, [names[n] for n in losses], [names[n] for n in outputs], names)

    def replace(self, **changes: Any) -> "Graph":
        """Return a graph that differs in the named constructor arguments: how passes rewrite."""
        described: dict[str, Any] = {
            "losses": self.losses,
            "outputs": self.outputs,
            "names": self.names,
            "attributes": self.attributes,
        }
        if "vertices" in changes:
            return Graph(**(described | changes))
        graph = Graph.__new__(Graph)
        graph.vertices, graph.found = self.vertices, self.found
        graph._describe(**(described | changes))
        return graph

    def with_vertices(self, changed: Mapping[str, Vertex]) -> "Graph":
        """Return the graph with these vertices in place of those of the same names.

        It returns itself if there are none.
        """
        vertices = (self.vertices | dict(changed)).values()
        return self.replace(vertices=vertices) if changed else self

    def __getstate__(self) -> dict[str, Any]:
        # Without the nodes, which hold the nodes they read: to copy or pickle them would recurse.
        return self.__dict__ | {"names": {}}

    def __getitem__(self, key: "str | Node") -> Vertex:
        return self.vertices[self.name_of(key)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.vertices)

    def __len__(self) -> int:
        return len(self.vertices)

    def __contains__(self, key: object) -> bool:
        name = self.names.get(key) if isinstance(key, Node) else key
        return name in self.vertices

    def _repr_svg_(self) -> str | None:
        from dagnet.render.figure import picture

        return picture(self)

    def __repr__(self) -> str:
        return f"<Graph of {len(self)} nodes, losses {self.losses}, outputs {self.outputs}>"

    def name_of(self, key: "str | Node") -> str:
        """Return the name of a node of the definition, or the name itself; else raise."""
        if isinstance(key, Node):
            key = self.names.get(key, key.name or repr(key))
        if isinstance(key, str) and key in self.vertices:
            return key
        raise UnknownNameError.of("node", key, self.vertices)

    @cached_property
    def found(self) -> dict[str, Any]:
        """What passes have found out about the vertices, and need not find again."""
        return {}

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in definition order."""
        return tuple(v.name for v in self.vertices.values() if v.is_input)

    @cached_property
    def behind_losses(self) -> Set[str]:
        """The losses and everything that they depend on."""
        return self.ancestors(self.losses)

    @cached_property
    def data_inputs(self) -> tuple[str, ...]:
        """The inputs that the outputs depend on."""
        needed = self.ancestors(self.outputs)
        return tuple(name for name in self.inputs if name in needed)

    @cached_property
    def target_inputs(self) -> tuple[str, ...]:
        """The inputs that only the losses need."""
        return tuple(name for name in self.inputs if name not in self.data_inputs)

    @cached_property
    def consumers(self) -> dict[str, list[tuple[str, int]]]:
        """For every vertex, who reads it and in which slot, in topological order."""
        return self._readers(self.vertices)

    @cached_property
    def input_consumers(self) -> dict[str, list[tuple[str, int]]]:
        """The `consumers` of the inputs alone, for whom a run does not need all of them."""
        return self._readers(self.inputs)

    def _readers(self, names: Iterable[str]) -> dict[str, list[tuple[str, int]]]:
        readers: dict[str, list[tuple[str, int]]] = {name: [] for name in names}
        for vertex in self.vertices.values():
            for slot, name in enumerate(vertex.inputs):
                if name in readers:
                    readers[name].append((vertex.name, slot))
        return readers

    def ancestors(self, targets: Iterable[str]) -> set[str]:
        """Return the targets and everything they depend on."""
        seen: set[str] = set()
        stack = list(targets)
        while stack:
            name = stack.pop()
            if name not in seen:
                seen.add(name)
                stack.extend(self.vertices[name].inputs)
        return seen

    @cached_property
    def nx(self) -> "networkx.MultiDiGraph":
        """The networkx graph: a node per vertex, and an edge per input slot, keyed by the slot.

        Node attributes are `op` (the class's name), `kind`, `source`, and whatever passes have
        added; a model's graph has `shape` and `parameters` (how many trained values it owns).
        The edge attribute `slot` is the position among the inputs.
        """
        import networkx  # here, because it takes longer to import than all of dagnet

        graph = _to_networkx(self.vertices)
        for attribute, values in self.attributes.items():
            networkx.set_node_attributes(graph, values, attribute)
        return graph


def _to_networkx(vertices: Mapping[str, Vertex]) -> "networkx.MultiDiGraph":
    import networkx

    graph = networkx.MultiDiGraph()
    for v in vertices.values():
        source = str(v.source or "")
        graph.add_node(v.name, op=type(v.op).__name__, kind=v.op.kind, source=source)
    for v in vertices.values():
        for slot, name in enumerate(v.inputs):
            graph.add_edge(name, v.name, key=slot, slot=slot)
    return graph


def _topological(given: Iterable[Vertex]) -> dict[str, Vertex]:
    """Return the vertices by name, in the topological order whose ties follow the given order."""
    vertices: dict[str, Vertex] = {}
    sorted_so_far = True
    for vertex in given:
        try:
            check_arity(vertex.op, vertex.inputs)
        except GraphError as error:
            raise GraphError(f"{vertex.label}: {error}") from None
        if vertex.name in vertices:
            raise GraphError(
                f"two nodes are named {vertex.name!r}: "
                f"{vertices[vertex.name].label} and {vertex.label}"
            )
        for name in vertex.inputs:
            sorted_so_far = sorted_so_far and name in vertices
        vertices[vertex.name] = vertex
    return vertices if sorted_so_far else _sorted(vertices)


def _sorted(vertices: Mapping[str, Vertex]) -> dict[str, Vertex]:
    """Return vertices that are given in another order as `_topological` does, or raise."""
    for vertex in vertices.values():
        for name in vertex.inputs:
            if name not in vertices:
                problem = UnknownNameError.of("node", name, vertices)
                raise GraphError(f"{vertex.label} reads {name!r}, but there is {problem}")
    import networkx as nx

    graph = _to_networkx(vertices)
    position = {name: i for i, name in enumerate(vertices)}
    try:
        order = list(nx.lexicographical_topological_sort(graph, key=position.__getitem__))
    except nx.NetworkXUnfeasible:
        cycle = [edge[0] for edge in nx.find_cycle(graph)]
        path = " -> ".join(vertices[name].label for name in (*cycle, cycle[0]))
        raise GraphError(f"the graph has a cycle: {path}") from None
    return {name: vertices[name] for name in order}
