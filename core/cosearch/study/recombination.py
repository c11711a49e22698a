"""Networks met x machines met: what a study's own trials already say of pairs it never tried.

A network's energy and cycles are sums over its layers, and a layer's mapping depends on the machine
alone. So every network that was met has a cost on every machine on which all its layers were
mapped, whichever trial mapped them; nothing is evaluated for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from attrs import field, frozen

from cosearch.search.objective import Constraint, Objective
from cosearch.study.problem import Problem
from cosearch.trials.trial import Trial
from cosearch.typing import BoolArray, FloatArray, Value


@frozen
class Recombined:
    """The best pair of a machine and a network, each met in some trial.

    Attributes:
        machine, network: numbers of the trials that met them first.
        configuration: of the pair.
        loss: its first objective, every layer at its own best mapping.
        pairs: that are known for nothing.
        tried: pairs that the trials themselves priced.
    """

    machine: int
    network: int
    configuration: Mapping[str, Value]
    loss: float
    pairs: int
    tried: int


@frozen(eq=False)
class Pairs:
    """Every network met on every machine met.

    Attributes:
        machines, networks: numbers of the trials that met them first.
        energy_pj, cycles: float64[m, n]; not a number where a layer was never mapped there.
        area_mm2: float64[m]; not a number where unknown.
        accuracy: float64[n].
        scores: float64[n] each: what else is asked of networks alone.
    """

    machines: tuple[int, ...]
    networks: tuple[int, ...]
    energy_pj: FloatArray
    cycles: FloatArray
    area_mm2: FloatArray
    accuracy: FloatArray
    scores: Mapping[str, FloatArray] = field(factory=dict)

    def metrics(self) -> dict[str, FloatArray]:
        """Return the metrics of every pair, float64[m, n] each."""
        shape = self.cycles.shape
        scores = {name: np.broadcast_to(s[None, :], shape) for name, s in self.scores.items()}
        return scores | {
            "energy_pj": self.energy_pj,
            "cycles": self.cycles,
            "area_mm2": np.broadcast_to(self.area_mm2[:, None], shape),
            "accuracy": np.broadcast_to(self.accuracy[None, :], shape),
        }

    def losses(
        self,
        objective: Objective,
        constraints: Sequence[Constraint],
        known: Mapping[str, Objective],
    ) -> FloatArray:
        """Return an objective of every pair, float64[m, n]; infinite where unknown or over a limit.

        Args:
            objective: of energy, cycles, area and accuracy.
            constraints: limits on metrics or objectives.
            known: objectives by name, which a constraint may name.
        """
        metrics = self.metrics()
        losses = np.array(objective.of(metrics), dtype=np.float64)
        kept: BoolArray = np.isfinite(losses)
        for limit in constraints:
            value = metrics.get(limit.name)
            value = known[limit.name].of(metrics) if value is None else value
            kept &= limit.excess(np.asarray(value)) <= 0
        return np.where(kept, losses, np.inf)


def pairs_of(problem: Problem, trials: Sequence[Trial]) -> Pairs:
    """Return every network met on every machine met, of the whole trials of a study.

    Args:
        problem: has a space of networks.
        trials: in order.
    """
    machines: dict[str, int] = {}
    networks: dict[tuple[Value, ...], int] = {}
    costs: dict[str, dict[str, tuple[float, float]]] = {}
    by_number = {trial.number: trial for trial in trials}
    for trial in trials:
        chosen = problem.network_parameters(trial.complete)
        if chosen:
            networks.setdefault(tuple(chosen.values()), trial.number)
        key = trial.outcome.accelerator
        if key and trial.outcome.layers:
            machines.setdefault(key, trial.number)
            found = costs.setdefault(key, {})
            for layer in trial.outcome.layers:
                found.setdefault(layer.key, (layer.energy_pj, layer.cycles))
    counts, layers = _counts(problem, [by_number[n] for n in networks.values()])
    energy, cycles = _sums(counts, [[costs[m].get(x) for x in layers] for m in machines])
    firsts = [by_number[n] for n in machines.values()]
    alone = [problem.known_of_network(by_number[n].complete) for n in networks.values()]
    names = {name for known in alone for name in known} - {"accuracy"}
    return Pairs(
        tuple(machines.values()),
        tuple(networks.values()),
        energy,
        cycles,
        np.array([t.outcome.metrics.get("area_mm2", math.nan) for t in firsts]),
        np.array([known.get("accuracy", math.nan) for known in alone]),
        {name: np.array([known.get(name, math.nan) for known in alone]) for name in sorted(names)},
    )


def _counts(problem: Problem, trials: Sequence[Trial]) -> tuple[FloatArray, tuple[str, ...]]:
    """Return how often each network runs each layer, float64[n, l], and the layers' keys."""
    found = [problem.network_of(trial.complete).unique for trial in trials]
    keys = tuple(dict.fromkeys(layer.einsum.key for network in found for layer in network))
    place = {key: i for i, key in enumerate(keys)}
    counts = np.zeros((len(found), len(keys)))
    for i, network in enumerate(found):
        for layer in network:
            counts[i, place[layer.einsum.key]] += layer.count
    return counts, keys


def _sums(
    counts: FloatArray, costs: Sequence[Sequence[tuple[float, float] | None]]
) -> tuple[FloatArray, FloatArray]:
    """Return energy and cycles, float64[m, n], not a number where a network's layer is unknown."""
    unknown = (math.nan, math.nan)
    table = np.array([[unknown if c is None else c for c in row] for row in costs])
    table = table.reshape(len(costs), counts.shape[1], 2)
    lacking = np.isnan(table[:, :, 0]).astype(np.float64) @ (counts > 0).T.astype(np.float64) > 0
    energy, cycles = (np.nan_to_num(table[:, :, i]) @ counts.T for i in (0, 1))
    return np.where(lacking, np.nan, energy), np.where(lacking, np.nan, cycles)


def recombined(problem: Problem, trials: Sequence[Trial]) -> Recombined | None:
    """Return the best pair of a machine and a network met; None where nothing can be said.

    Args:
        problem: of the study.
        trials: the strategy's own, in order.
    """
    if problem.networks is None or len(problem.objectives) > 1:
        return None
    whole = [trial for trial in trials if trial.whole and trial.complete]
    pairs = pairs_of(problem, whole)
    if not pairs.machines or not pairs.networks:
        return None
    losses = pairs.losses(problem.objectives[0], problem.constraints, problem.known)
    m, n = np.unravel_index(int(np.argmin(losses)), losses.shape)
    if not math.isfinite(losses[m, n]):
        return None
    by_number = {trial.number: trial for trial in whole}
    machine, network = pairs.machines[int(m)], pairs.networks[int(n)]
    configuration = {
        **problem.network_parameters(by_number[network].complete),
        **problem.parameters_of(by_number[machine].complete),
    }
    tried = {(t.outcome.accelerator, _named(problem, t)) for t in whole if t.outcome.ok}
    known = int(np.isfinite(pairs.cycles).sum())
    return Recombined(machine, network, configuration, float(losses[m, n]), known, len(tried))


def _named(problem: Problem, trial: Trial) -> tuple[Value, ...]:
    return tuple(problem.network_parameters(trial.complete).values())
