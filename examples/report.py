"""A page that shows a training: every value, every gradient, step by step.

Run it:  python examples/report.py [directory]

It trains a small network on the flower, and writes `flower.html`, which any browser opens. Drag the
slider; click a box; point at a number of Z, dW, db or dA to see what it was made of.
"""

import sys
from pathlib import Path

import dagnet as dn


def main(directory="."):
    data = dn.data.planar(legacy=True)
    model = dn.mlp([2, 8, 1], hidden="tanh", seed=1)
    recorder = dn.Recorder(every=40)
    history = model.fit(
        data.X,
        data.Y,
        epochs=601,
        optimizer=dn.Adam(0.02),
        callbacks=[recorder],
        log_every=10,
        progress=False,
    )
    page = dn.report(
        model,
        Path(directory) / "flower.html",
        data.X,
        data.Y,
        recorder=recorder,
        history=history,
        max_mb=5,
    )
    print(f"{len(recorder.steps)} steps in {page.path.stat().st_size / 1e6:.1f} MB: {page}")


if __name__ == "__main__":
    main(*sys.argv[1:])
