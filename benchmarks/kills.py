"""Studies killed at random moments and resumed, against undisturbed ones: what differs is counted.

    python benchmarks/kills.py --kills 100             # of parents, of workers, of both
    python benchmarks/kills.py --writers 8 --seconds 60  # many processes on one store

The machine is `slow` below, whose prices take a moment, so that there is time to be killed in. This
file is handed to `cosearch --plugins`; each study is that command in a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import cosearch
from cosearch.cli import main as command
from cosearch.machine.cost import Cost, CostBatch, LevelCost
from cosearch.registry.registration import Registration, hookimpl
from cosearch.typing import Configuration, Rows
from cosearch.workload.einsum import Einsum

MAPPINGS = 4
"""Priced for each design."""

TRIALS = 12

WAYS = ("parent", "worker", "workers", "both")
"""Who is killed."""


class Slow(cosearch.HardwareModel):
    """One number decides all; each batch of prices takes a moment."""

    name = "slow"
    options = cosearch.ParameterSpace(
        (cosearch.Parameter("milliseconds", (0, 1000), 5, free=True),)
    )
    space = cosearch.ParameterSpace((cosearch.Parameter("width", tuple(range(1, 65)), 8),))

    def __init__(self, milliseconds: int = 5) -> None:
        self.wait = milliseconds / 1000

    def build(self, configuration: Configuration) -> SlowAccelerator:
        """Return a machine."""
        return SlowAccelerator(int(self.check(configuration)["width"]), self.wait)


class SlowAccelerator(cosearch.Accelerator):
    """Multipliers in a row; energies are round numbers, no chip's."""

    clock_mhz = 100.0
    default_mapper = "random"

    def __init__(self, width: int, wait: float) -> None:
        self.width, self.wait, self.sources = width, wait, {"all": "round numbers"}
        self.name, self.area_mm2 = f"slow-{width}", float(width)

    @property
    def key(self) -> str:
        """Return what decides the prices."""
        return f"slow {self.width}"

    def mapspace(self, layer: Einsum) -> cosearch.ParameterSpace:  # noqa: ARG002
        """Return sixteen tiles."""
        return cosearch.ParameterSpace((cosearch.Parameter("tile", tuple(range(1, 17))),))

    def evaluate(self, layer: Einsum, rows: Rows) -> CostBatch:
        """Return prices, after a moment."""
        time.sleep(self.wait)
        tile = rows[:, 0] + 1
        cycles = np.maximum(layer.macs / self.width, layer.macs / tile)
        energy = layer.macs * (1.0 + self.width / 16 + 8.0 / tile)
        return CostBatch(energy, cycles, np.ones(len(rows), bool), np.zeros(len(rows), np.int64))

    def explain(self, layer: Einsum, row: Rows) -> Cost:
        """Return the account of one mapping."""
        priced = self.evaluate(layer, row[None, :])
        energy, cycles = float(priced.energy_pj[0]), float(priced.cycles[0])
        level = LevelCost("buffer", cycles, energy - layer.macs)
        return Cost(energy, cycles, layer.macs, float(layer.macs), (level,), 1.0, "compute")


@hookimpl
def cosearch_hardware_models() -> list[Registration]:
    """Register it."""
    return [Registration("slow", Slow, "takes its time")]


def started(store: Path, seed: int, workers: int, name: str = "s", *, wait: int = 5) -> int:
    """Begin or resume a study in a process of its own; return its number."""
    if pid := os.fork():
        return pid
    os.setsid()
    with Path(f"{store}.log").open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    words = (
        f"--plugins {__file__} run gemm:M=8,N=8,K=8 -H slow:milliseconds={wait} -s evolutionary"
        f" --trials {TRIALS} --mapper-trials {MAPPINGS} --workers {workers} --seed {seed}"
        f" --store {store} --study {name}"
    )
    os._exit(command(words.split()))


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in path.read_text().split()]
    return found


