"""Head to head: regret against evaluations on spaces whose optimum is known.

python benchmarks/strategies.py                       everything: 4 hardware spaces, 6 mapspaces
python benchmarks/strategies.py --kind hardware --seeds 5 --strategies "random;bayesian"
python benchmarks/strategies.py --runs runs.jsonl     runs that are in the file are not run again

Every contender gets the same spaces, budgets, batches and seeds. The tables show, per space, the
median evaluations until a contender is within 5 % of the optimum (`>N` where the median run never
is), the median regret, best / optimum - 1, as the search goes on, and the median of the best
energy-delay products found (pJ cycles) under the optimum's. A run ends early at the optimum.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from pathlib import Path

# Matrices of a hundred rows are no work for two threads, which wait for each other by spinning.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cattrs
import numpy as np
from attrs import asdict, frozen
from strategy_landscapes import HARDWARE, MAPSPACES, Landscape, landscapes

from cosearch.hooks.discovery import load_registry
from cosearch.registry.registry import Registry

CONTENDERS = (
    "random", "sobol", "grid", "annealing", "evolutionary", "evolutionary:ageing=true", "nsga2",
    "cmaes", "hyperband", "reinforce", "ppo", "bayesian", "bayesian:kernel=matern",
    "bayesian:kernel=rbf", "relax-and-round", "pymoo", "optuna:sampler=nsga2",
    "optuna:sampler=cmaes", "surrogate-tree", "optuna:sampler=tpe",
)  # fmt: skip
"""The cheap ones first."""

BUDGETS = {"hardware": 1000, "mapspace": 2000}
BATCHES = {"hardware": 1, "mapspace": 10}
WITHIN = 0.05
POINTS = (30, 100, 300, 1000)
"""Evaluations after which the regret is printed."""


@frozen
class Run:
    """How one contender did on one space from one seed.

    Attributes:
        space, strategy, seed: what was run.
        hit: evaluations until within 5 % of the optimum; infinite if never.
        regret: at `POINTS` and at the end of the budget.
        evaluations, feasible: designs asked for, and how many of them were feasible.
        cpu_s: seconds of thought, of this process alone.
    """

    space: str
    strategy: str
    seed: int
    hit: float
    regret: tuple[float, ...]
    evaluations: int
    feasible: int
    cpu_s: float


def race(land: Landscape, spec: str, registry: Registry, seed: int) -> Run:
    """Run one contender on one space from one seed."""
    strategy = registry.find("strategies", spec).make(land.space, np.random.default_rng(seed))
    budget, batch = BUDGETS[land.kind], BATCHES[land.kind]
    losses: list[float] = []
    best, feasible, thought = math.inf, 0, 0.0
    while len(losses) < budget and best > land.best * (1 + 1e-9):
        started = time.process_time()
        rows = strategy.ask(min(batch, budget - len(losses)))
        thought += time.process_time() - started
        if len(rows) == 0:
            break
        loss, ok = land.judge(rows)
        started = time.process_time()
        strategy.tell(rows, loss, ok)
        thought += time.process_time() - started
        losses.extend(np.where(ok, loss[:, 0], np.inf).tolist())
        feasible += int(ok.sum())
        best = min(losses)
    padded = losses + [math.inf] * (budget - len(losses))
    curve = np.minimum.accumulate(padded) / land.best - 1.0
    near = curve <= WITHIN
    hit = float(near.argmax() + 1) if near.any() else math.inf
    regret = tuple(float(curve[min(p, budget) - 1]) for p in (*POINTS, budget))
    return Run(land.name, spec, seed, hit, regret, len(losses), feasible, thought)


def races(
    land: Landscape, specs: list[str], seeds: int, registry: Registry, file: Path | None
) -> list[Run]:
    """Run what is not in the file yet, and note it there."""
    known = {(run.space, run.strategy, run.seed): run for run in _noted(file)}
    runs = []
    for spec in specs:
        for seed in range(seeds):
            run = known.get((land.name, spec, seed)) or race(land, spec, registry, seed)
            runs.append(run)
            if file and (land.name, spec, seed) not in known:
                with file.open("a") as lines:
                    lines.write(json.dumps(asdict(run)) + "\n")
    return runs


def _noted(file: Path | None) -> list[Run]:
    if file is None or not file.exists():
        return []
    return [cattrs.structure(json.loads(line), Run) for line in file.read_text().splitlines()]


def show(land: Landscape, runs: list[Run]) -> None:
    """Print one space's table."""
    budget = BUDGETS[land.kind]
    print(
        f"\n{land.name} ({land.kind}): {land.space.size:.3g} rows, "
        f"{100 * land.feasible_share:.1f} % feasible, {budget} evaluations"
    )
    columns = "".join(f"{p:>9}" for p in POINTS)
    print(f"{'':26}{'within 5 %':>11}{'runs':>7}  regret at{columns}{'feasible':>9}"
          f"{'CPU ms each':>12}{'best EDP':>13}")  # fmt: skip
    optimum = f"optimum, by {land.proof}"
    print(f"{optimum:112}{land.best:>13.5g}")
    for spec in dict.fromkeys(run.strategy for run in runs):
        print(_line(land, [run for run in runs if run.strategy == spec]))


def _line(land: Landscape, runs: list[Run]) -> str:
    """Return one contender's line: medians over its seeds."""
    median = float(np.median([run.hit for run in runs]))
    within = f"{median:.0f}" if math.isfinite(median) else f">{BUDGETS[land.kind]}"
    reached = sum(math.isfinite(run.hit) for run in runs)
    *points, last = np.median([run.regret for run in runs], axis=0)
    regret = "".join(f"{100 * r:>8.1f}%" if r < 100 else f"{'>1e4 %':>9}" for r in points)
    asked = sum(run.evaluations for run in runs)
    feasible = sum(run.feasible for run in runs) / asked
    each = 1e3 * sum(run.cpu_s for run in runs) / asked
    return (f"{runs[0].strategy:26}{within:>11}{reached:>4}/{len(runs)}  {'':9}{regret}"
            f"{100 * feasible:>8.0f}%{each:>12.2f}{land.best * (1 + last):>13.5g}")  # fmt: skip


def main() -> None:
    """Read the command line, race, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--strategies", default=";".join(CONTENDERS), help="separated by ;")
    parser.add_argument("--kind", choices=("hardware", "mapspace"))
    parser.add_argument("--space", action="append", default=[])
    parser.add_argument("--budget", type=int, help="evaluations of a run, in place of the usual")
    parser.add_argument("--runs", type=Path, help="a file of runs, one JSON object a line")
    given = parser.parse_args()
    BUDGETS.update(dict.fromkeys(BUDGETS, given.budget) if given.budget else {})
    registry = load_registry()
    cases = {"hardware": HARDWARE, "mapspace": MAPSPACES}
    chosen = [c.name for kind, group in cases.items() for c in group if given.kind in (None, kind)]
    names = tuple(n for n in chosen if not given.space or n in given.space) or ("none",)
    for land in landscapes(registry, names):
        specs = given.strategies.split(";")
        show(land, races(land, specs, given.seeds, registry, given.runs))


if __name__ == "__main__":
    main()
