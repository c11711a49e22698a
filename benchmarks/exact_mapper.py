"""What the exact mapper finds, proves and takes, on whole networks and beside other mappers.

    python benchmarks/exact_mapper.py                   # some minutes: all but timeloop
    python benchmarks/exact_mapper.py networks --machine gemmini --machine simba --goal latency
    python benchmarks/exact_mapper.py networks --machine eyeriss-open --network resnet50
    python benchmarks/exact_mapper.py timeloop          # beside timeloop-mapper and annealing
    python benchmarks/exact_mapper.py random --samples 1000000
    python benchmarks/exact_mapper.py strategies --layers 4 --evaluations 5000 --seeds 5
    python benchmarks/exact_mapper.py fronts --network resnet18
    python benchmarks/exact_mapper.py limits            # how late searches end by their time limit
    python benchmarks/exact_mapper.py networks --machine eyeriss-slow --goal latency

Times are CPU seconds of one core, tables included, the first call (which compiles) left out.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Iterator

import numpy as np

from cosearch.errors import Infeasible, MissingExtraError
from cosearch.hooks.discovery import load_registry
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory, Partition
from cosearch.machine.building import network_for
from cosearch.mapping.mapper import Budget
from cosearch.mapping.network_front import Front, best_combination
from cosearch.search.objective import OBJECTIVES, Objective
from cosearch.study.building import make_mapper
from cosearch.workload.einsum import Einsum, conv, gemm
from cosearch.workload.network import Network
from cosearch_plugins.mappers.exact.arrays import Aim
from cosearch_plugins.mappers.exact.front import layer_front
from cosearch_plugins.mappers.exact.mapper import ExactMapper
from cosearch_plugins.mappers.exact.problem import OrderTables
from cosearch_plugins.mappers.exact.solve import Certificate, Limits, Solver

NETWORKS = ("resnet18", "resnet50", "mobilenetv2", "bert-base", "vgg16")
POWERS = {"edp": (1, 1), "energy": (1, 0), "latency": (0, 1)}
CHEAP = (
    "random", "sobol", "grid", "annealing", "evolutionary", "nsga2", "cmaes", "hyperband",
    "reinforce", "ppo",
)  # fmt: skip
"""Strategies that think for less than a few milliseconds a mapping."""

ROLES = ("Weights", "Inputs", "Outputs")


def uniform(pj: float) -> AccessEnergy:
    """Return the same energy for every access."""
    return AccessEnergy.uniform(pj)


def eyeriss_like(*, open_bypass: bool = False, dram: float | None = None) -> Architecture:
    """12x14 PEs with parts of 12 / 224 / 24 words, a 108 KB buffer; energies 1 : 6 : 200.

    Args:
        open_bypass: whether anything may bypass any level but DRAM.
        dram: words a cycle of its port; the buffer's has four times as many. None is no limit.
    """
    parts = {"Inputs": 12, "Weights": 224, "Outputs": 24}
    partitions = {role: Partition(words, uniform(1.0)) for role, words in parts.items()}
    keeps, may = ((), ROLES) if open_bypass else (ROLES, ())
    return Architecture(
        "eyeriss-like",
        (
            Memory("PE", None, uniform(1.0), mesh_x=14, mesh_y=12, partitions=partitions,
                   keeps=keeps, may_keep=may),
            Memory("buffer", 55_296, uniform(6.0), shared_bandwidth=dram and 4 * dram,
                   keeps=keeps, may_keep=may),
            Memory("DRAM", None, uniform(200.0), shared_bandwidth=dram, is_dram=True),
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


LIKE = {
    "eyeriss": eyeriss_like(),
    "eyeriss-open": eyeriss_like(open_bypass=True),
    "eyeriss-slow": eyeriss_like(dram=0.25),
    "gemmini": gemmini_like(),
}
SHIPPED = {"simba": "simba", "eyeriss-mesh": "eyeriss:buffers=mesh"}
MACHINES = (*LIKE, *SHIPPED)
USUAL = ("eyeriss", "gemmini")


def machine_of(name: str) -> SpatialAccelerator:
    """Return a machine by its name in the tables; shipped ones at their baseline."""
    if name in LIKE:
        return SpatialAccelerator(LIKE[name])
    model = load_registry(third_party=False).find("hardware_models", SHIPPED[name]).make()
    mesh = {"buffer_x": 2, "buffer_y": 2} if name == "eyeriss-mesh" else {}
    return model.build({**model.baseline, **mesh})


def networks() -> Iterator[Network]:
    """Yield the networks of the table."""
    registry = load_registry(third_party=False)
    for name in NETWORKS:
        network = registry.find("workloads", name).make().network()
        yield network_for(registry.find("hardware_models", "eyeriss").make(), network)


def run_networks(machines: list[str], goals: list[str], limit: float, names: list[str]) -> None:
    """Print time, nodes and certificates of every unique layer, network by network."""
    print(
        f"{'network':12} {'machine':13} {'goal':8} {'layers':>9} {'total s':>8} {'whole s':>8} "
        f"{'median ms':>9} {'worst ms':>9} {'nodes':>9} proven"
    )
    tables = OrderTables()
    warm: set[str] = set()
    for network in networks():
        if names and network.name not in names:
            continue
        for machine in machines:
            for goal in goals:
                runs = [
                    timed(machine, layer.einsum, Aim(*POWERS[goal]), tables, limit, warm)
                    for layer in network.unique
                ]
                times = [taken for taken, _ in runs]
                counts = [layer.count for layer in network.unique]
                whole = sum(n * taken for n, taken in zip(counts, times, strict=True))
                print(
                    f"{network.name:12} {machine:13} {goal:8} "
                    f"{len(runs):3}/{sum(counts):<5} {sum(times):8.3f} {whole:8.3f} "
                    f"{1e3 * statistics.median(times):9.1f} {1e3 * max(times):9.1f} "
                    f"{sum(found.nodes for _, found in runs):9} "
                    f"{sum(found.proven for _, found in runs)}/{len(runs)}",
                    flush=True,
                )


def timed(
    machine: str, layer: Einsum, aim: Aim, tables: OrderTables, limit: float, warm: set[str]
) -> tuple[float, Certificate]:
    """Return CPU seconds and what was found; the first search of all is done twice."""
    accelerator = machine_of(machine)
    for _ in range(1 if warm else 2):
        started = time.process_time()
        solver = Solver(accelerator.mapspace(layer), tables)
        found = solver.solve(aim, Limits.starting(time.perf_counter(), limit))
        taken = time.process_time() - started
    warm.add(machine)
    return taken, found


HUGE = (
    conv("1.4 million tiles", K=720, C=720, P=240, Q=240, R=3, S=3),
    conv("3.5 million tiles", K=5040, C=5040, P=240, Q=60, R=3, S=3),
)


def run_limits(machines: list[str], layers: int) -> None:
    """Print by how much searches overrun their time limits, by the wall clock."""
    mapper = ExactMapper()
    edp = next(o for o in OBJECTIVES if o.name == "edp")
    early = [layer.einsum for n in networks() if n.name in {"resnet50", "vgg16"}
             for layer in n.unique[:layers]]  # fmt: skip
    print(f"{'machine':13} {'layers':18} {'limits, s':>16} {'worst, ms late':>15} {'proven':>8}")
    for machine in machines:
        accelerator = machine_of(machine)
        mapper.map(accelerator, LAYERS[2], edp, Budget(seconds=0.1), np.random.default_rng(0))
        for name, some in (("of networks", early), *((layer.name, [layer]) for layer in HUGE)):
            late, proven, limits = [], 0, (0.02, 0.1, 0.5)
            for layer, limit in itertools.product(some, limits):
                started = time.perf_counter()
                found = mapper.map(
                    accelerator, layer, edp, Budget(seconds=limit), np.random.default_rng(0)
                )
                late.append(time.perf_counter() - started - limit)
                proven += found.proven
            print(
                f"{machine:13} {name:18} {', '.join(map(str, limits)):>16} "
                f"{1e3 * max(late):15.0f} {proven:3}/{len(late):<4}",
                flush=True,
            )


def run_fronts(machine: str, limit: float, names: list[str]) -> None:
    """Print how much the best network EDP gains over the layers' own best EDPs."""
    print("\nnetwork      machine       points  seconds  sum of best EDPs  best network EDP   gain")
    tables = OrderTables()
    for network in networks():
        if names and network.name not in names:
            continue
        started = time.process_time()
        fronts, complete = [], True
        for layer in network.unique:
            space = machine_of(machine).mapspace(layer.einsum)
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


