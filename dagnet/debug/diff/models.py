"""Comparing two models or two runs."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from dagnet.bounds import check_not_negative
from dagnet.cache import Cache
from dagnet.debug.diff.align import Alignment, align
from dagnet.debug.diff.changes import changes
from dagnet.debug.diff.compare import Comparer, Comparison, Run
from dagnet.debug.diff.result import Diff
from dagnet.debug.diff.runs import Feeds, run_alike, run_aside
from dagnet.errors import ArgumentError, ArgumentTypeError, NotKeptError
from dagnet.graph import Graph
from dagnet.model import Model
from dagnet.node import is_scaled


def diff(
    a: Model | Run, b: Model | Run, feeds: Feeds | None = None, *, rtol: float = 0, atol: float = 0
) -> Diff:
    """Compare two runs: their graphs, their parameters, and every value, forward and backward.

    Nodes correspond by structure, whatever they are called: an inserted layer is one addition, and
    everything after it is still compared.

    Parameters
    ----------
    a, b : Model or run
        Of a model, its last run is compared, or with `feeds` one that is made for this and leaves
        the model as it is. A run is what ``model.cache`` is: the next run of that model overwrites
        it, so keep it with ``model.cache.copy()``.
    feeds : dict, optional
        An array for every input, as for `Model.forward`, by the names in `a`. Floats are converted
        to the dtype of each model. Corresponding nodes draw the same random numbers.
    rtol, atol : float
        Elements differ if ``|a - b| > atol + rtol * max(|a|, |b|)``.

    Raises
    ------
    ArgumentTypeError
        If a side is neither a model nor a run.
    ArgumentError
        If the runs are on different numbers of examples.
    NotKeptError
        If a side has not run, or its values are gone.
    FeedError
        If the feeds do not fit a model.

    Examples
    --------
    >>> import copy, numpy as np, dagnet as dn
    >>> model = dn.mlp([5, 7, 3, 1], seed=1)
    >>> nudged = copy.deepcopy(model)
    >>> nudged.params["linear2"]["W"][0, 0] += 1e-6
    >>> found = dn.diff(model, nudged, {"X": np.ones((5, 4)), "Y": np.ones((1, 4))})
    >>> found.first.node, found.first.value, found.first.count
    ('linear2', 'output', 4)
    >>> [f"{of.node}.{of.value}" for of in found.parameters if not of.same]
    ['linear2.params.W']
    """
    tolerance = _tolerance(rtol, atol)
    a, b = _checked(a, "first"), _checked(b, "second")
    alignment = align(a.graph, b.graph)
    run_a, run_b = _runs(a, b, feeds, alignment)
    _check_examples(run_a, run_b)
    comparer = Comparer(alignment, run_a, run_b, *tolerance)
    owned, values = comparer.owned(), comparer.run()
    _check_compared(alignment, values)
    return Diff(
        alignment, changes(alignment), owned.values, values.values, owned.missing + values.missing
    )


def diff_models(a: Model, b: Model, *, rtol: float = 0, atol: float = 0) -> Diff:
    """Compare graphs, parameters and states of two models; nothing is run.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet.debug.diff import diff_models
    >>> diff_models(dn.mlp([5, 3, 1], seed=1), dn.mlp([5, 7, 3, 1], seed=1))
    <Diff: 2 nodes added, 0 removed, 0 changed; 2 parameters and 0 values differ>
    """
    tolerance = _tolerance(rtol, atol)
    for side, which in ((a, "first"), (b, "second")):
        if not isinstance(side, Model):
            raise ArgumentTypeError(f"the {which} is no model, but {type(side).__name__}")
    alignment = align(a.graph, b.graph)
    owned = Comparer(alignment, _Owned(a), _Owned(b), *tolerance).owned()
    return Diff(alignment, changes(alignment), owned.values)


class _Owned:
    """The parameters and states of a model, as a run shows them."""

    def __init__(self, model: Model):
        self._model = model

    def __getitem__(self, name: str) -> "_Arrays":
        owner = self._model.graph.vertices[name].owner
        return _Arrays(self._model.params.get(owner, {}), self._model.state.get(owner, {}))


class _Arrays:
    def __init__(self, params: Mapping[str, Any], state: Mapping[str, Any]):
        self.params = params
        self.state = state


def _tolerance(rtol: float, atol: float) -> tuple[float, float]:
    check_not_negative(rtol, "rtol")
    check_not_negative(atol, "atol")
    return rtol, atol


def _checked(side: Any, which: str) -> Any:
    if isinstance(side, Model):
        return side
    if not (isinstance(getattr(side, "graph", None), Graph) and hasattr(side, "__getitem__")):
        raise ArgumentTypeError(
            f"the {which} is neither a model nor a run such as model.cache, but "
            f"{type(side).__name__}"
        )
    return side


def _runs(a: Any, b: Any, feeds: Feeds | None, alignment: Alignment) -> tuple[Run, Run]:
    """Return the two runs to compare, making those of models if there are feeds."""
    models = [side for side in (a, b) if isinstance(side, Model)]
    if feeds is None:
        runs = _last(a, "first"), _last(b, "second")
        _check_not_overwritten(*runs)
        return runs
    if not models:
        raise ArgumentError("feeds are for models to run on; both of these are runs already")
    if len(models) == 2:
        return run_alike(a, b, *_feeds_of_each(alignment, feeds), alignment.image)
    a, b = (
        run_aside(side, feeds, deepcopy(side.rng)) if isinstance(side, Model) else side
        for side in (a, b)
    )
    return a, b


def _last(side: Any, which: str) -> Run:
    run: Run = side.cache if isinstance(side, Model) else side
    if isinstance(run, Cache):
        try:
            run.run  # noqa: B018
        except NotKeptError as error:
            raise NotKeptError(f"the {which}: {error}, or give diff its feeds") from None
    return run


def _check_not_overwritten(a: Run, b: Run) -> None:
    if not (isinstance(a, Cache) and isinstance(b, Cache)):
        return
    if a.run is not b.run and a.run.binding is b.run.binding:
        raise NotKeptError(
            "of these two runs of one model, the later has overwritten the earlier; keep that one "
            "before: earlier = model.cache.copy()"
        )


def _feeds_of_each(alignment: Alignment, feeds: Feeds) -> tuple[Feeds, Feeds]:
    """Return the feeds by the names of each graph's inputs."""
    if not isinstance(feeds, Mapping):
        return feeds, feeds  # the models say what is wrong
    a, b = alignment.a.inputs, alignment.b.inputs
    for_a = {name: array for name, array in feeds.items() if name in a or name not in b}
    for_b = {name: array for name, array in feeds.items() if name in b}
    for name in a:
        if name in feeds and name in alignment.image:
            for_b[alignment.image[name]] = feeds[name]
    return for_a, for_b


def _check_examples(a: Run, b: Run) -> None:
    counts = [set(_examples(run)) for run in (a, b)]
    if all(counts) and counts[0] != counts[1]:
        here, there = (next(iter(count)) for count in counts)
        raise ArgumentError(
            f"the runs are on {here} and on {there} examples; run both on the same number"
        )


def _examples(run: Run) -> Iterator[int]:
    """Yield the number of examples as every input that could be read has it."""
    for name in run.graph.inputs:
        if is_scaled(run.graph.vertices[name].op.output_shape()):
            try:
                yield run[name].output.shape[-1]
            except NotKeptError:
                continue


def _check_compared(alignment: Alignment, comparison: Comparison) -> None:
    """Raise if nothing that a node computed could be compared: the runs are gone, or failed."""
    computed = [of for of in comparison.missing if not alignment.a[of.node].is_input]
    read = any(not alignment.a[of.node].is_input for of in comparison.values)
    if computed and not read:
        raise NotKeptError(f"nothing of the runs can be compared: {computed[0].reason}")
