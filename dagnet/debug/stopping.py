"""What stops a debugged run: the breakpoints and the watches that are set on it."""

from dagnet.debug.alerts import Alert, Alerts
from dagnet.debug.breakpoints import Breakpoint, Breakpoints, Predicate
from dagnet.debug.places import Nodes, Phase, matching, stop_of
from dagnet.debug.watches.base import Watch
from dagnet.debug.watches.watching import Watched, Watching
from dagnet.model import Model
from dagnet.run import Run


class Stopping:
    """A debugger as far as it is told where to stop.

    Parameters
    ----------
    model : Model

    Attributes
    ----------
    breakpoints : Breakpoints
        A sequence of them.
    watches : Watching
        A sequence of them.
    alerts : list of Alert
        Everything that watches have seen, oldest first; printed, the first of each watch.
    """

    def __init__(self, model: Model):
        self.model = model
        self.breakpoints = Breakpoints()
        self.watches = Watching(model)
        self.alerts = Alerts()

    # Breakpoints.

    def break_at(
        self,
        nodes: Nodes,
        phase: Phase = "forward",
        when: Predicate | None = None,
    ) -> Breakpoint:
        """Stop each time a node's step is done, before anything reads what it computed.

        Parameters
        ----------
        nodes : str, Node, or several
            A regular expression means every node whose whole name it matches.
        phase : {"forward", "backward", "update"}
            ``"update"`` stops when the parameters have been updated.
        when : callable, optional
            Takes the node's cache record; the run stops only where it returns something true.

        Raises
        ------
        UnknownNameError
            If there is no such node; it offers the nearest names.
        ArgumentError
            If no run does such a step.
        """
        names = matching(self.model.graph, nodes)
        runner = self.model.runner()
        for name in names:
            stop_of(runner.scheduler.plan, self.model.graph, runner.fused, name, phase)
        return self.breakpoints.add(names, phase, when)

    def clear(self, number: int | None = None) -> None:
        """Remove the breakpoint of this number, or all."""
        self.breakpoints.clear(number)

    # Watches.

    def watch(
        self,
        watch: str | Watch,
        nodes: Nodes | None = None,
        *,
        kind: str | None = None,
        stop: bool = True,
    ) -> Watched:
        """Look for something that may go wrong, at every step from now on.

        Parameters
        ----------
        watch : str or Watch
            ``"nan"``, or ``dn.watches.DeadUnits(over=5)``; ``dn.watches.CATALOGUE`` has them all.
        nodes, kind : optional
            Where to look, of what the watch can look at; by default everywhere.
        stop : bool
            Whether the run stops where there is something; `alerts` has it in any case.

        Raises
        ------
        UnknownNameError, ArgumentError
            If there is no such watch or node, or nothing that the watch looks at.
        """
        return self.watches.add(watch, nodes, kind, stop)

    def unwatch(self, which: "Watched | Watch | int | str | None" = None) -> None:
        """Remove a watch: what `watch` returned, its number, or all of a name; by default all."""
        self.watches.remove(which)

    def _alerts_at(self, run: Run, position: int, iteration: int) -> tuple[Alert, ...]:
        """Let the watches look, note what they see, and return what stops the run."""
        if not self.watches:
            return ()
        seen = self.watches.look(run, position, iteration)
        self.alerts += [alert for alert, _ in seen]
        return tuple(alert for alert, stops in seen if stops)
