"""Drawings: what a picture of a network can show. They are those of docs/gallery.md.

Run it:  python examples/gallery.py [directory]

Writes the pictures into the directory, or prints the first one as text if none is given.
"""

import sys
from pathlib import Path

import numpy as np

import dagnet as dn


def lesson():
    """The network of the lesson: three equal layers are one box."""
    return dn.mlp([12288, 20, 7, 5, 1], seed=1), {"direction": "right"}


def residual_stages():
    """A network of 101 nodes: blocks in stages, each in a scope."""
    X, Y = dn.Input(64, name="X"), dn.Input(10, name="Y")
    A = dn.Linear(32, name="stem")(X)
    with dn.scope("trunk"):
        for stage in range(3):
            with dn.scope(f"stage{stage + 1}"):
                for block in range(4):
                    with dn.scope(f"block{block + 1}"):
                        Z = dn.Linear(32)(dn.ReLU()(dn.LayerNorm()(A)))
                        A = dn.Add()(A, dn.Linear(32)(dn.ReLU()(dn.LayerNorm()(Z))))
                A = dn.Dropout(0.1)(A)
    P = dn.Softmax(name="P")(dn.Linear(10, name="scores")(A))
    return dn.Model(dn.CategoricalCrossEntropy(name="cost")(P, Y), seed=1), {}


def overview():
    """The same, with nothing but the outermost level open."""
    return residual_stages()[0], {"direction": "right", "fold": 1}


def two_losses():
    """Two inputs through one encoder, two losses, and the way back of the gradients."""
    left, right = dn.Input(5, name="left"), dn.Input(5, name="right")
    same, kind = dn.Input(1, name="same"), dn.Input(3, name="kind")
    encode, bend = dn.Linear(7, name="encode"), dn.Tanh(name="bend")
    a, b = bend(encode(left)), bend(encode(right))
    p = dn.Sigmoid(name="alike")(dn.Linear(1, name="judge")(dn.Concat(name="pair")(a, b)))
    q = dn.Softmax(name="which")(dn.Linear(3, name="classify")(a))
    losses = [
        dn.BinaryCrossEntropy(name="cost_alike")(p, same),
        dn.CategoricalCrossEntropy(name="cost_which")(q, kind),
    ]
    model = dn.Model(losses, outputs=[p, q], seed=1)
    rng = np.random.default_rng(1)
    kinds = np.eye(3)[:, rng.integers(0, 3, 40)]
    run(
        model,
        {
            "left": rng.normal(size=(5, 40)),
            "right": rng.normal(size=(5, 40)),
            "same": rng.integers(0, 2, (1, 40)),
            "kind": kinds,
        },
    )
    return model, {"backward": True}


def vanishing_gradient():
    """Ten sigmoids in a row: the folded box names the layer that the gradient hardly reaches."""
    model = dn.mlp([2, *[16] * 10, 1], hidden="sigmoid", init="lecun", seed=1)
    points = dn.data.moons(m=200, seed=1)
    run(model, model.feeds(points.X, points.Y))
    return model, {"overlay": "grad_norm", "direction": "right"}


def dead_units():
    """One layer began with biases far too low: all its units are dead."""
    model = dn.mlp([2, 16, 16, 16, 1], seed=1)
    model.params["linear2"]["b"][:] = -50
    points = dn.data.moons(m=200, seed=1)
    run(model, model.feeds(points.X, points.Y))
    return model, {"overlay": "zeros", "fold": False, "direction": "right"}


def machine_limit():
    """Layers of ever fewer units: the smaller the product, the less of the machine is used."""
    model = dn.mlp([784, 512, 256, 10], output="softmax", seed=1)
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 10, 128)
    profile = model.profile(model.feeds(rng.random((784, 128)), labels))
    return model, {"overlay": profile, "fold": False, "direction": "right"}


def what_changed():
    """The same network before and after an edit, on one picture."""

    def build(edited):
        X, Y = dn.Input(8, name="X"), dn.Input(1, name="Y")
        A = dn.ReLU(name="bend1")(dn.Linear(16, name="hidden1")(X))
        between = dn.LayerNorm(name="norm") if edited else dn.Dropout(0.5, name="drop")
        A = dn.Tanh(name="bend2")(dn.Linear(12 if edited else 16, name="hidden2")(between(A)))
        P = dn.Sigmoid(name="P")(dn.Linear(1, name="last")(A))
        return dn.Model(dn.BinaryCrossEntropy(name="cost")(P, Y), seed=1)

    return build(edited=True), {"against": build(edited=False)}


def chinese():
    """Names in Chinese fit into their boxes; here, the drawing's own words are Chinese, too."""
    X, Y = dn.Input(12288, name="图像"), dn.Input(1, name="标签")
    A = X
    with dn.scope("特征提取"):
        for layer, units in enumerate([20, 7, 5], start=1):
            Z = dn.Linear(units, name=f"第{layer}层线性变换")(A)
            A = dn.ReLU(name=f"第{layer}层激活")(Z)
    P = dn.Sigmoid(name="猫的概率")(dn.Linear(1, name="输出层")(A))
    model = dn.Model(dn.BinaryCrossEntropy(name="成本")(P, Y), outputs=[P], seed=1)
    return model, {"title": "这是猫吗？", "direction": "right", "language": "zh"}


def run(model, feeds):
    model.forward(feeds)
    model.backward()


PICTURES = [
    lesson,
    residual_stages,
    overview,
    two_losses,
    vanishing_gradient,
    dead_units,
    machine_limit,
    what_changed,
    chinese,
]


def main(directory=None):
    if directory is None:
        print(dn.draw_text(lesson()[0]))
        return
    for picture in PICTURES:
        model, options = picture()
        print(model.render(Path(directory) / f"{picture.__name__}.svg", theme="auto", **options))


if __name__ == "__main__":
    main(*sys.argv[1:])
