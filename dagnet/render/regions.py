"""What stands for a repeat, a scope or a run: a box if it is closed, a border if it is open."""

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import TextWrapper

from dagnet.graph import Vertex
from dagnet.node import format_shape
from dagnet.render.describe import MOST_BLOCKS, key_of, output_mark
from dagnet.render.drawing import Box, Group, Line
from dagnet.render.facts import Column, Facts, listed, settings
from dagnet.render.outline import Leaf, Region
from dagnet.render.text import ARROW, joined, op_title, shortened, size
from dagnet.text import printable

#: Characters after which the title of a folded chain goes on in a new line.
LONGEST_TITLE = 48

#: Ops that the title of a closed block names one by one.
MOST_OPS = 6


def chain_box(facts: Facts, region: Region, group: str | None = None) -> Box:
    """Return the box of a repeated chain: it says all that there is to say."""
    blocks = _blocks(facts, region)
    last = blocks[-1][-1]
    title = _wrapped(_chain_title(facts, region))
    texts = [output_mark(facts, last, sizes(facts, region))]
    texts += [f"{op_title(v.op)}: {', '.join(settings(v))}" for v in blocks[0] if settings(v)]
    texts.append(listed(region.ends or (blocks[0][0].name, last.name)))
    texts += _parameters(facts, region)
    return Box(
        key=key_of(blocks[0][0].name, last.name),
        names=region.names,
        kind="repeat",
        lines=(*(Line(row, "title") for row in title), *map(Line, texts)),
        tooltip="\n".join([" ".join(title), *_block_list(facts, blocks), *texts]),
        output=facts.is_output(last),
        training=facts.is_training_only(last),
        group=group,
    )


def closed_box(facts: Facts, region: Region, group: str | None = None) -> Box:
    """Return the box of a part of the graph whose inside is not drawn."""
    words, blocks = facts.words, _blocks(facts, region)
    vertices = [v for block in blocks for v in block]
    shown = [v for v in vertices if facts.is_output(v)]
    title = _closed_title(facts, region)
    texts = [f"{words.counted(len(vertices), 'node')} · {sizes(facts, region)}".removesuffix(" · ")]
    if region.kind == "run":
        texts += [_first_and_last(vertices), _census(vertices)]
    elif region.kind == "repeat":
        names = _contents(facts, region) if region.ends else _first_and_last(vertices)
        texts += _wrapped(names)
    texts += _parameters(facts, region)
    if shown:
        texts.append(words("output: {}", listed([v.name for v in shown])))
    return Box(
        key=_key(region),
        names=region.names,
        kind=region.kind,
        lines=(*(Line(row, "title") for row in _wrapped(title)), *map(Line, texts)),
        tooltip="\n".join([title, words("closed"), *_block_list(facts, blocks), *texts]),
        output=bool(shown),
        training=all(map(facts.is_training_only, vertices)),
        group=group,
    )


def open_group(facts: Facts, region: Region, parent: str | None = None) -> Group:
    """Return the border around a part of the graph whose inside is drawn."""
    blocks = _blocks(facts, region)
    repeated = region.kind == "repeat"
    title = _repeated(region) if repeated else shortened(printable(region.path[-1]))
    texts = [sizes(facts, region)] * bool(sizes(facts, region)) + _parameters(facts, region)
    path = [] if repeated else [" / ".join(region.path)]
    return Group(
        key=_key(region),
        names=region.names,
        kind="repeat" if repeated else "scope",
        lines=(Line(title, "title"), *map(Line, texts)),
        tooltip="\n".join([title, *path, *_block_list(facts, blocks), *texts]),
        entry=blocks[0][0].inputs[0] if repeated else None,
        parent=parent,
    )


def entry_box(facts: Facts, group: Group) -> Box:
    """Return the dot inside a group from which its input goes to all that read it."""
    return Box(
        key=f"{group.key}~entry",
        names=(),
        kind="entry",
        lines=(),
        tooltip=facts.words("input of the block"),
        group=group.key,
    )


def _key(region: Region) -> str:
    ends = key_of(region.names[0], region.names[-1])
    # No name becomes a key with these words in brackets.
    return ends if region.kind == "repeat" else f"({region.kind})~{key_of(*region.path)}~{ends}"


def _blocks(facts: Facts, region: Region) -> list[list[Vertex]]:
    return [[facts.graph.vertices[name] for name in block] for block in region.blocks]


