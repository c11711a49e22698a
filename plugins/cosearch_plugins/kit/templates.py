"""What `cosearch plugin new` writes: `@NAME@`, `@MODULE@` and `@CLASS@` are replaced."""

from __future__ import annotations

PROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "cosearch-@NAME@"
version = "0.1.0"
description = "@NAME@, a plugin for cosearch."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["cosearch"]

[project.entry-points.cosearch]
@MODULE@ = "@MODULE@"

[tool.hatch.build.targets.wheel]
packages = ["src/@MODULE@"]

[tool.pytest.ini_options]
testpaths = ["tests"]
"""

README = """\
# @NAME@

A plugin for cosearch: @ABOUT@.

    pip install -e .            # found by its entry point from now on
    cosearch plugin check @NAME@
    pytest
@TRY@
"""

TEST = '''\
"""The conformance kit of cosearch, and what only this plugin promises."""

from cosearch_plugins.kit.check import check_named

from cosearch.hooks.discovery import load_registry


def test_it_conforms():
    found = check_named(load_registry(), "@NAME@")
    assert found
    assert [(each.check, each.why) for each in found if each.why] == []
'''

HARDWARE = '''\
"""A machine declared level by level; cosearch maps, prices, searches and reports it."""

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.architecture import Architecture, Compute, Memory
from cosearch.machine.hardware import HardwareModel
from cosearch.machine.technology import UNPRICED, priced
from cosearch.registry.registration import Registration, hookimpl
from cosearch.search.parameters import Parameter, ParameterSpace, Rule

PRICES = Parameter("prices", ("eyeriss-chip",), free=True, plugin="technologies")


class @CLASS@(HardwareModel):
    """A row of multipliers with registers, one SRAM and DRAM."""

    name = "@NAME@"
    options = ParameterSpace((PRICES,))
    space = ParameterSpace(
        (
            Parameter("multipliers", (4, 8, 16, 32), 16, doc="in the row"),
            Parameter("registers", (8, 16, 32), 16, "words", "of each multiplier"),
            Parameter("sram_kb", (4, 8, 16, 32), 8, "KB", "shared by all"),
        ),
        (
            Rule(
                "the registers together are larger than the SRAM",
                lambda c: c["multipliers"] * c["registers"] * 16 <= c["sram_kb"] * 8192,
            ),
        ),
    )

    def __init__(self, prices):
        self.technology = prices

    def build(self, configuration):
        chosen = self.check(configuration)
        row = chosen["multipliers"]
        sram = chosen["sram_kb"] * 8192 // 16
        machine = Architecture(
            "@NAME@",
            (
                Memory("registers", chosen["registers"], UNPRICED, 16, mesh_x=row),
                Memory("sram", sram, UNPRICED, 16, read_bandwidth=row, write_bandwidth=row),
                Memory("DRAM", None, UNPRICED, 16, shared_bandwidth=4.0, is_dram=True),
            ),
            Compute(0.0, mesh_x=row, word_bits=16),
            clock_mhz=200.0,
            sources={"clock": "a scaffold: replace it by your machine's"},
        )
        return SpatialAccelerator(priced(machine, self.technology, kinds={"registers": "regfile"}))


@hookimpl
def cosearch_hardware_models():
    return [Registration("@NAME@", @CLASS@, "a row of multipliers, one SRAM")]
'''

ACCELERATOR = '''\
"""A machine with a mapspace and a cost model of its own."""

import hashlib

import numpy as np

from cosearch.errors import Infeasible
from cosearch.machine.cost import Cost, CostBatch, LevelCost
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.registry.registration import Registration, hookimpl
from cosearch.search.parameters import Parameter, ParameterSpace

REASONS = ("feasible", "the tile does not fit the scratchpad")
SOURCE = "a scaffold: replace it by your table"
MAC_PJ, NEAR_PJ, FAR_PJ = 1.0, 2.0, 100.0


class @CLASS@(HardwareModel):
    """Lanes that share a scratchpad in front of a memory."""

    name = "@NAME@"
    space = ParameterSpace(
        (
            Parameter("lanes", (4, 8, 16, 32), 8, doc="multipliers"),
            Parameter("words", (64, 256, 1024), 256, "words", "of the scratchpad"),
        )
    )

    def build(self, configuration):
        return Machine(**self.check(configuration))


class Machine(Accelerator):
    clock_mhz = 500.0
    default_mapper = "random"

    def __init__(self, lanes, words):
        self.lanes, self.words = lanes, words
        self.name = f"@NAME@-{lanes}x{words}"
        self.area_mm2 = 0.002 * lanes + 0.0001 * words
        self.sources = {"energy": SOURCE, "area": SOURCE, "clock": SOURCE}

    @property
    def key(self):
        """Everything that changes a cost is in it; raise the version with the formulas."""
        return hashlib.sha256(f"@NAME@ 1 {self.lanes} {self.words}".encode()).hexdigest()[:16]

    def mapspace(self, layer):
        """Return how a layer may be cut: how many results at once, over how many lanes."""
        if not layer.macs:
            raise Infeasible(f"layer {layer.name!r} multiplies nothing")
        return ParameterSpace(
            (
                Parameter("tile", tuple(2**i for i in range(9)), doc="results held at once"),
                Parameter("used", (1, 2, 4, 8, 16, 32), doc="lanes"),
            )
        )

    def evaluate(self, layer, rows):
        """Price mappings, int64[n, 2], all at once."""
        columns = self.mapspace(layer).columns(rows)
        tile, used = columns["tile"], np.minimum(columns["used"], self.lanes)
        needed = 3.0 * tile
        ok = needed <= self.words
        far = 3.0 * layer.macs / tile
        energy = MAC_PJ * layer.macs + NEAR_PJ * 3.0 * layer.macs + FAR_PJ * far
        cycles = np.ceil(np.maximum(layer.macs / used, far / 4.0))
        return CostBatch(
            np.where(ok, energy, np.inf),
            np.where(ok, cycles, np.inf),
            ok,
            np.where(ok, 0, 1),
            REASONS,
            np.maximum(1.0, needed / self.words),
        )

    def explain(self, layer, row):
        """Say where the energy of one mapping goes; its sum is what `evaluate` says."""
        costs = self.evaluate(layer, row[None, :])
        energy, cycles = float(costs.energy_pj[0]), float(costs.cycles[0])
        compute, near = MAC_PJ * layer.macs, NEAR_PJ * 3.0 * layer.macs
        levels = (
            LevelCost("scratchpad", cycles, near),
            LevelCost("memory", cycles, energy - compute - near),
        )
        used = layer.macs / (cycles * self.lanes)
        return Cost(energy, cycles, layer.macs, compute, levels, min(1.0, used), "memory")


@hookimpl
def cosearch_hardware_models():
    return [Registration("@NAME@", @CLASS@, "lanes, a scratchpad and a memory")]
'''

STRATEGY = '''\
"""A search strategy: two verbs, on any space."""

import numpy as np

from cosearch.registry.registration import Registration, hookimpl
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.search.strategy import Strategy
from cosearch.search.unseen import Unseen

RESTART = Parameter("restart", (5, 10, 20, 50), 20, doc="one point in so many is drawn at random")


class @CLASS@(Strategy):
    """Asks for neighbours of the best point so far, and for a random point now and then."""

    options = ParameterSpace((RESTART,))

    def __init__(self, space, rng, *, restart=20):
        super().__init__(space, rng)
        self.restart = restart
        self.unseen = Unseen(space)
        self.best_row, self.best_loss = None, np.inf

    def ask(self, n):
        return np.concatenate([self._one() for _ in range(n)])

    def _one(self):
        if self.best_row is not None and self.rng.integers(self.restart) > 0:
            around = np.repeat(self.best_row[None, :], 32, axis=0)
            found = self.unseen.take(self.space.perturb(around, self.rng), 1)
            if len(found):
                return found
        return self.unseen.draw(1, self.rng)

    def tell(self, rows, losses, feasible, violations=None):
        told = self.checked(rows, losses, feasible, violations)
        self.unseen.mark(told.rows)
        if len(told.loss) and told.loss.min() < self.best_loss:
            best = int(told.loss.argmin())
            self.best_row, self.best_loss = told.rows[best], told.loss[best]


@hookimpl
def cosearch_strategies():
    return [Registration("@NAME@", @CLASS@, "steps from the best so far")]
'''

WORKLOAD = '''\
"""A network, layer by layer."""

from cosearch.registry.registration import Registration, hookimpl
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.workload.einsum import conv, gemm
from cosearch.workload.network import Layer, Network, Workload


class @CLASS@(Workload):
    """Two convolutions and a product."""

    options = ParameterSpace((Parameter("batch", (1, 1024), free=True, doc="images at once"),))

    def __init__(self, batch=1):
        self.batch = batch

    def network(self):
        n = self.batch
        layers = (
            conv("c1", N=n, K=16, C=3, P=16, Q=16, R=3, S=3),
            conv("c2", N=n, K=32, C=16, P=8, Q=8, R=3, S=3),
            gemm("out", M=n, N=10, K=2048),
        )
        return Network("@NAME@", tuple(map(Layer, layers)), source="a scaffold")


@hookimpl
def cosearch_workloads():
    return [Registration("@NAME@", @CLASS@, "two convolutions and a product")]
'''

NETWORK_SPACE = '''\
"""A space of networks, each with an accuracy that says where it comes from."""

import numpy as np

from cosearch.registry.registration import Registration, hookimpl
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.workload.einsum import conv, gemm
from cosearch.workload.network import Layer, Network, NetworkSpace


class @CLASS@(NetworkSpace):
    """Convolutions of a width, and so many of them."""

    accuracy_is = "estimated"
    accuracy_note = "a scaffold's formula; measure, and replace it"
    space = ParameterSpace(
        (
            Parameter("width", (8, 16, 32), 16, doc="channels"),
            Parameter("depth", (1, 2, 3, 4), 2, doc="convolutions"),
        )
    )

    def build(self, row):
        chosen = self.space.decode(row)
        width = chosen["width"]
        first = Layer(conv("first", N=1, K=width, C=3, P=16, Q=16, R=3, S=3))
        body = Layer(conv("body", N=1, K=width, C=width, P=16, Q=16, R=3, S=3), chosen["depth"])
        last = Layer(gemm("last", M=1, N=10, K=width))
        return Network("@NAME@", (first, body, last), source="a scaffold")

    def accuracy(self, rows):
        columns = self.space.columns(rows)
        return 90.0 - 40.0 / np.sqrt(columns["width"] * (1.0 + columns["depth"]))


@hookimpl
def cosearch_network_spaces():
    return [Registration("@NAME@", @CLASS@, "convolutions of a width and a depth")]
'''

TECHNOLOGY = '''\
"""What memories and multipliers cost, each with its source."""

from cosearch.errors import CosearchError
from cosearch.machine.architecture import AccessEnergy
from cosearch.machine.technology import ComputePrice, StoragePrice, Technology
from cosearch.registry.registration import Registration, hookimpl

SOURCE = "a scaffold: replace it by a table with a citation"


class @CLASS@(Technology):
    """Energy grows with the square root of a memory's size, area with its size."""

    name = "@NAME@"

    def storage(self, part):
        if part.depth is None:
            energy = 20.0 * part.width_bits
            return StoragePrice(AccessEnergy.uniform(energy), 0.0, SOURCE, SOURCE)
        bits = part.depth * part.width_bits
        energy = 0.01 * part.width_bits * (1.0 + (bits / 8192) ** 0.5)
        return StoragePrice(AccessEnergy.uniform(energy), 0.5 * bits, SOURCE, SOURCE)

    def compute(self, bits, name="MAC"):
        if bits > 64:
            raise CosearchError(f"@NAME@ prices no {name} of {bits} bits")
        return ComputePrice(0.002 * bits * bits, 2.0 * bits * bits, SOURCE, SOURCE)


