"""How policies learn what can be built: the share of feasible designs as a search goes on.

python benchmarks/feasible_share.py
python benchmarks/feasible_share.py --space eyeriss --strategies "ppo;bayesian" --seeds 3

A line shows windows of 200 designs: the median share over seeds, and under it the least.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from strategy_landscapes import HARDWARE, Landscape, landscapes

from cosearch.hooks.discovery import load_registry
from cosearch.registry.registry import Registry
from cosearch.typing import FloatArray

DESIGNS, WINDOW, BATCH = 2000, 200, 8


def shares(land: Landscape, spec: str, registry: Registry, seed: int) -> FloatArray:
    """Return the share of feasible designs in each window; NaN once the space is used up."""
    strategy = registry.find("strategies", spec).make(land.space, np.random.default_rng(seed))
    feasible: list[float] = []
    while len(feasible) < DESIGNS:
        rows = strategy.ask(BATCH)
        if len(rows) == 0:
            break
        losses, ok = land.judge(rows)
        strategy.tell(rows, losses, ok)
        feasible.extend(ok.astype(float).tolist())
    feasible += [float("nan")] * (DESIGNS - len(feasible))
    return np.asarray(np.array(feasible).reshape(-1, WINDOW).mean(axis=1))


def show(land: Landscape, spec: str, registry: Registry, seeds: int) -> None:
    """Print the curve of one strategy, and in how many runs a window is over 80 %."""
    curves = np.array([shares(land, spec, registry, seed) for seed in range(seeds)])
    over = int((np.nanmax(curves, axis=1) > 0.8).sum())
    print(f"{spec:24}{'median':8}", *(f"{100 * s:5.0f}%" for s in np.median(curves, axis=0)))
    print(f"{'':24}{'least':8}", *(f"{100 * s:5.0f}%" for s in curves.min(axis=0)))
    print(f"{'':24}over 80 % in a window: {over} of {seeds} runs")


def main() -> None:
    """Read the command line, search, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strategies", default="random;reinforce;ppo", help="separated by ;")
    parser.add_argument("--space", default="vta", choices=[c.name for c in HARDWARE])
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    registry = load_registry()
    (land,) = landscapes(registry, (given.space,))
    print(f"{land.name}: {100 * land.feasible_share:.1f} % of the designs can be built; after")
    print(f"{'':32}", *(f"{n:6}" for n in range(WINDOW, DESIGNS + 1, WINDOW)))
    for spec in given.strategies.split(";"):
        show(land, spec, registry, given.seeds)


if __name__ == "__main__":
    main()
