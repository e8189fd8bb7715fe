"""gradcheck: every node's own backward, and the whole model's, against central differences."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from dagnet.arrays import not_finite
from dagnet.bounds import check_integer, check_positive
from dagnet.debug.gradreport import GradCheck, GradientRow
from dagnet.errors import ArgumentError, ArgumentTypeError, FeedError, OpContractError
from dagnet.graph import Vertex
from dagnet.model import Model
from dagnet.run import Run
from dagnet.testing.differences import STEP, Comparison, Projected, by_directions
from dagnet.testing.gradients import comparisons
from dagnet.testing.trial import Trial, away_from_kinks, guarded

#: How far from a kink inputs must be, in steps of the differences.
_KINK_STEPS = 100

#: How far the whole model's parameters are moved before it is checked.
_AWAY = 1e-3


def gradcheck(
    model: Model, feeds: Mapping[str, Any], *, tolerance: float = 1e-6, seed: int = 0
) -> GradCheck:
    """Check every gradient of a model against central differences, node by node.

    Each node is checked by itself, at the inputs, parameters, states and random numbers that it
    has in a training run on `feeds`: its backward, given a random gradient of its output, against
    what its output does when an input or a parameter is moved. So a wrong backward shows at its
    own node, whatever the graph around it. One more row checks the whole: the gradient of the
    cost by all parameters, as training computes it.

    Parameters
    ----------
    model : Model
        With a cost. It is left as it is: the check runs on a copy, in float64.
    feeds : dict
        An array for every input, as for ``model.forward``. A few examples are enough.
    tolerance : float
        The largest relative error of a gradient that is right.
    seed : int
        Of the random gradients, elements and directions.

    Returns
    -------
    GradCheck

    Raises
    ------
    FeedError
        If the feeds do not fit the inputs, or hold NaN or Inf.
    GraphError
        If the model has no cost.
    ArgumentError
        If a parameter, or a value of the run, is not finite.

    Notes
    -----
    A node's output a is projected by random normal numbers g, and ``sum(g a)`` differentiated.
    The gradient that arrives in the run would not do: where it is 0, nothing would be checked.
    Backward is linear in g, so what holds for random g holds for all.

    Arrays up to 256 elements are compared element by element. Of larger ones, 64 random elements
    are, and all together in 8 random directions d, ``grad · d`` against
    ``(f(x + d) - f(x - d)) / 2``. Each d moves every element, up or down, by half a step to a
    step. So an error in one single element shows in every direction if it is more than twice the
    `tolerance` times the length of the gradient; those in several elements would have to cancel in
    all eight.

    Inputs nearer to a kink of the op (``op.kinks``) than 100 steps of 1e-5 are moved away.

    With a loss computed from the logits, both of its formulas are checked: the one that training
    runs, and the one that `cache` uses for the gradient between the activation and the loss.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet.debug.gradcheck import gradcheck
    >>> moons = dn.data.moons(m=7)
    >>> check = gradcheck(dn.mlp([2, 5, 1], seed=1), {"X": moons.X, "Y": moons.Y})
    >>> check.ok, check.failed
    (True, [])
    >>> check.verdicts["relu1"]
    'ok'
    """
    if not isinstance(model, Model):
        raise ArgumentTypeError(f"gradcheck takes a dn.Model, not {type(model).__name__}")
    check_positive(tolerance, "gradcheck: tolerance")
    check_integer(seed, "gradcheck: seed", at_least=0)
    arrays = _finite_feeds(model, feeds)
    double = _in_float64(model)
    rng = np.random.default_rng(seed)
    rows = [row for point in _points(double, arrays) for row in _rows(point, tolerance, rng)]
    whole = _whole_row(_in_float64(model), arrays, tolerance, rng)
    return GradCheck(tuple(rows), whole, tolerance)


def _finite_feeds(model: Model, feeds: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the checked feeds in float64."""
    arrays, _ = model.check_feeds(feeds)
    for name, array in arrays.items():
        problem = not_finite(array)
        if problem:
            raise FeedError(f"{model.graph[name].label}: {problem}; there is nothing to check")
    return {name: array.astype(np.float64) for name, array in arrays.items()}


def _in_float64(model: Model) -> Model:
    """Return a copy with the same parameters, states and generator, in float64."""
    for (owner, name), array in model.store.arrays.items():
        problem = not_finite(array)
        if problem:
            raise ArgumentError(f"parameter {owner}.{name} {problem}")
    double = Model.from_graph(model.graph, seed=deepcopy(model.rng), dtype="float64")
    double.store.data[...] = model.store.data
    double.set_state(model.get_state())
    return double


# Nodes, each by itself.


@dataclass(frozen=True)
class _Point:
    """One use of an op with the values it has in a run."""

    vertex: Vertex
    inputs: tuple[np.ndarray, ...]
    params: Mapping[str, np.ndarray]
    states: Mapping[str, np.ndarray]
    m: int
    draws: np.random.Generator


