"""What is compared: strategies on cases, each run some times, all with one budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import evolve, field, frozen

from cosearch.errors import CosearchError
from cosearch.mapping.mapper import Budget
from cosearch.registry.registry import Registry
from cosearch.study.building import make_strategy
from cosearch.study.codesign import plan, refuse_many_objectives
from cosearch.trials.spec import StudySpec

PRUNE = "+prune"
"""After a contender's name and options: designs that cannot win cost it no trial."""


def cut_prune(contender: str) -> tuple[str, bool]:
    """Return the strategy of a contender, and whether its space is pruned."""
    text = contender.strip()
    return text.removesuffix(PRUNE), text.endswith(PRUNE)


def _texts(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(texts)


@frozen
class Case:
    """A problem that every contender is put to.

    Attributes:
        hardware: a hardware model's name with options.
        workload: name, path or einsum.
    """

    hardware: str
    workload: str

    def __str__(self) -> str:
        return f"{self.workload} on {self.hardware}"


@frozen
class Contest:
    """A head-to-head comparison.

    Attributes:
        strategies: contenders, names with options, and `+prune` where their space is pruned; each
            once.
        hardware, workloads: every pair of them is a case.
        seeds: runs of each contender on each case; they have the seeds 0, 1, ...
        budget: of every run, the same.
        settings: of every run, the same; by name, see `StudySpec`.
        tuned: contender to what runs under its name once its options are tuned.
    """

    strategies: tuple[str, ...] = field(converter=_texts)
    hardware: tuple[str, ...] = field(converter=_texts)
    workloads: tuple[str, ...] = field(converter=_texts)
    seeds: int
    budget: Budget
    settings: Mapping[str, Any] = field(factory=dict)
    tuned: Mapping[str, str] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for what, names in (
            ("strategy", self.strategies),
            ("machine", self.hardware),
            ("workload", self.workloads),
        ):
            if len(set(names)) < len(names):
                raise CosearchError(f"a {what} is named twice: {', '.join(names)}")
        if len(self.strategies) < 2:
            raise CosearchError(
                "a comparison needs at least two strategies", "name them with -s a -s b"
            )
        if self.budget == Budget():
            raise CosearchError("a comparison needs a budget", "add --trials 50")

    @property
    def cases(self) -> tuple[Case, ...]:
        """Every pair of a machine and a workload."""
        return tuple(Case(h, w) for h in self.hardware for w in self.workloads)

    @property
    def objectives(self) -> tuple[str, ...]:
        """Their names."""
        return self.shared.objectives

    @property
    def shared(self) -> StudySpec:
        """The settings that all runs have; what they differ in is left open."""
        return StudySpec.of("", "", warm=False, **self.settings)

    def runs(self, registry: Registry) -> Iterator[Run]:
        """Yield every run, seeds outermost, so that a comparison cut short is still a fair one.

        Raises:
            UnknownNameError, InputError, PluginError: a name or value is wrong; nothing was run.
            CosearchError: a contender takes one objective alone, and there are several.
        """
        specs = {
            (strategy, case): self._plan(registry, strategy, case)
            for case in self.cases
            for strategy in self.strategies
        }
        for seed in range(self.seeds):
            for (strategy, case), spec in specs.items():
                yield Run(strategy, case, seed, evolve(spec, seed=seed))

    def _plan(self, registry: Registry, strategy: str, case: Case) -> StudySpec:
        running, prune = cut_prune(self.tuned.get(strategy, strategy))
        given = {**self.settings, "warm": False, "prune": prune}
        problem = plan(registry, case.workload, case.hardware, running, **given)
        named = make_strategy(problem.spec.strategy, registry)
        refuse_many_objectives(named, problem.space, problem.spec.objectives)
        return problem.spec


@frozen
class Run:
    """One contender on one case with one seed.

    Attributes:
        strategy: as the contest names it.
        case: the problem.
        seed: 0 or more.
        spec: settings of the study that it is stored as.
    """

    strategy: str
    case: Case
    seed: int
    spec: StudySpec
