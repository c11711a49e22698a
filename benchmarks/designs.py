"""What a design costs: `python benchmarks/designs.py [--designs N] [--against COSEARCH]`.

Each figure is the difference between two runs of `cosearch run` that differ in their number of
designs, over that difference: starting, loading compiled code and the baseline are not in it. CPU
times are of the command and its workers; designs a second are by the clock. With `--against` the
same is measured of another installation, such as an older version's, in turn with this one, and
the ratio of the two stands beside. Figures of a busy machine are good for their ratios alone. Two
minutes on two idle cores; what is measured is said as it goes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen
from rich.console import Console
from rich.table import Table

NETWORKS = ("resnet18", "resnet50")
OWN = str(Path(sys.executable).parent / "cosearch")


@frozen
class Spent:
    """What some designs took.

    Attributes:
        cpu: seconds, all processes.
        clock: seconds.
    """

    cpu: float
    clock: float


def run(command: str, network: str, settings: Sequence[str], designs: int, workers: int) -> Spent:
    """Return what one `cosearch run` from nothing takes.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    print(f"{network}, {designs} designs, {workers} at once: {command}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        words = ["run", network, *settings, "--seed", "0", "--workers", str(workers), "--json"]
        words += ["--trials", str(designs), "--store", str(Path(folder) / "studies.db")]
        before, started = os.times(), time.perf_counter()
        subprocess.run([command, *words], check=True, capture_output=True)
        after, ended = os.times(), time.perf_counter()
    cpu = sum(after[i] - before[i] for i in (2, 3))
    return Spent(cpu, ended - started)


def per_design(
    command: str, network: str, settings: Sequence[str], designs: int, workers: int = 1
) -> Spent:
    """Return what one design takes; the first `workers` are counted as part of the start."""
    few = run(command, network, settings, workers, workers)
    many = run(command, network, settings, workers + designs, workers)
    return Spent((many.cpu - few.cpu) / designs, (many.clock - few.clock) / designs)


def ratio(here: float, there: float | None) -> str:
    """Return by what this installation's figure is smaller, or nothing without another."""
    return "" if there is None else f"{here / there:.2f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--designs", type=int, default=8, help="measured, beyond the first")
    parser.add_argument("--against", help="the command `cosearch` of another installation")
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--hardware", default="eyeriss")
    parser.add_argument("--mapper", help="the machine's default if left out")
    parser.add_argument("--workers", type=int, default=2, help="compared with one")
    arguments = parser.parse_args()
    settings = ["--hardware", arguments.hardware, "--strategy", "random"]
    settings += ["--mapper", arguments.mapper] if arguments.mapper else []
    commands = [OWN, *([arguments.against] if arguments.against else [])]
    columns = ("network", "CPU ms a design", "before", "ratio", f"{arguments.workers} workers")
    table = Table(*columns, title=f"designs on {arguments.hardware}")
    for network in arguments.networks:
        one, *old = (per_design(c, network, settings, arguments.designs) for c in commands)
        many = per_design(OWN, network, settings, arguments.designs, arguments.workers)
        before = old[0].cpu if old else None
        table.add_row(
            network,
            f"{1e3 * one.cpu:.0f}",
            "" if before is None else f"{1e3 * before:.0f}",
            ratio(one.cpu, before),
            f"{one.clock / many.clock:.2f} times the designs a second",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
