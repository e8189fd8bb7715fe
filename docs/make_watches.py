"""Writes the table of docs/watches.md from the classes of watches.

Run it after changing a watch:  python docs/make_watches.py
"""

import re
from dataclasses import fields
from pathlib import Path

from dagnet.debug.watches import CATALOGUE, Watch

PAGE = Path(__file__).with_name("watches.md")

#: What stands around the table in the page.
MARKS = "<!-- made by make_watches.py -->", "<!-- to here -->"


def table() -> str:
    """Return a row for every watch of the catalogue."""
    rows = [
        "| watch | class, thresholds | looks | tells if | what to do |",
        "|---|---|---|---|---|",
    ]
    rows += [f"| {' | '.join(_cells(watch))} |" for watch in CATALOGUE]
    return "\n".join(rows)


def _cells(watch: type[Watch]) -> list[str]:
    values = [f"{each.name}={each.default!r}" for each in fields(watch) if each.name != "over"]
    over = watch().over
    values += [f"over={over}"] if over > 1 else []
    return [
        f'`"{watch.name}"`',
        f"`{watch.__name__}({', '.join(values)})`",
        ", ".join(watch.phases),
        _escaped(watch.formula),
        _escaped(watch.remedy),
    ]


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def page() -> str:
    """Return the page with the table as the classes have it."""
    begin, end = MARKS
    text = PAGE.read_text(encoding="utf-8")
    made = f"{begin}\n\n{table()}\n\n{end}"
    return re.sub(f"{begin}.*?{end}", lambda _: made, text, flags=re.S)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
