"""The planar classifier: a flower that no straight line separates, and four hidden units that do.

Run it:  python examples/planar.py [directory]

Prints the decision as a map of characters. Given a directory, writes the drawing of the network and
the history into it.
"""

import sys
from pathlib import Path

import numpy as np

import dagnet as dn


def decision_map(model, data, columns=64, rows=24):
    """Return lines of characters: what the model answers at each place of the plane."""
    low, high = data.X.min(axis=1), data.X.max(axis=1)
    x = np.linspace(low[0], high[0], columns)
    y = np.linspace(high[1], low[1], rows)  # the top line first
    grid = np.stack([axis.ravel() for axis in np.meshgrid(x, y)])  # (2, rows * columns)
    answer = model.predict(grid)[0] > 0.5
    return ["".join(line) for line in np.where(answer, "#", ".").reshape(rows, columns)]


def main(directory=None):
    data = dn.data.planar(legacy=True)  # the very numbers of the course
    print(data)

    # The features are not linear in the class: without the hidden layer, this is what is possible.
    line = dn.mlp([2, 1], seed=1)
    line.fit(data.X, data.Y, epochs=1000, optimizer=dn.SGD(1.2), progress=False)
    print(f"a straight line: {line.evaluate(data.X, data.Y)['accuracy']:.1%} right")

    model = dn.mlp([2, 4, 1], hidden="tanh", init=0.01, seed=1)
    history = model.fit(data.X, data.Y, epochs=10_000, optimizer=dn.SGD(1.2), progress=False)
    for epoch, cost in list(zip(history["epoch"], history["cost"], strict=True))[:-1:20]:
        print(f"epoch {epoch:5d}  cost {cost:.4f}")
    print(f"four hidden units: {history.last['accuracy']:.1%} right")
    print(*decision_map(model, data), sep="\n")

    if directory is not None:
        model.render(Path(directory) / "planar.svg")
        history.to_csv(Path(directory) / "planar.csv")
        print(f"planar.svg and planar.csv are in {directory}")


if __name__ == "__main__":
    main(*sys.argv[1:])
