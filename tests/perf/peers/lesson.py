"""The lesson's own way of computing: numpy, with fresh arrays in every step.

The gradient of the input is computed, too, as there. What the lesson does not have (a softmax,
Adam, branches that join) is written in its style.
"""

import numpy as np
from workloads import Workload

from peers import Layers, Problem


def build(work: Workload, problem: Problem):
    if work.hidden != "relu":
        raise NotImplementedError(f"it has no {work.hidden}")
    np.seterr(all="ignore")
    layers = list(problem.layers())
    X, Y = problem.data()
    gradients = joined_gradients if work.joined else chain_gradients
    update = Adam(work.rate) if work.optimizer == "adam" else SGD(work.rate)

    def step():
        layers[:] = update(layers, gradients(layers, X, Y, work.output))

    return step, lambda: layers


def chain_gradients(layers: Layers, X, Y, output: str) -> Layers:
    A, caches = X, []
    for number, (W, b) in enumerate(layers, start=1):
        Z = np.dot(W, A) + b
        caches.append((A, Z))
        A = np.maximum(0, Z) if number < len(layers) else OUTPUTS[output](Z)
    dZ, grads = LOSSES[output](A, Y), []
    for i in reversed(range(len(layers))):
        dA, dW, db = linear_backward(dZ, caches[i][0], layers[i][0])
        grads.append((dW, db))
        if i > 0:
            dZ = relu_backward(dA, caches[i - 1][1])
    return grads[::-1]


def joined_gradients(layers: Layers, X, Y, output: str) -> Layers:
    (W1, b1), (W2, b2), (W3, b3), (W4, b4) = layers
    Z1 = np.dot(W1, X) + b1
    A1 = np.maximum(0, Z1)
    Z2 = np.dot(W2, A1) + b2
    Z3 = np.dot(W3, X) + b3
    A = np.maximum(0, Z2) + np.maximum(0, Z3)
    AL = OUTPUTS[output](np.dot(W4, A) + b4)
    dA, dW4, db4 = linear_backward(LOSSES[output](AL, Y), A, W4)
    dX, dW3, db3 = linear_backward(relu_backward(dA, Z3), X, W3)
    dA1, dW2, db2 = linear_backward(relu_backward(dA, Z2), A1, W2)
    more, dW1, db1 = linear_backward(relu_backward(dA1, Z1), X, W1)
    dX = dX + more
    return [(dW1, db1), (dW2, db2), (dW3, db3), (dW4, db4)]


def linear_backward(dZ, A_prev, W):
    m = A_prev.shape[1]
    return np.dot(W.T, dZ), np.dot(dZ, A_prev.T) / m, dZ.sum(axis=1, keepdims=True) / m


def relu_backward(dA, Z):
    return np.where(Z > 0, dA, Z.dtype.type(0))


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def sigmoid_loss(A, Y):
    dA = -(Y / A - (1 - Y) / (1 - A))
    return dA * A * (1 - A)


def softmax(Z):
    E = np.exp(Z - Z.max(axis=0, keepdims=True))
    return E / E.sum(axis=0, keepdims=True)


def softmax_loss(A, Y):
    return A - Y


OUTPUTS = {"sigmoid": sigmoid, "softmax": softmax}
LOSSES = {"sigmoid": sigmoid_loss, "softmax": softmax_loss}


class SGD:
    def __init__(self, rate: float):
        self.rate = rate

    def __call__(self, layers: Layers, grads: Layers) -> Layers:
        return [
            (W - self.rate * dW, b - self.rate * db)
            for (W, b), (dW, db) in zip(layers, grads, strict=True)
        ]


class Adam:
    def __init__(self, rate: float):
        self.rate = rate
        self.steps = 0
        self.moments: list = []

    def __call__(self, layers: Layers, grads: Layers) -> Layers:
        self.steps += 1
        values = [array for layer in layers for array in layer]
        slopes = [array for layer in grads for array in layer]
        self.moments = self.moments or [(0, 0)] * len(values)
        moved = []
        for number, (value, grad) in enumerate(zip(values, slopes, strict=True)):
            v, s = self.moments[number]
            v = 0.9 * v + (1 - 0.9) * grad
            s = 0.999 * s + (1 - 0.999) * grad**2
            self.moments[number] = v, s
            v_corrected = v / (1 - 0.9**self.steps)
            s_corrected = s / (1 - 0.999**self.steps)
            moved.append(value - self.rate * v_corrected / (np.sqrt(s_corrected) + 1e-8))
        return list(zip(moved[::2], moved[1::2], strict=True))
