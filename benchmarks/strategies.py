"""Head to head: regret against evaluations on spaces whose optimum is known.

python benchmarks/strategies.py                       everything: 4 hardware spaces, 6 mapspaces
python benchmarks/strategies.py --kind hardware --seeds 5 --strategies random,bayesian
python benchmarks/strategies.py --json results.json

Every contender gets the same spaces, budgets, batches and seeds. The tables show, per space, the
median evaluations until a contender is within 5 % of the optimum (`>N` where the median run never
is) and the median regret, best / optimum - 1, after a tenth, a half and all of the budget.
"""

from __future__ import annotations

import argparse
import json
import math
import time

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

BUDGETS = {"hardware": 300, "mapspace": 1000}
BATCHES = {"hardware": 1, "mapspace": 10}
WITHIN = 0.05


@frozen
class Score:
    """How one contender did on one space.

    Attributes:
        space, strategy: names.
        hits: per seed, evaluations until within 5 % of the optimum; infinite if never.
        regret: medians over seeds after a tenth, a half and all of the budget.
        feasible: share of all designs asked for that were feasible.
        ask_ms: mean milliseconds of thought a design.
    """

    space: str
    strategy: str
    hits: tuple[float, ...]
    regret: tuple[float, ...]
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
    curves, feasible, thought = [], 0, 0.0
    for seed in range(seeds):
        strategy = named.make(land.space, np.random.default_rng(seed))
        losses: list[float] = []
        while len(losses) < budget:
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
        losses.extend([math.inf] * (budget - len(losses)))
        curves.append(np.minimum.accumulate(losses) / land.best - 1.0)
    return _score(land.name, spec, np.array(curves), feasible, thought)


def _score(space: str, spec: str, curves: FloatArray, feasible: int, thought: float) -> Score:
    seeds, budget = curves.shape
    near = curves <= WITHIN
    hits = np.where(near.any(axis=1), near.argmax(axis=1) + 1.0, np.inf)
    points = (budget // 10 - 1, budget // 2 - 1, budget - 1)
    regret = np.median(curves[:, points], axis=0)
    return Score(
        space, spec, tuple(hits.tolist()), tuple(regret.tolist()),
        feasible / curves.size, 1e3 * thought / (seeds * budget),
    )  # fmt: skip


def show(land: Landscape, scores: list[Score]) -> None:
    """Print one space's table."""
    budget = BUDGETS[land.kind]
    print(
        f"\n{land.name} ({land.kind}): {land.space.size:.3g} rows, "
        f"{100 * land.feasible_share:.1f} % feasible, {budget} evaluations"
    )
    print(f"{'':26}{'within 5 %':>11}{'runs':>6}  {'regret at 10, 50, 100 %':<27}"
          f"{'feasible':>9}{'ms each':>9}")  # fmt: skip
    for s in scores:
        median = f"{s.median:.0f}" if math.isfinite(s.median) else f">{budget}"
        reached = sum(map(math.isfinite, s.hits))
        regret = "".join(f"{100 * r:>8.1f}%" if r < 100 else f"{'>1e4 %':>9}" for r in s.regret)
        print(f"{s.strategy:26}{median:>11}{reached:>3}/{len(s.hits)}  {regret}"
              f"{100 * s.feasible:>9.0f}%{s.ask_ms:>9.2f}")  # fmt: skip


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
