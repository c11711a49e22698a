"""What the exact mapper finds, proves and takes, on whole networks and against other mappers.

    python benchmarks/exact_mapper.py networks          # networks x machines, every unique layer
    python benchmarks/exact_mapper.py timeloop          # against timeloop-mapper and annealing
    python benchmarks/exact_mapper.py random            # what random search reaches

Times are CPU seconds of one core, tables included, the first call (which compiles) left out.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator

import numpy as np

from cosearch.architecture import AccessEnergy, Architecture, Compute, Memory, Partition
from cosearch.einsum import conv, gemm
from cosearch.hardware import SpatialAccelerator
from cosearch.loopnest.exact.arrays import Aim
from cosearch.loopnest.exact.front import layer_front
from cosearch.loopnest.exact.problem import OrderTables
from cosearch.loopnest.exact.solve import Limits, Solver
from cosearch.mapping.network_front import Front, best_combination
from cosearch.plugins import load_registry
from cosearch.workload import Network

NETWORKS = ("resnet18", "resnet50", "mobilenetv2", "bert-base", "vgg16")
POWERS = {"edp": (1, 1), "energy": (1, 0), "latency": (0, 1)}
ROLES = ("Weights", "Inputs", "Outputs")


def uniform(pj: float) -> AccessEnergy:
    """Return the same energy for every access."""
    return AccessEnergy.uniform(pj)


def eyeriss_like(*, open_bypass: bool = False) -> Architecture:
    """12x14 PEs with parts of 12 / 224 / 24 words, a 108 KB buffer; energies 1 : 6 : 200."""
    parts = {"Inputs": 12, "Weights": 224, "Outputs": 24}
    partitions = {role: Partition(words, uniform(1.0)) for role, words in parts.items()}
    keeps, may = ((), ROLES) if open_bypass else (ROLES, ())
    return Architecture(
        "eyeriss-like",
        (
            Memory("PE", None, uniform(1.0), mesh_x=14, mesh_y=12, partitions=partitions,
                   keeps=keeps, may_keep=may),
            Memory("buffer", 55_296, uniform(6.0), keeps=keeps, may_keep=may),
            Memory("DRAM", None, uniform(200.0), is_dram=True),
        ), Compute(1.0, 14, 12),
    )  # fmt: skip


def gemmini_like() -> Architecture:
    """16x16 weight-stationary PEs, an accumulator, a scratchpad and DRAM of 8 words a cycle."""
    return Architecture(
        "gemmini-like",
        (
            Memory("PE", 1, uniform(0.5), mesh_x=16, mesh_y=16, keeps=("Weights",)),
            Memory("accumulator", 1024, uniform(3.0), mesh_x=16, keeps=("Outputs",)),
            Memory("scratchpad", 131_072, uniform(8.0), keeps=("Weights", "Inputs")),
            Memory("DRAM", None, uniform(200.0), shared_bandwidth=8.0, is_dram=True),
        ), Compute(0.5, 16, 16),
    )  # fmt: skip


MACHINES = {
    "eyeriss": eyeriss_like(),
    "eyeriss-open": eyeriss_like(open_bypass=True),
    "gemmini": gemmini_like(),
}


def networks() -> Iterator[Network]:
    """Yield the networks of the table."""
    registry = load_registry(third_party=False)
    for name in NETWORKS:
        yield registry.find("workloads", name).make().network()


def run_networks(machines: list[str], limit: float, names: list[str]) -> None:
    """Print time, nodes and certificates of every unique layer, network by network."""
    print(
        f"{'network':12} {'machine':13} {'goal':8} {'layers':>9} {'total s':>8} {'whole s':>8} "
        f"{'median ms':>9} {'worst ms':>9} {'nodes':>9} proven"
    )
    tables = OrderTables()
    for network in networks():
        if names and network.name not in names:
            continue
        for machine in machines:
            for goal, powers in POWERS.items():
                spent, times, nodes, proven = 0.0, [], 0, 0
                for layer in network.unique:
                    accelerator = SpatialAccelerator(MACHINES[machine])
                    for _ in range(2 if not times and goal == "edp" else 1):
                        started = time.process_time()
                        solver = Solver(accelerator.mapspace(layer.einsum), tables)
                        limits = Limits.starting(time.perf_counter(), limit)
                        found = solver.solve(Aim(*powers, np.inf, np.inf), limits)
                        taken = time.process_time() - started
                    times.append(taken)
                    spent += taken * layer.count
                    nodes += found.nodes
                    proven += found.proven
                unique = len(network.unique)
                print(
                    f"{network.name:12} {machine:13} {goal:8} "
                    f"{unique:3}/{sum(x.count for x in network.layers):<5} {sum(times):8.3f} "
                    f"{spent:8.3f} {1e3 * statistics.median(times):9.1f} {1e3 * max(times):9.1f} "
                    f"{nodes:9} {proven}/{unique}",
                    flush=True,
                )


def run_fronts(machine: str, limit: float) -> None:
    """Print how much the best network EDP gains over the layers' own best EDPs."""
    print("\nnetwork      machine       points  seconds  sum of best EDPs  best network EDP   gain")
    tables = OrderTables()
    for network in networks():
        started = time.process_time()
        fronts, complete = [], True
        for layer in network.unique:
            space = SpatialAccelerator(MACHINES[machine]).mapspace(layer.einsum)
            limits = Limits.starting(time.perf_counter(), limit)
            front = layer_front(Solver(space, tables), limits)
            complete &= front.complete
            fronts.append(
                Front(
                    np.array([p.energy_pj for p in front.points]),
                    np.array([p.cycles for p in front.points]),
                )
            )
        counts = [layer.count for layer in network.unique]
        best = best_combination(fronts, counts)
        own = [int(np.argmin(f.energy_pj * f.cycles)) for f in fronts]
        energy = sum(n * f.energy_pj[i] for f, n, i in zip(fronts, counts, own, strict=True))
        cycles = sum(n * f.cycles[i] for f, n, i in zip(fronts, counts, own, strict=True))
        edp = best.energy_pj * best.cycles
        print(
            f"{network.name:12} {machine:13} {sum(len(f.cycles) for f in fronts):6} "
            f"{time.process_time() - started:8.1f} {energy * cycles:17.6e} {edp:17.6e} "
            f"{energy * cycles / edp:7.4f} {'' if complete else '(not all fronts complete)'}",
            flush=True,
        )


