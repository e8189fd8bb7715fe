"""The parameters of a model: one flat array, and a view of it for every name.

One array lets an optimizer sweep over all parameters at once, and a norm be one product.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from dagnet.arrays import as_array
from dagnet.errors import ArgumentError, DagnetError, FeedTypeError, ShapeError, UnknownNameError
from dagnet.graph import ParamKey
from dagnet.initializers import check_init, draw_weights
from dagnet.ops.frame import Parameter
from dagnet.tables import shortened


class ParameterStore:
    """All parameters of a model and their gradients.

    Attributes
    ----------
    data, grad : ndarray
        One axis each, of the model's dtype: the weights first, then everything else.
    n_weights : int
        How many elements are weights, which L2 and weight decay shrink.
    arrays, grads : dict
        A view of `data` and of `grad` for each ``(owner, name)``, in definition order.
    fused : bool
        Whether optimizers sweep over the parameters in compiled code.

    Examples
    --------
    >>> store = ParameterStore({("lin", "W"): Parameter((2, 3), fan_in=3, fan_out=2)}, "float64")
    >>> store.arrays["lin", "W"].shape, store.data.shape
    ((2, 3), (6,))
    """

    def __init__(self, parameters: Mapping[ParamKey, Parameter], dtype: str, fused: bool = False):
        self.parameters = dict(parameters)
        self.fused = fused
        size = sum(p.size for p in parameters.values())
        self.data = np.zeros(size, dtype)
        self.grad = np.zeros(size, dtype)
        weights = [key for key, p in parameters.items() if p.is_weight]
        others = [key for key, p in parameters.items() if not p.is_weight]
        self.n_weights = sum(parameters[key].size for key in weights)
        self._spans: dict[ParamKey, slice] = {}
        start = 0
        for key in (*weights, *others):
            self._spans[key] = slice(start, start + parameters[key].size)
            start = self._spans[key].stop
        self.arrays = self.views(self.data)
        self.grads = self.views(self.grad)
        for key, p in parameters.items():
            self.arrays[key].fill(p.fill)
        self._snapshot: dict[ParamKey, np.ndarray] = {}

    def snapshot(self) -> dict[ParamKey, np.ndarray]:
        """Copy all parameters aside and return views of the copy; the next call overwrites it."""
        if not self._snapshot:
            self._copy = np.empty_like(self.data)
            self._snapshot = self.views(self._copy)
        np.copyto(self._copy, self.data)
        return self._snapshot

    def views(self, flat: np.ndarray) -> dict[ParamKey, np.ndarray]:
        """Return the parameters in an array that is laid out as `data` is."""
        return {key: flat[self._spans[key]].reshape(p.shape) for key, p in self.parameters.items()}

    def initialize(
        self, init: str | float, rng: np.random.Generator | np.random.RandomState
    ) -> None:
        """Draw the weights, in definition order, from one generator."""
        init = check_init(init)
        for key, p in self.parameters.items():
            if p.fan_in is not None and p.fan_out is not None:
                chosen = init if p.init is None else check_init(p.init)
                self.arrays[key][...] = draw_weights(chosen, p.shape, p.fan_in, p.fan_out, rng)


class ArraysByOwner(Mapping[str, Mapping[str, np.ndarray]]):
    """Arrays as ``arrays["linear2"]["W"]``: the live arrays, in a mapping that cannot change.

    Write *into* an array (``params["linear2"]["W"][...] = 0``) or use `Model.set_params`.

    Parameters
    ----------
    arrays : mapping of ParamKey to ndarray
    what : str
        What messages call one of them.
    """

    def __init__(self, arrays: Mapping[ParamKey, np.ndarray], what: str = "parameter"):
        self.what = what
        self._owners: dict[str, _NamedArrays] = {}
        for (owner, name), array in arrays.items():
            self._owners.setdefault(owner, _NamedArrays(owner, what)).arrays[name] = array

    def __getitem__(self, owner: str) -> Mapping[str, np.ndarray]:
        try:
            return self._owners[owner]
        except (KeyError, TypeError):  # no name at all, such as a list
            raise UnknownNameError.of(f"node with {self.what}s", owner, self._owners) from None

    def __setitem__(self, owner: str, value: object) -> None:
        raise _not_assignable(self.what, owner, "...")

    def __iter__(self) -> Iterator[str]:
        return iter(self._owners)

    def __len__(self) -> int:
        return len(self._owners)

    def copies(self) -> dict[str, dict[str, np.ndarray]]:
        """Return copies of all arrays, in dicts of the same kind."""
        return {owner: {n: a.copy() for n, a in named.items()} for owner, named in self.items()}

    def __repr__(self) -> str:
        lines = ([f"  {owner}: {named!r}"] for owner, named in self._owners.items())
        text = "\n".join(line for (line,) in shortened(lines))
        return f"{{\n{text}\n}}" if self._owners else "{}"


class _NamedArrays(Mapping[str, np.ndarray]):
    def __init__(self, owner: str, what: str):
        self.owner = owner
        self.what = what
        self.arrays: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        try:
            return self.arrays[name]
        except (KeyError, TypeError):  # no name at all, such as a list
            raise UnknownNameError.of(f"{self.what} of {self.owner}", name, self.arrays) from None

    def __setitem__(self, name: str, value: object) -> None:
        raise _not_assignable(self.what, self.owner, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def __repr__(self) -> str:
        return ", ".join(f"{n} {a.shape} {a.dtype}" for n, a in self.arrays.items())


def _not_assignable(what: str, owner: str, name: str) -> DagnetError:
    attribute = "params" if what == "parameter" else what  # of the model
    return ArgumentError(
        f"{what}s cannot be rebound; write into the array "
        f"({attribute}[{owner!r}][{name!r}][...] = value) or call model.set_{attribute}"
    )


def assign(target: ArraysByOwner, values: Mapping[str, Mapping[str, object]]) -> None:
    """Copy arrays into those of `target`; if one does not fit, raise and change nothing.

    Raises
    ------
    UnknownNameError, ShapeError, FeedTypeError
    """
    if not isinstance(values, Mapping):
        raise FeedTypeError(
            f"expected {target.what}s as a dict of dicts of arrays, got {type(values).__name__}"
        )
    checked: list[tuple[np.ndarray, np.ndarray]] = []
    for owner, arrays in values.items():
        known = target[owner]
        if not isinstance(arrays, Mapping):
            raise FeedTypeError(f"{owner}: expected a dict of arrays, got {type(arrays).__name__}")
        for name, value in arrays.items():
            what = f"{target.what} {owner}.{name}"
            checked.append((known[name], fitting(known[name], value, what)))
    # Views of the very arrays that are written to must be read before.
    ready = [(a, v.copy() if np.may_share_memory(v, a.base) else v) for a, v in checked]
    for array, value in ready:
        array[...] = value


def fitting(like: np.ndarray, value: object, what: str) -> np.ndarray:
    """Return `value` as an array that can be copied into `like`, or raise."""
    array = as_array(value, what)
    if array.dtype.kind == "f" and array.dtype.itemsize > like.dtype.itemsize:
        raise FeedTypeError(
            f"{what} is {like.dtype}, got {array.dtype}: convert it with "
            f".astype({str(like.dtype)!r}) to say that losing digits is meant"
        )
    if array.shape != like.shape:
        raise ShapeError(f"{what} has shape {like.shape}, got {array.shape}")
    return array
