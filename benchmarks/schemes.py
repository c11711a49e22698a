r"""Co-design head to head: strategies under schemes, at equal budgets, over several seeds.

A contender is `STRATEGY` or `STRATEGY@SCHEME`, such as `evolutionary@joint`. Budgets are counted as
`cosearch run` counts them: `--trials` in whole designs, `--evaluations` in mappings priced. Results
of mappers are shared through one store, which changes no result and no count.

    python benchmarks/schemes.py resnet18 eyeriss --trials 40 --seeds 10 \
        --contenders "random;evolutionary;hyperband"
    python benchmarks/schemes.py resnet18 eyeriss --evaluations 24000 --mapper-trials 100 \
        --contenders "evolutionary;evolutionary@joint"
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from attrs import fields, frozen

from cosearch.compare.statistics import quartiles
from cosearch.hooks.discovery import load_registry
from cosearch.mapping.mapper import Budget
from cosearch.mapping.task import COMBINATIONS, NETWORK
from cosearch.registry.registry import Registry
from cosearch.store.store import Store
from cosearch.study.codesign import open_study, plan, run
from cosearch.study.study import Study
from cosearch.trials.spec import SCHEME


@frozen
class Run:
    """One finished study.

    Attributes:
        best: the least loss; infinite where nothing was feasible.
        baseline: the loss of the baseline.
        spent, designs, layers, evaluations: whole trials, different designs, layers mapped for
            them, and mappings priced.
        feasible: share of the judgements.
        seconds: of processor time, what the store already had included.
    """

    best: float
    baseline: float
    spent: float
    designs: int
    layers: int
    evaluations: int
    feasible: float
    seconds: float


def main() -> None:
    """Print a line a contender."""
    options = arguments()
    registry = load_registry()
    budget = Budget(trials=options.trials, evaluations=options.evaluations)
    with (
        tempfile.TemporaryDirectory() as directory,
        Store(options.store or Path(directory) / "s.db") as store,
    ):
        print(f"{options.workload} on {options.hardware}, {options.seeds} seeds, {budget}")
        print(HEAD)
        for contender in options.contenders.split(";"):
            runs = [
                one(options, registry, store, budget, contender, s) for s in range(options.seeds)
            ]
            print(line(contender, runs), flush=True)


HEAD = (
    f"{'contender':36}{'median gain':>13}{'quartiles':>18}{'spent':>8}{'designs':>9}"
    f"{'layers':>8}{'priced':>11}{'feasible':>10}{'cpu s':>8}"
)


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("workload")
    parser.add_argument("hardware")
    parser.add_argument("--contenders", default="random;evolutionary;hyperband")
    parser.add_argument("--mapper", help="of the nested scheme; the machine's default if left out")
    parser.add_argument("--mapper-trials", type=int)
    parser.add_argument("--combine", default=NETWORK, choices=COMBINATIONS)
    parser.add_argument("--trials", type=int)
    parser.add_argument("--evaluations", type=int)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--store", type=Path, help="keep the studies; thrown away if left out")
    return parser.parse_args()


def one(
    options: argparse.Namespace,
    registry: Registry,
    store: Store,
    budget: Budget,
    contender: str,
    seed: int,
) -> Run:
    """Run one study to its end. No contender starts from the baseline."""
    strategy, _, scheme = contender.partition("@")
    problem = plan(
        registry,
        options.workload,
        options.hardware,
        strategy,
        mapper=options.mapper,
        mapper_evaluations=options.mapper_trials,
        seed=seed,
        warm=False,
        scheme=scheme or SCHEME,
        combine=options.combine,
    )
    study = open_study(store, registry, problem, budget)
    started = time.process_time()
    run(study, store, registry)
    return figures(study, time.process_time() - started)


def figures(study: Study, seconds: float) -> Run:
    """Return what a study came to."""
    base, trials = study.baseline, study.in_order
    mapped = {(t.outcome.accelerator, x.key, x.row) for t in trials for x in t.outcome.layers}
    return Run(
        study.best.merit if study.best else np.inf,
        base.merit if base else np.inf,
        study.spent,
        len({t.design for t in trials}),
        len(mapped),
        study.evaluations,
        float(np.mean([t.outcome.ok for t in trials])),
        seconds,
    )


def line(contender: str, runs: list[Run]) -> str:
    """Return a contender's figures: gains are baseline over best, the others means."""
    gains = [r.baseline / r.best for r in runs]
    low, median, high = quartiles(np.array(gains))
    mean = {f.name: np.mean([getattr(r, f.name) for r in runs]) for f in fields(Run)}
    spread = f"{low:.3f} to {high:.3f}"
    return (
        f"{contender:36}{median:13.3f}{spread:>18}{mean['spent']:8.1f}{mean['designs']:9.1f}"
        f"{mean['layers']:8.1f}{mean['evaluations']:11.0f}{100 * mean['feasible']:9.1f}%"
        f"{mean['seconds']:8.1f}"
    )


if __name__ == "__main__":
    main()
