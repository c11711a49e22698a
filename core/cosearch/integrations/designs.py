"""Designs of a hardware model, evaluated on a workload: what the integrations have in common."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from cosearch.hooks.discovery import load_registry
from cosearch.registry.registry import Registry
from cosearch.search.parameters import ParameterSpace
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
        *,
        registry: Registry | None = None,
        **settings: Any,  # noqa: ANN401 - checked by StudySpec
    ) -> Designs:
        """Resolve names as `cosearch run` does.

        Args:
            workload: name, path or einsum.
            hardware: a hardware model's name with options.
            registry: knows the names; loaded when None.
            settings: further ones by name, see the fields of `StudySpec`.

        Raises:
            UnknownNameError, InputError, PluginError: what is wrong with which of them.
        """
        registry = registry or load_registry()
        return cls(plan(registry, workload, hardware, "random", **settings))

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
