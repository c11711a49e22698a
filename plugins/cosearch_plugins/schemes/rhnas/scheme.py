"""The scheme `rhnas`: what the loop needs to know of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from cosearch.errors import CosearchError, Infeasible
from cosearch.mapping.network import map_layers
from cosearch.mapping.result import LayerResult
from cosearch.registry.registry import Named
from cosearch.search.objective import Constraint, Objective
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.search.space import Space
from cosearch.search.strategy import Strategy
from cosearch.study.building import MACHINE
from cosearch.study.problem import Problem
from cosearch.study.scheme import Scheme
from cosearch.typing import FloatArray, IntArray, Rows, Value
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Layer, NetworkSpace
from cosearch_plugins.landscape.classes import LIMIT
from cosearch_plugins.schemes.rhnas.images import DIGITS, Images
from cosearch_plugins.schemes.rhnas.machines import OPTIONS, Settings
from cosearch_plugins.schemes.rhnas.networks import GumbelSearch
from cosearch_plugins.schemes.rhnas.parts import LayerCosts, PartsSearch
from cosearch_plugins.schemes.rhnas.search import AlternatingSearch
from cosearch_plugins.schemes.rhnas.supernet import Supernet, SupernetSearch
from cosearch_plugins.workloads.nasbench201_cells import EDGES
from cosearch_plugins.workloads.searched_space import SearchedSpace

LACK = 3.0
"""What a point of accuracy below the floor weighs, in units of the logarithm of the cost: a network
one point short is as bad as one twenty times as expensive."""

TRAIN = 500
"""Images that a supernet is trained on, and as many to choose networks by."""

NOT_RUN = 20.0
"""Logarithm by which a network that the machine cannot run is worse than the worst that it can."""


class Rhnas(Scheme):
    """Reinforcement learning for machines, differentiable search for networks, in turns.

    The accuracy is the space's own, of a table: an oracle. With `accuracy=supernet` no table is
    asked while networks are searched: cells of NAS-Bench-201 are judged by the shared weights of a
    small supernet, trained on `data`; a floor then counts for the designs alone. Nothing but the
    division of labour is known of arXiv 2106.09180, whose abstract this follows.

    Args:
        patience: designs without a better one after which the study ends; 0 is never.
        accuracy: `table`, or `supernet` (extra `torch`).
        data: images of the supernet: `digits`, or a folder with the binary version of CIFAR-10.
        trust: what the supernet's cross-entropy weighs beside the logarithm of the cost.
        settings: of the agent, see `cosearch_plugins.schemes.rhnas.machines.Settings`.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter("patience", (0, 100, 400, 100_000), 0, "designs", free=True,
                      doc="without a better one after which both are done; 0 is never"),
            Parameter("accuracy", ("table", "supernet"), doc="how networks are judged"),
            Parameter("data", (DIGITS,), free=True, doc="images of the supernet, or their folder"),
            Parameter("trust", (0.3, 1.0, 3.0, 10.0), 3.0, free=True,
                      doc="weight of the supernet's cross-entropy beside the log of the cost"),
            *OPTIONS,
        )
    )  # fmt: skip

    def __init__(
        self,
        *,
        patience: int = 0,
        accuracy: str = "table",
        data: str = DIGITS,
        trust: float = 3.0,
        **settings: float,
    ) -> None:
        self._patience, self._data, self._trust = patience, data, trust
        self._shares_weights = accuracy == "supernet"
        self._settings = Settings(**settings)  # type: ignore[arg-type]

    def check_networks(self, networks: NetworkSpace, objectives: Sequence[Objective]) -> None:
        """Raise CosearchError where a network's cost is no sum, or the space no table."""
        if len(objectives) > 1 or not {"energy_pj", "cycles"} & set(objectives[0].needs):
            raise CosearchError(
                "the scheme rhnas makes one cost small, of energy and cycles",
                "limit the accuracy instead: --constraint 'accuracy>=94'",
            )
        if networks.space.size <= LIMIT:
            return
        if not isinstance(networks, SearchedSpace) or not networks.parts or self._shares_weights:
            raise CosearchError(
                f"the scheme rhnas looks accuracies up: {networks.space.size:.3g} networks are too "
                f"many ({LIMIT:,})",
                "use the scheme nested",
            )

    def strategy(
        self,
        problem: Problem,
        space: Space,
        named: Named[Strategy],  # noqa: ARG002 - nobody else proposes
        rng: np.random.Generator,
    ) -> Strategy:
        """Return the loop."""
        if problem.networks is None:
            raise CosearchError("the scheme rhnas searches a space of networks, not one network")
        if space is not problem.space:
            raise CosearchError("the scheme rhnas takes no pruned space", "leave out --prune")
        machines = machines_of(problem)
        usual = {k: v for k, v in problem.baseline.items() if _has(machines, k, v)}
        first = machines.index({**machines.defaults, **usual})
        space = problem.networks.space
        if space.size > LIMIT:
            parts = PartsSearch.of(problem, rng)
            return AlternatingSearch(
                problem.space, rng, space, machines,
                lambda row: _costs_on(problem, parts.space.layers, machines.decode(row)),
                parts.describe, first, self._settings, parts, self._patience,
            )  # fmt: skip
        limits = () if self._shares_weights else problem.constraints
        table = NetworkTable.of(problem.networks, limits)

        def losses_on(row: Rows) -> FloatArray | None:
            return _losses_on(problem, table, machines.decode(row))

        relaxed = (
            self._supernet(problem.networks, rng)
            if self._shares_weights
            else GumbelSearch(space, rng, enough=table.lack <= 0)
        )
        return AlternatingSearch(
            problem.space, rng, space, machines, losses_on, table.describe, first, self._settings,
            relaxed, self._patience,
        )  # fmt: skip

    def _supernet(self, networks: NetworkSpace, rng: np.random.Generator) -> SupernetSearch:
        """Return a search of cells by shared weights, which are trained here."""
        edges = tuple(f"edge{a}{b}" for a, b in EDGES)
        if networks.space.names != edges:
            raise CosearchError(
                "the supernet has the cells of NAS-Bench-201 alone", "leave out accuracy=supernet"
            )
        images = Images.load(self._data, TRAIN, rng)
        trained = Supernet(images, int(rng.integers(0, 2**31)))
        return SupernetSearch(trained, networks.space, self._trust)


