"""The boxes of a drawing, with their texts: one for a vertex, a folded chain or a group."""

import re
from collections.abc import Sequence
from textwrap import TextWrapper

from dagnet.graph import Vertex
from dagnet.node import format_shape
from dagnet.passes.repeats import Repeat
from dagnet.render.drawing import Box, Group, Line
from dagnet.render.facts import Column, Facts, listed, setting, settings
from dagnet.render.text import (
    ARROW,
    counted,
    joined,
    op_title,
    printable,
    shapes_run,
    shortened,
    size,
)

#: Characters after which the title of a folded chain goes on in a new line.
LONGEST_TITLE = 48

#: Blocks that a tooltip lists one by one.
MOST_BLOCKS = 12


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


# A vertex, or the vertices of one column of a group.


def column_box(facts: Facts, column: Column, group: str | None = None) -> Box:
    """Return the box of vertices with the same place in every block; mostly of a single one."""
    v = column[0]
    sign = v.op.kind == "join" and len(v.op.symbol) == 1
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


def _column_lines(facts: Facts, column: Column) -> list[Line]:
    v = column[0]
    if v.is_input:
        what = "target" if facts.is_training_only(v) else "input"
        shape = format_shape(facts.shapes[v.name])
        texts = [_output_mark(facts, v, f"{what} · {shape}")]
        return [Line(shortened(printable(v.name)), "title"), *map(Line, texts)]
    names = listed([u.name for u in column])
    shapes = [facts.shapes[u.name] for u in column]
    shown = f"{names} · {shapes_run(shapes)}" if shapes[0] else names
    texts = [_output_mark(facts, column[-1], shown)]
    texts += [", ".join(settings(v))] * bool(settings(v))
    if v.borrows:
        texts.append(f"of {counted(len(v.borrows), 'parameter array')}")
    texts += facts.parameter_texts(column)
    return [Line(op_title(v.op), "title"), *map(Line, texts)]


def _output_mark(facts: Facts, v: Vertex, text: str) -> str:
    return f"{text} · output" if facts.is_output(v) else text


def _column_tooltip(facts: Facts, column: Column) -> str:
    v = column[0]
    lines = [u.label for u in column[:MOST_BLOCKS]]
    if len(column) > MOST_BLOCKS:
        lines.append(f"… {counted(len(column), 'node')} in all")
    name = type(v.op).__name__
    lines.append(f"{name}: {v.op.equation}" if v.op.equation else name)
    config = {} if v.is_input else v.op.config
    sized = v.op.size_fields if len(column) > 1 else frozenset()
    lines += [f"{key} = {setting(value)}" for key, value in config.items() if key not in sized]
    lines += [
        f"input {slot}: {name} {format_shape(facts.shapes[name])}"
        for slot, name in enumerate(v.inputs)
    ]
    lines.append(f"output: {shapes_run([facts.shapes[u.name] for u in column])}")
    lines += [f"reads {owner}.{name}" for owner, name in v.borrows[:MOST_BLOCKS]]
    return "\n".join([*lines, *facts.parameter_texts(column)])


# A folded chain: one box for all its blocks.


def chain_box(facts: Facts, repeat: Repeat) -> Box:
    """Return the box of a repeated chain."""
    blocks = _blocks(facts, repeat)
    last = blocks[-1][-1]
    title = _chain_title(blocks)
    texts = [_output_mark(facts, last, _sizes(facts, blocks))]
    texts += [f"{op_title(v.op)}: {', '.join(settings(v))}" for v in blocks[0] if settings(v)]
    texts.append(listed([blocks[0][0].name, last.name]))
    texts += _parameter_total(facts, blocks)
    return Box(
        key=key_of(blocks[0][0].name, last.name),
        names=tuple(v.name for block in blocks for v in block),
        kind="repeat",
        lines=(*(Line(row, "title") for row in title), *map(Line, texts)),
        tooltip="\n".join([" ".join(title), *_block_list(facts, blocks), *texts]),
        output=facts.is_output(last),
        training=facts.is_training_only(last),
    )


def _blocks(facts: Facts, repeat: Repeat) -> list[list[Vertex]]:
    return [[facts.graph.vertices[name] for name in block] for block in repeat.blocks]


def _chain_title(blocks: Sequence[Column]) -> list[str]:
    """Return ``[LINEAR → RELU] × 3``, in as many lines as it needs."""
    # A line may end after an arrow only: the spaces within an op's name do not break.
    ops = ARROW.join(op_title(v.op).replace(" ", "\xa0") for v in blocks[0])
    text = f"[{ops}]\xa0× {len(blocks)}".replace(" →", "\xa0→").replace("× ", "×\xa0")
    wrapper = TextWrapper(LONGEST_TITLE, break_long_words=False, break_on_hyphens=False)
    return [row.replace("\xa0", " ") for row in wrapper.wrap(text)]


def _sizes(facts: Facts, blocks: Sequence[Column]) -> str:
    """Return how sizes run from the entry through all blocks."""
    entry = facts.shapes[blocks[0][0].inputs[0]]
    sizes = [size(entry), *(size(facts.shapes[block[-1].name]) for block in blocks)]
    return f"{sizes[0]} throughout" if len(set(sizes)) == 1 else joined(sizes)


def _parameter_total(facts: Facts, blocks: Sequence[Column]) -> list[str]:
    if not any(facts.parameters(v) for v in blocks[0]):
        return []
    shared = any(facts.is_shared(column) for column in zip(*blocks, strict=True))
    total = facts.total(v for block in blocks for v in block)
    owner = facts.first_use[next(v for v in blocks[0] if facts.parameters(v)).owner]
    if not total:
        return [f"parameters shared with {shortened(printable(owner))}"]
    return [counted(total, "parameter") + (", shared by all blocks" if shared else "")]


def _block_list(facts: Facts, blocks: Sequence[Column]) -> list[str]:
    lines = [
        f"{', '.join(v.name for v in block)}: {format_shape(facts.shapes[block[-1].name])}"
        for block in blocks[:MOST_BLOCKS]
    ]
    return lines if len(blocks) <= MOST_BLOCKS else [*lines, "…"]


# A group: one box for each column, and a border around them.


def group_of(facts: Facts, repeat: Repeat) -> Group:
    """Return the border around a repeated block that is no chain."""
    blocks = _blocks(facts, repeat)
    texts = [_sizes(facts, blocks), *_parameter_total(facts, blocks)]
    return Group(
        key=key_of(blocks[0][0].name, blocks[-1][-1].name),
        names=tuple(v.name for block in blocks for v in block),
        entry=blocks[0][0].inputs[0],
        lines=(Line(f"× {len(blocks)}", "title"), *map(Line, texts)),
        tooltip="\n".join([f"× {len(blocks)}", *_block_list(facts, blocks), *texts]),
    )


def entry_box(group: Group) -> Box:
    """Return the dot inside a group from which its input goes to all that read it."""
    return Box(
        key=f"{group.key}~entry",
        names=(),
        kind="entry",
        lines=(),
        tooltip="input of the block",
        group=group.key,
    )
