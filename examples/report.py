"""A page that shows a training: every value, every gradient, step by step.

Run it:  python examples/report.py [directory]

It trains a small network on the flower, and writes `flower.html`, which any browser opens. Drag the
slider; click a box; point at a number of Z, dW, db or dA to see what it was made of.
"""

import sys
from pathlib import Path

import dagnet as dn


class Kept:
    """The steps of a training that were kept: what `dn.report` asks of a recording."""

    def __init__(self, model):
        self.model = model
        self.marks = {}
        self.caches = {}

    @property
    def steps(self):
        return list(self.caches)

    def at(self, step):
        return self.caches[step]


def train(model, feeds, steps, every):
    """Train, and keep the values of every so many steps."""
    kept, optimizer = Kept(model), dn.Adam(0.02)
    for step in range(1, steps + 1):
        model.train_step(feeds, optimizer, keep="all")
        if step % every == 1:
            kept.caches[step] = model.cache.copy()
    return kept


def main(directory="."):
    data = dn.data.planar(legacy=True)
    model = dn.mlp([2, 8, 1], hidden="tanh", seed=1)
    kept = train(model, {"X": data.X, "Y": data.Y}, steps=601, every=40)
    page = dn.report(
        model, Path(directory) / "flower.html", data.X, data.Y, recorder=kept, max_mb=5
    )
    print(f"{len(kept.steps)} steps in {page.path.stat().st_size / 1e6:.1f} MB: {page}")


if __name__ == "__main__":
    main(*sys.argv[1:])
