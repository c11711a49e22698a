"""What a design computes otherwise than the baseline, and the baseline that computes the same.

Designs with words of another width, or with another network, do other work: their ratio to the
baseline says nothing of the hardware. The baseline's machine is priced once more with what they
change, and the ratio to that comes first.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from cosearch.mapping.layer import Cache
from cosearch.study.evaluation import evaluate
from cosearch.study.problem import Problem
from cosearch.trials.trial import BASELINE, Trial
from cosearch.typing import Value


def changes(problem: Problem, design: Mapping[str, Value]) -> tuple[str, ...]:
    """Return in words what a design computes otherwise than the baseline, nothing if the same."""
    there = problem.baseline
    machine = [
        f"{name} {design[name]}, not {there[name]}"
        for name in _changing(problem)
        if design.get(name, there[name]) != there[name]
    ]
    chosen = problem.network_parameters(design)
    same = chosen in ({}, problem.network_parameters(there))
    return (*machine, *(() if same else ("another network",)))


def baseline_computing(
    problem: Problem, design: Mapping[str, Value], cache: Cache | None = None
) -> Trial:
    """Return the baseline's machine doing what a design does, mapped and priced without limits.

    Args:
        problem: of the study.
        design: values by parameter.
        cache: results of mappers that are known.
    """
    same = {name: design[name] for name in _changing(problem) if name in design}
    configuration = {**problem.baseline, **problem.network_parameters(design), **same}
    unlimited = evolve(problem, constraints=())
    return Trial(BASELINE, (), configuration, evaluate(unlimited, configuration, cache))


def _changing(problem: Problem) -> list[str]:
    return [p.name for p in problem.hardware.space.parameters if p.changes]
