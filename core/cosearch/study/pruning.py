"""Floors of a study's designs, and how far from the best of the space the best found can be.

A floor is the sum of its layers' floors (`Mapper.floor`): energy and cycles that no mapping
undercuts, each on its own. What building alone settles, such as the area, is exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError, Infeasible
from cosearch.machine.building import build
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.mapping.mapper import Mapper
from cosearch.search.boxes import Box, least_over
from cosearch.search.objective import Constraint, Objective
from cosearch.search.parameters import ParameterSpace
from cosearch.search.pruning import Floor, Floors
from cosearch.study.problem import Problem
from cosearch.trials.trial import State, Trial
from cosearch.typing import Rows, Value
from cosearch.workload.mix import cost_of_parts, geomean_edp
from cosearch.workload.network import Network

SWEPT = 10_000
"""Designs of the largest space that is gone through when a study ends."""

_BOXES = 10_000
"""Floors of many machines, each of a layer, asked for where a space is larger: some seconds."""

LEFT = "left"
"""The fact of a study that says what pruning left of its space, when so many `trials` had ended."""

_GROWING = ("energy_pj", "cycles")
"""Metrics that mappings decide, and that floors bound."""

_ROUNDING = 1e-12
"""Taken off sums of floors, relative, as costs are added in another order."""


class DesignFloors(Floors):
    """Floors of the machines of a study, whatever mappings its designs name.

    Args:
        problem: of the study.

    Attributes:
        machines: the space that floors are of.
    """

    def __init__(self, problem: Problem) -> None:
        own, names = set(problem.hardware.space.names), problem.space.names
        own |= set(problem.networks.space.names if problem.networks else ())
        columns = [i for i, name in enumerate(names) if name in own]
        super().__init__(columns, settles=len(columns) == len(names))
        self.problem = problem
        parameters = [p for p in problem.space.parameters if p.name in own]
        self.machines = ParameterSpace(parameters, problem.space.rules)

    def _find(self, row: Rows) -> Floor:
        return floor_of(self.problem, self.machines.decode(row))

    def dismiss(self) -> None:
        """Let every machine leave that is ruled out, where there are few enough to go through."""
        if self.machines.size <= SWEPT:
            for row in self._every_row():
                self._open(row)

    def _every_row(self) -> Rows:
        rows = self.machines.unrank(np.arange(self.machines.size))
        return rows[self.machines.feasible(rows)]

    def remaining(self, *, hurried: bool = False) -> dict[str, float | int | str]:
        """Return the `designs` neither tried in full nor ruled out, and their `least` first loss.

        No least where no design is left. Of a space with more than `SWEPT` designs their number is
        told where it is 0, and what the least is no less than; or why it is `unknown`.

        Args:
            hurried: whether there is no time left for a larger space.
        """
        if self.machines.size > SWEPT:
            unknown = "the time was over" if hurried else self._unknown()
            return {"unknown": unknown} if unknown else self._remaining_of_many()
        left = [self.at(row) for row in self._every_row() if self.is_left(row)]
        if not left:
            return {"designs": 0}
        return {"designs": len(left), "least": max(0.0, min(f.losses[0] for f in left))}

    def _unknown(self) -> str:
        """Return why nothing is known of many machines at once; empty where something may be."""
        problem = self.problem
        reasons = {
            "there are several objectives": len(problem.objectives) > 1,
            "layers are run in groups": problem.spec.fuse,
            "networks are searched too": problem.networks is not None,
            "their model has no floor of many at once": (
                type(problem.hardware).floor_over is HardwareModel.floor_over
            ),
            "the mapper has floors of its own": type(problem.mapper).floor is not Mapper.floor,
        }
        return next((why for why, holds in reasons.items() if holds), "")

    def _remaining_of_many(self) -> dict[str, float | int | str]:
        known = math.inf if self._best is None else float(self._best[:, 0].min())

        def bound(box: Box) -> float:
            parameters = zip(self.machines.parameters, box, strict=True)
            return least_of_many(
                self.problem, {p.name: p.choices[first:end] for p, (first, end) in parameters}
            )

        def exact(row: Rows) -> float:
            counts = self.machines.feasible(row[None, :])[0] and self.is_left(row)
            return self.at(row).losses[0] if counts else math.inf

        sizes = [len(p.choices) for p in self.machines.parameters]
        most = _BOXES // len(self.problem.network.unique)
        least = least_over(sizes, bound, exact, enough=known, most=most)
        if least == known:
            return {"designs": 0}
        if least > 0:
            return {"least": least}
        return {"unknown": f"floors of many say nothing of {self.problem.objectives[0].name}"}


def least_of_many(problem: Problem, choices: Mapping[str, Sequence[Value]]) -> float:
    """Return what the first loss of no combination of choices undercuts; minus infinity: unknown.

    Where a model fails, it is unknown too: one of the machines, at least, cannot be priced.
    """
    network, floors = problem.network, {}
    try:
        for layer in network.unique:
            floor = problem.hardware.floor_over(choices, layer.einsum)
            if floor is None:
                return -math.inf
            floors[layer.einsum.key] = floor
        settled = problem.known_of_network({})
        return _least(problem.objectives[0], Least(settled, _growing(network, floors)))
    except Exception:
        return -math.inf


def floor_of(problem: Problem, configuration: Mapping[str, Value]) -> Floor:
    """Return what a design cannot undercut; where a plugin breaks down, that nothing is known."""
    nothing = Floor((-math.inf,) * len(problem.objectives))
    try:
        machine = build(problem.hardware, configuration)
    except Infeasible as verdict:
        return Floor(reason=verdict.reason)
    except CosearchError:
        return nothing
    try:
        known = least_metrics(problem, machine, configuration)
        missed = [c for c in problem.constraints if _surely_missed(problem, c, known)]
        losses = tuple(_least(objective, known) for objective in problem.objectives)
    except Exception:
        return nothing
    return Floor(reason=f"cannot meet {missed[0]}") if missed else Floor(losses)


@frozen
class Least:
    """What is known of a design's metrics before it is mapped.

    Attributes:
        settled: those that no mapping changes.
        growing: what `energy_pj`, `cycles` and `geomean_edp` cannot undercut.
    """

    settled: Mapping[str, float]
    growing: Mapping[str, float]


def least_metrics(
    problem: Problem, machine: Accelerator, configuration: Mapping[str, Value]
) -> Least:
    """Return what is known of a design's metrics once its machine is built."""
    network = problem.network_of(configuration)
    floors = {x.einsum.key: problem.floor(machine, x.einsum) for x in network.unique}
    settled = dict(problem.known_of_network(configuration))
    if math.isfinite(machine.area_mm2):
        settled["area_mm2"] = float(machine.area_mm2)
    if machine.clock_mhz is not None:
        settled["clock_mhz"] = float(machine.clock_mhz)
    return Least(settled, _growing(network, floors))


