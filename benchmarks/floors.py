"""CPU milliseconds of a design's floor, and how soon boxes find the least floor of a large space.

python benchmarks/floors.py --hardware "simba;eyeriss;systolic" --workload resnet18

Of models with a floor of many machines: floors of many asked for, seconds, and the least.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np

from cosearch.hooks.discovery import load_registry
from cosearch.search.boxes import Box, least_over
from cosearch.study.codesign import plan
from cosearch.study.pruning import DesignFloors, least_of_many


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hardware", default="gemmini;simba;eyeriss;systolic", help="parted by ;")
    parser.add_argument("--workload", default="gemm:M=64,N=256,K=256")
    parser.add_argument("--designs", type=int, default=100, help="whose floors are timed")
    given = parser.parse_args()
    for hardware in given.hardware.split(";"):
        floors = DesignFloors(plan(load_registry(), given.workload, hardware, "random"))
        rows, _ = floors.machines.sample_feasible(given.designs, np.random.default_rng(0))
        started = time.process_time()
        for row in rows:
            floors.at(row)
        each = 1e3 * (time.process_time() - started) / len(rows)
        print(f"{hardware:12}{floors.machines.size:14,} machines, {each:.2f} ms a floor", end="")
        print(boxes(floors), flush=True)


def boxes(floors: DesignFloors) -> str:
    """Return what best-first search over boxes takes, in words; nothing where there are no such."""
    asked, parameters = [], floors.machines.parameters

    def bound(box: Box) -> float:
        asked.append(box)
        parts = zip(parameters, box, strict=True)
        return least_of_many(floors.problem, {p.name: p.choices[a:b] for p, (a, b) in parts})

    sizes = [len(parameter.choices) for parameter in parameters]
    started = time.process_time()
    least = least_over(
        sizes, bound, lambda row: floors.at(row).losses[0], enough=math.inf, most=100_000
    )
    taken = time.process_time() - started
    if not math.isfinite(least):
        return ""
    return f"; the least is {least:.4g} after {len(asked):,} of many, {taken:.1f} s"


if __name__ == "__main__":
    main()
