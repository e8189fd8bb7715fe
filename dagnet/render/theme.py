"""Themes: the same drawing on white, on black, or as whoever looks at it prefers."""

import re
from collections.abc import Callable
from typing import Final, Literal

from dagnet.render.style import DARK

Theme = Literal["light", "dark", "auto"]

THEMES: Final = ("light", "dark", "auto")

Colouring = Callable[[str], str]


def colouring(theme: str) -> Colouring:
    """Return which colour stands for one of the light theme's."""
    return DARK.__getitem__ if theme == "dark" else str


def adaptive(svg: bytes) -> bytes:
    """Return a picture in the light theme that turns dark where the viewer asks for it.

    Colours are attributes there, and rules of a style sheet come before attributes.
    """
    rules = []
    for light, dark in DARK.items():
        for attribute in ("fill", "stroke"):
            rules.append(f'.dagnet [{attribute}="{light}" i]{{{attribute}:{dark}}}')
    sheet = "@media (prefers-color-scheme: dark){" + "".join(rules) + "}"
    style = f"<style>{sheet}</style>".encode()
    return re.sub(
        rb"<svg\b([^>]*)>", lambda m: b'<svg class="dagnet"' + m[1] + b">" + style, svg, count=1
    )
