"""Names that a package offers and imports only when one is asked for, so that it loads quickly."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def late(package: str, places: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package.

    Parameters
    ----------
    package : str
    places : mapping of str to str
        For each name, the module that has it, and after a colon what it is called there; the
        module itself if there is no colon.
    """

    def find(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, _, attribute = places[name].partition(":")
        found = import_module(module)
        return getattr(found, attribute) if attribute else found

    return find
