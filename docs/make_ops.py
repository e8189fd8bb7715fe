"""Writes docs/ops.md, the reference of ops, from the classes and their docstrings.

Run it after changing an op:  python docs/make_ops.py
"""

import re
from dataclasses import MISSING, fields
from inspect import cleandoc, getdoc
from pathlib import Path
from textwrap import TextWrapper

from dagnet.ops import REGISTRY, Input, Op

PAGE = Path(__file__).with_name("ops.md")

KINDS = {
    "input": "Inputs",
    "linear": "Linear",
    "activation": "Activations",
    "join": "Joins",
    "reshape": "Shapes",
    "regularization": "Regularisation",
    "normalization": "Normalisation",
    "loss": "Losses",
    "penalty": "Penalties",
}

INTRODUCTION = """\
# Ops

[中文](zh/ops.md)

Every op, with what it computes and its gradients. Columns are examples: `A` and `Z` have the shape
`(units, m)` unless an op says otherwise, and the last axis is always that of the m examples. `J` is
the cost. A `da` in a formula is the gradient of `J` with respect to `a`.

An op is called on nodes and gives a node: `dn.ReLU()(node)`. Every op takes `name=`. Calling the
same op object twice shares its parameters. How to write one of your own:
[examples/own_op.py](../examples/own_op.py).

This page is made from the classes by `docs/make_ops.py`; a test compares the two.
"""


def fill(text: str, indent: str = "") -> str:
    """Return a paragraph in lines of at most 110 characters, code never broken at a hyphen."""
    return TextWrapper(110, subsequent_indent=indent, break_on_hyphens=False).fill(text)


def page() -> str:
    """Return the whole page."""
    sections = [INTRODUCTION]
    for kind, title in KINDS.items():
        ops = [op for op in REGISTRY.values() if op.kind == kind]
        sections += [f"## {title}\n", _table(ops), *map(_section, ops)]
    return "\n".join(sections)


def _table(ops: list[type[Op]]) -> str:
    rows = ["| op | equation | symbol |", "|---|---|---|"]
    rows += [f"| `{_name(op)}` | {_cell(op.equation)} | {_cell(op.symbol)} |" for op in ops]
    return "\n".join(rows) + "\n"


def _name(op: type[Op]) -> str:
    return "Input" if op.kind == "input" else op.__name__


def _cell(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else ""


def _section(op: type[Op]) -> str:
    if op.kind == "input":
        signature, doc = "Input(*shape, name=None, examples=True)", _documentation(Input)
    else:
        signature, doc = _signature(op), _documentation(op)
    return f"### {_name(op)}\n\n`dn.{signature}`\n\n{doc}\n"


def _signature(op: type[Op]) -> str:
    # Keyword-only fields come first where a base class declares them.
    shown = sorted((f for f in fields(op) if f.name != "name"), key=lambda f: bool(f.kw_only))
    arguments = [
        f.name if f.default is MISSING else f"{f.name}={f.default!r}" for f in shown if f.init
    ]
    return f"{op.__name__}({', '.join(arguments)})"


def _documentation(thing: object) -> str:
    """Return the summary, parameters and notes of a docstring as Markdown."""
    parts = re.split(r"\n(\w+)\n-{3,}\n", getdoc(thing) or "")
    summary, rest = parts[0], dict(zip(parts[1::2], parts[2::2], strict=True))
    texts = [_markdown(summary)]
    parameters = _parameters(rest.get("Parameters", ""))
    if parameters:
        texts.append(parameters)
    if "Notes" in rest:
        texts.append(_markdown(rest["Notes"]))
    return "\n\n".join(text for text in texts if text)


def _parameters(text: str) -> str:
    """Return the parameters as a list, the name of the node left out."""
    items = re.split(r"\n(?=\S)", text.strip("\n"))
    lines = []
    for item in filter(None, items):
        head, _, body = item.partition("\n")
        name, _, kind = (part.strip() for part in head.partition(":"))
        if name != "name":
            meaning = " ".join(cleandoc(body).split()).replace("``", "`")
            line = f"- `{name}`, {kind}{': ' if meaning else ''}{meaning}"
            lines.append(fill(line, "  "))
    return "\n".join(lines)


def _markdown(text: str) -> str:
    """Return reStructuredText as Markdown: code marks, and literal blocks."""
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        if paragraph.startswith("    "):
            lines += ["```text", cleandoc(paragraph), "```", ""]
        else:
            joined = re.sub(r"::$", ":", " ".join(paragraph.split()).replace("``", "`"))
            text, source, rest = joined.partition("Source: ")
            lines += [fill(text.strip()), ""] if text else []
            lines += [fill(source + rest), ""] if source else []
    return "\n".join(lines).strip()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
