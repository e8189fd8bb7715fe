"""Scopes: names for groups of nodes, as a drawing shows them."""

from collections.abc import Iterable
from contextvars import ContextVar

from dagnet.errors import ArgumentTypeError
from dagnet.names import check_name

_open: ContextVar[tuple["Scope", ...]] = ContextVar("scopes", default=())


class Scope:
    """A group of nodes, entered with ``with``; what `scope` returns."""

    def __init__(self, name: str):
        self.name = name

    def __enter__(self) -> "Scope":
        _open.set((*_open.get(), self))
        return self

    def __exit__(self, *error: object) -> None:
        _open.set(_open.get()[:-1])

    def __repr__(self) -> str:
        return f"<scope {self.name!r}>"


def scope(name: str) -> Scope:
    """Return a new scope: what is made inside its ``with`` block is drawn as a group.

    Scopes nest. Every call makes a group of its own; to add to a group later, keep what this
    returns and enter it again. The names of nodes do not change.

    Parameters
    ----------
    name : str

    Raises
    ------
    ArgumentTypeError, ArgumentError
        If the name is no string, or not one non-empty line.

    Examples
    --------
    >>> import dagnet as dn
    >>> with dn.scope("encoder"):
    ...     A = dn.ReLU()(dn.Linear(3)(dn.Input(5)))
    >>> dn.Graph.from_nodes(outputs=[A])["relu1"].scope
    ('encoder',)
    """
    if name is None:
        raise ArgumentTypeError("scope: a name must be a string, not NoneType")
    check_name(name, "scope")
    return Scope(name)


def open_scopes() -> tuple[Scope, ...]:
    """Return the scopes whose ``with`` blocks are being run, the outermost first."""
    return _open.get()


def scope_paths(scopes: Iterable[tuple[Scope, ...]]) -> list[tuple[str, ...]]:
    """Return the names of nested scopes, for each of several nodes in definition order.

    Two scopes of one name in the same place are told apart: ``block``, ``block_2``.
    """
    paths: dict[tuple[Scope, ...], tuple[str, ...]] = {(): ()}
    taken: set[tuple[str, ...]] = set()

    def path(nested: tuple[Scope, ...]) -> tuple[str, ...]:
        for depth in range(1, len(nested) + 1):
            key = nested[:depth]
            if key not in paths:
                within, name = paths[key[:-1]], key[-1].name
                number, found = 1, (*within, name)
                while found in taken:
                    number += 1
                    found = (*within, f"{name}_{number}")
                taken.add(found)
                paths[key] = found
        return paths[nested]

    return [path(nested) for nested in scopes]
