"""Several machines from a script, each with its best mappings: `cosearch.sweep`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from attrs import frozen

from cosearch.api.names import Names, Plugins
from cosearch.api.one import MappingResult, mapped, problem_for
from cosearch.api.tables import Record, Tabular, without_clashes
from cosearch.errors import Infeasible
from cosearch.machine.hardware import HardwareModel
from cosearch.quantities import counted
from cosearch.registry.registry import Registry
from cosearch.search.objective import Objective
from cosearch.study.problem import Problem
from cosearch.typing import Configuration, Value
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Layer, Network, Workload


@frozen(eq=False)
class SweepPoint:
    """One machine of a sweep, with the best mappings found for it.

    Attributes:
        configuration: the parameters swept, with their values.
        found: None where the machine cannot be built or run.
        reason: why not.
    """

    configuration: Mapping[str, Value]
    found: MappingResult | None
    reason: str = ""

    def loss(self, objective: Objective) -> float:
        """Return the objective's value; NaN where the machine cannot be built or run."""
        if self.found is None:
            return float("nan")
        metrics = {"energy_pj": self.found.energy_pj, "cycles": self.found.cycles}
        columns = {name: np.array([value]) for name, value in metrics.items()}
        return float(np.asarray(objective.of(columns)).reshape(-1)[0])

    def record(self) -> Record:
        """Return it as one flat row."""
        if self.found is None:
            return without_clashes({"feasible": False, "reason": self.reason}, self.configuration)
        found = self.found
        costs = {"energy_pj": found.energy_pj, "cycles": found.cycles, "edp": found.edp}
        rest = {"area_mm2": found.machine.area_mm2, "proven": found.proven, "gap": found.gap}
        return without_clashes({"feasible": True, **costs, **rest}, self.configuration)


@frozen(eq=False, str=False, repr=False)
class Sweep(Tabular):
    """Parameters over values, with the best mapping at each point.

    Attributes:
        workload, hardware: what was mapped onto what.
        objective: that the mappings make small.
        points: every combination of the values, the last parameter moving fastest.
        baseline: the machine that nothing is changed of but what is set for all.
    """

    workload: str
    hardware: str
    objective: Objective
    points: tuple[SweepPoint, ...]
    baseline: SweepPoint

    def records(self) -> list[Record]:
        """Return a dict a point: parameters, costs, area, proof; or the reason there is none."""
        return [point.record() for point in self.points]

    @property
    def title(self) -> str:
        """What was swept, in a line."""
        return f"{self.workload} on {self.hardware}: {counted(len(self.points), 'machine')}"


def sweep(
    workload: str | Network | Layer | Einsum | Workload | type[Workload],
    hardware: str | HardwareModel | type[HardwareModel],
    values: Mapping[str, Sequence[Value]],
    *,
    workers: int = 1,
    registry: Registry | None = None,
    plugins: Plugins = (),
    finished: Callable[[SweepPoint], None] | None = None,
    **settings: Any,  # noqa: ANN401 - checked by StudySpec
) -> Sweep:
    """Map a workload onto every combination of some parameters' values.

    Values may lie between the choices of a search where the model can build such a machine.

    Args:
        workload: as for `map`.
        hardware: a model by name, as an object or a class; other parameters as in its baseline.
        values: by parameter, the values to try; none of them for all choices.
        workers: layers mapped at once; same result.
        registry: knows the names; loaded if left out.
        plugins: plugin files, or folders of them.
        finished: called after each machine.
        settings: further ones by name, as for `map`.

    Raises:
        CosearchError: what is wrong; a machine that cannot be built or run is a point of its own.
    """
    names = Names.of(registry, plugins)
    problem = problem_for(names, workload, hardware, settings, workers)
    fixed = {**problem.hardware.baseline, **problem.spec.fixed}
    given = checked(problem, values)
    known: dict[tuple[tuple[str, Value], ...], SweepPoint] = {}

    def point(chosen: Configuration) -> SweepPoint:
        whole = problem.hardware.space.complete({**fixed, **chosen})
        key = tuple(sorted(whole.items()))
        if key not in known:
            known[key] = _point(problem, chosen, whole)
        made = known[key]
        return SweepPoint(chosen, made.found, made.reason)

    whole = problem.hardware.space.complete(fixed)
    baseline = point({name: whole[name] for name in given})
    points = []
    for combination in itertools.product(*given.values()):
        points.append(point(dict(zip(given, combination, strict=True))))
        if finished is not None:
            finished(points[-1])
    return Sweep(
        problem.network.name,
        problem.spec.hardware,
        problem.mapper_objective,
        tuple(points),
        baseline,
    )


def checked(problem: Problem, values: Mapping[str, Sequence[Value]]) -> dict[str, list[Value]]:
    """Return values by parameter as the model takes them, text parsed; none stand for all choices.

    Raises:
        UnknownNameError, InputError: there is no such parameter, or no machine of such a value.
    """
    space = problem.hardware.space
    return {
        name: [
            space[name].parse(value) if isinstance(value, str) else space[name].check(value)
            for value in tried or space[name].choices
        ]
        for name, tried in values.items()
    }


def _point(problem: Problem, chosen: Configuration, whole: Configuration) -> SweepPoint:
    try:
        return SweepPoint(chosen, mapped(problem, whole))
    except Infeasible as verdict:
        return SweepPoint(chosen, None, verdict.reason)
