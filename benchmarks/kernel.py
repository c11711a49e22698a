"""How fast mappings are priced: `python benchmarks/kernel.py [--json] [--quick]`.

Times are CPU times of one thread, the least of several repetitions, except where two threads are
compared with one (wall clock). "Random" mappings are drawn uniformly from the mapspace: most are
rejected by the checks. "Valid" ones pass. "One order" batches share their loop orders. Each figure
stands beside its ratio to the same figure for three levels, random, orders mixed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from attrs import evolve, frozen
from rich.console import Console
from rich.table import Table

from cosearch.loopnest.kernel.pack import Nests
from cosearch.loopnest.space.mapspace import MapSpace
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Link, Memory
from cosearch.typing import Rows
from cosearch.workload.einsum import Einsum, conv, gemm

CONV = conv("3x3", K=64, C=64, P=56, Q=56, R=3, S=3)
POINTWISE = conv("1x1", K=64, C=256, P=56, Q=56)
GEMM = gemm("gemm", M=512, N=768, K=768)

MESH = {"mesh_x": 14, "mesh_y": 12}
RF = Memory("registers", 64, AccessEnergy.uniform(0.1), **MESH)
PE = Memory("scratchpad", 512, AccessEnergy.uniform(0.5), **MESH)
BUFFER = Memory("buffer", 65_536, AccessEnergy.uniform(6.1))
LARGE = Memory("large buffer", 1_048_576, AccessEnergy.uniform(25.0))
DRAM = Memory("DRAM", None, AccessEnergy.uniform(200.0), is_dram=True)


def machine(*levels: Memory) -> Architecture:
    """Return a chip of 14 x 12 multipliers with these memories."""
    return Architecture("benchmark", levels, Compute(1.0, **MESH))


DEPTHS = {
    2: machine(PE, DRAM),
    3: machine(PE, BUFFER, DRAM),
    4: machine(RF, PE, BUFFER, DRAM),
    5: machine(RF, PE, BUFFER, LARGE, DRAM),
}


def semantics() -> dict[str, tuple[Architecture, Einsum]]:
    """Return what is switched on, one thing at a time, on three levels."""
    plain = DEPTHS[3]
    wide = [evolve(m, block_size=8) for m in plain.levels]
    slow = [evolve(m, read_bandwidth=4.0, write_bandwidth=4.0) for m in plain.levels]
    noc = [PE, evolve(BUFFER, network_below=Link(0.3, 0.1)), DRAM]
    free = [evolve(PE, keeps=set(), may_keep={"Weights", "Inputs", "Outputs"}), BUFFER, DRAM]
    return {
        "plain (gemm)": (plain, GEMM),
        "plain (1x1)": (plain, POINTWISE),
        "sliding windows (3x3)": (plain, CONV),
        "blocks of 8 (gemm)": (machine(*wide), GEMM),
        "bandwidths (gemm)": (machine(*slow), GEMM),
        "bypass free (gemm)": (machine(*free), GEMM),
        "network (gemm)": (machine(*noc), GEMM),
        "network (3x3)": (machine(*noc), CONV),
    }


@frozen
class Batch:
    """Rows of a mapspace and the same mappings as a struct of arrays."""

    space: MapSpace
    rows: Rows
    nests: Nests

    @classmethod
    def of(cls, space: MapSpace, rows: Rows) -> Batch:
        """Lay rows out as arrays."""
        words = [
            allowed.words[allowed.rank(space.order_of(rows, level))]
            for level, allowed in enumerate(space.orders)
        ]
        bounds = np.ascontiguousarray(space.factors(rows).transpose(1, 2, 0)).astype(np.int32)
        keep = np.ascontiguousarray(space.keeps_of(rows).transpose(1, 2, 0))
        return cls(space, rows, Nests(bounds, np.array(words), keep))

    @property
    def n(self) -> int:
        """How many mappings."""
        return len(self.rows)


def batches(space: MapSpace, n: int) -> dict[str, Batch]:
    """Return random and valid mappings, with mixed orders and with one."""
    rng = np.random.default_rng(0)
    random = space.sample(n, rng)
    fitting, _ = space.sample_feasible(min(n, 20_000), rng, max_draws=4_000_000)
    valid = fitting[rng.integers(0, len(fitting), n)]
    orders = slice(len(space.open_columns), len(space.open_columns) + len(space.order_levels))
    out = {"random": random, "valid": valid}
    for name in ("random", "valid"):
        same = out[name].copy()
        same[:, orders] = same[0, orders]
        out[f"{name}, one order"] = same
    return {name: Batch.of(space, rows) for name, rows in out.items()}


def least(run: Callable[[], object], clock: Callable[[], float], times: int = 7) -> float:
    """Return the least time of several runs, the first left out."""
    run()
    found = []
    for _ in range(times):
        start = clock()
        run()
        found.append(clock() - start)
    return min(found)


def nanoseconds(architecture: Architecture, layer: Einsum, n: int) -> dict[str, float]:
    """Return ns a mapping for every kind of batch, given as arrays and as rows."""
    from cosearch.loopnest.kernel.nests import NestPricer

    space, pricer = MapSpace(architecture, layer), NestPricer(architecture, layer)
    out: dict[str, float] = {}
    for name, batch in batches(space, n).items():
        price = least(lambda b=batch: pricer.price(b.nests), time.process_time)
        out[name] = price / batch.n * 1e9
    rows = space.sample(n, np.random.default_rng(1))
    out["as rows"] = least(lambda: space.pricer.price(rows), time.process_time) / n * 1e9
    rng = np.random.default_rng(2)
    out["sampling"] = least(lambda: space.sample(n, rng), time.process_time) / n * 1e9
    out["feasible share"] = float(space.feasible(rows).mean())
    return out


def two_threads(n: int) -> dict[str, dict[str, float]]:
    """Return the speed-up of two threads over one, by kind of batch.

    By the wall clock; and what free cores would give, twice the CPU time of one thread over that of
    two together, for machines whose cores are busy with other things.
    """
    space = MapSpace(DEPTHS[3], CONV)
    out = {}
    for name, batch in batches(space, n).items():
        wall, cpu = (
            [
                least(lambda t=t, b=batch: space.pricer.price(b.rows, threads=t), clock, 9)
                for t in (1, 2)
            ]
            for clock in (time.perf_counter, time.process_time)
        )
        out[name] = {"wall": wall[0] / wall[1], "free cores": 2 * cpu[0] / cpu[1]}
    return out


FIRST = """
import time
start = time.perf_counter(), time.process_time()
import numpy as np
from benchmarks_kernel import CONV, DEPTHS
from cosearch.loopnest.accelerator import SpatialAccelerator
chip = SpatialAccelerator(DEPTHS[3])
rows = chip.mapspace(CONV).sample_feasible(50, np.random.default_rng(0))[0]
chip.evaluate(CONV, rows)
print(time.perf_counter() - start[0], time.process_time() - start[1])
"""

MILLION = """
import numpy as np
from benchmarks_kernel import CONV, DEPTHS, peak_bytes
from cosearch.loopnest.accelerator import SpatialAccelerator
chip = SpatialAccelerator(DEPTHS[3])
space = chip.mapspace(CONV)
chip.evaluate(CONV, space.sample(1000, np.random.default_rng(0)))
rows = space.sample(1_000_000, np.random.default_rng(0))
before = peak_bytes()
chip.evaluate(CONV, rows)
print(rows.nbytes, before, peak_bytes())
"""


def peak_bytes() -> int:
    """Return the most memory this process ever held; Linux hands `ru_maxrss` down from a parent."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if "VmHWM" in line)
        return int(peak.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def in_new_process(script: str, cache: str) -> list[float]:
    """Run a script that may import this file as `benchmarks_kernel`; return what it prints."""
    load = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('benchmarks_kernel', {__file__!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "sys.modules['benchmarks_kernel'] = module\n"
        "spec.loader.exec_module(module)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", load + script],
        env={**os.environ, "NUMBA_CACHE_DIR": cache},
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(word) for word in done.stdout.split()]


def start_up() -> dict[str, float]:
    """Return seconds from importing to a first batch priced, and memory for a million mappings."""
    with tempfile.TemporaryDirectory() as cache:
        cold, cold_cpu = in_new_process(FIRST, cache)
        warm, warm_cpu = in_new_process(FIRST, cache)
        rows, before, after = in_new_process(MILLION, cache)
    return {
        "cold_seconds": cold,
        "cold_cpu_seconds": cold_cpu,
        "warm_seconds": warm,
        "warm_cpu_seconds": warm_cpu,
        "million_rows_bytes": rows,
        "million_pricing_bytes": after - before,
        "peak_resident_bytes": after,
    }


def measure(n: int) -> dict[str, object]:
    """Return every figure."""
    levels = {
        f"{depth} levels, {layer.name}": nanoseconds(DEPTHS[depth], layer, n)
        for depth in DEPTHS
        for layer in (GEMM, CONV)
    }
    return {
        "mappings_per_batch": n,
        "nanoseconds_by_levels": levels,
        "nanoseconds_by_semantics": {
            name: nanoseconds(*what, n) for name, what in semantics().items()
        },
        "speedup_of_two_threads": two_threads(8 * n),
        "start_up": start_up(),
    }


def table(title: str, rows: dict[str, dict[str, float]]) -> Table:
    """Return ns per mapping with the ratio to the first column."""
    names = [name for name in next(iter(rows.values())) if name != "feasible share"]
    out = Table("", *names, "valid share", title=title)
    for label, figures in rows.items():
        base = figures["random"]
        cells = [f"{figures[n]:.1f} ({figures[n] / base:.2f}x)" for n in names]
        out.add_row(label, *cells, f"{100 * figures['feasible share']:.2f} %")
    return out


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="small batches, for a first look")
    options = parser.parse_args()
    found = measure(1 << 13 if options.quick else 1 << 16)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    console = Console(width=150)
    console.print(table("ns a mapping, CPU of one thread", found["nanoseconds_by_levels"]))
    console.print(table("what each effect costs, ns", found["nanoseconds_by_semantics"]))
    console.print("two threads over one:", found["speedup_of_two_threads"])
    console.print("start-up and memory:", found["start_up"])


if __name__ == "__main__":
    main()
