"""The inner search of arXiv 2010.02075: a strategy that learns after every few mappings.

A strategy that serves as mapper is asked for a hundred mappings at once, which keeps long searches
quick. The paper prices 250 mappings of a layer one by one: in hundreds, its surrogate would learn
but twice.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from cosearch.machine.hardware import Accelerator
from cosearch.mapping.mapper import Budget, Mapped, Mapper
from cosearch.mapping.strategy_mapper import StrategyMapper
from cosearch.registry.registry import Named
from cosearch.search.objective import Objective
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.search.strategy import Strategy
from cosearch.typing import Value
from cosearch.workload.einsum import Einsum

WARMUP = 30
"""Random mappings before the surrogate decides (section 5.1 of the paper)."""

SEARCHES = ("bayesian", "relax-and-round", "surrogate-tree")
"""Strategies that the paper compares; their candidates are all drawn at random."""


class Stepwise(Mapper):
    """Searches a layer's mappings with a surrogate that is told of every few.

    Args:
        search: which surrogate proposes.
        step: mappings proposed at once; the paper's is 1.
        kernel, features: of `bayesian`, see there.
        acquisition: how it chooses; boosted trees have their own.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter("search", SEARCHES, doc="which surrogate proposes", plugin="strategies"),
            Parameter("step", (1, 1000), 10, doc="mappings proposed at once", free=True),
            Parameter("kernel", ("linear", "matern", "rbf"), doc="of the Gaussian process"),
            Parameter("acquisition", ("lcb", "ei", "thompson"), doc="how it chooses"),
            Parameter("features", ("space", "encoding"), doc="what the process sees"),
        )
    )

    def __init__(
        self,
        search: Named[Strategy],
        step: int = 10,
        kernel: str = "linear",
        acquisition: str = "lcb",
        features: str = "space",
    ) -> None:
        chosen: dict[str, Value] = {"warmup": WARMUP}
        if search.name != "surrogate-tree":
            chosen["acquisition"] = acquisition
        if search.name == "bayesian":
            chosen |= {"local": 0, "explore": 0, "kernel": kernel, "features": features}
            chosen |= {"start": "random", "margins": False}
        self.strategy, self.step = search.given(**chosen), step

    def map(
        self,
        accelerator: Accelerator,
        layer: Einsum,
        objective: Objective,
        budget: Budget,
        rng: np.random.Generator,
    ) -> Mapped:
        """Return the best mapping found; the first of equally good ones."""
        mapper = StrategyMapper(self.strategy, self.step)
        return mapper.map(accelerator, layer, objective, budget, rng)
