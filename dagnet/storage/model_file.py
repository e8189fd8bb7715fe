"""Models in files: `save` and `load`.

The arrays of a model's archive are called as people would: ``linear1.W``,
``state.batchnorm1.running_mean``, ``scaling.X.mean``. Names of nodes may hold dots, so which array
is whose stands in the document::

    {"graph": {...}, "dtype": "float64", "scaling": {"X": {"name": "standardize"}},
     "classes": ["no", "yes"], "features": null,
     "tensors": {"linear1.W": ["parameter", "linear1", "W"], ...}}

What a run leaves behind (the cache, the gradients, the state of an optimizer or of the random
generator) is not part of the file.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from dagnet.data.scaling import Scaler
from dagnet.errors import ArgumentError, ArgumentTypeError, FileFormatError
from dagnet.graph import Graph
from dagnet.initializers import check_init
from dagnet.model import Model
from dagnet.node import format_shape
from dagnet.passes import collect_parameters, collect_states, infer_shapes, verify
from dagnet.settings import DTYPES, Seed
from dagnet.storage.archive import read_archive, write_archive
from dagnet.storage.graph_json import graph_from_json, graph_to_json
from dagnet.storage.op_registry import Ops, op_registry
from dagnet.storage.refusing import loading, refusing, shown
from dagnet.storage.strict_json import expect, expect_keys, expect_strings
from dagnet.storage.values import from_json, to_json

#: What the archive says it holds, and the version of the layout above.
KIND = "model/1"

PARAMETER, STATE, SCALING = "parameter", "state", "scaling"

#: Whose an array is: its role, a node or an input, and the array's name there.
Slot = tuple[str, str, str]


def save(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a model to one safetensors file, its graph as JSON in the metadata.

    It is written to a temporary file beside `path`, flushed to the disk, and renamed: a crash at
    any moment leaves the old file or the new one, whole. The same model gives the same bytes.

    Parameters
    ----------
    model : Model
        Its graph, parameters, states, scaling, dtype, and names of classes and features are kept.
    path : str or PathLike
        Used as given; no ending is added.

    Raises
    ------
    FileAccessError
        If the file cannot be written; what was there before is untouched.
    ArgumentError, ArgumentTypeError
        If an op of the user's own has a hyperparameter that no file can hold, or could not be
        made again from its `config`.

    Examples
    --------
    >>> import tempfile, dagnet as dn
    >>> from safetensors.numpy import load_file
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     save(dn.mlp([5, 3, 1], seed=1), f"{directory}/net.safetensors")
    ...     arrays = load_file(f"{directory}/net.safetensors")  # any reader sees the arrays
    >>> sorted(arrays)
    ['linear1.W', 'linear1.b', 'linear2.W', 'linear2.b']
    """
    if not isinstance(model, Model):
        raise ArgumentTypeError(f"save takes a Model, got {type(model).__name__}")
    arrays: dict[str, np.ndarray] = {}
    slots: dict[str, Slot] = {}
    for slot, array in _model_arrays(model):
        name = _tensor_name(slot, arrays)
        arrays[name] = array
        slots[name] = slot
    content = {
        "graph": graph_to_json(model.graph),
        "dtype": model.dtype,
        "scaling": {name: _scaler_to_json(s, name) for name, s in model.scaling.items()},
        "classes": model.classes and list(model.classes),
        "features": model.features and list(model.features),
        "tensors": {name: list(slot) for name, slot in slots.items()},
    }
    write_archive(path, KIND, arrays, content)


def load(
    path: str | os.PathLike[str],
    ops: Ops = None,
    seed: Seed = None,
    executor: str = "compiled",
    check_finite: bool = True,
) -> Model:
    """Read the model that `save` wrote.

    Nothing in a file is ever run, so a file from a stranger is safe to load. A file that is
    damaged, not from dagnet, or at odds with itself is an error, never a model that is a little
    wrong. The checksum finds damage, but is not a signature: it does not prove who wrote the file.

    Parameters
    ----------
    path : str or PathLike
    ops : iterable of Op classes or mapping of str to Op class, optional
        Your own ops that the model uses; dagnet's are known.
    seed : int, Generator, RandomState or None
        Source of what is random from here on: dropout and shuffling. A file holds no generator.
    executor : {"compiled", "interpreted", "fused"}
    check_finite : bool
        Whether NaN or Inf in an array that is fed is an error.

    Returns
    -------
    Model
        With the same graph, dtype, scaling, names, and bits of parameters and states. Its nodes
        are found by their names.

    Raises
    ------
    FileAccessError
        If there is no such file, or it cannot be read.
    FileFormatError
        If it is truncated, damaged or foreign, or needs an op that was not passed.
    ArgumentError, ArgumentTypeError
        If `ops` are not op classes.

    Examples
    --------
    >>> import tempfile, numpy as np, dagnet as dn
    >>> model = dn.mlp([5, 3, 1], seed=1)
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     save(model, f"{directory}/net.safetensors")
    ...     again = load(f"{directory}/net.safetensors")
    >>> bool(np.all(again.params["linear1"]["W"] == model.params["linear1"]["W"]))
    True
    """
    known = op_registry(ops)
    archive = read_archive(path, KIND)
    with loading(path):
        keys = ("graph", "dtype", "scaling", "classes", "features", "tensors")
        content = expect_keys(archive.metadata, keys, "the model")
        graph = graph_from_json(content["graph"], known)
        dtype = content["dtype"]
        if dtype not in DTYPES:
            raise FileFormatError(f"the model's dtype should be one of {', '.join(DTYPES)}")
        arrays = _by_slot(archive.arrays, content["tensors"])
        scaling = _scaling(content["scaling"], graph, arrays)
        classes, features = (_names(content[key], key) for key in ("classes", "features"))
        _check_arrays(arrays, _expected_shapes(graph), dtype)
    model = Model.from_graph(
        graph, seed=seed, dtype=dtype, executor=executor, check_finite=check_finite
    )
    model.scaling.update(scaling)
    model.classes, model.features = classes, features
    for slot, target in _model_arrays(model):
        if slot[0] != SCALING:
            target[...] = arrays[slot]
    return model


