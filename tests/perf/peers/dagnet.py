"""dagnet, with one of its executors."""

from workloads import Workload

import dagnet as dn
from peers import Problem


def build(work: Workload, problem: Problem, executor: str):
    model = network(work, executor)
    linears = [name for name, op in operations(model) if isinstance(op, dn.Linear)]
    for name, (W, b) in zip(linears, problem.layers(), strict=True):
        model.params[name]["W"][...] = W
        model.params[name]["b"][...] = b
    feeds = dict(zip("XY", problem.data(), strict=True))
    optimizer = dn.Adam(work.rate) if work.optimizer == "adam" else dn.SGD(work.rate)
    return (
        lambda: model.train_step(feeds, optimizer),
        lambda: [(model.params[name]["W"], model.params[name]["b"]) for name in linears],
    )


def network(work: Workload, executor: str) -> dn.Model:
    options = {"init": "zeros", "dtype": work.dtype, "executor": executor}
    if work.hidden == "batchnorm":
        return normalized(work, options)
    if not work.joined:
        return dn.mlp(list(work.sizes), hidden=work.hidden, output=work.output, **options)
    n_x, left, both, n_y = work.sizes
    X, Y = dn.Input(n_x, name="X"), dn.Input(n_y, name="Y")
    A = dn.ReLU()(dn.Linear(both)(dn.ReLU()(dn.Linear(left)(X))))
    A = dn.Add()(A, dn.ReLU()(dn.Linear(both)(X)))
    cost = dn.BinaryCrossEntropy()(dn.Sigmoid()(dn.Linear(n_y)(A)), Y)
    return dn.Model(cost, **options)


def normalized(work: Workload, options: dict) -> dn.Model:
    A, Y = dn.Input(work.sizes[0], name="X"), dn.Input(work.sizes[-1], name="Y")
    for units in work.normalized:
        A = dn.ReLU()(dn.BatchNorm()(dn.Linear(units)(A)))
    scores = dn.Linear(work.sizes[-1])(A)
    return dn.Model(dn.CategoricalCrossEntropy()(dn.Softmax()(scores), Y), **options)


def operations(model: dn.Model):
    return [(name, vertex.op) for name, vertex in model.graph.vertices.items()]
