"""Expressions of Python in which nodes go by their names."""

import re
from keyword import iskeyword
from typing import Any

import numpy as np

from dagnet.debug.debugger import Debugger
from dagnet.errors import ArgumentError, DagnetError, DebuggerError, UnknownNameError
from dagnet.graph import Graph
from dagnet.record import GROUPS, Record

#: Stands for an expression that is but a node's name.
_WHOLE = "_node"

_STRING = r'"(?:[^"\\]|\\.)*"|' + r"'(?:[^'\\]|\\.)*'"
_BEFORE_VALUE = rf"(?=\.(?:{'|'.join(GROUPS)})\b)"
_SLOT = r"(?P<dot>\.?)\b(?P<slot>(?:grad_)?inputs\.\d+)\b"


class Expression:
    """A Python expression, run as the user's own code: nothing keeps it from doing harm.

    It sees every node by its name, with the values of its record: ``relu2.output[3, :5]``,
    ``linear1.params.W``, ``add1.inputs.0``. A name that is no name in Python stands as it is:
    ``block/1.output``. Besides, it sees ``np``, ``model``, ``cache`` and
    ``debugger``.

    Parameters
    ----------
    text : str
    debugger : Debugger

    Raises
    ------
    ArgumentError
        If it is no expression.
    """

    def __init__(self, text: str, debugger: Debugger):
        if not text.strip():
            raise ArgumentError("an expression is needed, such as relu1.output.mean()")
        self.text = text.strip()
        self._debugger = debugger
        source, self._odd = _as_python(self.text, debugger.model.graph)
        try:
            self._code = compile(source, "<expression>", "eval")
        except (SyntaxError, ValueError) as error:
            said = getattr(error, "msg", error)
            raise ArgumentError(f"{self.text!r} is no Python expression: {said}") from None

    def __call__(self, record: Record | None = None) -> Any:
        """Return its value where the run stands.

        Parameters
        ----------
        record : Record, optional
            What ``record`` is, and whose values go by their bare names: ``output``.

        Raises
        ------
        DagnetError
            Whatever it raises, as one of these.
        """
        known = _Names(self._debugger, self._odd, record)
        try:
            value = eval(self._code, known)
        except DagnetError:
            raise
        except NameError as error:
            raise UnknownNameError.of("node or name", error.name, known.all()) from error
        except Exception as error:
            raise DebuggerError(f"{self.text}: {type(error).__name__}: {error}") from error
        return value._record if isinstance(value, _Values) else value


class Condition:
    """An expression as the condition of a breakpoint, over the record where it stops."""

    def __init__(self, text: str, debugger: Debugger):
        self._expression = Expression(text, debugger)

    def __call__(self, record: Record) -> bool:
        return bool(self._expression(record))

    def __str__(self) -> str:
        return self._expression.text


class _Names(dict[str, Any]):
    """The names of an expression; those of nodes are looked up when they are used."""

    def __init__(self, debugger: Debugger, odd: dict[str, str], record: Record | None):
        model = debugger.model
        super().__init__(np=np, model=model, cache=debugger.cache, debugger=debugger)
        self._cache = debugger.cache
        self._odd = odd
        self._of_record = None if record is None else _Values(record)
        if record is not None:
            self["record"] = record

    def __missing__(self, name: str) -> Any:
        if self._of_record is not None and name in GROUPS:
            return getattr(self._of_record, name)
        name = self._odd.get(name, name)
        if name not in self._cache:
            raise KeyError(name)
        return _Values(self._cache[name])

    def all(self) -> list[str]:
        return [*self._cache, *(name for name in self if not name.startswith("__"))]


class _Values:
    """A node's record, in which values in dicts are attributes, too: ``params.W``."""

    def __init__(self, record: Record):
        self._record = record

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and not hasattr(type(self._record), name):
            known = [*self._record.names, *vars(self._record)]
            if name not in known:
                raise UnknownNameError.of(f"value of {self._record.name}", name, known)
        value = getattr(self._record, name)
        return _Keyed(self._record.name, name, value) if isinstance(value, dict) else value


class _Keyed(dict[str, np.ndarray]):
    """A dict of arrays whose keys are attributes, too."""

    def __init__(self, node: str, group: str, arrays: dict[str, np.ndarray]):
        super().__init__(arrays)
        self._label = f"{node}.{group}"

    def __missing__(self, key: str) -> np.ndarray:
        raise UnknownNameError.of(f"value of {self._label}", key, self)

    def __getattr__(self, key: str) -> np.ndarray:
        return self[key]


def _as_python(text: str, graph: Graph) -> tuple[str, dict[str, str]]:
    """Return an expression in which all names are Python's, and the nodes that were renamed.

    A name in it is never run as code, whatever it says: names may come from a file.
    """
    if text in graph:
        return _WHOLE, {_WHOLE: text}
    odd = {n.strip(): n for n in graph if n.strip() in text and not _is_plain(n.strip())}
    stand_ins = {name: f"_node_{i}" for i, name in enumerate(sorted(odd, key=len, reverse=True))}
    names = "|".join(map(_odd_pattern, stand_ins)) or r"(?!)"
    pattern = re.compile(rf"(?<![\w.])(?P<odd>{names})|{_STRING}|{_SLOT}")

    def python(match: re.Match[str]) -> str:
        if match["odd"] is not None:
            return stand_ins[match["odd"]]
        if match["slot"] is not None:
            return f"{match['dot'] or 'record.'}array({match['slot']!r})"
        return match[0]

    return pattern.sub(python, text), {plain: odd[name] for name, plain in stand_ins.items()}


def _odd_pattern(name: str) -> str:
    """Return what finds a name: where it is a number, a sign or a keyword, a value must follow."""
    means_itself = re.search(r"[^\W\d_]", name) and not iskeyword(name)
    return re.escape(name) + (r"(?!\w)" if means_itself else _BEFORE_VALUE)


def _is_plain(name: str) -> bool:
    return not name or (name.isidentifier() and not iskeyword(name))
