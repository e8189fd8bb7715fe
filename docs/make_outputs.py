"""Runs the code of the pages and writes what it prints into the ```text blocks after it.

The same goes for ```sh blocks of `dagnet` commands, if a ```text block follows.

Run it after changing what is printed:  python docs/make_outputs.py [page ...]
"""

import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.M | re.S)


class Block(NamedTuple):
    """What stands between two fences, and where in the page's text."""

    language: str
    info: str
    text: str
    start: int
    end: int


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [Block(m[1], m[2].strip(), m[3], m.start(3), m.end(3)) for m in FENCE.finditer(text)]


def run(page: Path) -> Iterator[tuple[Block, Block | None, str]]:
    """Run a page's blocks in order; yield each, the output shown, and what it printed.

    Those are the Python blocks, which share their variables, and the commands whose output is
    shown. They run in a directory of their own.
    """
    text, found = page.read_text(encoding="utf-8"), blocks(page)
    variables = {"__name__": "__main__"}
    with TemporaryDirectory() as directory, chdir(directory):
        for block, after in zip(found, [*found[1:], None], strict=True):
            shown = after if after and _is_output(text[block.end : after.start]) else None
            with redirect_stdout(StringIO()) as printed:
                if block.language == "python":
                    # As many empty lines first, so that a traceback names the line of the page.
                    code = "\n" * text.count("\n", 0, block.start) + block.text
                    exec(compile(code, str(page), "exec"), variables)
                elif block.language == "sh" and shown:
                    _command(block.text)
                else:
                    continue
            yield block, shown, printed.getvalue()


def _command(lines: str) -> None:
    """Run `dagnet` commands, a line each, in this process."""
    from dagnet.cli import main

    for line in lines.splitlines():
        name, *arguments = shlex.split(line)
        assert name == "dagnet", f"only dagnet's own commands are run, not {line}"
        main(arguments, prog_name=name, standalone_mode=False)


def _is_output(between: str) -> bool:
    """Tell from what stands between two blocks whether the second is what the first prints."""
    return re.fullmatch(r"```\n\n?```text[^\n]*\n", between) is not None


def update(page: Path) -> bool:
    """Write what the code prints into the page; return whether that changed it."""
    old = text = page.read_text(encoding="utf-8")
    outputs = [(shown, printed) for _, shown, printed in run(page) if shown]
    for shown, printed in reversed(outputs):
        lines = "\n".join(line.rstrip() for line in printed.splitlines())
        text = text[: shown.start] + lines + "\n" + text[shown.end :]
    page.write_text(text, encoding="utf-8")
    return text != old


if __name__ == "__main__":
    os.environ.setdefault("NO_COLOR", "1")
    for page in map(Path, sys.argv[1:] or PAGES):
        print(f"{page}: {'changed' if update(page.resolve()) else 'as before'}")
