"""Draws the pictures of the pages into docs/pictures, or into a directory that is given.

Run it after changing how networks are drawn:  python docs/make_pictures.py [directory]
"""

import runpy
import sys
from pathlib import Path

import dagnet as dn
from dagnet.render import render

HERE = Path(__file__).parent


def digits() -> dn.Graph:
    """Return the network of the README's first script."""
    X, Y = dn.Input(64, name="X"), dn.Input(10, name="Y")
    A = X
    for _ in range(3):
        A = dn.Add()(A, dn.ReLU()(dn.Linear(64)(A)))
    P = dn.Softmax(name="P")(dn.Linear(10, name="scores")(A))
    return dn.Model(dn.CategoricalCrossEntropy(name="cost")(P, Y)).graph


def lesson() -> dn.Graph:
    """Return the network of the lesson's pictures, for 64 x 64 x 3 numbers per picture."""
    return dn.mlp([12288, 20, 7, 5, 1], init="zeros").graph


def branches() -> dn.Graph:
    """Return the network of examples/branches.py."""
    return runpy.run_path(str(HERE.parent / "examples" / "branches.py"))["build"]().graph


#: What is drawn, and where its values flow.
PICTURES = {
    "digits": (digits, "right"),
    "lesson": (lesson, "right"),
    "branches": (branches, "down"),
}


def draw(directory: Path) -> list[Path]:
    """Draw every picture and return the files."""
    return [
        render(network(), directory / f"{name}.svg", direction=direction)
        for name, (network, direction) in PICTURES.items()
    ]


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "pictures"
    target.mkdir(exist_ok=True)
    print(*draw(target), sep="\n")
