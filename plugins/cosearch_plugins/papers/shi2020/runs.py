"""*Learned Hardware/Software Co-Design of Neural Accelerators* (Shi et al., arXiv 2010.02075).

The paper searches an Eyeriss-like machine outside and each layer's mapping inside, both with
constrained Bayesian optimization: 50 hardware designs, 250 mappings of each layer. It reports the
energy-delay product of ResNet, DQN, MLP and Transformer layers beside a hand-tuned Eyeriss of the
same resources: 18 % better for ResNet, 40 % for DQN.

What the paper does not let one recover, and what was chosen here:

- Energies, bandwidths, and whether every local word must be spent: see
  `cosearch_plugins.papers.shi2020.setting`, which has several answers.
- The baseline's mapping: (a) the *best* mapping under Eyeriss' row-stationary rules, and (b) the
  best mapping without them, both proven by the exact mapper. (b) is the fairer one: the search may
  leave the rules too.
- The network's objective: the energy of all layers times the cycles of all layers. The exact
  mapper chooses mappings for that product, of Eyeriss and of every design; other mappers search
  each layer for its own.
- The Transformer's number of tokens: 128. It is searched with 256 PEs, the others with 168.
- The inner searches propose ten mappings at a time, where the paper's may have proposed one.
- One global buffer. A mesh of them is a variant: proofs take minutes there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from attrs import evolve, frozen

from cosearch.compare.contest import Case, Run
from cosearch.compare.running import run_all
from cosearch.compare.statistics import quartiles
from cosearch.errors import CosearchError
from cosearch.mapping.mapper import Budget
from cosearch.registry.registry import Registry
from cosearch.store.store import Store
from cosearch.study.codesign import plan
from cosearch.study.evaluation import evaluate
from cosearch.trials.trial import BASELINE, Trial
from cosearch.typing import FloatArray
from cosearch_plugins.papers.shi2020.bound import least_product
from cosearch_plugins.papers.shi2020.setting import SETTINGS, Setting

BO_OF_ANY_KERNEL = "bayesian:local=0,explore=0,start=random,warmup=5,margins=false"
BO = f"{BO_OF_ANY_KERNEL},kernel=linear"
WORD = {"word_bits": "16"}
"""What the paper holds and the space would let a search choose."""


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
    Contender("BO x exact", BO, "exact"),
    Contender("random x exact", "random", "exact"),
    Contender("BO x BO", BO, "stepwise"),
    Contender("random x random", "random", "random"),
    Contender("relax-and-round", "relax-and-round", "stepwise:search=relax-and-round"),
    Contender("boosted trees", "surrogate-tree", "stepwise:search=surrogate-tree"),
    Contender(
        "BO x BO, Matern",
        f"{BO_OF_ANY_KERNEL},kernel=matern",
        "stepwise:kernel=matern",
        ablation=True,
    ),
    Contender("BO x BO, EI", f"{BO},acquisition=ei", "stepwise:acquisition=ei", ablation=True),
    Contender(
        "BO x BO, no features",
        f"{BO},features=encoding",
        "stepwise:features=encoding",
        ablation=True,
    ),
)

PUBLISHED = {"shi2020-resnet": 0.18, "shi2020-dqn": 0.40}
"""Improvement of the energy-delay product over the hand-tuned Eyeriss (abstract)."""

MODELS = ("shi2020-resnet", "shi2020-dqn", "shi2020-mlp", "shi2020-transformer")


@frozen
class Plan:
    """How much is run.

    Attributes:
        models: workloads.
        contenders: who takes part.
        seeds: runs of each contender.
        trials: hardware designs of a run (50 in the paper).
        mappings: of each layer on each design (250 in the paper).
        setting: prices and resources.
    """

    models: tuple[str, ...] = MODELS
    contenders: tuple[Contender, ...] = tuple(c for c in CONTENDERS if not c.ablation)
    seeds: int = 10
    trials: int = 50
    mappings: int = 250
    setting: Setting = SETTINGS["timeloop"]

    def runs(self, registry: Registry) -> Iterator[tuple[Contender, Run]]:
        """Yield every run, seeds outermost."""
        specs = {}
        for model in self.models:
            for contender in self.contenders:
                sampled = None if contender.inside == "exact" else self.mappings
                specs[model, contender] = plan(
                    registry,
                    model,
                    self.setting.hardware(model),
                    contender.outside,
                    mapper=contender.inside,
                    mapper_evaluations=sampled,
                    warm=False,
                    batch=1,
                    fixed=WORD,
                ).spec
        for seed in range(self.seeds):
            for (model, contender), spec in specs.items():
                case = Case(self.setting.hardware(model), model)
                yield contender, Run(contender.name, case, seed, evolve(spec, seed=seed))


@frozen(eq=False)
class Outcome:
    """What a contender came to on one model.

    Attributes:
        contender, model: which.
        curves: float64[seeds, trials], best energy-delay product so far; infinite before the first
            feasible design.
    """

    contender: Contender
    model: str
    curves: FloatArray

    @property
    def losses(self) -> FloatArray:
        """float64[seeds], best energy-delay products."""
        return np.asarray(self.curves[:, -1])

    def improvement(self, baseline: float, trials: int | None = None) -> tuple[float, float, float]:
        """Return worst, median and best share by which the baseline's product is bettered.

        Args:
            baseline: a product.
            trials: after so many designs; all if left out.
        """
        reached = self.losses if trials is None else self.curves[:, trials - 1]
        _, median, _ = quartiles(reached)
        return 1 - reached.max() / baseline, 1 - median / baseline, 1 - reached.min() / baseline


@frozen
class Baselines:
    """Energy-delay products to compare with; of Eyeriss with the best mapping there is (proven).

    Attributes:
        rows: (a), under the chip's row-stationary rules.
        free: (b), without rules.
        timeloop: under the stricter rules of Timeloop's own description.
        floor: no design of the space with any mapping is below it.
    """

    rows: float
    free: float
    timeloop: float
    floor: float


def baselines(registry: Registry, setting: Setting, model: str) -> Baselines:
    """Return what a model costs on Eyeriss itself."""

    def product(rules: str) -> float:
        problem = plan(registry, model, setting.hardware(model, rules), "random", mapper="exact")
        chip = problem.hardware.space.complete(problem.hardware.baseline)
        outcome = evaluate(problem, chip)
        if not outcome.ok:
            raise CosearchError(f"Eyeriss cannot run {model}: {outcome.reason}")
        return outcome.losses[0]

    return Baselines(
        product("row-stationary"),
        product("open"),
        product("timeloop-rows"),
        least_product(registry, setting, model),
    )


def run_missing(
    registry: Registry,
    design: Plan,
    store: Path,
    workers: int,
    finished: Callable[[Run], None] = lambda _: None,
) -> None:
    """Run what the store does not have yet; see `cosearch.compare.running.run_all`."""
    runs = [run for _, run in design.runs(registry)]
    run_all(runs, Budget(trials=design.trials), store, registry, workers, finished)


def stored(registry: Registry, design: Plan, store: Path) -> list[Outcome]:
    """Return every contender's outcome on every model, of the runs that have ended."""
    curves: dict[tuple[Contender, str], list[FloatArray]] = {}
    with Store(store, write=False) as opened:
        for contender, run in design.runs(registry):
            curve = _curve(opened.trials(run.spec.name) if opened.find(run.spec.name) else ())
            if len(curve) >= design.trials:
                found = curves.setdefault((contender, run.case.workload), [])
                found.append(curve[: design.trials])
    return [Outcome(c, model, np.array(found)) for (c, model), found in curves.items()]


def _curve(trials: Iterable[Trial]) -> FloatArray:
    own = sorted((t for t in trials if t.number > BASELINE), key=lambda trial: trial.number)
    return np.asarray(np.minimum.accumulate(np.array([t.merit for t in own], dtype=np.float64)))
