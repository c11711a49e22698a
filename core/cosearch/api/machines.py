"""Machines side by side, each with its best mappings: a comparison without a search."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import evolve, frozen

from cosearch.api.names import Names
from cosearch.api.one import MappingResult, mapped, problem_for
from cosearch.api.tables import Record
from cosearch.errors import CosearchError, Infeasible, UnknownNameError
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.hardware import Accelerator
from cosearch.registry.registry import Registry
from cosearch.study.building import make_hardware
from cosearch.typing import Configuration


@frozen(eq=False)
class Contestant:
    """A machine with the best mappings found for a workload.

    Attributes:
        workload, hardware: what was mapped onto what.
        found: None where it cannot be run.
        reason: why not.
        word_bits: of a multiplier's operands; None where the model does not say.
        copies: of the machine that fit the area of the largest one; NaN where an area is unknown.
    """

    workload: str
    hardware: str
    found: MappingResult | None
    reason: str = ""
    word_bits: int | None = None
    copies: float = math.nan

    @property
    def scaled_edp(self) -> float:
        """EDP of a run at equal area, pJ x cycles.

        Copies work beside each other, each on inputs of its own: energy a run stays, and runs
        follow each other so many times as fast.
        """
        return math.nan if self.found is None else self.found.edp / self.copies

    def record(self) -> Record:
        """Return it as one flat row."""
        facts: Record = {"workload": self.workload, "hardware": self.hardware}
        if self.found is None:
            return {**facts, "feasible": False, "reason": self.reason}
        found = self.found
        costs = {"energy_pj": found.energy_pj, "cycles": found.cycles, "edp": found.edp}
        rest = {"area_mm2": found.machine.area_mm2, "clock_mhz": found.machine.clock_mhz}
        proof = {"word_bits": self.word_bits, "proven": found.proven, "gap": found.gap}
        equal = {"copies": self.copies, "scaled_edp": self.scaled_edp}
        return {**facts, "feasible": True, **costs, **rest, **equal, **proof}


def machines(
    workloads: Iterable[str],
    hardware: Iterable[str],
    registry: Registry,
    settings: Mapping[str, Any],
    finished: Callable[[Contestant], None] | None = None,
) -> list[Contestant]:
    """Map workloads onto the baselines of hardware models, as well as their mappers can.

    Args:
        workloads: names, paths or einsums.
        hardware: names with options, or files; two or more.
        registry: knows the names.
        settings: as for `cosearch.map`; a parameter that is fixed is of the machines that have it.
        finished: called after each machine.

    Raises:
        CosearchError: what is wrong; a machine that cannot be run is a contestant of its own.
    """
    named = list(hardware)
    if len(named) < 2:
        raise CosearchError(
            "one machine and no strategy leave nothing to compare",
            "name machines with -H a -H b, or strategies with -s a -s b",
        )
    fixed = _of_each(named, registry, settings)
    found = []
    for workload in workloads:
        made = []
        for name in named:
            own = {**settings, "fixed": fixed[name]}
            made.append(_contestant(workload, name, registry, own))
            if finished is not None:
                finished(made[-1])
        found += _at_equal_area(made)
    return found


def _of_each(
    named: Iterable[str], registry: Registry, settings: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return by machine what is fixed of its parameters; each has to be one of some machine."""
    given = dict(settings.get("fixed") or {})
    if not given:
        return {name: {} for name in named}
    spaces = {name: make_hardware(name, registry).space for name in named}
    known = [parameter for space in spaces.values() for parameter in space.names]
    for parameter in given:
        if parameter not in known:
            raise UnknownNameError("parameter", parameter, dict.fromkeys(known))
    return {
        name: {p: value for p, value in given.items() if p in space.names}
        for name, space in spaces.items()
    }


def _contestant(
    workload: str, hardware: str, registry: Registry, settings: Mapping[str, Any]
) -> Contestant:
    problem = problem_for(Names.of(registry, ()), workload, hardware, settings)
    name = problem.spec.hardware
    try:
        configuration = problem.hardware.space.complete(
            {**problem.hardware.baseline, **problem.spec.fixed}
        )
        best = mapped(problem, configuration)
    except Infeasible as verdict:
        return Contestant(workload, name, None, verdict.reason)
    return Contestant(workload, name, best, "", _word_bits(best.machine, configuration))


def _word_bits(machine: Accelerator, configuration: Configuration) -> int | None:
    if isinstance(machine, SpatialAccelerator):
        return machine.architecture.compute.word_bits
    width = configuration.get("word_bits")
    return width if isinstance(width, int) else None


def _at_equal_area(made: Iterable[Contestant]) -> list[Contestant]:
    contestants = list(made)
    areas = [c.found.machine.area_mm2 for c in contestants if c.found is not None]
    largest = max((a for a in areas if math.isfinite(a)), default=math.nan)
    return [
        c if c.found is None else evolve(c, copies=largest / c.found.machine.area_mm2)
        for c in contestants
    ]