LAYERS = (
    conv("3x3", K=64, C=64, P=56, Q=56, R=3, S=3),
    conv("stem", K=64, C=3, P=112, Q=112, R=7, S=7, stride=(2, 2)),
    conv("1x1", K=64, C=256, P=56, Q=56),
    gemm("gemm", M=512, N=768, K=768),
)


def run_random(machine: str, most: int) -> None:
    """Best EDP of random search over the optimum, by mappings tried."""
    targets = [n for n in (10**4, 10**5, 10**6) if n <= most]
    heads = " ".join(f"{n:>8}" for n in targets)
    print(f"\n{'layer':10} {'optimum EDP':>13} {heads}  random search, machine {machine}")
    for layer in LAYERS:
        accelerator = machine_of(machine)
        space = accelerator.mapspace(layer)
        found = Solver(space).solve(Aim(1, 1))
        optimum = found.energy_pj * found.cycles
        rng, best, tried, marks = np.random.default_rng(0), np.inf, 0, []
        for target in targets:
            while tried < target:
                costs = accelerator.evaluate(layer, space.sample(10_000, rng))
                tried += 10_000
                edp = np.where(costs.feasible, costs.energy_pj * costs.cycles, np.inf)
                best = min(best, float(edp.min()))
            marks.append(best / optimum)
        print(
            f"{layer.name:10} {optimum:13.6e} " + " ".join(f"{m:8.2f}" for m in marks), flush=True
        )


