"""Commands that show where the run stands and what it has computed."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from dagnet.debug.console.command import Command, Context
from dagnet.debug.console.completion import complete_node, complete_value
from dagnet.debug.console.expressions import Expression
from dagnet.debug.console.heat import heatmap
from dagnet.debug.console.parsing import no_argument, parse_target
from dagnet.debug.listing import AROUND
from dagnet.debug.places import matching
from dagnet.errors import ArgumentError
from dagnet.record import Record
from dagnet.statistics import statistics
from dagnet.statistics_table import COLUMNS, cells

#: Values up to which an array is printed whole, and how many at each edge of a larger one.
_MOST_VALUES, _EDGE = 60, 3


def print_value(context: Context, argument: str) -> None:
    """Print what an expression gives; of a node, a table of its values.

    Nodes go by their names: p relu2.output[3, :5], p np.abs(linear1.grad_params.W).max()
    """
    value = Expression(argument, context.debugger)()
    for line in _lines(value, context.screen.width):
        context.screen.show(line)


def heat(context: Context, argument: str) -> None:
    """Show an array as a small map in colours and digits: heat linear1.params.W"""
    value = Expression(argument, context.debugger)()
    if isinstance(value, Record):
        raise ArgumentError(f"which value of {value.name}? {', '.join(value.names)}")
    context.screen.show_styled(heatmap(np.asarray(value), context.screen.width))


def where(context: Context, argument: str) -> None:
    """List the steps around the position, or all: > next, . done, * with a breakpoint."""
    if argument not in ("", "all"):
        raise ArgumentError(f"list, or list all; got {argument!r}")
    context.screen.show(context.debugger.where(None if argument else AROUND))


def info(context: Context, argument: str) -> None:
    """Show statistics of all values, or of those of the nodes that a pattern matches."""
    graph = context.debugger.model.graph
    matching(graph, argument or ".*")  # who names no node is offered the nearest names
    pattern = re.escape(argument) if argument in graph else argument or None
    context.screen.show(str(context.debugger.cache.statistics(pattern)))


def cone(context: Context, argument: str) -> None:
    """Show which steps of a whole run depend on a value; without a VALUE, on the output."""
    target = parse_target(argument, context.debugger.model.graph, "output")
    context.screen.show(str(context.debugger.cone(target.node, target.value)))


def why(context: Context, argument: str) -> None:
    """Show what made the alert that stopped the run, else the first NaN or infinite value."""
    no_argument(argument)
    stopped = context.debugger.stop.alerts
    found = stopped[0].why() if stopped else context.debugger.model.why()
    context.screen.show("all values so far are finite" if found is None else str(found))


def _lines(value: Any, width: int) -> Iterator[str]:
    """Yield what there is to print of a value."""
    if isinstance(value, Record):
        yield str(value)
    elif isinstance(value, Mapping) and value and all(map(_is_array, value.values())):
        for key, array in value.items():
            yield f"{key}: {_described(array, width)}"
    elif _is_array(value):
        yield _described(value, width)
    else:
        yield repr(value)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf"


def _described(array: np.ndarray, width: int) -> str:
    if not array.ndim:
        return f"{array.item()!r}  {array.dtype}"
    shape, *numbers = cells(statistics(array))
    facts = "  ".join(f"{name} {text}" for name, text in zip(COLUMNS[1:], numbers, strict=True))
    values = np.array2string(
        array, width, precision=4, threshold=_MOST_VALUES, edgeitems=_EDGE, floatmode="maxprec"
    )
    return f"{shape} {array.dtype}  {facts}\n{values}"


COMMANDS = [
    Command(("print", "p"), "EXPRESSION|NODE[.VALUE]", print_value, complete_value),
    Command(("heat", "pp"), "NODE.VALUE", heat, complete_value),
    Command(("list", "l", "where", "w"), "[all]", where),
    Command(("info", "stats"), "[NODE|PATTERN]", info, complete_node),
    Command(("cone",), "NODE[.VALUE]", cone, complete_value),
    Command(("why",), "", why),
]
