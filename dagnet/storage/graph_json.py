"""Graphs as JSON and back."""

from collections.abc import Mapping
from typing import Any

from dagnet.errors import ArgumentError, FileFormatError
from dagnet.graph import Graph, ParamKey, Vertex
from dagnet.names import check_name
from dagnet.node import Source, located
from dagnet.ops import REGISTRY, Op
from dagnet.storage.op_json import op_from_json, op_to_json
from dagnet.storage.refusing import brief, refusing, shown
from dagnet.storage.strict_json import dumps, expect, expect_keys, expect_strings

_GRAPH_KEYS = ("vertices", "losses", "outputs", "own_ops")
_VERTEX_KEYS = ("name", "op", "inputs", "owner", "borrows", "source")


def graph_to_json(graph: Graph) -> dict[str, Any]:
    """Return a graph as JSON can hold it, its vertices in topological order.

    Of the user's source, the name of the file and the line are kept, not where the file is.
    ``own_ops`` lists the classes that are not dagnet's, which a reader has to bring.

    Raises
    ------
    ArgumentTypeError
        If a hyperparameter is nothing that a file can hold.
    ArgumentError
        If two op classes have the same name, or an op cannot be made again from its `config`.

    Examples
    --------
    >>> import dagnet as dn
    >>> data = graph_to_json(dn.mlp([5, 3, 1]).graph)
    >>> data["outputs"], data["vertices"][0]["op"]
    (['sigmoid2'], {'class': 'Placeholder', 'name': None, 'config': {'shape': [5, 'm']}})
    """
    classes: dict[str, type[Op]] = {}
    for v in graph.vertices.values():
        name = type(v.op).__name__
        if classes.setdefault(name, type(v.op)) is not type(v.op):
            raise ArgumentError(f"{v.label}: two op classes of this graph are named {name!r}")
    own = {name: op for name, op in classes.items() if REGISTRY.get(name) is not op}
    data = {
        "vertices": [_vertex_to_json(v) for v in graph.vertices.values()],
        "losses": list(graph.losses),
        "outputs": list(graph.outputs),
        "own_ops": sorted(own),
    }
    try:
        graph_from_json(data, own)
    except FileFormatError as error:
        raise ArgumentError(f"this graph could not be read back from a file: {error}") from None
    return data


def graph_from_json(data: Any, ops: Mapping[str, type[Op]] | None = None) -> Graph:
    """Return the graph that `graph_to_json` wrote.

    Vertices that share an owner and are uses of one op get one op object again.

    Parameters
    ----------
    data
        Not trusted: everything in it is checked.
    ops : mapping of str to Op class, optional
        The classes that are not dagnet's.

    Raises
    ------
    FileFormatError
        Naming the node and what is wrong with it.

    Examples
    --------
    >>> import dagnet as dn
    >>> graph = dn.mlp([5, 3, 1]).graph
    >>> list(graph_from_json(graph_to_json(graph))) == list(graph)
    True
    """
    data = expect_keys(data, _GRAPH_KEYS, "the graph")
    own = frozenset(expect_strings(data["own_ops"], "the graph: own_ops"))
    entries = expect(data["vertices"], list, "the graph: vertices")
    reader = _VertexReader(own, ops or {})
    vertices = [reader.read(entry, position) for position, entry in enumerate(entries)]
    losses = expect_strings(data["losses"], "the graph: losses")
    outputs = expect_strings(data["outputs"], "the graph: outputs")
    _check_names(vertices, (*losses, *outputs))
    with refusing("the graph"):
        return Graph(vertices, losses, outputs)


def _vertex_to_json(v: Vertex) -> dict[str, Any]:
    scope = {"scope": list(v.scope)} if v.scope else {}
    return scope | {
        "name": v.name,
        "op": op_to_json(v.op, v.label),
        "inputs": list(v.inputs),
        "owner": v.owner,
        "borrows": [list(key) for key in v.borrows],
        "source": v.source and [v.source.place, v.source.line],
    }


class _VertexReader:
    """Reads vertices one after the other, and remembers the ops that several share."""

    def __init__(self, own: frozenset[str], ops: Mapping[str, type[Op]]):
        self.own = own
        self.ops = ops
        self.read_ops: dict[tuple[str, str], Op] = {}

    def read(self, data: Any, position: int) -> Vertex:
        place = f"node {position}"
        scope = expect(data, dict, place).get("scope", [])
        data = expect_keys({"scope": scope} | data, (*_VERTEX_KEYS, "scope"), place)
        name = _name(data["name"], f"{place}: its name")
        source = _source(data["source"], f"node {shown(name)}")
        label = brief(located(f"node {shown(name)}", source))
        owner = _name(data["owner"], f"{label}: its owner")
        inputs = expect_strings(data["inputs"], f"{label}: inputs")
        borrows = expect(data["borrows"], list, f"{label}: borrows")
        keys = tuple(_parameter_key(key, f"{label}: a parameter it borrows") for key in borrows)
        scope = tuple(
            _name(entry, f"{label}: a scope")
            for entry in expect_strings(data["scope"], f"{label}: its scope")
        )
        op = self._op(data["op"], label, owner)
        return Vertex(name, op, inputs, owner, keys, source, scope)

    def _op(self, data: Any, label: str, owner: str) -> Op:
        op = op_from_json(data, label, self.own, self.ops)
        return self.read_ops.setdefault((owner, dumps(data)), op)


def _name(value: Any, what: str) -> str:
    name = expect(value, str, what)
    with refusing(what):
        check_name(name, "not usable")
    return name


def _source(value: Any, label: str) -> Source | None:
    if value is None:
        return None
    what = f"{label}: its source"
    entry = expect(value, list, what)
    if len(entry) != 2:
        raise FileFormatError(f"{what} should be a file and a line")
    file, line = entry
    return Source(expect(file, str, what), expect(line, int, what))


def _parameter_key(value: Any, what: str) -> ParamKey:
    owner, name = expect_strings(value, what, count=2)
    return owner, name


def _check_names(vertices: list[Vertex], targets: tuple[str, ...]) -> None:
    """Raise if a name is used that no vertex has; `Graph` would search for the nearest ones."""
    names = {v.name for v in vertices}
    for v in vertices:
        for name in v.inputs:
            if name not in names:
                raise FileFormatError(f"node {shown(v.name)} reads {shown(name)}, which is no node")
    for name in targets:
        if name not in names:
            raise FileFormatError(f"{shown(name)} is a loss or an output, but no node")
