"""What a trial costs the engine: a study of a machine whose own work is next to nothing.

    python benchmarks/many_designs.py 100000 [--store FILE] [--batch 64]
    python benchmarks/many_designs.py 2000 --layers 100
    python benchmarks/many_designs.py 2000 --executor dask --workers 2 --strategy evolutionary
    python benchmarks/many_designs.py 6 --hardware eyeriss --networks alexnet,resnet50

Prints time, CPU time a trial, memory and the size of the store; then what resuming the study, going
through its trials and listing it take. The space has 2**20 designs. `--layers` is how many unlike
layers the network has. With `--hardware`, the CPU time that a random design of that machine takes
for each of some networks, mapped by its own mapper, in one process; two designs go first, so that
loading compiled code is not in it.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

MACHINE = """
import numpy as np
from cosearch.machine.cost import Cost, CostBatch, LevelCost
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.registry.registration import Registration, hookimpl
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.workload.einsum import gemm
from cosearch.workload.network import Layer, Network, Workload

ONE = ParameterSpace((Parameter("way", ("only",)),))


class Trivial(HardwareModel):
    name = "trivial"
    space = ParameterSpace(tuple(Parameter(f"p{i}", tuple(range(32))) for i in range(4)))

    def build(self, configuration):
        return Machine(tuple(self.check(configuration).values()))


class Machine(Accelerator):
    default_mapper = "random"
    name = "trivial"
    clock_mhz = 100.0
    sources = {"all": "made up for a benchmark"}

    def __init__(self, values):
        self.values = values
        self.area_mm2 = 1.0 + values[0]

    @property
    def key(self):
        return "trivial-" + "-".join(map(str, self.values))

    def mapspace(self, layer):
        return ONE

    def evaluate(self, layer, rows):
        a, b, c, d = self.values
        n = len(rows)
        energy = layer.macs * (1.0 + (a - 9) ** 2 + (b - 17) ** 2)
        cycles = layer.macs * (1.0 + (c - 5) ** 2 + (d - 30) ** 2)
        return CostBatch(np.full(n, float(energy)), np.full(n, float(cycles)),
                         np.ones(n, bool), np.zeros(n, np.int64), ("feasible",), np.ones(n))

    def explain(self, layer, row):
        found = self.evaluate(layer, row[None])
        energy, cycles = float(found.energy_pj[0]), float(found.cycles[0])
        level = LevelCost("memory", cycles, energy, utilization=0.5)
        return Cost(energy, cycles, layer.macs, 0.0, (level,), 0.5, "memory", ("all at once",))


class Wide(Workload):
    options = ParameterSpace((Parameter("layers", (1, 1000), 1, free=True),))

    def __init__(self, layers=1):
        self.layers = layers

    def network(self):
        sizes = range(1, self.layers + 1)
        return Network("wide", tuple(Layer(gemm(f"layer{n}", M=4, N=4, K=3 + n)) for n in sizes))


@hookimpl
def cosearch_workloads():
    return [Registration("wide", Wide, "as many layers as you like")]


@hookimpl
def cosearch_hardware_models():
    return [Registration("trivial", Trivial, "next to no work")]
"""


def main() -> None:
    """Run, resume and list a study; print what each took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("trials", type=int)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--strategy", default="random")
    parser.add_argument("--executor", default="serial")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--hardware", default="")
    parser.add_argument("--networks", default="resnet18")
    given = parser.parse_args()
    if given.hardware:
        for network in given.networks.split(","):
            print_cost(network, given.hardware, given.trials)
        return
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder) / "trivial.py"
        plugin.write_text(MACHINE, encoding="utf-8")
        measure(given, plugin, given.store or Path(folder) / "many.db")


def print_cost(network: str, hardware: str, designs: int) -> None:
    """Print what a random design takes for a network."""
    from cosearch.hooks.discovery import load_registry
    from cosearch.study.codesign import plan
    from cosearch.study.evaluation import evaluate

    problem = plan(load_registry(), network, hardware, "random")
    rng = np.random.default_rng(0)
    rows, _ = problem.space.sample_feasible(designs + 2, rng)
    taken = []
    for row in rows:
        started = time.process_time()
        evaluate(problem, problem.space.decode(row))
        taken.append(time.process_time() - started)
    took = taken[2:]
    spread = f"({min(took):.2f} to {max(took):.2f})"
    print(f"{network} on {hardware}: {sum(took) / designs:.2f} CPU s a design {spread}")


def measure(given: argparse.Namespace, plugin: Path, store: Path) -> None:
    """Print what the study costs."""
    from cosearch.hooks.discovery import load_registry
    from cosearch.mapping.mapper import Budget
    from cosearch.quantities import added
    from cosearch.store.store import Store
    from cosearch.study.codesign import Session, open_study, plan, resume_study, run

    registry = load_registry((str(plugin),))
    problem = plan(registry, f"wide:layers={given.layers}", "trivial", given.strategy,
                   mapper="random", mapper_evaluations=1, batch=given.batch)  # fmt: skip
    with Store(store) as opened:
        study = open_study(opened, registry, problem, Budget(trials=given.trials))
        wall, cpu = time.monotonic(), time.process_time()
        run(study, opened, registry, Session(given.workers, executor=given.executor))
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    evaluating = sum(trial.outcome.seconds for trial in study.in_order)
    a_trial = [f"{1e3 * seconds / given.trials:.3f} ms" for seconds in (wall, cpu, evaluating)]
    print(
        "{} trials: {:.1f} s; {}, {} of CPU a trial, evaluated in {}".format(
            given.trials, wall, *a_trial
        )
    )
    size = store.stat().st_size / 2**20
    print(f"memory {memory():.0f} MB, store {size:.1f} MB", flush=True)
    name, study = study.name, None
    started = time.process_time()
    with Store(store) as opened:
        study = resume_study(opened, registry, name, more_trials=1)
        loaded = time.process_time() - started
        run(study, opened, registry)
    took = time.process_time() - started
    print(f"resumed by one trial in {took:.2f} CPU s, of which {loaded:.2f} s loads it", flush=True)
    started = time.process_time()
    energy = added(trial.outcome.metrics["energy_pj"] for trial in study.in_order)
    took = time.process_time() - started
    print(f"gone through in {took:.2f} CPU s ({energy:.3g} pJ); memory {memory():.0f} MB at most")
    started = time.process_time()
    with Store(store, write=False) as opened:
        facts = [opened.summary(header.name) for header in opened.headers()]
    print(f"listed in {time.process_time() - started:.3f} CPU s: {facts}")


def memory() -> float:
    """Return the most memory this process had so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
