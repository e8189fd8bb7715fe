"""A session: one training step, from the feeds to the update, walked both ways."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dagnet.debug.cone import Cone
from dagnet.debug.overrides import Override, skipped
from dagnet.debug.update import Update
from dagnet.debug.walk import Walk
from dagnet.errors import DebuggerError
from dagnet.executors import Hooks
from dagnet.model import Model
from dagnet.plan import Plan
from dagnet.run import Run
from dagnet.updates import Updates


class Session:
    """A walk over the plan, and the update of the parameters as its last step.

    Parameters
    ----------
    model : Model
    feeds : dict of ndarray
    optimizer : Optimizer
    """

    def __init__(self, model: Model, feeds: Mapping[str, Any], optimizer: Updates):
        self._model = model
        self._feeds = feeds
        self._walk = Walk(model, model.begin(feeds))
        self._update = Update(model.store, optimizer)
        self._apart: set[str] = set()
        self._update_again = False

    @property
    def run(self) -> Run:
        return self._walk.run

    @property
    def plan(self) -> Plan:
        return self._walk.plan

    @property
    def position(self) -> int:
        """How many steps are done: forward, backward, and one for the update."""
        return self._walk.position + self.at_end

    @property
    def at_end(self) -> bool:
        """Whether the update is done, or would be but for a value set after it."""
        return self._update.done or self._update_again

    @property
    def cost(self) -> float | None:
        """The cost J; None before the forward pass is done."""
        walk = self._walk
        return walk.binding.cost if walk.position >= walk.plan.n_forward else None

    @property
    def last(self) -> tuple[str, str]:
        """Node and phase of the step that was done last."""
        if self.at_end:
            return "", "update"
        if not self._walk.position:
            return "", "start"
        step = self.plan.steps[self._walk.position - 1]
        return step.name, step.phase

    def advance(self, hooks: Hooks | None = None) -> None:
        """Do the next step; if it fails, all is as before it.

        Raises
        ------
        DebuggerError
            At the end.
        """
        self._check()
        self.settle()
        if self.at_end:
            raise DebuggerError(
                f"the run is at its end, position {self.position}: "
                "back() goes back, restart() begins another one"
            )
        with np.errstate(all="ignore"):
            if self._walk.at_end:
                self._update.do()
                return
            step = self._walk.next
            if hooks:
                hooks.before_node(step.name, step.phase)
            self._walk.step()
            if hooks:
                hooks.after_node(step.name, step.phase)

    def retreat(self) -> None:
        """Undo the last step.

        Raises
        ------
        DebuggerError
            At the start.
        """
        self._check()
        self.settle()
        if self._update.done:
            self._update.undo()
        elif self._walk.position:
            self._walk.back()
        else:
            raise DebuggerError("the run is at its start: there is no step to undo")

    def rewind(self) -> None:
        """Undo everything: parameters, optimizer, states and generator are as at the start."""
        if self._update.done:
            self._update.undo()
        self._update_again = False
        self._walk.rewind()

    def set(self, override: Override) -> None:
        """Put a value in the place of a computed one; see `Walk.put`."""
        self._check()
        self._walk.check(override)
        activation = skipped(override.value, self.run.fused)
        if activation is not None:
            self._read_apart(activation)
        updated = self._update.done
        if updated:
            self._update.undo()  # it was made with what depends on the value
        try:
            self._walk.put(override)
        except BaseException:
            if updated:
                self._update.do()
            raise
        self._update_again = self._update_again or updated

    def recompute(self) -> Cone:
        """Run again, of the steps done, those that depend on values set since the last time."""
        self._check()
        with np.errstate(all="ignore"):
            cone = self._walk.recompute()
            if self._update_again:
                self._update_again = False
                self._update.do()
        return cone

    def settle(self) -> None:
        """Recompute if anything was set that this concerns."""
        if self._walk.changed or self._update_again:
            self.recompute()

    def _read_apart(self, activation: str) -> None:
        """Go on with a plan in which the loss reads this activation, from where the run stands."""
        self.settle()
        updated, last, overrides = self._update.done, self.last, self._walk.overrides
        if updated:
            self._update.undo()
            last = self.last
        self._walk.rewind()
        self._apart.add(activation)
        runner = self._model.runner("all", self._apart)
        self._walk = Walk(self._model, self._model.begin(self._feeds, runner))
        for override in overrides.values():
            self._walk.put(override)
        with np.errstate(all="ignore"):
            while self.last != last:
                self._walk.step()
        if updated:
            self._update.do()

    def _check(self) -> None:
        if self._model.cache.run is not self.run:
            raise DebuggerError(
                "another run of the model has taken the place of this one: restart() begins anew"
            )
