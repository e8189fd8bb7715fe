"""Interventions without a debugger: runs with values set, and what setting one would touch."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dagnet.debug.cone import Cone, cone_of
from dagnet.debug.overrides import named_overrides, skipped, value_of
from dagnet.debug.walk import Walk
from dagnet.model import Model
from dagnet.node import Node


def run(model: Model, feeds: Mapping[str, Any], overrides: Mapping[Any, Any]) -> float:
    """Run forward and backward with values in the place of computed ones; see `Model.run`."""
    given = list(named_overrides(model.graph, model.keys, overrides))
    runner = model.runner()
    apart = {activation for each in given if (activation := skipped(each.value, runner.fused))}
    runner = model.runner("all", apart)
    before = model.store.data.copy()
    walk = Walk(model, model.begin(feeds, runner))
    try:
        with np.errstate(all="ignore"):
            for each in given:
                walk.put(each)
            while not walk.at_end:
                walk.step()
    except BaseException:
        walk.rewind()
        raise
    finally:
        model.store.data[...] = before
    return walk.binding.cost


def cone(model: Model, node: str | Node, what: str = "output") -> Cone:
    """Return what setting a value of a node would touch; see `Model.cone`."""
    value = value_of(model.graph, model.keys, node, what)
    activation = skipped(value, model.runner().fused)
    runner = model.runner("all", [activation] if activation else ())
    return cone_of(runner.scheduler.plan, {value}, {value})
