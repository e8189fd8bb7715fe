"""Arguments of commands: names of nodes, which may hold any character, and what follows them."""

import re
from collections.abc import Collection
from typing import NamedTuple, cast

from dagnet.debug.places import PHASES, Phase
from dagnet.errors import ArgumentError
from dagnet.settings import check_choice

#: What may follow the name of a node that is a word of its own, and one with a value behind it.
_AFTER_WORD = " \t"
_AFTER_NODE = " \t.[="

_VALUE = re.compile(r"\.\s*([A-Za-z_]\w*(?:\.\w+)?)\s*")


class Target(NamedTuple):
    """A value of a node, and what stands behind it: ``relu2.output[3]``."""

    node: str
    value: str
    rest: str


class Place(NamedTuple):
    """A node or pattern, a phase, and the condition behind ``when``."""

    nodes: str
    phase: Phase
    condition: str


def leading_name(text: str, names: Collection[str], after: str = _AFTER_WORD) -> tuple[str, str]:
    """Return the name that a text begins with, and the rest of it.

    Parameters
    ----------
    text : str
    names : collection of str
        The names that there are: the longest that fits is meant, else what looks like one.
    after : str
        The characters of which one must follow a name, if anything does.

    Examples
    --------
    >>> leading_name("my node backward", ["my", "my node"])
    ('my node', 'backward')
    >>> leading_name("relu.* backward", ["relu1"])
    ('relu.*', 'backward')
    """
    text = text.strip()
    found = [n for n in names if text.startswith(n) and text[len(n) : len(n) + 1] in ("", *after)]
    longest = max(found, key=len, default=None)
    end = len(longest) if longest else next((i for i, c in enumerate(text) if c in after), None)
    return text[:end], text[len(text) if end is None else end :].strip()


def parse_target(text: str, names: Collection[str], default: str = "") -> Target:
    """Return the value of a node that a text begins with.

    Raises
    ------
    ArgumentError
        If it names no value and there is no default.

    Examples
    --------
    >>> parse_target("linear1.params.W[0, :] = 1", ["linear1"])
    Target(node='linear1', value='params.W', rest='[0, :] = 1')
    >>> parse_target("block/1.relu.output", ["block/1", "block/1.relu"])
    Target(node='block/1.relu', value='output', rest='')
    """
    node, rest = leading_name(text, names, _AFTER_NODE)
    named = _VALUE.match(rest)
    if named:
        return Target(node, named[1], rest[named.end() :])
    if not node or not default:
        raise ArgumentError(f"which value? NODE.VALUE, such as relu1.output, got {text!r}")
    return Target(node, default, rest)


def parse_place(text: str, names: Collection[str]) -> Place:
    """Return where ``NODE|PATTERN [PHASE] [when EXPRESSION]`` is.

    Raises
    ------
    UnknownNameError
        If there is no such phase.
    ArgumentError
        If nothing is named, or ``when`` has nothing behind it.

    Examples
    --------
    >>> parse_place("relu1 backward when (grad_output == 0).all()", ["relu1"])
    Place(nodes='relu1', phase='backward', condition='(grad_output == 0).all()')
    """
    nodes, rest = leading_name(text, names)
    if not nodes:
        raise ArgumentError("which node?")
    before, when, condition = f" {rest} ".partition(" when ")
    if when and not condition.strip():
        raise ArgumentError("when what? An expression, such as (output == 0).all()")
    phase = check_choice("phase", before.strip() or "forward", PHASES)
    return Place(nodes, cast(Phase, phase), condition.strip())


def parse_count(text: str, default: int | None = None) -> int:
    """Return a number that counts from 1.

    Raises
    ------
    ArgumentError
        If it is none.
    """
    if not text and default is not None:
        return default
    if not text.isdecimal() or not int(text):
        raise ArgumentError(f"a number from 1 on is needed, got {text!r}")
    return int(text)


def no_argument(text: str) -> None:
    """Raise if something was given to a command that takes nothing."""
    if text:
        raise ArgumentError(f"this command takes nothing, got {text!r}")