def _points(model: Model, feeds: Mapping[str, np.ndarray]) -> Iterator[_Point]:
    """Run the model forward, then yield every node that a loss depends on."""
    run = model.begin(feeds)
    states: dict[str, dict[str, np.ndarray]] = {}
    draws: dict[str, np.random.Generator] = {}
    for step in run.binding.plan.forward:
        frame = run.binding.frames[step.name]
        states[step.name] = {name: array.copy() for name, array in frame.state.items()}
        draws[step.name] = deepcopy(model.rng)
        with np.errstate(all="ignore"):
            run.binding.advance()
    needed = model.graph.behind_losses
    for name in states:
        if name in needed:
            ran = run.binding.plan.graph.vertices[name]
            for vertex in dict.fromkeys((ran, model.graph.vertices[name])):  # two if it is fused
                yield _point(run, vertex, states[name], draws[name])


def _point(
    run: Run, vertex: Vertex, states: Mapping[str, np.ndarray], draws: np.random.Generator
) -> _Point:
    binding = run.binding
    problem = not_finite(binding.frames[vertex.name].output)
    if problem:
        raise ArgumentError(f"{vertex.label}: its output {problem}; there is nothing to check")
    inputs = tuple(binding.frames[name].output.copy() for name in vertex.inputs)
    keys = binding.plan.params[vertex.name]
    params = {name: run.params[key].copy() for name, key in keys.items()}
    return _Point(vertex, inputs, params, states, binding.m, draws)


def _rows(point: _Point, tolerance: float, rng: np.random.Generator) -> Iterator[GradientRow]:
    """Check one node; yield a row for each of its gradients."""
    vertex = point.vertex
    try:
        inputs = guarded(vertex.label, lambda: _moved(point, rng))
        if inputs is None:
            yield _unchecked(vertex, f"no inputs are {_KINK_STEPS} steps away from its kinks")
            return
        trial = Trial(vertex.op, inputs, point.params, point.states, point.m, point.draws, rng)
        problem = not_finite(trial.forward(trial.frame()).output)
        if problem:  # a probability of exactly 0, where the logits say the same without Inf
            yield _unchecked(vertex, f"its output {problem}")
            return
        moved = sum(int(np.sum(a != b)) for a, b in zip(inputs, point.inputs, strict=True))
        for attribute, key, size, found in comparisons(trial, tolerance):
            yield GradientRow.of(vertex, f"{attribute}.{key}", size, found, moved)
    except OpContractError as error:
        broken = Comparison(np.inf, wrong=True)
        yield GradientRow.of(vertex, "backward", 0, broken, note=error.args[1])


def _unchecked(vertex: Vertex, note: str) -> GradientRow:
    return GradientRow.of(vertex, "backward", 0, Comparison(), note=note)


def _moved(point: _Point, rng: np.random.Generator) -> tuple[np.ndarray, ...] | None:
    """Return the inputs, with elements that are near a kink moved away from it."""
    largest = max((float(np.max(np.abs(x), initial=1.0)) for x in point.inputs), default=1.0)
    margin = _KINK_STEPS * STEP * largest
    fixed = point.vertex.op.constant_inputs

    def draw() -> tuple[np.ndarray, ...]:
        return tuple(
            x if i in fixed else x + 4 * margin * rng.standard_normal(x.shape)
            for i, x in enumerate(point.inputs)
        )

    return away_from_kinks(point.vertex.op, point.inputs, draw, margin)


# The whole model.


def _whole_row(
    model: Model, feeds: Mapping[str, np.ndarray], tolerance: float, rng: np.random.Generator
) -> GradientRow:
    """Check the gradient of the cost by all parameters, as a training step computes it.

    The parameters are moved a little before: where biases are 0 and all inputs of a unit, too,
    a ReLU stands exactly on its kink, and differences by the bias tell nothing.
    """
    data, draws, states = model.store.data, model.rng.bit_generator.state, model.get_state()
    data += _AWAY * rng.standard_normal(data.shape)

    def cost() -> np.ndarray:
        model.rng.bit_generator.state = draws
        model.set_state(states)
        return np.array(model.forward(feeds, keep="needed"))

    cost()
    model.backward()
    number = Projected(cost, np.ones(()))
    found = by_directions(number, data, model.store.grad.copy(), tolerance, rng)
    place = _place(model, *found.index) if found.wrong and found.index else ""
    return GradientRow.of_whole(data.size, found, place)


def _place(model: Model, position: int) -> str:
    """Return the name and index of the parameter at a position of a model that nobody needs."""
    model.store.data[...] = 0
    model.store.data[position] = 1
    ((owner, name),) = [key for key, array in model.store.arrays.items() if array.any()]
    (index,) = np.argwhere(model.store.arrays[owner, name]).tolist()
    return f"{owner}.{name}{index}"
