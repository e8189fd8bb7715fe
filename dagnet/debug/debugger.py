"""The debugger: stop anywhere in a training run, step both ways, change a value and go on."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from dagnet.bounds import check_integer, check_size
from dagnet.cache import Cache
from dagnet.debug.cone import Cone
from dagnet.debug.listing import AROUND, listing
from dagnet.debug.overrides import override
from dagnet.debug.places import Phase, stop_of
from dagnet.debug.session import Session
from dagnet.debug.stopping import Stopping
from dagnet.debug.stops import Stop
from dagnet.errors import ArgumentError, ArgumentTypeError, DebuggerError
from dagnet.executors import Hooks
from dagnet.model import Model
from dagnet.node import Node
from dagnet.plan import Keep
from dagnet.training import SGD, Callback
from dagnet.training.callbacks import Run as Training
from dagnet.training.interrupt import deferring_interrupts
from dagnet.updates import Updates


class Debugger(Stopping, Callback):
    """Runs a training step of a model node by node, on and back, by itself or inside `fit`.

    Parameters
    ----------
    model : Model
    feeds : dict of ndarray, optional
        As for `Model.forward`: a run on them begins, with no step done. Without feeds the
        debugger waits for ``model.fit(..., debugger=debugger)``.
    optimizer : Optimizer, optional
        What updates the parameters at the end of the run. Default ``dn.SGD(0.01)``.
    on_stop : callable, optional
        Takes the debugger when a run inside `fit` stops; training goes on when it returns. By
        default commands are read from the terminal, see `dagnet.debug.console.interact`.

    Attributes
    ----------
    model : Model
    iteration : int
        Number of the training step under way, from 1.
    breakpoints : Breakpoints
        A sequence of them.
    watches : Watching
        A sequence of them.
    alerts : list of Alert
        Everything that watches have seen, oldest first; printed, the first of each watch.
    stop : Stop
        Where the run stands, and what stopped it.

    Notes
    -----
    The run keeps all values, and ``model.cache`` shows those that are computed where the run
    stands. They depend on nothing but the parameters, states, random numbers and feeds at the
    start, the values set by the user, and the position: back and on again gives the same bits.

    Going back copies no values: each was written once, and only counts as not computed any more.
    What it costs is a copy of the states of every node that has some, the state of the generator
    before every node that draws from it, and, after the update, a copy of the parameters and of
    the optimizer's state. It never grows beyond that, however far and often the run moves.

    Ctrl-C while the run moves or values are set raises KeyboardInterrupt after the step under
    way, with the run as whole as ever; a second Ctrl-C raises it at once, and undoes that step.

    Examples
    --------
    >>> import numpy as np, dagnet as dn
    >>> model = dn.mlp([5, 3, 1], seed=1)
    >>> debugger = dn.Debugger(model, {"X": np.ones((5, 7)), "Y": np.ones((1, 7))})
    >>> debugger.run_to("relu1").position
    2
    >>> debugger.set("relu1", "output", np.zeros((3, 7)))
    >>> debugger.run().phase
    'update'
    >>> round(debugger.cost, 6)  # -log(1/2)
    0.693147
    >>> debugger.back().node
    'linear1'
    """

    def __init__(
        self,
        model: Model,
        feeds: Mapping[str, Any] | None = None,
        optimizer: Updates | None = None,
        *,
        on_stop: "Callable[[Debugger], object] | None" = None,
    ):
        super().__init__(model)
        self.iteration = 0
        self.stop = Stop(0, "", "start")
        self._on_stop = on_stop
        self._optimizer: Updates = SGD(0.01) if optimizer is None else optimizer
        self._feeds = feeds
        self._session: Session | None = None
        self._training: Training | None = None
        self._is_quitting = False
        self._hooks: Hooks | None = None
        if feeds is not None:
            self.restart(feeds)

    # Where it stands.

    @property
    def session(self) -> Session:
        """The run under way.

        Raises
        ------
        DebuggerError
            If none has begun.
        """
        if self._session is None:
            raise DebuggerError(
                "nothing runs: give feeds to dn.Debugger(model, feeds), or the debugger to "
                "model.fit(..., debugger=debugger)"
            )
        return self._session

    @property
    def position(self) -> int:
        """How many steps are done: forward, backward, and one for the update."""
        return self.session.position

    @property
    def at_end(self) -> bool:
        """Whether the update is done, and nothing is left to do."""
        return self.session.at_end

    @property
    def in_fit(self) -> bool:
        """Whether a training is under way, which decides what runs next."""
        return self._training is not None

    @property
    def cost(self) -> float | None:
        """The cost J; None before the forward pass is done."""
        return self.session.cost

    @property
    def cache(self) -> Cache:
        """The values computed where the run stands."""
        return self.model.cache

    def where(self, around: int | None = AROUND) -> str:
        """Return the steps before and after the position as text; all of them if None.

        ``>`` marks the next step, ``.`` those done, ``*`` those with a breakpoint.
        """
        if around is not None:
            check_integer(around, "where: around", at_least=0)
        stops = self.breakpoints.table(self.session.run, self.model.graph)
        return listing(self.session.plan, self.model.graph, self.position, stops, around)

    def __repr__(self) -> str:
        if self._session is None:
            return "<Debugger, nothing runs>"
        return f"<Debugger at training step {self.iteration}, {self.stop}>"

    # Moving.

    def restart(self, feeds: Mapping[str, Any] | None = None) -> Stop:
        """Begin a run on these feeds, or the same ones again, with the parameters as they are.

        Raises
        ------
        FeedError
            If the feeds do not fit.
        """
        if self.in_fit:
            raise DebuggerError("inside fit, training decides what runs next")
        feeds = self._feeds if feeds is None else feeds
        if feeds is None:
            raise DebuggerError("there are no feeds to run on: restart(feeds)")
        self.model.runner().feeder.forget()  # they may be the same arrays with other values
        self._begin(feeds, self._optimizer)
        self._feeds = feeds
        return self.stop

    def step(self, n: int = 1) -> Stop:
        """Do the next step or the next n, whatever breakpoints say; return where it stands.

        Raises
        ------
        DebuggerError
            At the end of the run.
        """
        n = check_size(n, "the number of steps", error=ArgumentTypeError)
        with deferring_interrupts() as interrupted:
            while n and not interrupted():
                self._advance()
                n -= 1
        return self.stop

    def back(self, n: int = 1) -> Stop:
        """Undo the last step or the last n; return where it stands.

        Raises
        ------
        DebuggerError
            At the start of the run.
        """
        n = check_size(n, "the number of steps", error=ArgumentTypeError)
        with deferring_interrupts() as interrupted:
            while n and not interrupted():
                self._retreat()
                n -= 1
        return self.stop

    def run(self) -> Stop:
        """Run to the next breakpoint, to an alert of a watch that stops, or to the end."""
        if not self.position:
            alerts = self._alerts_at(self.session.run, 0, self.iteration)
            if alerts:  # of what was fed
                self.stop = Stop(0, "", "start", alerts=alerts)
                return self.stop
        with deferring_interrupts() as interrupted:
            self._advance()
            while not self.stop and not self.at_end and not interrupted():
                self._advance()
        return self.stop

    def run_to(self, node: str | Node, phase: Phase = "forward") -> Stop:
        """Go to just after a node's step, on or back, whatever breakpoints say.

        Raises
        ------
        UnknownNameError
            If there is no such node; it offers the nearest names.
        ArgumentError
            If the run never does such a step.
        """
        graph, run = self.model.graph, self.session.run
        position = stop_of(self.session.plan, graph, run.fused, graph.name_of(node), phase)
        with deferring_interrupts() as interrupted:
            while self.position > position and not interrupted():
                self._retreat()
            while self.position < position and not interrupted():
                self._advance()
        return self.stop

    # Changing values.

    def set(self, node: str | Node, what: str, value: Any) -> None:
        """Put an array in the place of what the run computed, or is going to compute.

        What was computed of the old value changes when `recompute` is called, or when the run
        moves. A parameter stays changed in the model; other values are set for this run only.

        Parameters
        ----------
        node : str or Node
        what : str
            ``"output"``, ``"grad_output"``, ``"params.W"`` or ``"grad_params.W"``.
        value : ndarray, or callable
            A function takes a copy of the computed array, and returns another one or changes it.

        Raises
        ------
        UnknownNameError, ShapeError, FeedTypeError, ArgumentError
            If there is no such value, or the array does not fit; nothing changes.

        Notes
        -----
        Where a loss is computed from logits, setting the activation that it skips, or the
        gradient of it, makes this run compute the loss from the activation's output instead.
        """
        session = self.session
        with deferring_interrupts():
            session.set(override(self.model.graph, self.model.keys, node, what, value))

    def recompute(self) -> Cone:
        """Run again, of the steps done, exactly those that depend on what was set; return them.

        An update that is done is done again. All is then as in a whole run with the same values
        set, bit for bit.
        """
        with deferring_interrupts():
            return self.session.recompute()

    def cone(self, node: str | Node, what: str = "output") -> Cone:
        """Return what setting a value of a node would touch in a whole run."""
        return self.model.cone(node, what)

    # Inside fit.

    def train_step(
        self,
        feeds: Mapping[str, Any],
        optimizer: Updates,
        keep: Keep = "all",
        hooks: Hooks | None = None,
    ) -> float:
        """Make one training step as `Model.train_step`, handing over wherever it stops.

        It keeps all values. If something fails, it undoes what it did of the step.
        """
        self._hooks = hooks
        self._begin(feeds, optimizer)
        try:
            self.stop = self._stop_here()
            while True:
                if self.stop and not self._is_quitting:
                    self._hand_over()
                    self.session.settle()
                if self.at_end:
                    break
                self._advance()
        except BaseException:
            self.session.rewind()
            raise
        J = self.cost
        assert J is not None  # the run is at its end
        return J

    def quit(self) -> None:
        """End the training after this update, without another stop; without one, do nothing."""
        if self._training is not None:
            self._is_quitting = True
            self._training.stop("stopped in the debugger")

    def on_start(self, run: Training) -> None:
        if run.model is not self.model:
            raise ArgumentError("the debugger was made for another model")
        self._training = run
        self._is_quitting = False
        self.watches.forget()

    def on_end(self, run: Training) -> None:
        self._training = None

    def _hand_over(self) -> None:
        from dagnet.debug.console import interact  # which knows the debugger

        with self._training.making_room() if self._training else nullcontext():
            (self._on_stop or interact)(self)

    # Steps.

    def _begin(self, feeds: Mapping[str, Any], optimizer: Updates) -> None:
        self._session = Session(self.model, feeds, optimizer)
        self.iteration = self.iteration + 1 if self._training is None else self._training.step + 1
        self.stop = Stop(0, "", "start")

    def _advance(self) -> None:
        self.session.advance(self._hooks)
        self.stop = self._standing()  # if a condition raises, it is there all the same
        self.stop = self._stop_here()

    def _retreat(self) -> None:
        self.session.retreat()
        self.stop = self._standing()

    def _standing(self) -> Stop:
        node, phase = self.session.last
        source = self.model.graph.vertices[node].source if node else None
        return Stop(self.position, node, phase, source)

    def _stop_here(self) -> Stop:
        """Return where the run stands, with what stops it there."""
        here, run = self.stop, self.session.run
        hits = self.breakpoints.hit(self.cache, here.position)
        alerts = self._alerts_at(run, here.position, self.iteration)
        return Stop(here.position, here.node, here.phase, here.source, hits, alerts)
