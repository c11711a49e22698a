"""Counting rules as users write them: `only_innermost_loop_slides+first_fill_is_counted`."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping

from attrs import evolve, fields

from cosearch.errors import CosearchError, UnknownNameError
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.architecture import CostRules
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.search.parameters import ParameterSpace
from cosearch.typing import Configuration
from cosearch.workload.network import Network

PRESETS: Mapping[str, CostRules] = {
    "timeloop_2022": CostRules.timeloop_2022(),
    "timeloop_2025": CostRules(),
}
"""Versions of Timeloop by the year of their rules."""

RULES = tuple(attribute.name for attribute in fields(CostRules))


def parse_rules(text: str) -> CostRules:
    """Return the rules that a text names, joined by + or commas; presets may be among them.

    Raises:
        UnknownNameError: there is no such rule; near ones are suggested.
        CosearchError: two rules exclude each other.
    """
    given: dict[str, bool] = {}
    for word in filter(None, re.split(r"[\s,+]+", text.strip())):
        name = word.replace("-", "_")
        if name in PRESETS:
            given |= {rule: True for rule in RULES if getattr(PRESETS[name], rule)}
        elif name in RULES:
            given[name] = True
        else:
            raise UnknownNameError("counting rule", word, (*RULES, *PRESETS))
    return CostRules(**given)


def ruled(machine: Accelerator, rules: CostRules) -> SpatialAccelerator:
    """Return the machine with other rules of counting.

    Raises:
        CosearchError: it is no loop-nest machine.
    """
    if not isinstance(machine, SpatialAccelerator):
        raise CosearchError(
            f"counting rules are for loop-nest machines; {machine.name!r} has a model of its own",
            "leave out --rules",
        )
    other = copy.copy(machine)
    SpatialAccelerator.__init__(
        other, evolve(machine.architecture, rules=rules), machine.constraints
    )
    return other


class RuledModel(HardwareModel):
    """A hardware model whose machines count by other rules.

    Args:
        model: whose machines.
        rules: the rules.
    """

    def __init__(self, model: HardwareModel, rules: CostRules) -> None:
        self.model, self.rules = model, rules

    @property
    def name(self) -> str:
        """The model's."""
        return self.model.name

    @property
    def space(self) -> ParameterSpace:
        """The model's."""
        return self.model.space

    def build(self, configuration: Configuration) -> SpatialAccelerator:
        """Return the machine, or raise Infeasible as the model does."""
        return ruled(self.model.build(configuration), self.rules)

    @property
    def baseline(self) -> Configuration:
        """The model's."""
        return self.model.baseline

    def placed(self, network: Network, configuration: Configuration) -> Network:
        """Return what the model says."""
        return self.model.placed(network, configuration)
