"""Checkpoints: everything a training needs to go on as if it had never stopped."""

import json
import zlib
from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from dagnet.errors import ArgumentError, ArgumentTypeError, DagnetError, FileFormatError
from dagnet.files import check_writable
from dagnet.graph import Graph
from dagnet.storage import Archive, graph_to_json, read_archive, write_archive
from dagnet.training.config import hyperparameters
from dagnet.training.optimizer import Optimizer

if TYPE_CHECKING:
    from dagnet.training.loop import Training

KIND = "checkpoint/1"

#: Where a training stands, as whole numbers.
POSITION = ("epoch", "batch", "step")


class Checkpoint:
    """A file that holds the parameters, the optimizer's state, the generator's, and the position.

    Parameters
    ----------
    path : str or PathLike
    every : int
        Epochs from one writing to the next.

    Raises
    ------
    FileAccessError
        At once, if the file cannot be written.
    """

    def __init__(self, path: "str | PathLike[str]", every: int):
        check_writable(path)
        self.path = path
        self.every = every

    def write(self, training: "Training") -> None:
        """Write where the training stands; the file is always whole, the old or the new one."""
        arrays, metadata = _snapshot(training)
        write_archive(self.path, KIND, arrays, metadata)


def load(path: "str | PathLike[str]", training: "Training") -> Archive:
    """Read a checkpoint that a training, made with the same arguments, can go on from.

    Raises
    ------
    FileAccessError, FileFormatError
        If the file is missing, damaged, or no checkpoint.
    ArgumentError
        If it is of another network, other data or other settings.
    """
    archive = read_archive(path, KIND)
    _check_same(path, archive.metadata, training)
    try:
        _check_content(archive, training)
    except (DagnetError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise FileFormatError(f"{path}: not a usable checkpoint: {error}") from error
    return archive


def restore(archive: Archive, training: "Training") -> None:
    """Put a training where the checkpoint that `load` read for it says."""
    arrays, metadata, model = archive.arrays, archive.metadata, training.model
    pairs = zip(training.callbacks, metadata["callbacks"], strict=False)
    for i, (callback, saved) in enumerate(pairs):
        if saved["name"] == type(callback).__name__:
            callback.load_state_dict(json.loads(saved["values"]), _below(f"callback.{i}.", arrays))
    optimizer = _saved_optimizer(archive, training)
    for name in hyperparameters(type(optimizer)):  # a callback may have changed them
        setattr(training.optimizer, name, getattr(optimizer, name))
    training.optimizer.load_state_dict(optimizer.state_dict())
    model.store.data[...] = arrays["params"]
    for name, mine in _states(training).items():
        mine[...] = arrays[name]
    model.rng.bit_generator.state = _decode(metadata["generator"])
    training.order = arrays.get("order")
    training.cost_sum = float(arrays["cost_sum"])
    training.under_way = metadata["under_way"]
    training.epoch, training.batch, training.step = (metadata[name] for name in POSITION)
    training.history.columns = {n: arrays[f"history.{n}"].tolist() for n in metadata["history"]}


def _snapshot(training: "Training") -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    model = training.model
    state = training.optimizer.state_dict()
    steps = state.pop("steps")
    arrays = {"params": model.store.data}
    arrays |= {f"optimizer.{name}": array for name, array in state.items()}
    arrays |= _states(training)
    arrays |= {f"history.{n}": np.array(c) for n, c in training.history.columns.items()}
    # Not in the JSON, which knows no nan: training may have diverged.
    arrays["cost_sum"] = np.array(training.cost_sum)
    if training.order is not None:
        arrays["order"] = training.order
    callbacks = []
    for i, callback in enumerate(training.callbacks):
        name = type(callback).__name__
        values, kept = callback.state_dict()
        try:
            callbacks.append({"name": name, "values": json.dumps(values)})
        except (TypeError, ValueError) as error:
            raise ArgumentTypeError(f"{name}: state_dict is not JSON: {error}") from error
        arrays |= {f"callback.{i}.{key}": array for key, array in kept.items()}
    metadata = {
        **_settings(training),
        **{name: int(getattr(training, name)) for name in POSITION},
        "under_way": training.under_way,
        "optimizer": training.optimizer_config,
        "optimizer_now": training.optimizer.config,
        "optimizer_steps": steps,
        "generator": _encode(model.rng.bit_generator.state),
        "history": list(training.history.columns),
        "callbacks": callbacks,
    }
    return arrays, metadata


def _settings(training: "Training") -> dict[str, Any]:
    """Return what must be the same for the bits to be the same."""
    return {
        "graph": _definition(training.model.graph),
        "dtype": training.model.dtype,
        "examples": training.batches.m,
        "batch_size": None if training.batches.whole else training.batches.size,
        "shuffle": training.shuffle,
        "bit_generator": type(training.model.rng.bit_generator).__name__,
        "data": training.fingerprint,
    }


def _definition(graph: Graph) -> dict[str, Any]:
    """Return a graph as JSON without the lines that made it: scripts change, and move."""
    described = graph_to_json(graph)
    vertices = [{k: v for k, v in node.items() if k != "source"} for node in described["vertices"]]
    return described | {"vertices": vertices}


def _check_same(path: Any, metadata: Any, training: "Training") -> None:
    if not isinstance(metadata, dict):
        raise FileFormatError(f"{path}: not a usable checkpoint: its content is no object")
    for what, mine in _settings(training).items():
        theirs = metadata.get(what)
        if theirs == mine:
            continue
        if what == "graph":
            raise ArgumentError(f"{path}: this checkpoint is of another network")
        if what == "data":
            raise ArgumentError(f"{path}: this checkpoint is of other training data or scaling")
        raise ArgumentError(
            f"{path}: this checkpoint was made with {what} {theirs!r}, the training has {mine!r}"
        )
    config = training.optimizer_config
    if metadata.get("optimizer") != config:
        raise ArgumentError(
            f"{path}: this checkpoint was made with the optimizer {metadata.get('optimizer')}, "
            f"the training has {config}"
        )


def _check_content(archive: Archive, training: "Training") -> None:
    """Raise unless `restore` can use all of it."""
    arrays, metadata = archive.arrays, archive.metadata
    model, batches = training.model, training.batches
    for name, mine in {"params": model.store.data, **_states(training)}.items():
        if (arrays[name].shape, arrays[name].dtype) != (mine.shape, mine.dtype):
            raise ValueError(f"{name} does not fit the network")
    for name in POSITION:
        if type(metadata[name]) is not int or metadata[name] < 0:
            raise ValueError(f"{name} is {metadata[name]!r}")
    if metadata["batch"] > batches.count or type(metadata["under_way"]) is not bool:
        raise ValueError("its position is outside the epoch")
    order = arrays.get("order")
    if order is not None and not np.array_equal(np.sort(order), np.arange(batches.m)):
        raise ValueError("its order is not one of all examples")
    if order is None and metadata["under_way"] and not batches.whole:
        raise ValueError("it has no order of the examples")
    if arrays["cost_sum"].shape != ():
        raise ValueError("the sum of the costs is no number")
    if len({arrays[f"history.{name}"].shape for name in metadata["history"]}) > 1:
        raise ValueError("the columns of its history differ in length")
    for saved in metadata["callbacks"]:
        json.loads(saved["values"])
    type(model.rng.bit_generator)().state = _decode(metadata["generator"])
    for slot in _below("optimizer.", arrays).values():
        if (slot.shape, slot.dtype) != (model.store.data.shape, model.store.data.dtype):
            raise ValueError("the state of the optimizer does not fit the network")
    _saved_optimizer(archive, training)


def _saved_optimizer(archive: Archive, training: "Training") -> Optimizer:
    """Return the optimizer as it was, with its state."""
    saved = type(training.optimizer).from_config(archive.metadata["optimizer_now"])
    steps = archive.metadata["optimizer_steps"]
    saved.load_state_dict({"steps": steps, **_below("optimizer.", archive.arrays)})
    return saved


def fingerprint(feeds: Mapping[str, np.ndarray]) -> int:
    """Return a number that is the same for the same arrays, in any memory order."""
    total = 0
    for name, array in feeds.items():
        total = zlib.crc32(f"{name} {array.shape} {array.dtype}".encode(), total)
        for part in array if array.ndim > 1 else [array]:
            total = zlib.crc32(np.ascontiguousarray(part).data, total)
    return total


def _below(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays whose names begin with `prefix`, by the rest of the name."""
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def _states(training: "Training") -> dict[str, np.ndarray]:
    every = [array for arrays in training.model.state.values() for array in arrays.values()]
    return {f"state.{i}": array for i, array in enumerate(every)}


def _encode(value: Any) -> Any:
    """Return a generator's state as JSON: its 128-bit integers as text, arrays as lists."""
    if isinstance(value, dict):
        return {key: _encode(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": str(value.dtype)}
    if isinstance(value, int | np.integer):
        return str(int(value))
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"array", "dtype"}:
            return np.array(value["array"], dtype=value["dtype"])
        return {k: v if k == "bit_generator" else _decode(v) for k, v in value.items()}
    return int(value) if isinstance(value, str) else value
