"""The model: a graph, its parameters and its schedulers. What most users hold."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from dagnet.binding import Binding
from dagnet.building import build, define
from dagnet.errors import ArgumentTypeError, NotKeptError
from dagnet.executors import Hooks, Silent
from dagnet.graph import Graph
from dagnet.node import Node, is_scaled
from dagnet.parameters import ArraysByOwner, assign
from dagnet.plan import Keep
from dagnet.predicting import Block, Predictor
from dagnet.preparing import fitted, named, scaled
from dagnet.run import Run
from dagnet.runners import Runner, Runners, binding_of
from dagnet.scheduler import Scheduler
from dagnet.settings import EXECUTORS, Seed, check_choice, check_dtype, generators
from dagnet.stored import is_stored
from dagnet.updates import Updates, check_updates

if TYPE_CHECKING:
    from pathlib import Path

    from dagnet.cache import Cache
    from dagnet.data.scaling import Scaler
    from dagnet.debug.cone import Cone
    from dagnet.diagnosis import Diagnosis
    from dagnet.layer import Layer
    from dagnet.profiling import Profile
    from dagnet.training import History


class Model:
    """A network that can run, train, and be looked into.

    Parameters
    ----------
    cost : Node or sequence of Node
        The loss; of several, the sum is the cost J.
    outputs : Node or sequence of Node, optional
        What `predict` returns. By default what the losses compare with their targets.
    inputs : sequence of Node, optional
        All inputs, to have it checked that the network uses each of them.
    init : {"he", "xavier", "lecun", "zeros"} or float
        How weights are drawn; a number is their standard deviation.
    seed : int, Generator, RandomState or None
        One source for everything random, in this order: weights in definition order, then
        dropout and shuffling as they happen.
    dtype : {"float64", "float32"}
    l2 : float
        Adds ``l2/(2m) * sum(W²)`` over all weights to the cost.
    executor : {"compiled", "interpreted", "fused"}
        `"interpreted"` can call hooks before and after every node; the bits are the same.
        `"fused"` runs whole passes as one call of code compiled by numba, the extra ``jit``; sums
        may differ in their last bits. With hooks, and in the debugger, it runs interpreted. Its
        first run of a dtype on a machine compiles that code, which takes up to half a minute.
    check_finite : bool
        Whether NaN or Inf in an array that is fed is an error.

    Examples
    --------
    >>> import numpy as np, dagnet as dn
    >>> x, y = dn.Input(3, name="x"), dn.Input(1, name="y")
    >>> guess = dn.Linear(1, name="line")(x)
    >>> model = dn.Model(dn.MeanSquaredError(name="cost")(guess, y), seed=1)
    >>> data = {"x": np.ones((3, 5)), "y": np.zeros((1, 5))}
    >>> J = model.forward(data)
    >>> model.backward()
    >>> model.cache["line"].grad_params["W"].shape
    (1, 3)
    """

    def __init__(
        self,
        cost: Node | Sequence[Node] = (),
        outputs: Node | Sequence[Node] | None = None,
        *,
        inputs: Sequence[Node] | None = None,
        init: str | float = "he",
        seed: Seed = None,
        dtype: Any = "float64",
        l2: float = 0.0,
        executor: str = "compiled",
        check_finite: bool = True,
    ):
        graph = define(cost, outputs, inputs, l2)
        draws, rng = generators(seed)
        self._build(graph, rng, dtype, executor, check_finite)
        self.store.initialize(init, draws)

    @classmethod
    def from_graph(
        cls,
        graph: Graph,
        *,
        seed: Seed = None,
        dtype: Any = "float64",
        executor: str = "compiled",
        check_finite: bool = True,
    ) -> "Model":
        """Build a model on a graph made by hand or read from a file; its weights are zeros."""
        if not isinstance(graph, Graph):
            raise ArgumentTypeError(f"from_graph takes a dn.Graph, got {type(graph).__name__}")
        model = cls.__new__(cls)
        model._build(graph, generators(seed)[1], dtype, executor, check_finite)
        return model

    def _build(
        self,
        graph: Graph,
        rng: np.random.Generator,
        dtype: Any,
        executor: str,
        check_finite: bool,
    ) -> None:
        self.rng = rng
        self.dtype = check_dtype(dtype)
        self.executor = check_choice("executor", executor, EXECUTORS)
        self.check_finite = bool(check_finite)
        binding = binding_of(self.executor)
        parts = build(graph, self.dtype, fused=self.executor == "fused")
        self.graph = parts.graph
        self.shapes = parts.shapes
        self.store = parts.store
        self.params = ArraysByOwner(self.store.arrays)
        #: For every node, its parameters by the op's own names, as keys of `store`.
        self.keys = parts.keys
        self.state = ArraysByOwner(parts.states, "state")
        #: Scalers by input, which `fit`, `predict` and `evaluate` apply to what users give them.
        self.scaling: dict[str, Any] = {}
        #: Names of the classes and of the features of the training data, where somebody sets them.
        #: `save` keeps them; the command line counts classes and orders columns by them.
        self.classes: tuple[str, ...] | None = None
        self.features: tuple[str, ...] | None = None
        self._runners = Runners(
            self.graph, self.shapes, self.store, parts.states, self.rng, check_finite, binding
        )
        self._predictor = Predictor(self.graph, self.shapes, self.dtype, self._runners)
        self._run: Run | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {
            "graph": self.graph,
            "rng": self.rng,
            "dtype": self.dtype,
            "executor": self.executor,
            "check_finite": self.check_finite,
            "scaling": self.scaling,
            "classes": self.classes,
            "features": self.features,
            "data": self.store.data,
            "state": self.get_state(),
        }

    def __setstate__(self, saved: dict[str, Any]) -> None:
        # Views of one array would be copied to arrays of their own: they are made anew.
        names = ("graph", "rng", "dtype", "executor", "check_finite")
        self._build(*(saved[name] for name in names))
        for name in ("scaling", "classes", "features"):
            setattr(self, name, saved[name])
        self.store.data[...] = saved["data"]
        self.set_state(saved["state"])

    # Running.

    def forward(
        self, feeds: Mapping[str, Any], keep: Keep = "all", hooks: Hooks | None = None
    ) -> float:
        """Run the network in training mode and return the cost J.

        Parameters
        ----------
        feeds : dict
            An array for every input, examples on the last axis. The network sees them as they
            are: for raw data of a model with a scaling, give ``model.prepare(feeds)``.
        keep : {"all", "needed"}
            Whether every value stays readable in `cache`, or memory is reused.

        Raises
        ------
        FeedError
            If the feeds do not fit the inputs.
        """
        runner = self.runner(keep)
        runner.feeder.forget()
        run = self.begin(feeds, runner)
        with np.errstate(all="ignore"):
            runner.scheduler.forward(run.binding, self._hooks(hooks))
        return run.binding.cost

    def backward(self, hooks: Hooks | None = None) -> None:
        """Compute every gradient of J, over the values of the last `forward`."""
        run = self._run
        if run is None:
            raise NotKeptError("nothing to go back over: call model.forward(feeds) first")
        if not run.ready_for_backward:
            raise NotKeptError(
                "the values to go back over are used or incomplete: call model.forward(feeds) again"
            )
        runner = self.runner(run.binding.plan.keep)
        with np.errstate(all="ignore"):
            runner.scheduler.backward(run.binding, self._hooks(hooks))

    def train_step(
        self,
        feeds: Mapping[str, Any],
        optimizer: Updates,
        keep: Keep = "needed",
        hooks: Hooks | None = None,
    ) -> float:
        """Go forward, backward, and update the parameters once; return the cost before.

        Parameters
        ----------
        feeds : dict
            As for `forward`. While the same array objects are fed, they are checked once only.
        optimizer : Optimizer
        keep : {"needed", "all"}
            With ``"all"``, `cache` shows every value of the step, and the parameters it ran with.
        """
        check_updates(optimizer)
        runner, hooks = self._runners.training(keep), self._hooks(hooks)
        binding = self.begin(feeds, runner).binding
        self._step(runner.scheduler, binding, optimizer, hooks)
        return binding.cost

    @np.errstate(all="ignore")  # a run that diverges shows it in the cost
    def _step(
        self, scheduler: Scheduler, binding: Binding, optimizer: Updates, hooks: Hooks | None
    ) -> None:
        scheduler.train(binding, hooks)
        optimizer.step(self.store)

    def runner(self, keep: Keep = "all", apart: Collection[str] = ()) -> Runner:
        """Return how a training run goes: its lowered graph and its plan.

        `apart` names activations that are kept apart from their loss: it reads their output, not
        their input, the logits.
        """
        return self._runners.training(keep, frozenset(apart))

    def begin(self, feeds: Mapping[str, Any], runner: Runner | None = None) -> Run:
        """Put feeds in place for a training run, and run no step of it yet.

        `cache` shows what is computed of the run; ``run.binding.advance()`` does the next step.

        Parameters
        ----------
        feeds : dict
            As for `train_step`.
        runner : Runner, optional
            By default ``runner()``, which keeps all.
        """
        runner = runner or self.runner()
        binding = runner.begin(feeds)
        keep_all = binding.plan.keep == "all"
        if not keep_all and self._run is not None and self._run.binding is binding:
            return self._run  # what it reads is in the binding and the store
        params = self.store.snapshot() if keep_all else self.store.arrays
        self._run = Run(binding, runner.fused, self.keys, params, self.store.grads)
        return self._run

    def predict(self, X: Any) -> Any:
        """Return the outputs for raw input, in prediction mode.

        Parameters
        ----------
        X : ndarray or dict of ndarray
            The input, or one by name for each if there are several. A scaling that the model
            learned in `fit` is applied. Of `dagnet.data.mapped` arrays, a block of examples at a
            time is in memory, and all outputs.

        Returns
        -------
        ndarray, or dict of ndarray if there are several outputs
        """
        feeds = named(X, self.graph.data_inputs, "X")
        for name in self.graph.target_inputs:
            feeds.pop(name, None)  # targets may come along
        in_files = False
        for array in feeds.values():  # no generator: those are two calls more
            in_files = in_files or (type(array) is not np.ndarray and is_stored(array))
        if in_files:
            sources, m = self.sources(feeds, self._runners.predicting)
            outputs = self._predictor.outputs_in_blocks(sources, m)
        else:
            ready = scaled(feeds, self.scaling, self.graph.inputs, self.dtype)
            outputs = self._predictor.outputs(ready)
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def assess(self, feeds: Mapping[str, Any]) -> tuple[float, dict[str, np.ndarray]]:
        """Run in prediction mode on feeds for all inputs; return the cost J and the outputs."""
        return self._predictor.assess(feeds)

    def assess_in_blocks(self, feeds: Mapping[str, Any], m: int) -> Iterator[Block]:
        """Do what `assess` does on what `sources` returned, block by block.

        Yields the examples of a block, its feeds, which last until the next one, the totals up to
        it, and the outputs.
        """
        return self._predictor.assess_in_blocks(feeds, m)

    # Parameters.

    def set_params(self, params: Mapping[str, Mapping[str, Any]]) -> None:
        """Copy arrays into the parameters; if one does not fit, raise and change nothing."""
        assign(self.params, params)

    def set_state(self, state: Mapping[str, Mapping[str, Any]]) -> None:
        """Copy arrays into the running statistics and the like, as `set_params` does."""
        assign(self.state, state)

    def get_params(self) -> dict[str, dict[str, np.ndarray]]:
        """Return copies of all parameters."""
        return self.params.copies()

    def get_state(self) -> dict[str, dict[str, np.ndarray]]:
        """Return copies of all running statistics and the like."""
        return self.state.copies()

    # Looking inside. The modules for it are imported when they are used, to save memory.

    @property
    def cache(self) -> "Cache":
        """Every node's arrays of the last run."""
        from dagnet.cache import Cache

        return Cache(self.graph, self._run)

    def layer(self, key: int | str) -> "Layer":
        """Return the arrays of one layer, by number from 1 or by its Linear node's name."""
        return self.cache.layer(key)

    def why(self) -> "Diagnosis | None":
        """Return the first value of the last run that is NaN or infinite, and what made it.

        Returns
        -------
        Diagnosis or None
            None if every value that the run kept is finite. Printing it shows the node, the line
            of your code that made it, and the numbers that the bad one was made of.

        Examples
        --------
        >>> import numpy as np, dagnet as dn
        >>> model = dn.mlp([3, 5, 1], seed=1, check_finite=False)
        >>> X = np.ones((3, 7))
        >>> X[:, 4] = np.nan
        >>> J = model.forward({"X": X, "Y": np.ones((1, 7))})
        >>> why = model.why()
        >>> why.node, why.phase, why.places.pattern
        ('X', 'feed', 'all of example 4')
        """
        from dagnet.diagnosis import diagnose

        return diagnose(self.cache)

    # What users give.

    def feeds(self, X: Any, Y: Any = None) -> dict[str, Any]:
        """Return raw data as feeds: `X` for what the outputs need, `Y` for what only losses need.

        Parameters
        ----------
        X, Y : array or dict of arrays
            An array where there is one such input, else one by name for each.
        """
        feeds = named(X, self.graph.data_inputs, "X")
        return feeds if Y is None else feeds | named(Y, self.graph.target_inputs, "Y")

    def prepare(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Return raw feeds with the model's scaling applied."""
        return scaled(feeds, self.scaling, self.graph.inputs, self.dtype)

    def fit_scaling(self, scaling: "Scaler | str", feeds: Mapping[str, Any]) -> None:
        """Fit a scaling to raw training data; from now on all raw data goes through it.

        Parameters
        ----------
        scaling : Scaler or str
            ``"standardize"``, ``"minmax"``, or an object such as ``dn.data.Divide(255)``.
        feeds : dict of ndarray
            The inputs that the outputs depend on are scaled, if they hold examples; targets
            never are.
        """
        inputs = self.graph.data_inputs
        raw = {n: a for n, a in feeds.items() if n in inputs and is_scaled(self.shapes[n])}
        self.scaling = fitted(scaling, raw)

    def check_feeds(self, feeds: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], int]:
        """Return feeds for all inputs as the arrays a run takes, and the number of examples."""
        return self._runners.evaluating.feeder.check(feeds)

    def sources(
        self, feeds: Mapping[str, Any], runner: Runner | None = None
    ) -> tuple[dict[str, Any], int]:
        """Return raw feeds scaled and checked, and the number of examples.

        What lies in files stays there: in its place stands a `Stream`, which scales and checks
        what is read of it.
        """
        from dagnet.streams import sources  # here, because only reading files needs it

        return sources(feeds, self.scaling, (runner or self._runners.evaluating).feeder)

    # Facade: what needs the layers above is imported when it is called.

    def run(self, feeds: Mapping[str, Any], overrides: Mapping[Any, Any] | None = None) -> float:
        """Go forward and backward with some values set, and return the cost J.

        What if unit 4 of a layer were dead? Every value stays readable in `cache`; parameters
        are as before.

        Parameters
        ----------
        feeds : dict
            As for `forward`.
        overrides : dict
            From nodes to what stands in the place of their output, or to dicts by the names of
            values: ``{"linear2": {"params.W": W, "grad_output": dZ}}``. A function takes a copy
            of the computed array, and returns another one or changes it.

        Raises
        ------
        UnknownNameError, ShapeError, FeedTypeError
            If there is no such value, or an array does not fit it.

        Examples
        --------
        >>> import numpy as np, dagnet as dn
        >>> model = dn.mlp([5, 3, 1], seed=1)
        >>> feeds = {"X": np.ones((5, 7)), "Y": np.ones((1, 7))}
        >>> def dead(A):
        ...     A[:] = 0
        >>> round(model.run(feeds, {"relu1": dead}), 6)  # -log(1/2)
        0.693147
        """
        from dagnet.debug.interventions import run

        return run(self, feeds, overrides or {})

    def cone(self, node: "str | Node", what: str = "output") -> "Cone":
        """Return what setting a value of a node would touch: its ``forward`` and ``backward``.

        Examples
        --------
        >>> import dagnet as dn
        >>> print(dn.mlp([5, 3, 1]).cone("relu1"))
        forward: linear2, sigmoid2, cost
        backward: cost, linear2, relu1, linear1
        """
        from dagnet.debug.interventions import cone

        return cone(self, node, what)

    def profile(
        self, feeds: Mapping[str, Any], optimizer: Updates | None = None, steps: int = 20
    ) -> "Profile":
        """Time every node of a training step; printing the result shows what limits each.

        See `dagnet.profiling.profile`. Parameters, states and random numbers are as before, unless
        an optimizer is given, which then trains.

        Examples
        --------
        >>> import numpy as np, dagnet as dn
        >>> model = dn.mlp([5, 3, 1], seed=1)
        >>> found = model.profile({"X": np.ones((5, 7)), "Y": np.ones((1, 7))}, steps=3)
        >>> [node.node for node in found][:4]
        ['linear1', 'relu1', 'linear2', 'cost']
        """
        from dagnet.profiling import profile

        return profile(self, feeds, optimizer, steps)

    def fit(self, X: Any, Y: Any = None, **options: Any) -> "History":
        """Train on raw data and return the history.

        Parameters
        ----------
        X, Y : ndarray or dict of ndarray
            Examples on the last axis. With several inputs, dicts by name. Targets of a softmax
            are one-hot ``(classes, m)`` or integer labels ``(m,)``.
        epochs : int
            Passes over the data. Default 100.
        batch_size : int, optional
            Examples per update; all if not given.
        optimizer : Optimizer
            Default ``dn.SGD(0.01)``.
        validation : (X, Y), optional
            Held-out data, measured wherever something is logged: ``val_cost`` and so on.
        metrics : sequence of str or callable, optional
            Default: accuracy after a cross-entropy, mean absolute error otherwise.
        callbacks : sequence of Callback
        scaling : Scaler or str, optional
            Fitted to X and stored with the model, so that `predict` takes raw input.
        shuffle : bool or "blocks"
            Whether mini-batches are drawn in a new order every epoch. Default True. "blocks" is
            for files larger than memory: blocks of neighbours are drawn, some dozens of which are
            then mixed.
        log_every : int, optional
            Epochs from one row of the history to the next; by default about 100 rows.
        progress : bool
            Whether to show a bar where there is a terminal. Default True.
        keep : {"needed", "all"}
            ``"all"`` keeps every value of the last update readable in `cache`.
        checkpoint : path, optional
            File to write the state of training to, every `checkpoint_every` epochs and on Ctrl-C.
        checkpoint_every : int, optional
            Default: `log_every`.
        resume : path, optional
            Checkpoint to go on from, to the same bits as if nothing had happened.
        debugger : Debugger, optional
            Stops where its breakpoints and watches say, hands over, and goes on; see
            `dn.Debugger`. The bits are the same as without it.

        Returns
        -------
        History
            Ctrl-C ends training after the update in progress; ``history.stopped`` says why
            training ended.

        Examples
        --------
        >>> import dagnet as dn
        >>> train = dn.data.moons(m=200)
        >>> model = dn.mlp([2, 8, 1], seed=1)
        >>> history = model.fit(train.X, train.Y, epochs=300, optimizer=dn.Adam(0.05))
        >>> history.last["accuracy"] > 0.9
        True
        """
        from dagnet.training.fitting import check_options, fit

        check_options(options)
        return fit(self, X, Y, **options)

    def evaluate(
        self,
        X: Any,
        Y: Any = None,
        metrics: Sequence[Any] | None = None,
    ) -> dict[str, float]:
        """Return the cost and metrics on raw data, in prediction mode."""
        from dagnet.training.evaluation import evaluate

        return evaluate(self, X, Y, metrics)

    def save(self, path: "str | PathLike[str]") -> None:
        """Write the model to one safetensors file, the graph as JSON in its metadata."""
        from dagnet.storage import save

        save(self, path)

    def render(self, path: "str | PathLike[str]", **options: Any) -> "Path":
        """Draw the network to a .svg, .png, .dot or .pdf file.

        See `dagnet.render.render` for how it is drawn and `dagnet.render.draw` for what: folded
        repeats, overlays of numbers, gradients, the changes against another network.
        """
        from dagnet.render import render

        return render(self, path, **options)

    def _repr_svg_(self) -> str | None:
        from dagnet.render.figure import picture

        return picture(self)

    def __repr__(self) -> str:
        return (
            f"<Model of {len(self.graph)} nodes and {self.store.data.size} parameters, "
            f"{self.dtype}>"
        )

    def _hooks(self, hooks: Hooks | None) -> Hooks | None:
        return Silent() if hooks is None and self.executor == "interpreted" else hooks
