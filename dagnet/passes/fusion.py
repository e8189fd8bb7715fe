"""Stable-logit fusion: losses that follow a sigmoid or softmax are computed from its input."""

from collections.abc import Collection
from dataclasses import replace

from dagnet.graph import Graph


def fuse_logits(graph: Graph, apart: Collection[str] = ()) -> Graph:
    """Return the graph in which such a loss reads the logits instead of the probabilities.

    Both vertices stay. The loss gets another op of the same meaning, exact for any logits; the
    activation is computed only where something else reads it or it is an output. Losses still read
    the activations named in `apart`.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet import passes
    >>> graph = passes.fuse_logits(dn.mlp([5, 3, 1]).graph)
    >>> graph["cost"].op
    BinaryCrossEntropyWithLogits(name='cost', weight=1.0)
    >>> graph["cost"].inputs
    ('linear2', 'Y')
    """
    fused = {}
    for v in graph.vertices.values():
        if v.op.kind == "loss" and v.inputs[0] not in apart:
            activation = graph.vertices[v.inputs[0]]
            op = v.op.from_logits(activation.op)
            if op is not None:
                inputs = activation.inputs[0], *v.inputs[1:]
                fused[v.name] = replace(v, op=op, inputs=inputs)
    return graph.with_vertices(fused)


def fused_activations(visible: Graph, lowered: Graph) -> dict[str, str]:
    """Return for each fused loss the name of the activation it skips."""
    return {
        v.name: v.inputs[0]
        for v in visible.vertices.values()
        if v.op.kind == "loss" and v.name in lowered and lowered.vertices[v.name].inputs != v.inputs
    }
