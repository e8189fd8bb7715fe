"""The errors dagnet raises on purpose: one message each, saying what was expected and what came.

They also subclass the built-in error that a user of numpy would catch.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagnet.diagnosis import Diagnosis
    from dagnet.node import Source


class DagnetError(Exception):
    """Any error that dagnet raises on purpose."""


class ArgumentError(DagnetError, ValueError):
    """A hyperparameter or option has a value that makes no sense."""


class ArgumentTypeError(DagnetError, TypeError):
    """A hyperparameter or option is of the wrong type."""


class GraphError(DagnetError, ValueError):
    """The definition is not a network: a cycle, a name twice, a loss that nothing reaches."""


class ShapeError(GraphError):
    """Shapes do not fit together."""


class FeedError(DagnetError, ValueError):
    """The arrays given to a run do not fit the model's inputs."""


class FeedTypeError(FeedError, TypeError):
    """An array given to a run has a dtype the model cannot use."""


class DataError(DagnetError, ValueError):
    """A data set is unusable: empty, ragged, not finite, without the asked column."""


class FileFormatError(DagnetError, ValueError):
    """A file is truncated, foreign, tampered with, or of the wrong kind."""


class FileAccessError(DagnetError, OSError):
    """A file or directory is missing or cannot be written."""


class MissingFileError(FileAccessError, FileNotFoundError):
    """There is no file of this name."""


class NotKeptError(DagnetError, LookupError):
    """The asked value was not kept, or not computed yet."""


class OpError(DagnetError, RuntimeError):
    """An op failed while running.

    Attributes
    ----------
    node : str or None
        The node whose op failed; None if it was none.
    source : Source or None
        The user's file and line that made the node.
    phase : {"forward", "backward"} or None
    """

    node: str | None = None
    source: "Source | None" = None
    phase: str | None = None
    _diagnosis: "Diagnosis | None" = None

    @classmethod
    def of(cls, message: str, diagnosis: "Diagnosis") -> "OpError":
        """Build the error from what was found when the op failed."""
        error = cls(message)
        error.node, error.source = diagnosis.node, diagnosis.source
        error.phase, error._diagnosis = diagnosis.phase, diagnosis
        return error

    def why(self) -> "Diagnosis | None":
        """Return what the op read when it failed, and whether that was finite."""
        return self._diagnosis


class DebuggerError(DagnetError, RuntimeError):
    """The debugger cannot do this where the run stands."""


class RecordingError(DagnetError, RuntimeError):
    """A recording does not reach there, or what it holds does not fit what it is used with."""


class DrawingError(DagnetError, RuntimeError):
    """The layout engine failed; the message holds what it said."""


class MissingDependencyError(DagnetError, ImportError):
    """An optional package is needed; the message says how to install it."""


class UnknownNameError(DagnetError, KeyError):
    """No such name; the message offers the nearest ones."""

    def __str__(self) -> str:
        # KeyError would show the message in quotes.
        return str(self.args[0]) if self.args else ""

    @classmethod
    def of(cls, what: str, name: object, known: Iterable[str]) -> "UnknownNameError":
        """Build the error for `name`, which is not among the `known` names of a `what`."""
        from difflib import get_close_matches  # here, because it is seldom needed

        known = list(known)
        near = get_close_matches(str(name), known, n=3, cutoff=0.5)
        if near:
            hint = "did you mean " + " or ".join(repr(n) for n in near) + "?"
        elif known:
            shown = ", ".join(repr(n) for n in known[:8])
            hint = f"there are {shown}" + (f" and {len(known) - 8} more" if len(known) > 8 else "")
        else:
            hint = "there are none"
        return cls(f"no {what} named {name!r}; {hint}")


class OpContractError(DagnetError, AssertionError):
    """An op breaks a rule of the contract; `rule` is the rule's name, the message says where."""

    def __init__(self, rule: str, message: str):
        super().__init__(rule, message)
        self.rule = rule

    def __str__(self) -> str:
        return f"rule {self.args[0]!r}: {self.args[1]}"