# Texts.


def _chain_title(facts: Facts, region: Region) -> str:
    """Return ``[LINEAR → RELU] × 3``."""
    titles = [
        _chain_title(facts, part) if isinstance(part, Region) else _op(facts, part)
        for part in region.parts
    ]
    return f"[{ARROW.join(titles)}] × {region.count}"


def _op(facts: Facts, leaf: Leaf) -> str:
    # A line may end after an arrow only: the spaces within an op's name do not break.
    return op_title(facts.graph.vertices[leaf.column[0]].op).replace(" ", "\xa0")


def _wrapped(title: str) -> list[str]:
    """Return a title in as many lines as it needs."""
    text = title.replace(" →", "\xa0→").replace(" × ", "\xa0×\xa0")
    wrapper = TextWrapper(LONGEST_TITLE, break_long_words=False, break_on_hyphens=False)
    return [row.replace("\xa0", " ") for row in wrapper.wrap(text)] or [title]


def _closed_title(facts: Facts, region: Region) -> str:
    if region.kind == "scope":
        return shortened(printable(region.path[-1]))
    if region.kind == "run":
        return facts.words.counted(len(region.names), "node")
    return _repeated(region) if region.ends else _contents(facts, region)


def _repeated(region: Region) -> str:
    """Return ``block0 … block3  × 4``, or just ``× 4``."""
    return f"{listed(region.ends)}  × {region.count}" if region.ends else f"× {region.count}"


def _contents(facts: Facts, region: Region) -> str:
    """Return what a repeat holds: ``[[LINEAR, RELU, ADD] × 4, BATCH NORM] × 3``."""
    inside = [
        _op(facts, part)
        if isinstance(part, Leaf)
        else _contents(facts, part)
        if part.kind == "repeat"
        else shortened(printable(part.path[-1]))
        for part in region.parts
    ]
    if len(inside) > MOST_OPS:
        inside = [*inside[: MOST_OPS - 1], "…"]
    return f"[{', '.join(inside)}] × {region.count}"


def _first_and_last(vertices: Column) -> str:
    return listed([vertices[0].name, vertices[-1].name])


def _census(vertices: Column) -> str:
    """Return how many of each op there are, the most frequent first."""
    ops = Counter(op_title(v.op) for v in vertices).most_common(MOST_OPS)
    return ", ".join(f"{number} {op}" for op, number in ops)


def sizes(facts: Facts, region: Region) -> str:
    """Return how sizes run from the entry through all blocks; nothing if there is no one entry."""
    each = region.count
    runs = []
    for start in range(0, len(region.blocks), each):
        blocks = region.blocks[start : start + each]
        entries = facts.entries(blocks[0])
        if len(entries) == 1:
            values = [*entries, *(block[-1] for block in blocks)]
            runs.append([facts.words(size(facts.shapes[name])) for name in values])
    texts = list(dict.fromkeys(_run_text(facts, run) for run in runs))
    if len(texts) > 2:
        texts = [texts[0], "…", texts[-1]]
    return "; ".join(texts)


def _run_text(facts: Facts, run: Sequence[str]) -> str:
    return facts.words("{} throughout", run[0]) if len(set(run)) == 1 else joined(run)


def _parameters(facts: Facts, region: Region) -> list[str]:
    vertices = [facts.graph.vertices[name] for name in region.names]
    using = [v for v in vertices if facts.parameters(v)]
    if not using:
        return []
    total = facts.total(vertices)
    if not total:
        owner = facts.first_use[using[0].owner]
        return [facts.words("parameters shared with {}", shortened(printable(owner)))]
    shared = region.kind == "repeat" and any(
        facts.is_shared(column) for column in zip(*_blocks(facts, region), strict=True)
    )
    count = facts.words.counted(total, "parameter")
    return [facts.words("{}, shared by all blocks", count) if shared else count]


def _block_list(facts: Facts, blocks: Sequence[Column]) -> Iterator[str]:
    for block in blocks[:MOST_BLOCKS]:
        names = [v.name for v in block[:MOST_BLOCKS]] + ["…"] * (len(block) > MOST_BLOCKS)
        yield f"{', '.join(names)}: {format_shape(facts.shapes[block[-1].name])}"
    if len(blocks) > MOST_BLOCKS:
        yield "…"