def _growing(network: Network, floors: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Return what sums over a network cannot undercut, of floors of its layers by their keys."""
    energy, cycles = (
        math.fsum(x.count * floors[x.einsum.key][i] for x in network.unique) for i in range(2)
    )
    parts = cost_of_parts(network, floors)
    mean = geomean_edp(parts) if parts else energy * cycles
    growing = {"energy_pj": energy, "cycles": cycles, "geomean_edp": mean}
    return {name: value * (1 - _ROUNDING) for name, value in growing.items()}


def _least(objective: Objective, known: Least) -> float:
    """Return an objective's floor; minus infinity where floors of metrics say nothing of it."""
    settled = {*objective.needs} <= {*known.settled}
    grows = objective.monotone or objective.needs == ("geomean_edp",)
    if not (settled or grows):
        return -math.inf
    metrics = {**known.settled, **known.growing}
    columns = {name: np.array([value]) for name, value in metrics.items()}
    return float(np.asarray(objective.bound(columns)).reshape(-1)[0])


def _surely_missed(problem: Problem, constraint: Constraint, known: Least) -> bool:
    """Return whether a design breaks a limit however it is mapped."""
    name, objective = constraint.name, problem.known.get(constraint.name)
    exact = name in known.settled
    value = known.settled.get(name, -math.inf)
    if not exact and name in _GROWING:
        value = known.growing[name]
    elif not exact and objective is not None:
        exact = {*objective.needs} <= {*known.settled}
        value = _least(objective, known)
    bounded = math.isfinite(value) and (exact or constraint.at_most)
    return bounded and bool(constraint.excess(np.array([value]))[0] > 0)


def gap_of(problem: Problem, trials: Sequence[Trial], left: Mapping[str, Any]) -> float | None:
    """Return how far below the best design found another of the space can be at most, relative.

    Args:
        problem: of the study.
        trials: the strategy's own, and the baseline where the strategy was told of it.
        left: the study's fact `LEFT`.
    """
    if left.get("trials") != sum(trial.number > 0 for trial in trials):
        return None
    if not {"designs", "least"} & {*left}:
        return None
    gap = unproven(problem, trials)
    if gap is None or len(problem.objectives) > 1:
        return None
    found = min(trial.outcome.losses[0] for trial in trials if trial.ok and trial.number)
    others = [t.outcome.losses[0] for t in trials if t.ok and not t.number]
    least = min([left.get("least", found), *others])
    return max(gap, 1.0 - least / found) if found > 0 else 0.0


def unproven(problem: Problem, trials: Sequence[Trial]) -> float | None:
    """Return how far below the best design found any that was tried can be at most, relative.

    None where no design is feasible, or one came to nothing without a proof that it had to. Of a
    design whose mappings are not proven best, what is known is the gap of its network; without
    one, nothing. What no mapping changes is exact.
    """
    feasible = [trial for trial in trials if trial.ok]
    if not feasible or any(map(_came_to_nothing, trials)):
        return None
    exact = not problem.objectives[0].monotone and problem.objectives[0].needs == ("area_mm2",)
    found = min(trial.outcome.losses[0] for trial in feasible)
    least = min(
        trial.outcome.losses[0]
        * (1.0 - (0.0 if exact else trial.outcome.metrics.get("mapping_gap", 1.0)))
        for trial in feasible
    )
    return max(0.0, 1.0 - least / found) if found > 0 else 0.0


def _came_to_nothing(trial: Trial) -> bool:
    """Return whether a design came to nothing without a proof that it had to."""
    vain = trial.outcome.unmapped
    return trial.outcome.state is State.FAILED or (vain is not None and not vain.proven)