@hookimpl
def cosearch_technologies():
    return [Registration("@NAME@", @CLASS@, "formulas of a scaffold")]
'''

EXECUTOR = '''\
"""Where designs are evaluated: here, in threads of this process."""

from concurrent.futures import ThreadPoolExecutor, as_completed

from cosearch.registry.registration import Registration, hookimpl
from cosearch.study.executor import Executor


class @CLASS@(Executor):
    """Evaluates designs as they come; replace the pool by your cluster's client."""

    elsewhere = False

    def __init__(self, task, workers, trial_seconds):
        super().__init__(task, workers, trial_seconds)
        self.pool = ThreadPoolExecutor(1)  # machines of one task are not shared by threads

    def run(self, designs):
        """Yield each design with its outcome, as they finish."""
        running = {self.pool.submit(self.task, design): design for design in designs}
        for done in as_completed(running):
            yield running[done], done.result()

    def close(self):
        self.pool.shutdown(cancel_futures=True)


@hookimpl
def cosearch_executors():
    return [Registration("@NAME@", @CLASS@, "a thread of this process")]
'''

READER = '''\
"""A reader of workload files: it answers for its own kind of file, and passes on others."""

from cosearch.errors import InputError
from cosearch.registry.registration import hookimpl
from cosearch.workload.einsum import gemm
from cosearch.workload.network import Layer, Network

