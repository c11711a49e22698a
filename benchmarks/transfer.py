"""Designs to within 5 % with and without a study of another network, or machine, to begin from.

python benchmarks/transfer.py --tables DIR --seeds 20

Every design is priced (two tables ship, the others are kept in DIR, those of the ResNets after
some minutes), so that optima are known. Warm is what `--warm-start` does with a study of another
workload or machine: its best designs come first.
The source is what the same strategy finds in some designs on the other problem.
"""

from __future__ import annotations

import argparse
import math
import os
from itertools import chain
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from attrs import evolve, frozen

from cosearch.hooks.discovery import load_registry
from cosearch.registry.registry import Named, Registry
from cosearch.search.strategy import Strategy
from cosearch.study.warm_start import TRIED_FIRST
from cosearch_plugins.bench.races import WITHIN
from cosearch_plugins.bench.tables import Table, Task, table_of
from cosearch_plugins.bench.tasks import task

PRODUCT, CONVOLUTION, OTHER = "product", "convolution", "other prices"
SMALL, LARGE = "ResNet-18", "ResNet-50"
PAIRS = (
    (PRODUCT, CONVOLUTION),
    (CONVOLUTION, PRODUCT),
    (PRODUCT, OTHER),
    (OTHER, PRODUCT),
    (SMALL, LARGE),
    (LARGE, SMALL),
)
"""Of Gemmini's 1,008 designs: BERT's product, a 3x3 convolution, and the product on the machine
whose energies are those of the Eyeriss chip. Of 192 systolic arrays: two networks."""


def table(name: str, registry: Registry, folder: Path) -> Table:
    """Return what every design is worth, EDP; those that do not ship are made in a folder."""
    if name in (SMALL, LARGE):
        network = name.lower().replace("-", "")
        fixed = {**task("systolic").fixed, "input_kb": "64"}
        return table_of(Task(network, "systolic", network, fixed), registry, folder)
    if name == OTHER:
        chip = Task("chip", "gemmini:technology=eyeriss-chip", task("gemmini").workload)
        return table_of(chip, registry, folder)
    if name == PRODUCT:
        return table_of(task("gemmini"), registry)
    front = table_of(task("front"), registry)  # energy, latency and area
    return evolve(front, losses=front.losses[:, :2].prod(axis=1, keepdims=True))


@frozen
class Run:
    """One search.

    Attributes:
        hit: designs until within 5 % of the optimum; infinite if it never was.
        best: the best rows, int64[p, d], best first.
    """

    hit: float
    best: np.ndarray


def search(land: Table, named: Named[Strategy], seed: int, trials: int, first: np.ndarray) -> Run:
    """Search a table, some designs first, all counted."""
    strategy = named.make(land.space, np.random.default_rng(seed))
    rows: list[np.ndarray] = []
    losses: list[float] = []
    waiting = list(first)
    while len(rows) < trials:
        row = waiting.pop(0)[None, :] if waiting else strategy.ask(1)
        if len(row) == 0:
            break
        answer = land.answer(row)
        strategy.tell(row, *answer)
        rows.append(row[0])
        losses.append(answer[0][0, 0] if answer[1][0] else math.inf)
    near = np.flatnonzero(np.array(losses) <= land.best[0] * (1 + WITHIN))
    order = np.argsort(losses, kind="stable")[:TRIED_FIRST]
    return Run(float(near[0] + 1) if len(near) else math.inf, np.array(rows)[order])


def main() -> None:
    """Print medians and quartiles of designs to 5 %, cold and warm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, required=True, metavar="DIR")
    parser.add_argument("--strategies", default="random;evolutionary;bayesian")
    parser.add_argument("--pairs", default="/".join(",".join(pair) for pair in PAIRS))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trials", type=int, default=200, help="of each search")
    parser.add_argument("--source", type=int, default=50, help="designs of the other problem")
    asked = parser.parse_args()
    registry = load_registry()
    pairs = [tuple(pair.split(",")) for pair in asked.pairs.split("/")]
    lands = {n: table(n, registry, asked.tables) for n in dict.fromkeys(chain(*pairs))}
    print(f"{'from':13} {'to':13} {'strategy':14} {'cold':>18} {'warm':>18}")
    for source, target in pairs:
        here, there = lands[source], lands[target]
        for text in asked.strategies.split(";"):
            named: Named[Strategy] = registry.find("strategies", text)
            nothing = here.space.sample(0, np.random.default_rng(0))
            cold, warm = [], []
            for seed in range(asked.seeds):
                known = search(here, named, 1000 + seed, asked.source, nothing).best
                cold.append(search(there, named, seed, asked.trials, nothing).hit)
                warm.append(search(there, named, seed, asked.trials, known).hit)
            told = " ".join(f"{_quartiles(hits):>18}" for hits in (cold, warm))
            print(f"{source:13} {target:13} {text:14} {told}", flush=True)


def _quartiles(hits: list[float]) -> str:
    low, middle, high = np.quantile(hits, [0.25, 0.5, 0.75], method="lower")
    return f"{middle:g} ({low:g} to {high:g})"


if __name__ == "__main__":
    main()
