"""*Learned Hardware/Software Co-Design of Neural Accelerators* (Shi et al., arXiv 2010.02075).

The paper searches an Eyeriss-like machine outside and each layer's mapping inside, both with
constrained Bayesian optimization: 50 hardware designs, 250 mappings of each layer. It reports the
energy-delay product of ResNet, DQN, MLP and Transformer layers beside a hand-tuned Eyeriss of the
same resources: 18 % better for ResNet, 40 % for DQN.

What the paper does not let one recover, and what was chosen here:

- Its energy tables (Accelergy's of that time): the technology of the `eyeriss` model, by default.
- The exact baseline mapping: (a) the *best* mapping under Eyeriss' row-stationary rules, and (b)
  the best mapping without them, both proven by the exact mapper. (b) is the fairer one: the search
  may leave the rules too.
- The network's objective: the energy of all layers times the cycles of all layers.
- The Transformer's number of tokens: 128. It is searched with 256 PEs, the others with 168.
- One global buffer, unless `--space mesh` asks for the paper's mesh of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from attrs import evolve, frozen

from cosearch.compare.contest import Case, Run
from cosearch.compare.running import run_all
from cosearch.mapper import Budget
from cosearch.registry import Registry
from cosearch.store.store import Store
from cosearch.study.codesign import load_study, plan
from cosearch.study.layer_mapping import map_layers
from cosearch.study.problem import Problem, build
from cosearch.typing import FloatArray

BO = "bayesian:local=0"
INNER_BO = "bayesian:local=0,warmup=30"


@frozen
class Contender:
    """A pair of searches.

    Attributes:
        name: in the table.
        outside, inside: strategies with options; `exact` inside proves each mapping best.
        ablation: whether it is the paper's method with a part exchanged.
    """

    name: str
    outside: str
    inside: str
    ablation: bool = False


CONTENDERS = (
    Contender("BO x BO", BO, INNER_BO),
    Contender("BO x exact", BO, "exact"),
    Contender("random x random", "random", "random"),
    Contender("relax-and-round", "relax-and-round", "relax-and-round"),
    Contender("boosted trees", "surrogate-tree", "surrogate-tree"),
    Contender("BO x BO, Matern", f"{BO},kernel=matern", f"{INNER_BO},kernel=matern", ablation=True),
    Contender("BO x BO, EI", f"{BO},acquisition=ei", f"{INNER_BO},acquisition=ei", ablation=True),
)

PUBLISHED = {"shi2020-resnet": 0.18, "shi2020-dqn": 0.40}
"""Improvement of the energy-delay product over the hand-tuned Eyeriss (abstract)."""

MODELS = ("shi2020-resnet", "shi2020-dqn", "shi2020-mlp", "shi2020-transformer")


@frozen
class Plan:
    """How much is run.

    Attributes:
        models: workloads.
        seeds: runs of each contender.
        trials: hardware designs of a run (50 in the paper).
        mappings: of each layer on each design (250 in the paper).
        space: `one` global buffer or a `mesh`.
        ablations: whether contenders that are ablations take part.
    """

    models: tuple[str, ...] = MODELS
    seeds: int = 10
    trials: int = 50
    mappings: int = 250
    space: str = "one"
    ablations: bool = False

    @property
    def contenders(self) -> tuple[Contender, ...]:
        """Who takes part."""
        return tuple(c for c in CONTENDERS if self.ablations or not c.ablation)

    def hardware(self, model: str, rules: str = "open") -> str:
        """Return the machine that a model is searched on."""
        pes = 256 if model == "shi2020-transformer" else 168
        mapping = "" if rules == "open" else f",mapping={rules}"
        buffers = "" if self.space == "one" else f",buffers={self.space}"
        return f"eyeriss:pes={pes}{buffers}{mapping}"

    def runs(self, registry: Registry) -> Iterator[tuple[Contender, Run]]:
        """Yield every run, seeds outermost."""
        specs = {}
        for model in self.models:
            for contender in self.contenders:
                sampled = None if contender.inside == "exact" else self.mappings
                specs[model, contender] = plan(
                    registry, model, self.hardware(model), contender.outside,
                    mapper=contender.inside, mapper_evaluations=sampled, warm=False,
                    fixed=fixed(registry, self.hardware(model)),
                )  # fmt: skip
        for seed in range(self.seeds):
            for (model, contender), spec in specs.items():
                case = Case(self.hardware(model), model)
                yield contender, Run(contender.name, case, seed, evolve(spec, seed=seed))


def fixed(registry: Registry, hardware: str) -> dict[str, str]:
    """Return what the paper holds: a word is 16 bits wide, where a model would search that."""
    space = registry.find("hardware_models", hardware).make().space
    return {"word_bits": "16"} if "word_bits" in space.names else {}


@frozen(eq=False)
class Outcome:
    """What a contender came to on one model.

    Attributes:
        contender, model: which.
        losses: float64[seeds], best energy-delay products; infinite where nothing was feasible.
    """

    contender: Contender
    model: str
    losses: FloatArray

    def improvement(self, baseline: float) -> tuple[float, float, float]:
        """Return quartiles of the share by which the baseline's product is bettered."""
        lower, median, upper = np.quantile(self.losses, (0.75, 0.5, 0.25), method="inverted_cdf")
        return 1 - lower / baseline, 1 - median / baseline, 1 - upper / baseline


def baselines(registry: Registry, design: Plan, model: str) -> tuple[float, float]:
    """Return the products of Eyeriss itself: (a) under row-stationary rules, (b) free of them."""
    return (
        _baseline(registry, design.hardware(model, "row-stationary"), model),
        _baseline(registry, design.hardware(model), model),
    )


def _baseline(registry: Registry, hardware: str, model: str) -> float:
    problem = Problem.of(plan(registry, model, hardware, "random", mapper="exact"), registry)
    machine = build(problem.hardware, problem.hardware.baseline)
    energy = cycles = 0.0
    for result in map_layers(problem, machine):
        if result.mapped is None:
            raise result.verdict or RuntimeError(result.layer.name)
        energy += result.layer.count * result.mapped.energy_pj
        cycles += result.layer.count * result.mapped.cycles
    return energy * cycles


def reproduce(
    registry: Registry,
    design: Plan,
    store: Path,
    workers: int,
    finished: Callable[[Run], None] = lambda _: None,
) -> list[Outcome]:
    """Run what is missing and return every contender's outcome on every model."""
    runs = list(design.runs(registry))
    run_all([run for _, run in runs], Budget(trials=design.trials), store, workers, finished)
    losses: dict[tuple[str, str], list[float]] = {}
    with Store(store, write=False) as opened:
        for contender, run in runs:
            study = load_study(opened, registry, run.spec.name)
            best = study.best.merit if study.best else np.inf
            losses.setdefault((contender.name, run.case.workload), []).append(best)
    by_name = {c.name: c for c in design.contenders}
    return [Outcome(by_name[c], model, np.array(v)) for (c, model), v in losses.items()]
