"""Random networks for Hypothesis: branches, joins, shared ops, several losses, every kind of op."""

from dataclasses import dataclass

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import dagnet as dn

#: Many random networks, the same ones on every machine.
random_dags = settings(
    deadline=None,
    derandomize=True,
    max_examples=80,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

#: As many as a test can do that reads everything at every step.
fewer = settings(random_dags, max_examples=25)

WIDTHS = (3, 5, 7)
SMOOTH = (
    dn.Sigmoid,
    dn.Tanh,
    dn.Softplus,
    dn.GELU,
    dn.Identity,
    lambda: dn.GELU("tanh"),
)
KINKED = (dn.ReLU, dn.LeakyReLU, dn.ELU)


@dataclass
class Network:
    """The nodes of a random network."""

    losses: list
    outputs: list

    def model(self, **options):
        return dn.Model(self.losses, outputs=self.outputs, **({"seed": 1} | options))

    def graph(self):
        return dn.Graph.from_nodes(self.losses, self.outputs)

    def feeds(self, m, seed=2, dtype="float64"):
        """Return arrays for the inputs this network has."""
        rng = np.random.default_rng(seed)
        arrays = {
            "x": rng.standard_normal((5, m)),
            "u": rng.standard_normal((3, m)),
            "c": rng.standard_normal((3, 7)),
            "y": rng.integers(0, 2, (3, m)),
            "t": np.eye(3)[:, rng.integers(0, 3, m)],
            "r": rng.standard_normal((3, m)),
        }
        return {name: arrays[name].astype(dtype) for name in self.graph().inputs}


def networks(smooth=False):
    """Return a strategy of networks; the smooth ones are differentiable everywhere."""
    return st.composite(_build)(smooth)


def _build(draw, smooth):
    return _Builder(draw, smooth).network()


class _Builder:
    def __init__(self, draw, smooth):
        self.draw = draw
        self.smooth = smooth
        self.fixed = dn.Input(3, 7, name="c", examples=False)
        self.values = [dn.Input(5, name="x"), dn.Input(3, name="u"), self.fixed]
        self.scalars = []
        self.shared = []
        self.products = 0
        self.bits, self.classes, self.numbers = (dn.Input(3, name=n) for n in "ytr")

    def one_of(self, choices):
        return self.draw(st.sampled_from(list(choices)))

    def value(self):
        return self.one_of(self.values)

    def like(self, node):
        return self.one_of(v for v in self.values if v.shape == node.shape)

    def network(self):
        steps = (
            self.linear,
            self.activation,
            self.activation,
            self.softmax,
            self.add,
            self.twice,
            self.multiply,
            self.concat,
            self.dropout,
            self.norm,
            self.again,
            self.flatten,
            self.scalar,
            self.scalar_chain,
        )
        for _ in range(self.draw(st.integers(1, 10))):
            self.one_of(steps)()
        losses = [self.loss() for _ in range(self.draw(st.integers(1, 3)))]
        trained = [s for s in self.scalars if _has_parameters(s)]
        if trained and self.draw(st.booleans()):
            losses.append(self.one_of(trained))
        losses = list(dict.fromkeys(losses))
        trained = {n.op for n in _ancestors(losses)}
        possible = [
            n
            for n in self.values
            if n.inputs and all(a.op in trained for a in _ancestors([n]) if _parameters(a))
        ]
        outputs = [self.one_of(possible) for _ in range(self.draw(st.integers(0, 2))) if possible]
        return Network(losses, list(dict.fromkeys(outputs)))

    # One more value.

    def keep(self, op, *inputs):
        node = op(*inputs)
        (self.values if node.shape else self.scalars).append(node)
        return node

    def linear(self):
        op = dn.Linear(self.one_of(WIDTHS), bias=self.draw(st.booleans()))
        node = self.keep(op, self.value())
        self.shared.append((op, node.inputs[0].shape[0]))

    def activation(self):
        choices = SMOOTH if self.smooth else SMOOTH + KINKED
        self.keep(self.one_of(choices)(), self.value())

    def softmax(self):
        self.keep(dn.Softmax(), self.value())

    def add(self):
        first = self.value()
        self.keep(dn.Add(), first, *(self.like(first) for _ in range(self.draw(st.integers(0, 2)))))

    def twice(self):
        value = self.value()
        self.keep(dn.Add(), value, value)

    def multiply(self):
        if self.products < 2:
            self.products += 1
            first = self.value()
            self.keep(dn.Multiply(), first, self.like(first))

    def concat(self):
        first = self.value()
        second = self.one_of(v for v in self.values if v.shape[1] == first.shape[1])
        if first.shape[0] + second.shape[0] <= 21:
            self.keep(dn.Concat(), first, second)

    def dropout(self):
        self.keep(dn.Dropout(0.3), self.value())

    def norm(self):
        op = self.one_of((dn.BatchNorm, dn.LayerNorm))(eps=0.1)
        value = self.value()
        if isinstance(op, dn.BatchNorm) or value.shape[-1] == "m":
            self.keep(op, value)
        if isinstance(op, dn.BatchNorm):
            self.shared.append((op, value.shape[0]))

    def again(self):
        fitting = [(op, v) for op, n in self.shared for v in self.values if v.shape[0] == n]
        if fitting:
            self.keep(*self.one_of(fitting))

    def flatten(self):
        self.keep(dn.Flatten(), self.value())

    def scalar(self):
        first = self.value()
        self.keep(dn.MeanSquaredError(weight=0.5), first, self.like(first))

    def scalar_chain(self):
        if self.scalars:
            chosen = [self.one_of(self.scalars) for _ in range(2)]
            self.one_of(
                (
                    lambda: self.keep(dn.Add(), *chosen),
                    lambda: self.keep(dn.Multiply(), *chosen),
                    lambda: self.keep(dn.Tanh(), chosen[0]),
                    lambda: self.keep(dn.Identity(), chosen[0]),
                )
            )()

    # Losses, each behind a Linear, so that they depend on parameters.

    def loss(self):
        logits = dn.Linear(3)(self.value())
        weight = self.one_of((1.0, 0.7))
        if logits.shape[-1] != "m":
            return dn.MeanSquaredError(weight=weight)(logits, self.fixed)
        kinds = ["binary", "categorical", "mse"] + ([] if self.smooth else ["mae", "huber"])
        kind = self.one_of(kinds)
        if kind == "binary":
            a = self.keep(dn.Sigmoid(), logits)
            return dn.BinaryCrossEntropy(weight=weight)(a, self.bits)
        if kind == "categorical":
            p = self.keep(dn.Softmax(), logits)
            return dn.CategoricalCrossEntropy(weight=weight)(p, self.classes)
        losses = {"mse": dn.MeanSquaredError, "mae": dn.MeanAbsoluteError, "huber": dn.Huber}
        return losses[kind](weight=weight)(logits, self.numbers)


def _ancestors(nodes):
    seen, stack = {}, list(nodes)
    while stack:
        node = stack.pop()
        if node not in seen:
            seen[node] = None
            stack.extend(node.inputs)
    return sorted(seen, key=lambda node: node.serial)


def _parameters(node):
    return node.op.parameters(*(i.shape for i in node.inputs))


def _has_parameters(node):
    return any(_parameters(n) for n in _ancestors([node]))
