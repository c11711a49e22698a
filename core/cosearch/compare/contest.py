"""What is compared: strategies on cases, each run some times, all with one budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from attrs import evolve, field, frozen

from cosearch.errors import CosearchError
from cosearch.mapping.mapper import Budget
from cosearch.registry.registry import Registry
from cosearch.study.building import make_hardware, make_strategy
from cosearch.study.codesign import plan, refuse_many_objectives
from cosearch.trials.spec import BATCH, NETWORK, StudySpec


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
        strategies: contenders, names with options; each once.
        hardware, workloads: every pair of them is a case.
        seeds: runs of each contender on each case; they have the seeds 0, 1, ...
        budget: of every run, the same.
        objective: one name, or several joined by commas.
        mapper: a mapper's name; None is each machine's default.
        mapper_evaluations: mappings priced per layer at most.
        constraints: such as `area_mm2<=10`.
        batch: designs proposed before a strategy learns of their losses.
        combine: whether mappings are chosen for the network or layer by layer.
        tuned: contender to what runs under its name once its options are tuned.
    """

    strategies: tuple[str, ...] = field(converter=_texts)
    hardware: tuple[str, ...] = field(converter=_texts)
    workloads: tuple[str, ...] = field(converter=_texts)
    seeds: int
    budget: Budget
    objective: str = "edp"
    mapper: str | None = None
    mapper_evaluations: int | None = None
    constraints: tuple[str, ...] = field(default=(), converter=_texts)
    batch: int = BATCH
    combine: str = NETWORK
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
        return tuple(name.strip() for name in self.objective.split(","))

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
        spec = plan(
            registry,
            case.workload,
            case.hardware,
            self.tuned.get(strategy, strategy),
            mapper=self.mapper,
            objective=self.objective,
            constraints=self.constraints,
            batch=self.batch,
            mapper_evaluations=self.mapper_evaluations,
            warm=False,
            combine=self.combine,
        )
        space = make_hardware(spec.hardware, registry).space
        refuse_many_objectives(make_strategy(spec.strategy, registry), space, spec.objectives)
        return spec


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