def machines_of(problem: Problem) -> ParameterSpace:
    """Return the machine's part of a space of networks and machines."""
    columns = problem.space.groups[MACHINE]
    chosen = tuple(problem.space.parameters[int(j)] for j in columns)
    return ParameterSpace(chosen, problem.hardware.space.rules)


def _has(space: ParameterSpace, name: str, value: Value) -> bool:
    return name in space.names and value in space[name].choices


class NetworkTable:
    """Every network of a space by rank: how often it runs each layer, and what it lacks.

    Args:
        networks: the space.
        layers: different ones.
        counts: int64[size, l].
        lack: float64[size]: points of accuracy below the floor.
    """

    def __init__(
        self, networks: NetworkSpace, layers: tuple[Einsum, ...], counts: IntArray, lack: FloatArray
    ) -> None:
        self.networks, self.layers, self.counts, self.lack = networks, layers, counts, lack
        self._work = np.array([float(layer.operations) for layer in layers])

    @classmethod
    def of(cls, networks: NetworkSpace, limits: Sequence[Constraint]) -> NetworkTable:
        """Return the table of a whole space."""
        space = networks.space
        rows = space.unrank(np.arange(space.size))
        layers, counts = networks.counts(rows)
        accuracy = networks.accuracy(rows)
        lack = np.zeros(len(rows))
        for limit in limits:
            if limit.name == "accuracy":
                lack += np.maximum(limit.excess(accuracy), 0.0) * abs(limit.limit)
        return cls(networks, layers, counts, np.where(space.feasible(rows), lack, NOT_RUN / LACK))

    def describe(self, row: Rows) -> FloatArray:
        """Return each layer's share of a network's work, float64[l]."""
        work = self.counts[int(self.networks.space.rank(row[None, :])[0])] * self._work
        return np.asarray(work / max(float(work.sum()), 1.0))

    def losses(
        self, energy_pj: FloatArray, cycles: FloatArray, objective: Objective, area_mm2: float
    ) -> FloatArray:
        """Return the loss of every network, float64[size], of the costs of the layers, float64[l].

        The logarithm of the objective, and what the network lacks to the floor.
        """
        counts = self.counts.astype(np.float64)
        lacking = ~np.isfinite(cycles)
        metrics = {
            "energy_pj": counts @ np.where(lacking, 0.0, energy_pj),
            "cycles": counts @ np.where(lacking, 0.0, cycles),
            "area_mm2": np.full(len(counts), area_mm2),
        }
        losses = np.log(np.maximum(np.asarray(objective.of(metrics), dtype=np.float64), 1e-300))
        missing = counts[:, lacking].sum(axis=1) > 0
        worst = float(losses[~missing].max()) if (~missing).any() else 0.0
        return np.where(missing, worst + NOT_RUN, losses) + LACK * self.lack


def _losses_on(
    problem: Problem, table: NetworkTable, machine: Mapping[str, Value]
) -> FloatArray | None:
    """Return the loss of every network on a machine, its layers mapped; None if not buildable."""
    found = _costs_on(problem, table.layers, machine)
    if found is None:
        return None
    return table.losses(found.energy_pj, found.cycles, problem.objectives[0], found.area_mm2)


def _costs_on(
    problem: Problem, layers: Sequence[Einsum], machine: Mapping[str, Value]
) -> LayerCosts | None:
    """Return what layers cost on a machine; None where it cannot be built."""
    try:
        accelerator = problem.machine(machine)
    except Infeasible:
        return None
    priced = [x for x in layers if not problem.hardware.left_out(x)]
    pool = problem.pool(accelerator, machine)
    found = {
        x.key: x
        for x in map_layers(pool, [Layer(einsum) for einsum in priced])
        if isinstance(x, LayerResult)
    }
    left_out = {x.key for x in layers} - {x.key for x in priced}

    def costs(name: str) -> FloatArray:
        return np.array([
            0.0 if x.key in left_out else getattr(found[x.key], name) if x.key in found else np.inf
            for x in layers
        ])  # fmt: skip

    return LayerCosts(costs("energy_pj"), costs("cycles"), accelerator.area_mm2)
