"""Which op classes a file may name: dagnet's own, and those that the caller passes."""

from collections.abc import Iterable, Mapping
from inspect import isabstract

from dagnet.errors import ArgumentError, ArgumentTypeError
from dagnet.ops import Op

Ops = Iterable[type[Op]] | Mapping[str, type[Op]] | None


def op_registry(ops: Ops) -> dict[str, type[Op]]:
    """Return the op classes that a caller passed, by the names that files call them.

    Parameters
    ----------
    ops : iterable of Op classes, mapping of str to Op class, or None
        A mapping gives a class another name than its own: that under which it was saved.

    Raises
    ------
    ArgumentTypeError
        If something is not an op class that can be used.
    ArgumentError
        If two classes have the same name.

    Examples
    --------
    >>> import dagnet as dn
    >>> op_registry([dn.ReLU])
    {'ReLU': <class 'dagnet.ops.activations.ReLU'>}
    """
    if ops is None:
        return {}
    if isinstance(ops, str) or not isinstance(ops, Iterable):
        raise ArgumentTypeError(f"ops must be a list of op classes such as [MyOp], got {ops!r}")
    if isinstance(ops, Mapping):
        return {_checked_name(name): _checked_class(op) for name, op in ops.items()}
    registry: dict[str, type[Op]] = {}
    for op in map(_checked_class, ops):
        if registry.setdefault(op.__name__, op) is not op:
            raise ArgumentError(
                f"ops has two classes named {op.__name__!r}; pass a dict by the names in the file"
            )
    return registry


def _checked_name(name: object) -> str:
    if not isinstance(name, str):
        raise ArgumentTypeError(f"ops: a name must be a string, got {name!r}")
    return name


def _checked_class(op: object) -> type[Op]:
    if isinstance(op, Op):
        raise ArgumentTypeError(f"ops: pass the class {type(op).__name__}, not an object of it")
    if not (isinstance(op, type) and issubclass(op, Op)):
        raise ArgumentTypeError(f"ops: {op!r} is not a subclass of dn.Op")
    if isabstract(op):
        raise ArgumentTypeError(f"ops: {op.__name__} is abstract; pass the class that was used")
    return op
