"""Preparing: from what users give as `X` and `Y` to feeds, scaled as the model has learned."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dagnet.arrays import as_array
from dagnet.errors import FeedError
from dagnet.feeds import no_mapping
from dagnet.stored import is_stored

if TYPE_CHECKING:
    from dagnet.data.scaling import Scaler


def named(given: Any, names: Sequence[str], letter: str) -> dict[str, Any]:
    """Return what a user gave as `X` or `Y` by input name; an array goes to the only input."""
    if isinstance(given, Mapping):
        return dict(given)
    if len(names) == 1:
        return {names[0]: given}
    listed = ", ".join(names) or "none"
    raise FeedError(
        f"{letter} must be a dict of arrays: the network has {len(names)} such inputs ({listed})"
    )


def scaled(
    feeds: Mapping[str, Any], scaling: "Mapping[str, Scaler]", inputs: Iterable[str], dtype: Any
) -> dict[str, Any]:
    """Return raw feeds with the scalers of a model applied; `inputs` are all that it has."""
    if not isinstance(feeds, Mapping):
        raise no_mapping(feeds, inputs)
    if not scaling:
        return dict(feeds)
    return {
        name: scaling[name].transform(as_array(array, name), dtype=dtype)
        if name in scaling
        else array
        for name, array in feeds.items()
    }


def fitted(scaling: "Scaler | str", feeds: Mapping[str, Any]) -> "dict[str, Scaler]":
    """Return a scaler for each of these raw arrays, fitted to it."""
    from dagnet.data.scaling import fresh_scaler  # here, because most models have no scaling

    raw: dict[str, Any] = {
        name: array if is_stored(array) else as_array(array, name) for name, array in feeds.items()
    }
    return {name: fresh_scaler(scaling).fit(array) for name, array in raw.items()}