SUFFIX = ".@MODULE@"
"""Lines of `name M N K`."""


@hookimpl
def cosearch_read_workload(path, sizes):
    """Return the network in a file of products, or None for any other file."""
    if path.suffix != SUFFIX:
        return None
    layers = []
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if len(words) != 4 or not all(word.isdigit() and int(word) for word in words[1:]):
            raise InputError(f"{path}:{number}", ["is not `name M N K`"])
        m, n, k = map(int, words[1:])
        layers.append(Layer(gemm(words[0], M=m, N=n, K=k)))
    return Network(path.stem, tuple(layers), source=str(path))
'''

KINDS: dict[str, tuple[str, str, str]] = {
    "hardware": (HARDWARE, "a machine declared level by level",
                 "    cosearch map gemm:M=64,N=64,K=64 -H @NAME@\n"),
    "accelerator": (ACCELERATOR, "a machine with a cost model of its own",
                    "    cosearch map gemm:M=64,N=64,K=64 -H @NAME@\n"),
    "strategy": (STRATEGY, "a search strategy",
                 "    cosearch compare -s @NAME@ -s random alexnet:conv5 -H eyeriss --trials 30\n"),
    "workload": (WORKLOAD, "a network", "    cosearch show workload @NAME@\n"),
    "network-space": (NETWORK_SPACE, "a space of networks", ""),
    "technology": (TECHNOLOGY, "what memories and multipliers cost",
                   "    cosearch show technology @NAME@\n"),
    "executor": (EXECUTOR, "a place to evaluate designs",
                 "    cosearch run gemm:M=64,N=64,K=64 -H eyeriss --executor @NAME@\n"),
    "reader": (READER, "a reader of workload files", ""),
}  # fmt: skip
"""By `--kind`: the module, what it is, and what to try."""
