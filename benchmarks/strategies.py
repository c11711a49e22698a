"""Head to head: regret against evaluations on spaces whose optimum is known.

python benchmarks/strategies.py                       everything: 4 hardware spaces, 6 mapspaces
python benchmarks/strategies.py --kind hardware --seeds 5 --strategies random,bayesian
python benchmarks/strategies.py --json results.json

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

# Matrices of a hundred rows are no work for two threads, which wait for each other by spinning.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from attrs import asdict, frozen
from strategy_landscapes import HARDWARE, MAPSPACES, Landscape, landscapes

from cosearch.plugins import Registry, load_registry
from cosearch.typing import FloatArray

CONTENDERS = (
    "random", "sobol", "grid", "annealing", "evolutionary", "evolutionary:ageing=true", "cmaes",
    "bayesian", "bayesian:kernel=matern", "relax-and-round", "surrogate-tree", "reinforce", "ppo",
    "nsga2", "optuna:sampler=tpe", "pymoo",
)  # fmt: skip

BUDGETS = {"hardware": 1000, "mapspace": 2000}
BATCHES = {"hardware": 1, "mapspace": 10}
WITHIN = 0.05
POINTS = (30, 100, 300, 1000)
"""Evaluations after which the regret is printed."""


@frozen
class Score:
    """How one contender did on one space.

    Attributes:
        space, strategy: names.
        hits: per seed, evaluations until within 5 % of the optimum; infinite if never.
        regret: medians over seeds at `POINTS`.
        best: median over seeds of the least loss found in the whole budget, pJ cycles.
        feasible: share of all designs asked for that were feasible.
        ask_ms: mean milliseconds of thought a design.
    """

    space: str
    strategy: str
    hits: tuple[float, ...]
    regret: tuple[float, ...]
    best: float
    feasible: float
    ask_ms: float

    @property
    def median(self) -> float:
        """Of the hits."""
        return float(np.median(self.hits))


def race(land: Landscape, spec: str, registry: Registry, seeds: int) -> Score:
    """Run one contender on one space from every seed."""
    named = registry.find("strategies", spec)
    budget, batch = BUDGETS[land.kind], BATCHES[land.kind]
    curves, feasible, evaluations, thought = [], 0, 0, 0.0
    for seed in range(seeds):
        strategy = named.make(land.space, np.random.default_rng(seed))
        losses: list[float] = []
        best = math.inf
        while len(losses) < budget and best > land.best * (1 + 1e-9):
            started = time.perf_counter()
            rows = strategy.ask(min(batch, budget - len(losses)))
            thought += time.perf_counter() - started
            if len(rows) == 0:
                break
            loss, ok = land.judge(rows)
            started = time.perf_counter()
            strategy.tell(rows, loss, ok)
            thought += time.perf_counter() - started
            losses.extend(np.where(ok, loss[:, 0], np.inf).tolist())
            feasible += int(ok.sum())
            best = min(losses)
        evaluations += len(losses)
        losses.extend([math.inf] * (budget - len(losses)))
        curves.append(np.minimum.accumulate(losses) / land.best - 1.0)
    return _score(land, spec, np.array(curves), feasible / evaluations, thought / evaluations)


def _score(
    land: Landscape, spec: str, curves: FloatArray, feasible: float, thought: float
) -> Score:
    near = curves <= WITHIN
    hits = np.where(near.any(axis=1), near.argmax(axis=1) + 1.0, np.inf)
    regret = np.median(curves[:, [p - 1 for p in POINTS]], axis=0)
    best = land.best * (1.0 + float(np.median(curves[:, -1])))
    return Score(
        land.name, spec, tuple(hits.tolist()), tuple(regret.tolist()), best, feasible, 1e3 * thought
    )


def show(land: Landscape, scores: list[Score]) -> None:
    """Print one space's table."""
    budget = BUDGETS[land.kind]
    print(
        f"\n{land.name} ({land.kind}): {land.space.size:.3g} rows, "
        f"{100 * land.feasible_share:.1f} % feasible, {budget} evaluations"
    )
    columns = "".join(f"{p:>9}" for p in POINTS)
    print(f"{'':26}{'within 5 %':>11}{'runs':>7}  regret at{columns}{'feasible':>9}{'ms each':>9}"
          f"{'best EDP':>13}")  # fmt: skip
    optimum = f"optimum, by {land.proof}"
    print(f"{optimum:109}{land.best:>13.5g}")
    for s in scores:
        median = f"{s.median:.0f}" if math.isfinite(s.median) else f">{budget}"
        reached = sum(map(math.isfinite, s.hits))
        regret = "".join(f"{100 * r:>8.1f}%" if r < 100 else f"{'>1e4 %':>9}" for r in s.regret)
        print(f"{s.strategy:26}{median:>11}{reached:>4}/{len(s.hits)}  {'':9}{regret}"
              f"{100 * s.feasible:>8.0f}%{s.ask_ms:>9.2f}{s.best:>13.5g}")  # fmt: skip


def main() -> None:
    """Read the command line, race, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--strategies", default=";".join(CONTENDERS), help="separated by ;")
    parser.add_argument("--kind", choices=("hardware", "mapspace"))
    parser.add_argument("--space", action="append", default=[])
    parser.add_argument("--json", help="write every run's result to this file")
    given = parser.parse_args()
    registry = load_registry()
    cases = {"hardware": HARDWARE, "mapspace": MAPSPACES}
    chosen = [c.name for kind, group in cases.items() for c in group if given.kind in (None, kind)]
    names = tuple(n for n in chosen if not given.space or n in given.space) or ("none",)
    results = []
    for land in landscapes(registry, names):
        scores = [race(land, spec, registry, given.seeds) for spec in given.strategies.split(";")]
        show(land, scores)
        results += [asdict(score) | {"kind": land.kind} for score in scores]
    if given.json:
        with open(given.json, "w") as file:  # noqa: PTH123
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