def run_strategies(
    machine: str, names: list[str], layers: int, evaluations: int, seeds: int
) -> None:
    """Best EDP of every strategy over the optimum, each with equally many mappings priced."""
    registry = load_registry(third_party=False)
    accelerator = machine_of(machine)
    edp = registry.objective("edp")
    optima = []
    for layer in LAYERS[:layers]:
        found = Solver(accelerator.mapspace(layer)).solve(Aim(1, 1))
        optima.append(found.energy_pj * found.cycles)
    heads = " ".join(f"{layer.name:>8}" for layer in LAYERS[:layers])
    print(
        f"\nmedian over {seeds} seeds of the best EDP of {evaluations} mappings over the optimum, "
        f"machine {machine}\n{'strategy':18} {heads}   CPU s"
    )
    for name in names or registry.names("strategies"):
        started = time.process_time()
        ratios = []
        for layer, optimum in zip(LAYERS[:layers], optima, strict=True):
            best = [
                found_by(name, accelerator, layer, edp, evaluations, seed) for seed in range(seeds)
            ]
            ratios.append(statistics.median(best) / optimum)
        print(
            f"{name:18} " + " ".join(f"{ratio:8.2f}" for ratio in ratios)
            + f" {time.process_time() - started:7.1f}",
            flush=True,
        )  # fmt: skip


def found_by(
    name: str, machine: SpatialAccelerator, layer: Einsum, edp: Objective, evaluations: int,
    seed: int,
) -> float:  # fmt: skip
    """Return the EDP a strategy finds; infinite where it finds nothing, or is not installed."""
    budget = Budget(evaluations=evaluations)
    try:
        mapper = make_mapper(name, load_registry(third_party=False))
        mapped = mapper.map(machine, layer, edp, budget, np.random.default_rng(seed))
    except (Infeasible, MissingExtraError):
        return float("inf")
    return mapped.energy_pj * mapped.cycles


def run_timeloop(limit: float) -> None:
    """The four layers of tests/data/timeloop_mapper, both mapspaces."""
    import importlib.util
    from pathlib import Path

    here = Path(__file__).parents[1] / "tests/plugins/mappers/exact/test_against_timeloop.py"
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
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "what", nargs="?", default="all",
        choices=["all", "networks", "timeloop", "random", "strategies", "fronts", "limits"],
    )  # fmt: skip
    parser.add_argument("--machine", choices=MACHINES, action="append", default=[])
    parser.add_argument("--network", choices=NETWORKS, action="append", default=[])
    parser.add_argument("--goal", choices=sorted(POWERS), action="append", default=[])
    parser.add_argument("--limit", type=float, default=60.0, help="seconds a layer")
    parser.add_argument("--samples", type=int, default=100_000, help="of random search, at most")
    parser.add_argument(
        "--strategy",
        action="append",
        default=[],
        help="default: those that think little; all: every one",
    )
    parser.add_argument("--layers", type=int, default=2, help="that strategies map, of 4")
    parser.add_argument("--evaluations", type=int, default=1000, help="of each strategy")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    machines = given.machine or list(USUAL)
    if given.what in ("all", "networks"):
        run_networks(machines, given.goal or ["edp"], given.limit, given.network)
    if given.what == "timeloop":
        run_timeloop(given.limit)
    if given.what == "limits":
        run_limits(given.machine or list(MACHINES), 9)
    if given.what == "fronts":
        run_fronts(machines[0], given.limit, given.network)
    if given.what in ("all", "random"):
        run_random(machines[0], given.samples)
    if given.what in ("all", "strategies"):
        names = given.strategy or list(CHEAP)
        run_strategies(
            machines[0], [] if names == ["all"] else names, given.layers, given.evaluations,
            given.seeds,
        )  # fmt: skip


if __name__ == "__main__":
    main()