def kill(pid: int) -> int:
    """Kill a process if there is one; return how many were."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return 1
    return 0


def struck(pid: int, way: str, draw: random.Random) -> int:
    """Kill whom `way` names; return how many were."""
    workers = children(pid)
    if way == "worker":
        return kill(draw.choice(workers)) if workers else 0
    if way == "workers":
        return sum(map(kill, workers))
    return kill(pid) + (sum(map(kill, workers)) if way == "both" else 0)


def ended(pid: int) -> bool:
    """Return whether a process has ended; it is not waited for."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def done_well(status: int, store: Path) -> None:
    """Stop with what was said where a study that nobody killed did not end well."""
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"exit {status}: {Path(f'{store}.log').read_text()}")


def finish(store: Path, seed: int, workers: int) -> None:
    """Run or resume a study to its end."""
    done_well(os.waitpid(started(store, seed, workers), 0)[1], store)


def stored(path: Path, name: str = "s") -> list[object]:
    """Return what a store says of a study, without what clocks gave."""
    with contextlib.closing(sqlite3.connect(path)) as store:
        store.row_factory = sqlite3.Row
        study = store.execute("SELECT * FROM studies WHERE name = ?", (name,)).fetchone()
        found: list[object] = [study["status"]]
        for table in ("trials", "layers"):
            query = f"SELECT * FROM {table} WHERE study = ? ORDER BY number"
            for row in store.execute(query, (study["id"],)):
                facts = {k: row[k] for k in row.keys() if k not in _CLOCKS}  # noqa: SIM118
                if table == "layers":
                    facts["result"] = {**json.loads(row["result"]), "seconds": 0}
                found.append(facts)
    return found


_CLOCKS = {"study", "seconds", "think_seconds"}


def killed(store: Path, seed: int, way: str, draw: random.Random, seconds: float) -> int:
    """Run a study that is struck once or twice, and resumed; return how many were killed."""
    hit = 0
    for _ in range(draw.randint(1, 2)):
        pid = started(store, seed, 2)
        while way in {"worker", "workers"} and not children(pid) and not ended(pid):
            time.sleep(0.01)
        time.sleep(draw.uniform(0, seconds))
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            done_well(status, store)
            continue
        hit += struck(pid, way, draw)
        os.waitpid(pid, 0)
    finish(store, seed, 2)
    return hit


def kills(count: int, seed: int, folder: Path, ways: Sequence[str]) -> None:
    """Print how many of so many studies ended as undisturbed ones do."""
    draw = random.Random(seed)
    whole, seconds = {}, 0.0
    for k in range(4):
        began = time.monotonic()
        finish(folder / f"whole{k}.db", k, 1)
        seconds = max(seconds, time.monotonic() - began)
        whole[k] = stored(folder / f"whole{k}.db")
    same, hit = Counter[str](), Counter[str]()
    for number in range(count):
        way, k = ways[number % len(ways)], number // len(ways) % 4
        path = folder / f"{number}.db"
        hit[way] += killed(path, k, way, draw, seconds)
        same[way] += stored(path) == whole[k]
    for way in ways:
        print(f"{way:8} killed {hit[way]:4} processes, {same[way]:4} studies identical")
    print(f"{same.total()} of {count} studies identical to the undisturbed ones")


def writers(count: int, seconds: float, folder: Path) -> None:
    """Print what so many processes that write studies into one store at once met."""
    until, path = time.monotonic() + seconds, folder / "one.db"
    running: dict[int, str] = {}
    codes, number = Counter[int](), 0
    while running or time.monotonic() < until:
        while len(running) < count and time.monotonic() < until:
            name = f"s{number}"
            running[started(path, number, 1, name, wait=0)] = name
            number += 1
        pid, status = os.wait()
        running.pop(pid)
        codes[os.waitstatus_to_exitcode(status)] += 1
    trials = [len(stored(path, f"s{k}")) for k in range(number)]
    log = Path(f"{path}.log").read_text()
    print(f"{count} writers, {seconds:.0f} s: {number} studies, {sum(trials)} rows; exits {codes}")
    print(f"the word 'locked' was said {log.count('locked')} times; {set(trials)} rows a study")


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--writers", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.kills:
            kills(options.kills, options.seed, Path(folder), options.ways.split(","))
        if options.writers:
            writers(options.writers, options.seconds, Path(folder))


if __name__ == "__main__":
    main()
