"""Putting a page together: one HTML file out of its parts, with everything in it."""

import json
import math
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

#: The scripts of the page, in the order in which they stand there: each uses those before it.
SCRIPTS = (
    "language.js",
    "words.js",
    "numbers.js",
    "store.js",
    "colours.js",
    "elements.js",
    "heatmap.js",
    "histogram.js",
    "pictures.js",
    "lens.js",
    "terms.js",
    "overlays.js",
    "graph.js",
    "timeline.js",
    "plane.js",
    "panel.js",
    "main.js",
)

STYLES = ("page.css", "graph.css")


def page(document: dict[str, Any], blobs: Sequence[str], title: str) -> str:
    """Return the text of the HTML file.

    Nothing in it may ask for anything from anywhere: the page's policy allows its own script and
    style, known by their hashes, and nothing else.

    Parameters
    ----------
    document : dict
        What the page shows, but for the arrays.
    blobs : sequence of str
        The arrays, in base64.
    title : str
    """
    style = "\n".join(_read(name) for name in STYLES)
    script = '"use strict";\n(() => {\n' + "\n".join(_read(name) for name in SCRIPTS) + "\n})();"
    parts = {
        "TITLE": escape(title),
        "POLICY": _policy(style, script),
        "STYLE": style,
        "DATA": as_json(document),
        "BLOBS": "\n".join(_blob(i, text) for i, text in enumerate(blobs)),
        "SCRIPT": script,
    }
    text = _read("page.html")
    pieces = text.split("%%")  # at once: what is put in is not searched again
    return "".join(parts[p] if i % 2 else p for i, p in enumerate(pieces))


def shell_size() -> int:
    """Return the bytes of a page without anything in it."""
    return len(page({}, [], "").encode())


def as_json(value: Any) -> str:
    """Return a value as JSON that can stand in a script element.

    Numbers that JSON does not have are strings; JavaScript's `Number` reads them.

    Examples
    --------
    >>> as_json({"name": "</script>", "max": float("inf")})
    '{"name":"\\\\u003c/script>","max":"Infinity"}'
    """
    text = json.dumps(_finite(value), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _blob(number: int, text: str) -> str:
    return f'<script type="text/plain" id="blob-{number}">{text}</script>'


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _read(name: str) -> str:
    return (files("dagnet.inspector") / "page" / name).read_text(encoding="utf-8").rstrip("\n")
