"""Machines whose words are counted by other rules than their own model's."""

from __future__ import annotations

import copy

from attrs import evolve

from cosearch.errors import CosearchError
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.architecture import CostRules
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.search.parameters import ParameterSpace
from cosearch.typing import Configuration


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
