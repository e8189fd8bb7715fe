"""Draws the pictures of the pages into docs/pictures, or into a directory that is given.

Run it after changing how networks are drawn:  python docs/make_pictures.py [directory]
"""

import runpy
import sys
from pathlib import Path
from typing import Any

import dagnet as dn
from dagnet.render import render

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"

Picture = tuple[dn.Model, dict[str, Any]]


def digits() -> Picture:
    """Return the network of the README's first script."""
    X, Y = dn.Input(64, name="X"), dn.Input(10, name="Y")
    A = X
    for _ in range(3):
        A = dn.Add()(A, dn.ReLU()(dn.Linear(64)(A)))
    P = dn.Softmax(name="P")(dn.Linear(10, name="scores")(A))
    return dn.Model(dn.CategoricalCrossEntropy(name="cost")(P, Y)), {"direction": "right"}


def branches() -> Picture:
    """Return the network of examples/branches.py."""
    return runpy.run_path(str(EXAMPLES / "branches.py"))["build"](), {}


def draw(directory: Path) -> list[Path]:
    """Draw every picture and return the files."""
    gallery = runpy.run_path(str(EXAMPLES / "gallery.py"))["PICTURES"]
    drawn = []
    for picture in (digits, branches, *gallery):
        model, options = picture()
        path = directory / f"{picture.__name__}.svg"
        drawn.append(render(model, path, theme="auto", **options))
    return drawn


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "pictures"
    target.mkdir(exist_ok=True)
    print(*draw(target), sep="\n")