def run_random(machine: str) -> None:
    """Best EDP of random search over the optimum, by mappings tried."""
    print(f"\n{'layer':10} {'optimum EDP':>13} {'1e4':>8} {'1e5':>8} {'1e6':>8}  machine {machine}")
    layers = [
        conv("3x3", K=64, C=64, P=56, Q=56, R=3, S=3),
        conv("stem", K=64, C=3, P=112, Q=112, R=7, S=7, stride=(2, 2)),
        conv("1x1", K=64, C=256, P=56, Q=56),
        gemm("gemm", M=512, N=768, K=768),
    ]
    for layer in layers:
        accelerator = SpatialAccelerator(MACHINES[machine])
        space = accelerator.mapspace(layer)
        found = Solver(space).solve(Aim(1, 1, np.inf, np.inf))
        optimum = found.energy_pj * found.cycles
        rng, best, tried, marks = np.random.default_rng(0), np.inf, 0, []
        for target in (10**4, 10**5, 10**6):
            while tried < target:
                costs = accelerator.evaluate(layer, space.sample(10_000, rng))
                tried += 10_000
                best = min(best, float((costs.energy_pj * costs.cycles).min()))
            marks.append(best / optimum)
        print(
            f"{layer.name:10} {optimum:13.6e} " + " ".join(f"{m:8.2f}" for m in marks), flush=True
        )


def run_timeloop(limit: float) -> None:
    """The four layers of tests/data/timeloop_mapper, both mapspaces."""
    import importlib.util
    from pathlib import Path

    here = Path(__file__).parents[1] / "tests/core/loopnest/exact/test_against_timeloop.py"
    specification = importlib.util.spec_from_file_location("against_timeloop", here)
    known = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(known)
    print(
        f"{'layer':16} {'mapspace':15} {'EDP pJ*cycles':>14} {'Timeloop/ours':>13} "
        f"{'annealed/ours':>13} {'CPU s':>7} {'nodes':>9} certificate"
    )
    tables = OrderTables()
    for name, sizes in known.KNOWN["layers"].items():
        for rules in ("row_stationary", "bypass_only"):
            layer = conv(name, **sizes)
            started = time.process_time()
            space = SpatialAccelerator(known.machine(), known.constraints(rules)).mapspace(layer)
            limits = Limits.starting(time.perf_counter(), limit)
            found = Solver(space, tables).solve(Aim(1, 1, np.inf, np.inf), limits)
            taken = time.process_time() - started
            edp = found.energy_pj * found.cycles
            theirs = {
                b["by"]: f"{b['edp_pj_cycles'] / edp:.3f}" for b in known.KNOWN["best"]
                if (b["layer"], b["constraints"]) == (name, rules)
            }  # fmt: skip
            certificate = "proven" if found.proven else f"gap {found.gap:.3f}"
            print(
                f"{name:16} {rules:15} {edp:14.6e} {theirs.get('timeloop-mapper', '-'):>13} "
                f"{theirs.get('annealed', '-'):>13} {taken:7.2f} {found.nodes:9} {certificate}",
                flush=True,
            )


def main() -> None:
    """Read the arguments and print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["networks", "timeloop", "random", "fronts"])
    parser.add_argument("--machine", choices=sorted(MACHINES), action="append")
    parser.add_argument("--network", choices=NETWORKS, action="append")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds a layer")
    given = parser.parse_args()
    machines = given.machine or sorted(MACHINES)
    if given.what == "networks":
        run_networks(machines, given.limit, given.network or [])
    elif given.what == "timeloop":
        run_timeloop(given.limit)
    elif given.what == "fronts":
        run_fronts(machines[0], given.limit)
    else:
        run_random(machines[0])


if __name__ == "__main__":
    main()
