"""Checkpoints: everything a training needs to go on as if it had never stopped."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from dagnet.errors import ArgumentError, DagnetError, FileFormatError
from dagnet.files import check_writable
from dagnet.graph import Graph
from dagnet.storage import Archive, graph_to_json, read_archive, write_archive
from dagnet.storage.refusing import brief
from dagnet.streams import Stream
from dagnet.training.snapshot import POSITION, Snapshot, below, saved_optimizer, snapshot, states

if TYPE_CHECKING:
    from dagnet.training.loop import Training

KIND = "checkpoint/1"

#: Examples that are looked at to tell data in files from others.
SAMPLED = 256


@dataclass(frozen=True)
class Saved:
    """Where a training stood, and the columns of its history."""

    snapshot: Snapshot
    history: dict[str, list[Any]]


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
        saved = Saved(snapshot(training), training.history.columns)
        write_archive(self.path, KIND, *described(saved, settings(training)))


def described(saved: Saved, made_with: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], dict]:
    """Return what a checkpoint's file holds: arrays, and a JSON document."""
    columns = {f"history.{name}": np.array(column) for name, column in saved.history.items()}
    values = saved.snapshot.values
    metadata = {
        **made_with,
        **values,
        "generator": _encode(values["generator"]),
        "history": list(saved.history),
    }
    return {**saved.snapshot.arrays, **columns}, metadata


def load(path: "str | PathLike[str]", training: "Training") -> Saved:
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
        saved = from_archive(archive)
        _check_content(saved, training)
    except (DagnetError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise FileFormatError(f"{path}: not a usable checkpoint: {error}") from error
    return saved


def from_archive(archive: Archive) -> Saved:
    """Return what a checkpoint's file holds."""
    metadata = archive.metadata
    values = metadata | {"generator": _decode(metadata["generator"])}
    history = {n: archive.arrays[f"history.{n}"].tolist() for n in metadata["history"]}
    return Saved(Snapshot(archive.arrays, values), history)


def settings(training: "Training") -> dict[str, Any]:
    """Return what must be the same for the bits to be the same."""
    return {
        "graph": definition(training.model.graph),
        "dtype": training.model.dtype,
        "examples": training.batches.m,
        "batch_size": None if training.batches.whole else training.batches.size,
        "shuffle": training.shuffle,
        "bit_generator": type(training.model.rng.bit_generator).__name__,
        "data": training.fingerprint,
        "optimizer": training.optimizer_config,
    }


def definition(graph: Graph) -> dict[str, Any]:
    """Return a graph as JSON, without the lines that made it: scripts change, and move."""
    described = graph_to_json(graph)
    vertices = [{k: v for k, v in node.items() if k != "source"} for node in described["vertices"]]
    return described | {"vertices": vertices}


def _check_same(path: Any, metadata: Any, training: "Training") -> None:
    if not isinstance(metadata, dict):
        raise FileFormatError(f"{path}: not a usable checkpoint: its content is no object")
    found = difference(metadata, settings(training))
    if found:
        raise ArgumentError(f"{path}: this checkpoint {found}")


def difference(theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> str:
    """Return in words the first of the settings that differs; nothing if none does."""
    for what, value in mine.items():
        if theirs.get(what) == value:
            continue
        if what == "graph":
            return f"is of another network: {_first_difference(theirs.get(what), value)}"
        if what == "data":
            return "is of other training data or scaling"
        made_with = "the optimizer" if what == "optimizer" else what
        return f"was made with {made_with} {theirs.get(what)!r}, the training has {value!r}"
    return ""


def _first_difference(theirs: Any, mine: Any, where: str = "the graph") -> str:
    """Return where two JSON documents differ first."""
    if isinstance(theirs, dict) and isinstance(mine, dict):
        for key in dict.fromkeys([*mine, *theirs]):
            if theirs.get(key) != mine.get(key):
                return _first_difference(theirs.get(key), mine.get(key), f"{where}.{key}")
    if isinstance(theirs, list) and isinstance(mine, list):
        for i, (there, here) in enumerate(zip(theirs, mine, strict=False)):
            if there != here:
                name = here.get("name", i) if isinstance(here, dict) else i
                return _first_difference(there, here, f"{where}[{name}]")
        return f"{where} has {len(theirs)} entries, the model's {len(mine)}"
    return f"{where} is {brief(repr(theirs))}, the model's {brief(repr(mine))}"


def _check_content(saved: Saved, training: "Training") -> None:
    """Raise unless a training can take up all of it."""
    arrays, values = saved.snapshot.arrays, saved.snapshot.values
    model, batches = training.model, training.batches
    for name, mine in {"params": model.store.data, **states(training)}.items():
        if (arrays[name].shape, arrays[name].dtype) != (mine.shape, mine.dtype):
            raise ValueError(f"{name} does not fit the network")
    for name in POSITION:
        if type(values[name]) is not int or values[name] < 0:
            raise ValueError(f"{name} is {values[name]!r}")
    if values["batch"] > batches.count or type(values["under_way"]) is not bool:
        raise ValueError("its position is outside the epoch")
    order = arrays.get("order")
    if order is not None and not np.array_equal(np.sort(order), np.arange(batches.m)):
        raise ValueError("its order is not one of all examples")
    if order is None and values["under_way"] and not batches.whole:
        raise ValueError("it has no order of the examples")
    if arrays["cost_sum"].shape != ():
        raise ValueError("the sum of the costs is no number")
    if len({len(column) for column in saved.history.values()}) > 1:
        raise ValueError("the columns of its history differ in length")
    for callback in values["callbacks"]:
        json.loads(callback["values"])
    type(model.rng.bit_generator)().state = values["generator"]
    for slot in below("optimizer.", arrays).values():
        if (slot.shape, slot.dtype) != (model.store.data.shape, model.store.data.dtype):
            raise ValueError("the state of the optimizer does not fit the network")
    saved_optimizer(saved.snapshot, type(training.optimizer))


def fingerprint(feeds: Mapping[str, Any]) -> int:
    """Return a number that is the same for the same arrays, in any memory order.

    Of what is in files, examples from all over the file stand for all.
    """
    total = 0
    for name, array in feeds.items():
        total = zlib.crc32(f"{name} {array.shape} {array.dtype}".encode(), total)
        if isinstance(array, Stream):  # reading all would take as long as an epoch
            array = array.sample(SAMPLED)
        for part in array if array.ndim > 1 else [array]:
            total = zlib.crc32(np.ascontiguousarray(part).data, total)
    return total


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