def _names(value: Any, what: str) -> tuple[str, ...] | None:
    return None if value is None else expect_strings(value, f"the model's {what}")


def _model_arrays(model: Model) -> Iterator[tuple[Slot, np.ndarray]]:
    """Yield every array of a model that a file holds."""
    owned: tuple[tuple[str, Mapping[str, Mapping[str, np.ndarray]]], ...] = (
        (PARAMETER, model.params),
        (STATE, model.state),
        (SCALING, {name: scaler.arrays for name, scaler in model.scaling.items()}),
    )
    for role, owners in owned:
        for owner, arrays in owners.items():
            for name, array in arrays.items():
                yield (role, owner, name), array


def _tensor_name(slot: Slot, taken: Mapping[str, object]) -> str:
    role, owner, name = slot
    tensor = f"{owner}.{name}" if role == PARAMETER else f"{role}.{owner}.{name}"
    while tensor in taken:  # nodes a and a.b may have parameters b.c and c
        tensor += "_"
    return tensor


def _by_slot(arrays: Mapping[str, np.ndarray], index: Any) -> dict[Slot, np.ndarray]:
    """Return the arrays by whose they are, or raise unless the index lists each of them once."""
    index = expect(index, dict, "the list of its arrays")
    for name in index.keys() ^ arrays.keys():
        missing = "the array" if name in index else "the list entry of the array"
        raise FileFormatError(f"{missing} {shown(name)} is missing")
    found: dict[Slot, np.ndarray] = {}
    for tensor, array in arrays.items():
        role, owner, name = expect_strings(index[tensor], f"the entry of {shown(tensor)}", count=3)
        if (role, owner, name) in found:
            raise FileFormatError(f"the {_described((role, owner, name))} is there twice")
        found[role, owner, name] = array
    return found


def _expected_shapes(graph: Graph) -> dict[Slot, tuple[int, ...]]:
    """Return the shapes of the parameters and states of a graph, having verified it."""
    with refusing("the graph"):
        shapes = infer_shapes(graph)
        parameters = collect_parameters(graph, shapes)
        verify(graph, shapes, parameters)
        for parameter in parameters.values():
            if parameter.init is not None:
                check_init(parameter.init)
        states = collect_states(graph, shapes)
    for v in graph.vertices.values():
        for key in v.borrows:
            if key not in parameters:
                raise FileFormatError(
                    f"node {shown(v.name)} borrows {shown('.'.join(key))}, which is no parameter"
                )
    expected = {(PARAMETER, *key): p.shape for key, p in parameters.items()}
    return expected | {(STATE, *key): s.shape for key, s in states.items()}


def _check_arrays(
    arrays: Mapping[Slot, np.ndarray], expected: Mapping[Slot, tuple[int, ...]], dtype: str
) -> None:
    """Raise unless the file holds just the arrays that its graph asks for, before making them."""
    for slot, shape in expected.items():
        if slot not in arrays:
            raise FileFormatError(f"the {_described(slot)} is missing")
        found = arrays[slot]
        if found.shape != shape or found.dtype.name != dtype:
            raise FileFormatError(
                f"the {_described(slot)} should be {_sizes(shape)} {dtype}, "
                f"but is {_sizes(found.shape)} {found.dtype}"
            )
    for slot in arrays:
        if slot not in expected and slot[0] != SCALING:
            raise FileFormatError(f"the {_described(slot)} belongs to nothing in the graph")


def _described(slot: Slot) -> str:
    role, owner, name = slot
    return (
        f"{role if role in (PARAMETER, STATE, SCALING) else shown(role)} {shown(f'{owner}.{name}')}"
    )


def _sizes(shape: tuple[int, ...]) -> str:
    """Return a shape as text; Python refuses to write integers of thousands of digits."""
    return format_shape(tuple(n if n < 10**18 else "too large" for n in shape))


def _scaler_to_json(scaler: Scaler, name: str) -> dict[str, Any]:
    what = f"the scaling of {name}"
    try:
        Scaler.from_saved(scaler.config, scaler.arrays)
    except FileFormatError as error:
        raise ArgumentError(f"{what} could not be read back from a file: {error}") from None
    return {key: to_json(value, what) for key, value in scaler.config.items()}


def _scaling(configs: Any, graph: Graph, arrays: Mapping[Slot, np.ndarray]) -> dict[str, Scaler]:
    """Return the scalers by the inputs they are for."""
    fitted: dict[str, dict[str, np.ndarray]] = {}
    for (role, owner, name), array in arrays.items():
        if role == SCALING:
            fitted.setdefault(owner, {})[name] = array
    scalers: dict[str, Scaler] = {}
    for name, config in expect(configs, dict, "the model's scaling").items():
        what = f"the scaling of {shown(name)}"
        if name not in graph.inputs:
            raise FileFormatError(f"{what} is for no input of the graph")
        options = {k: from_json(v, what) for k, v in expect(config, dict, what).items()}
        with refusing(what):
            scaler = Scaler.from_saved(options, fitted.pop(name, {}))
        features = graph.vertices[name].op.output_shape()[:-1]
        if scaler.features not in (None, features):
            raise FileFormatError(f"{what} is for features {scaler.features}, not {features}")
        scalers[name] = scaler
    for name in fitted:
        raise FileFormatError(f"the scaling of {shown(name)} has arrays, but is not described")
    return scalers
