"""Designs of a hardware model, evaluated on a workload: what the integrations have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from cosearch.hooks.discovery import load_registry
from cosearch.registry.registry import Registry
from cosearch.search.parameters import ParameterSpace
from cosearch.study.building import problem_of
from cosearch.study.codesign import plan
from cosearch.study.evaluation import evaluate
from cosearch.study.problem import Problem
from cosearch.trials.trial import Outcome
from cosearch.typing import Rows


@frozen(eq=False)
class Designs:
    """A design space and what its designs are worth; each design is evaluated once.

    Attributes:
        problem: hardware, workload, mapper, objectives and constraints, resolved.
    """

    problem: Problem
    _known: dict[bytes, Outcome] = field(factory=dict)

    @classmethod
    def of(
        cls,
        workload: str,
        hardware: str,
        objective: str = "edp",
        *,
        mapper: str | None = None,
        mapper_evaluations: int | None = None,
        constraints: Sequence[str] = (),
        fixed: Mapping[str, str] | None = None,
        seed: int = 0,
        registry: Registry | None = None,
    ) -> Designs:
        """Resolve names as `cosearch run` does.

        Args:
            workload: name, path or einsum.
            hardware: a hardware model's name with options.
            objective: one name, or several joined by commas.
            mapper: a mapper's or strategy's name with options; None is the machine's default.
            mapper_evaluations: mappings priced per layer at most; None leaves it to the mapper.
            constraints: such as `area_mm2<=10`.
            fixed: hardware parameters and their values, as text.
            seed: of the mapper, where it is random.
            registry: knows the names; loaded when None.

        Raises:
            UnknownNameError, InputError, PluginError: what is wrong with which of them.
        """
        registry = registry or load_registry()
        spec = plan(
            registry,
            workload,
            hardware,
            "random",
            mapper=mapper,
            objective=objective,
            constraints=constraints,
            fixed=fixed,
            seed=seed,
            mapper_evaluations=mapper_evaluations,
        )
        return cls(problem_of(spec, registry))

    @property
    def space(self) -> ParameterSpace:
        """The design space."""
        return self.problem.space

    def evaluate(self, row: Rows) -> Outcome:
        """Return what a design, int64[d], is worth; known constraints are checked too."""
        key = row.tobytes()
        if key not in self._known:
            self._known[key] = evaluate(self.problem, self.space.decode(row))
        return self._known[key]

    def baseline(self) -> Outcome:
        """Return what the hardware model's own design is worth."""
        model = self.problem.hardware
        return evaluate(self.problem, model.space.complete(model.baseline))
