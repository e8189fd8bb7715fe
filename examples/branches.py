"""A network that is no chain: a skip connection, shared weights, two weighted losses.

Two measurements of the same thing go through one encoder; a decoder estimates the thing from both,
a second head says whether they agree.

Run it:  python examples/branches.py [directory]

Given a directory, writes the drawing of the network into it.
"""

import sys
from pathlib import Path

import numpy as np

import dagnet as dn


def build():
    left, right = dn.Input(5, name="left"), dn.Input(5, name="right")
    value, agree = dn.Input(1, name="value"), dn.Input(1, name="agree")

    # One op object called twice: both nodes use the same W and b.
    encode, bend = dn.Linear(7, name="encode"), dn.Tanh(name="bend")
    a, b = bend(encode(left)), bend(encode(right))

    # The skip connection: what goes in is added to what comes out. A value that is read twice gets
    # the sum of both gradients.
    joined = dn.Concat(name="joined")(a, b)
    hidden = dn.Linear(14, name="inside")(dn.ReLU(name="relu")(dn.Linear(14, name="into")(joined)))
    block = dn.Add(name="skip")(joined, hidden)

    estimate = dn.Linear(1, name="estimate")(block)
    same = dn.Sigmoid(name="same")(dn.Linear(1, name="judge")(block))

    # The cost J is the sum of the weighted losses.
    losses = [
        dn.MeanSquaredError(name="error", weight=1.0)(estimate, value),
        dn.BinaryCrossEntropy(name="doubt", weight=0.3)(same, agree),
    ]
    return dn.Model(losses, outputs=[estimate, same], init="xavier", seed=3)


def measurements(m, seed):
    """Return feeds: two noisy pictures of one number, and for half of them of two numbers."""
    rng = np.random.default_rng(seed)
    value, other = rng.uniform(-1, 1, (2, 1, m))
    agree = rng.integers(0, 2, (1, m))
    pattern = np.array([[1.0], [-0.5], [0.8], [0.3], [-1.2]])
    noise = rng.normal(0, 0.05, (2, 5, m))
    left = pattern * value + noise[0]
    right = pattern * np.where(agree, value, other) + noise[1]
    return {"left": left, "right": right, "value": value, "agree": agree}


def numeric_gradient(model, feeds, array, index, step=1e-5):
    """Return dJ/d(one number) by central differences: J a little above and a little below."""
    before = array[index]
    array[index] = before + step
    above = model.forward(feeds)
    array[index] = before - step
    below = model.forward(feeds)
    array[index] = before
    return (above - below) / (2 * step)


def main(directory=None):
    model = build()
    print(model)
    feeds = measurements(m=3, seed=1)

    J = model.forward(feeds)
    model.backward()
    cache = model.cache
    print(f"J = {J:.6f} = {cache['error'].output:.6f} + {cache['doubt'].output:.6f}")
    # The second use of a shared op is named after the first.
    print("first unit of encode:  ", cache["encode"].output[0])
    print("first unit of encode_2:", cache["encode_2"].output[0])
    print("sent back by skip:   ", cache["skip"].grad_inputs[0][0])
    print("sent back by into:   ", cache["into"].grad_inputs[0][0])
    print("their sum, at joined:", cache["joined"].grad_output[0])

    # `backward` left this; another run would overwrite it, so it is copied.
    dW = cache["encode"].grad_params["W"].copy()
    W = model.params["encode"]["W"]
    worst = max(
        abs(numeric_gradient(model, feeds, W, index) - dW[index]) for index in np.ndindex(W.shape)
    )
    print(f"shared W (7, 5): backward and central differences are {worst:.0e} apart at most")

    train, test = measurements(m=600, seed=2), measurements(m=200, seed=5)
    model.fit(train, train, epochs=300, optimizer=dn.Adam(0.01), progress=False)
    for name, number in model.evaluate(test, test).items():
        print(f"{name} {number:.3f}")

    if directory is not None:
        print("drawn into", model.render(Path(directory) / "branches.svg").name)


if __name__ == "__main__":
    main(*sys.argv[1:])
