"""The contract of a scheme: how hardware and mappings are searched together.

A scheme decides what a design is, what maps its layers and who proposes it. The base class is the
scheme that all others vary: hardware outside, the best mapping of each layer inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.machine.hardware import HardwareModel
from cosearch.mapping.layer import Cache
from cosearch.mapping.mapper import Mapper
from cosearch.mapping.threads import ThreadPool
from cosearch.registry.registry import Named
from cosearch.search.objective import Objective
from cosearch.search.parameters import ParameterSpace, Space
from cosearch.search.strategy import Strategy
from cosearch.study.problem import Problem
from cosearch.trials.trial import Outcome, Trial
from cosearch.typing import Configuration
from cosearch.workload.network import Network, NetworkSpace


@frozen
class Agreement:
    """How alike other machines rank what was found on the proxy: 1 is alike, 0 is unrelated.

    Attributes:
        best: rank correlation between the proxy and the best machine.
        mean, least: over the best machine and others tried.
        machines: how many, the best included.
        what: is ranked.
    """

    best: float
    mean: float
    least: float
    machines: int
    what: str = "the baseline's mappings"

    def __str__(self) -> str:
        """Return it in words."""
        said = (
            f"how alike machines rank {self.what}: rank correlation {self.best:.2f} "
            "between the baseline and the best"
        )
        if self.machines == 1:
            return said
        return (
            f"{said}; over {self.machines} machines tried {self.mean:.2f} in the mean, "
            f"{self.least:.2f} at least"
        )


@frozen
class Findings:
    """What a scheme knows of a study beyond its trials.

    Attributes:
        hardware_gap: how far below the best design another of the space can be at most, relative;
            None where nothing is proven.
        agreement: how far the mappings of one machine hold on others; None where that is not asked.
    """

    hardware_gap: float | None = None
    agreement: Agreement | None = None


class Scheme:
    """Hardware outside, the mappings of each layer inside (arXiv 2010.02075).

    Attributes:
        options: what users may write after the name.
        enumerates: whether every design is tried, so that no budget is needed and nothing learned.
        names_mappings: whether a design says how its layers are mapped; rows of two studies then
            mean the same only for one workload.
        finds_networks: whether a design is a machine alone, and `inside` finds its network.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(())
    enumerates: ClassVar[bool] = False
    names_mappings: ClassVar[bool] = False
    finds_networks: ClassVar[bool] = False

    def inside(
        self, problem: Problem, pool: ThreadPool, partial: Outcome, cache: Cache | None
    ) -> Outcome:
        """Return what a machine is worth with the network found for it; see `finds_networks`.

        Args:
            problem: has a space of networks.
            pool: who maps layers onto the machine.
            partial: the machine's key and what is known of it; its limits are met so far.
            cache: results of mappers.
        """
        raise NotImplementedError

    def check_networks(
        self,
        networks: NetworkSpace,  # noqa: ARG002 - others look
        objectives: Sequence[Objective],  # noqa: ARG002 - others look
    ) -> None:
        """Raise CosearchError where networks cannot be searched so, or not for these objectives."""
        if self.names_mappings:
            raise CosearchError(
                "this scheme searches mappings of one network, not a space of networks",
                "use the scheme nested",
            )

    def space(
        self,
        hardware: HardwareModel,  # noqa: ARG002 - others look
        space: ParameterSpace,
        network: Network,  # noqa: ARG002 - others look
    ) -> ParameterSpace:
        """Return what the strategy searches.

        Args:
            hardware: the family of machines.
            space: its parameters, some of them perhaps fixed.
            network: whose layers are mapped.
        """
        return space

    def mapper(self, mapper: Mapper, hardware: HardwareModel) -> Mapper:  # noqa: ARG002
        """Return what maps the layers of every design, given the study's mapper."""
        return mapper

    def mapper_of(
        self,
        mapper: Mapper,
        space: ParameterSpace,  # noqa: ARG002 - others look
        configuration: Configuration,  # noqa: ARG002 - others look
    ) -> Mapper:
        """Return what maps the layers of one design of the searched space."""
        return mapper

    def strategy(
        self,
        problem: Problem,  # noqa: ARG002 - others look
        space: Space,
        named: Named[Strategy],
        rng: np.random.Generator,
    ) -> Strategy:
        """Return who proposes designs, given the study's strategy.

        Args:
            problem: of the study.
            space: to search: the problem's, which designs may leave as better ones are found.
            named: the study's strategy.
            rng: for it.
        """
        return named.make(space, rng)

    def findings(
        self,
        problem: Problem,  # noqa: ARG002 - others look
        trials: Sequence[Trial],  # noqa: ARG002 - others look
        *,
        exhausted: bool,  # noqa: ARG002 - others look
    ) -> Findings:
        """Return what more is known of a study, for its report.

        Args:
            problem: that was searched.
            trials: the strategy's own, in order.
            exhausted: whether the strategy had nothing left to propose.
        """
        return Findings()
