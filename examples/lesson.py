"""The lesson, cell by cell on `dagnet.steps`; then its network on the engine, to the same numbers.

Run it:  python examples/lesson.py
"""

import numpy as np

import dagnet as dn
from dagnet import steps


def draws(seed, *shapes):
    """Return arrays of numpy's legacy stream: the lesson draws the inputs of its tests so."""
    rng = np.random.RandomState(seed)
    return [rng.randn(*shape) for shape in shapes]


def cells():
    """Call the fourteen functions on the lesson's own inputs; it prints the same numbers."""
    print("3.1 W1 =", *steps.initialize_parameters(3, 2, 1)["W1"])
    print("3.2 W2 =", *steps.initialize_parameters_deep([5, 4, 3])["W2"])

    A, W, b = draws(1, (3, 2), (1, 3), (1, 1))
    Z, _ = steps.linear_forward(A, W, b)
    print("4.1 Z =", *Z)

    A_prev, W, b = draws(2, (3, 2), (1, 3), (1, 1))
    for activation in ("sigmoid", "relu"):
        A, _ = steps.linear_activation_forward(A_prev, W, b, activation)
        print(f"4.2 {activation}: A =", *A)

    X, parameters = small_network()
    AL, caches = steps.L_model_forward(X, parameters)
    # The lesson prints 2: it forgets the last layer's cache, and its backward would go wrong.
    print("4.3 AL =", *AL, "from", len(caches), "layers")

    print("5 cost =", steps.compute_cost([[0.8, 0.9, 0.4]], [[1, 1, 1]]))

    dZ, A, W, b = draws(1, (1, 2), (3, 2), (1, 3), (1, 1))
    _, dW, db = steps.linear_backward(dZ, (A, W, b))
    print("6.1 dW =", *dW, "db =", *db)

    dA, A, W, b, Z = draws(2, (1, 2), (3, 2), (1, 3), (1, 1), (1, 2))
    for activation in ("sigmoid", "relu"):
        _, dW, _ = steps.linear_activation_backward(dA, ((A, W, b), Z), activation)
        print(f"6.2 {activation}: dW =", *dW)


def small_network():
    """Return the input and parameters of the lesson's network 5 -> 4 -> 3 -> 1."""
    X, W1, b1, W2, b2, W3, b3 = draws(6, (5, 4), (4, 5), (4, 1), (3, 4), (3, 1), (1, 3), (1, 1))
    return X, {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "W3": W3, "b3": b3}


def both_ways():
    """Take one step of training with the lesson's functions and with a model; compare all of it."""
    X, parameters = small_network()
    Y = np.array([[0.0, 1.0, 1.0, 0.0]])
    m = X.shape[1]

    # A model has the same arrays under the names of its nodes. They are copied in.
    model = dn.mlp([5, 4, 3, 1])
    model.set_params(
        {f"linear{i}": {"W": parameters[f"W{i}"], "b": parameters[f"b{i}"]} for i in (1, 2, 3)}
    )

    AL, caches = steps.L_model_forward(X, parameters)
    cost = steps.compute_cost(AL, Y)
    grads = steps.L_model_backward(AL, Y, caches)

    J = model.forward({"X": X, "Y": Y})
    model.backward()
    print(f"cost: steps {cost:.12f}, engine {J:.12f}")
    print("largest difference, layer by layer:")
    for i in (1, 2, 3):
        layer = model.layer(i)
        (A_prev, _, _), Z = caches[i - 1]
        pairs = {
            "A_prev": (layer.A_prev, A_prev),
            "Z": (layer.Z, Z),
            "dW": (layer.dW, grads[f"dW{i}"]),
            "db": (layer.db, grads[f"db{i}"]),
            # The lesson keeps this gradient of the sum over the examples, the engine of the mean;
            # and under dA1 it keeps that of layer 1's input.
            "dA_prev": (m * layer.dA_prev, grads[f"dA{i}"]),
        }
        print(f"  layer {i}:", *(f"{k} {np.abs(a - b).max():.0e}" for k, (a, b) in pairs.items()))

    steps.update_parameters(parameters, grads, learning_rate=0.1)
    model.train_step({"X": X, "Y": Y}, dn.SGD(0.1))
    weights = {i: model.params[f"linear{i}"]["W"] for i in (1, 2, 3)}
    apart = max(np.abs(W - parameters[f"W{i}"]).max() for i, W in weights.items())
    print(f"weights after one update: {apart:.0e} apart")


if __name__ == "__main__":
    cells()
    print()
    both_ways()
