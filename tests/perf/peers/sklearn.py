"""scikit-learn: one batch of MLPClassifier.partial_fit is one step. Examples are rows."""

import warnings

from sklearn.neural_network import MLPClassifier
from workloads import Workload

from peers import Problem


def build(work: Workload, problem: Problem):
    if work.joined:
        raise NotImplementedError("it has no branches")
    if work.hidden != "relu":
        raise NotImplementedError(f"it has no {work.hidden}")
    warnings.simplefilter("ignore")
    X, Y = problem.data()
    X = X.T.copy()
    labels = Y[0].astype(int) if work.output == "sigmoid" else Y.argmax(axis=0)
    classes = range(max(2, work.sizes[-1]))
    network = MLPClassifier(
        work.sizes[1:-1],
        solver=work.optimizer,
        alpha=0,
        batch_size=work.m,
        learning_rate_init=work.rate,
        momentum=0,
        nesterovs_momentum=False,
        shuffle=False,
    )
    # The first step makes the arrays, which then get the values to begin with.
    network.partial_fit(X, labels, classes=list(classes))
    del network._optimizer
    for number, (W, b) in enumerate(problem.layers()):
        network.coefs_[number][...] = W.T
        network.intercepts_[number][...] = b[:, 0]

    def layers():
        pairs = zip(network.coefs_, network.intercepts_, strict=True)
        return [(W.T, b.reshape(-1, 1)) for W, b in pairs]

    return lambda: network.partial_fit(X, labels), layers
