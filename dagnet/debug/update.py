"""The update of the parameters as a step that can be undone."""

from typing import Any

from dagnet.errors import DebuggerError
from dagnet.parameters import ParameterStore
from dagnet.updates import Updates


class Update:
    """One optimizer's step on a store.

    Parameters
    ----------
    store : ParameterStore
    optimizer : Optimizer
        To be undone it needs `state_dict` and `load_state_dict`, as dagnet's own have.
    """

    def __init__(self, store: ParameterStore, optimizer: Updates):
        self._store = store
        self._optimizer: Any = optimizer
        self.done = False

    def do(self) -> None:
        """Make the step; the parameters and the optimizer's state before it are set aside."""
        before = self._store.data.copy()
        keeps = hasattr(self._optimizer, "state_dict") and hasattr(
            self._optimizer, "load_state_dict"
        )
        state = self._optimizer.state_dict() if keeps else None
        self._before, self._state = before, state
        try:
            self._optimizer.step(self._store)
        except BaseException:
            self._restore()
            raise
        self.done = True

    def undo(self) -> None:
        """Put parameters and optimizer back to before the step."""
        if self._state is None:
            raise DebuggerError(
                f"{type(self._optimizer).__name__} has no state_dict and load_state_dict, so that "
                "its update cannot be undone"
            )
        self._restore()
        self.done = False

    def _restore(self) -> None:
        self._store.data[...] = self._before
        if self._state is not None:
            self._optimizer.load_state_dict(self._state)
