"""The boxes of vertices, with their texts."""

import re

from dagnet.graph import Vertex
from dagnet.node import format_shape
from dagnet.render.drawing import Box, Line
from dagnet.render.facts import Column, Facts, listed, setting, settings
from dagnet.render.text import op_title, shapes_run, shortened
from dagnet.text import printable

#: Nodes and blocks that a tooltip lists one by one.
MOST_BLOCKS = 12

#: Inputs that a box names one by one.
MOST_READ = 4


def key_of(*names: str) -> str:
    """Return a key made of vertex names, which means nothing special to DOT or XML.

    Letters, digits and ``_.-`` stand for themselves, other characters have their code in brackets,
    and a tilde is between the names: different names make different keys.

    Examples
    --------
    >>> key_of("linear1", "relu3"), key_of("隐藏层"), key_of("a:b")
    ('linear1~relu3', '隐藏层', 'a(3A)b')
    """
    return "~".join(re.sub(r"[^\w.-]", lambda m: f"({ord(m[0]):X})", name) for name in names)


def column_box(facts: Facts, column: Column, group: str | None = None) -> Box:
    """Return the box of vertices with the same place in every block; mostly of a single one."""
    v = column[0]
    sign = _is_sign(v)
    ends = (v.name,) if len(column) == 1 else (v.name, column[-1].name)
    return Box(
        key=key_of(*ends),
        names=tuple(u.name for u in column),
        kind=v.op.kind,
        lines=(Line(v.op.symbol, "title"),) if sign else tuple(_column_lines(facts, column)),
        tooltip=_column_tooltip(facts, column),
        symbol=sign,
        output=facts.is_output(column[-1]),
        training=facts.is_training_only(v),
        group=group,
    )


def _is_sign(v: Vertex) -> bool:
    """Tell whether a circle with one sign says what it is."""
    return v.op.kind == "join" and len(v.op.symbol) == 1


def _column_lines(facts: Facts, column: Column) -> list[Line]:
    v = column[0]
    if v.is_input:
        what = facts.words("target" if facts.is_training_only(v) else "input")
        texts = [output_mark(facts, v, what)]
        return [Line(shortened(printable(v.name)), "title"), *map(Line, texts)]
    names = listed([u.name for u in column])
    shapes = [facts.shapes[u.name] for u in column]
    unread = not facts.graph.consumers[column[-1].name]  # else the shape is on an arrow
    shown = f"{names} · {shapes_run(shapes)}" if shapes[0] and unread else names
    texts = [output_mark(facts, column[-1], shown)]
    texts += [", ".join(settings(v))] * bool(settings(v))
    if len(v.inputs) > 1 and len(column) == 1 and v.op.kind not in ("loss", "penalty"):
        texts.append(facts.words("reads {}", _in_order(facts, v)))  # arrows arrive as they can
    if v.borrows:
        texts.append(facts.words("of {}", facts.words.counted(len(v.borrows), "parameter array")))
    texts += facts.parameter_texts(column)
    return [Line(op_title(v.op), "title"), *map(Line, texts)]


def _in_order(facts: Facts, v: Vertex) -> str:
    """Return the inputs one by one; of more than `MOST_READ`, those at both ends."""
    shown = []
    for name in v.inputs:
        read = facts.graph.vertices[name]
        sign = f" ({read.op.symbol})" if _is_sign(read) else ""  # its circle does not say its name
        shown.append(shortened(printable(name)) + sign)
    if len(shown) > MOST_READ:
        shown = [*shown[: MOST_READ - 2], "…", shown[-1]]
    return facts.words(", ").join(shown)


def output_mark(facts: Facts, v: Vertex, text: str) -> str:
    return facts.words("{} · output", text) if facts.is_output(v) else text


def _column_tooltip(facts: Facts, column: Column) -> str:
    v, words = column[0], facts.words
    lines = [u.label for u in column[:MOST_BLOCKS]]
    if len(column) > MOST_BLOCKS:
        lines.append(words("… {} in all", words.counted(len(column), "node")))
    name = type(v.op).__name__
    lines.append(f"{name}: {v.op.equation}" if v.op.equation else name)
    config = {} if v.is_input else v.op.config
    sized = v.op.size_fields if len(column) > 1 else frozenset()
    lines += [f"{key} = {setting(value)}" for key, value in config.items() if key not in sized]
    lines += [
        words("input {}: {} {}", slot, name, format_shape(facts.shapes[name]))
        for slot, name in enumerate(v.inputs)
    ]
    lines.append(words("output: {}", shapes_run([facts.shapes[u.name] for u in column])))
    lines += [words("reads {}.{}", owner, name) for owner, name in v.borrows[:MOST_BLOCKS]]
    return "\n".join([*lines, *facts.parameter_texts(column)])
