"""Names that users give."""

from dagnet.errors import ArgumentError, ArgumentTypeError


def check_name(name: str | None, label: str) -> str | None:
    """Return the name, or raise unless it is one non-empty line."""
    if name is None:
        return None
    if not isinstance(name, str):
        raise ArgumentTypeError(f"{label}: a name must be a string, not {type(name).__name__}")
    if not name or "\n" in name:
        raise ArgumentError(f"{label}: a name must be one non-empty line, got {name!r}")
    return name
