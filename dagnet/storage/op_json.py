"""Ops as JSON and back."""

from collections.abc import Collection, Mapping
from dataclasses import MISSING, Field, fields
from difflib import get_close_matches
from typing import Any

from dagnet.errors import FileFormatError
from dagnet.node import M
from dagnet.ops import REGISTRY, Op, Placeholder
from dagnet.storage.refusing import refusing, shown
from dagnet.storage.strict_json import expect, expect_keys
from dagnet.storage.values import from_json, to_json


def op_to_json(op: Op, label: str) -> dict[str, Any]:
    """Return an op as JSON can hold it.

    >>> import dagnet as dn
    >>> op_to_json(dn.Linear(7), "linear1")["config"]
    {'units': 7, 'bias': True, 'init': None}
    """
    computed = {f.name for f in fields(op) if not f.init}
    return {
        "class": type(op).__name__,
        "name": op.name,
        "config": {
            key: to_json(value, f"{label}: {type(op).__name__}: {key}")
            for key, value in op.config.items()
            if key not in computed
        },
    }


def op_from_json(data: Any, label: str, own: Collection[str], ops: Mapping[str, type[Op]]) -> Op:
    """Return the op that `op_to_json` wrote.

    Parameters
    ----------
    data
        Not trusted.
    label : str
        The node, as errors name it.
    own : collection of str
        The classes that the file says are not dagnet's: looked for among `ops` only, so that one
        that happens to be called like dagnet's is not taken for it.
    ops : mapping of str to Op class
    """
    data = expect_keys(data, ("class", "name", "config"), f"{label}: its op")
    cls = _find_class(expect(data["class"], str, f"{label}: its op's class"), label, own, ops)
    if data["name"] is not None:
        expect(data["name"], str, f"{label}: its op's name")
    what = f"{label}: {cls.__name__}"
    entries = expect(data["config"], dict, f"{what}: its hyperparameters")
    config = {key: from_json(value, f"{what}: {shown(key)}") for key, value in entries.items()}
    _check_hyperparameters(cls, config, what)
    with refusing(label):
        op = cls(**config, name=data["name"])
    if isinstance(op, Placeholder):
        _check_input_shape(op.shape, label)
    return op


def _find_class(
    name: str, label: str, own: Collection[str], ops: Mapping[str, type[Op]]
) -> type[Op]:
    known = ops if name in own else {**ops, **REGISTRY}
    if name in known:
        return known[name]
    near = get_close_matches(name[:100], known, n=1, cutoff=0.5)
    spelt = f" (did you mean {near[0]!r}?)" if near else ""
    wanted = name if name.isidentifier() and len(name) <= 60 else "..."
    raise FileFormatError(
        f"{label} is a {shown(name)}, which is not one of dagnet's ops{spelt}; if it is your "
        f"own, pass its class: dn.load(path, ops=[{wanted}])"
    )


def _check_hyperparameters(cls: type[Op], config: Mapping[str, Any], what: str) -> None:
    known: dict[str, Field[Any]] = {f.name: f for f in fields(cls) if f.init and f.name != "name"}
    for key in config:
        if key not in known:
            raise FileFormatError(f"{what} has no hyperparameter {shown(key)}")
    for key, field in known.items():
        required = field.default is MISSING and field.default_factory is MISSING
        if required and key not in config:
            raise FileFormatError(f"{what} lacks its hyperparameter {key!r}")


def _check_input_shape(shape: Any, label: str) -> None:
    sizes = shape[:-1] if isinstance(shape, tuple) and shape[-1:] == (M,) else shape
    if not isinstance(sizes, tuple) or not all(type(n) is int and n > 0 for n in sizes):
        raise FileFormatError(f"{label}: an input's shape holds positive whole numbers, then 'm'")
