"""What `report` returns: a file, which a notebook shows as the page that it is."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

#: Pixels that the page is high in a notebook.
HEIGHT = 760


@dataclass(frozen=True)
class Report:
    """A page that was written.

    It stands for its path where a path is asked for; a notebook shows the page itself.

    Attributes
    ----------
    path : Path
    """

    path: Path

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def _repr_html_(self) -> str:
        page = escape(self.path.read_text(encoding="utf-8"))
        return (
            f'<iframe srcdoc="{page}" width="100%" height="{HEIGHT}" '
            'sandbox="allow-scripts" style="border: 1px solid #ccc"></iframe>'
        )
