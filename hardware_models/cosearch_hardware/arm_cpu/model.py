"""An Arm CPU as a hardware model: implementations are chosen for a whole chain of layers.

After LNE and its search (arXiv 2006.05181, 1811.07315), of which the abstracts are known here.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar, Final, cast

import numpy as np
from attrs import evolve, frozen

from cosearch.machine.cost import Cost, LevelCost
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Configuration, FloatArray, Rows
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Layer, Network
from cosearch_hardware.arm_cpu.chain import q_learning, shortest
from cosearch_hardware.arm_cpu.primitives import BY_PLACE, Primitive, needs, primitives
from cosearch_hardware.one_way import OneWayAccelerator, OneWayModel, moving
from cosearch_hardware.roofline import CLOCK_MHZ

CONVERT: Final = "convert"
SHORTEST, LEARNED = "shortest-path", "tabular-q"
INT8_GAIN: Final = 4
"""A dot-product instruction (Armv8.2 SDOT) does four 8-bit products where one of 32 bits fits."""


@frozen
class Core:
    """A kind of core.

    Attributes:
        macs: of 32-bit numbers a cycle.
        source: of the figure.
    """

    macs: int
    source: str


CORES: Final[Mapping[str, Core]] = {
    "cortex-a53": Core(
        4, "Arm Cortex-A53: one 128-bit pipe, 4 MACs of 32 bits a cycle at its peak"
    ),
    "cortex-a72": Core(4, "Arm, Cortex-A72 software optimization guide: 4 MACs of 32 bits a cycle"),
    "cortex-a76": Core(8, "Arm, Cortex-A76 software optimization guide: 8 MACs of 32 bits a cycle"),
}


@frozen
class Cpu:
    """The sizes of a CPU.

    Attributes:
        core: kind of its cores.
        cores: how many.
        mhz: clock.
        gbytes: memory bandwidth, 10^9 bytes a second.
        watts: of the whole, while it runs.
    """

    core: str
    cores: int
    mhz: int
    gbytes: float
    watts: float

    def nanoseconds(self, operations: float, moved: float, width: int) -> float:
        """Return the longer of computing and moving, for numbers of `width` bytes."""
        gain = INT8_GAIN if width == 1 else 1
        rate = self.cores * self.mhz * 1e-3 * CORES[self.core].macs * gain
        return max(operations / rate, moved / self.gbytes)

    def converting(self, words: int, before: Primitive, after: Primitive) -> float:
        """Return the time of a tensor's change of layout or width: read once, written once."""
        if (before.layout, before.bytes) == (after.layout, after.bytes):
            return 0.0
        return words * (before.bytes + after.bytes) / self.gbytes


class ArmAccelerator(OneWayAccelerator):
    """One CPU; cycles are nanoseconds. A layer's place names its implementation and layout.

    Args:
        cpu: sizes.
    """

    def __init__(self, cpu: Cpu) -> None:
        self.cpu = cpu
        self.name = f"{cpu.cores} {cpu.core} at {cpu.mhz} MHz"
        self.area_mm2, self.clock_mhz = math.nan, CLOCK_MHZ
        self.sources: Mapping[str, str] = {
            "rates": CORES[cpu.core].source,
            "bandwidth and power": "as the user states them",
            "winograd": "Lavin and Gray, CVPR 2016: F(2x2, 3x3)",
        }
        self.sketch = (
            f"memory  {cpu.gbytes:g} GB/s",
            f"└── {cpu.cores} x {cpu.core}  {CORES[cpu.core].macs} MACs a cycle each",
        )

    @property
    def key(self) -> str:
        """A digest of the sizes."""
        return hashlib.sha256(repr(self.cpu).encode()).hexdigest()[:16]

    def time(self, layer: Einsum) -> float:
        """Return the nanoseconds of a layer at its place; the first way to run it without one."""
        if layer.operation == CONVERT:
            before, after = (BY_PLACE[place] for place in layer.place.split(" to "))
            return self.cpu.converting(layer.words(layer.output), before, after)
        way = BY_PLACE[layer.place] if layer.place else primitives(layer, int8=False)[0]
        return self.cpu.nanoseconds(*needs(layer, way), way.bytes)

    def floor(self, layer: Einsum) -> tuple[float, float]:
        """Return energy (pJ) and nanoseconds of a layer."""
        cycles = float(max(math.ceil(self.time(layer)), 1))
        return cycles * self.cpu.watts * 1e3, cycles

    def explain(self, layer: Einsum, row: Rows) -> Cost:  # noqa: ARG002 - there is one
        """Return the breakdown."""
        energy, cycles = self.floor(layer)
        if layer.operation == CONVERT:
            level = LevelCost("memory", cycles, energy)
            return Cost(energy, cycles, 0, 0.0, (level,), 0.0, "memory", (f"{layer.place}",))
        way = BY_PLACE[layer.place] if layer.place else primitives(layer, int8=False)[0]
        operations, moved = needs(layer, way)
        computing = self.cpu.nanoseconds(operations, 0.0, way.bytes)
        busy = min(computing / cycles, 1.0)
        level = LevelCost("memory", math.ceil(moved / self.cpu.gbytes), energy - energy * busy)
        bound = "compute" if computing >= moved / self.cpu.gbytes else "memory"
        loops = (f"{way.name}, {way.layout}, {8 * way.bytes} bits",)
        return Cost(energy, cycles, layer.macs, energy * busy, (level,), busy, bound, loops)


class ArmCpu(OneWayModel):
    """Cores, clock and memory; the implementations of a network's layers are their shortest path.

    Args:
        int8: whether layers may be computed in 8 bits, which changes the result.
        gbytes: memory bandwidth, 10^9 bytes a second.
        watts: of the CPU while it runs.
        choice: of implementations: the `shortest-path`, or what the papers' learner, `tabular-q`,
            finds in so many episodes (seed 0).
        episodes: of the learner.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter("int8", (False, True), doc="allow 8 bits: changes what is computed"),
            Parameter("gbytes", (0.1, 1e3), 12.8, "GB/s", "of the memory", free=True),
            Parameter("watts", (0.01, 1e3), 3.0, "W", "of the CPU while it runs", free=True),
            Parameter("choice", (SHORTEST, LEARNED), doc="who chooses implementations"),
            Parameter("episodes", (1, 100_000), 1000, "", "of the learner", free=True),
        )
    )

    def __init__(
        self,
        *,
        int8: bool = False,
        gbytes: float = 12.8,
        watts: float = 3.0,
        choice: str = SHORTEST,
        episodes: int = 1000,
    ) -> None:
        self._int8, self._gbytes, self._watts = int8, gbytes, watts
        self._episodes = episodes if choice == LEARNED else 0
        self._space = ParameterSpace(
            (
                Parameter("core", tuple(CORES), "cortex-a72", doc="kind of core"),
                Parameter("cores", (1, 2, 4), 4, "", "how many"),
                Parameter("mhz", (600, 1000, 1500, 1800, 2400), 1500, "MHz", "clock"),
            )
        )
        self._placed = lru_cache(maxsize=256)(self._choose)

    @property
    def name(self) -> str:
        """As users write it."""
        return "arm-cpu"

    def placed(self, network: Network, configuration: Configuration) -> Network:
        """Return the network with the implementations chosen for it, and their conversions.

        Layers are a chain in order of execution; the second operand of an addition is taken to
        lie in the layout of the first.
        """
        return self._placed(network, self._cpu(configuration))

    def _choose(self, network: Network, cpu: Cpu) -> Network:
        runs = [layer.einsum for layer in network.layers for _ in range(layer.count)]
        ways = [primitives(einsum, int8=self._int8) for einsum in runs]
        costs, moves = chain_of(cpu, runs, ways)
        if self._episodes:
            choice, _ = q_learning(costs, moves, self._episodes, np.random.default_rng(0))
        else:
            choice, _ = shortest(costs, moves)
        chosen = [way[i] for way, i in zip(ways, choice, strict=True)]
        layers: list[Layer] = []
        for i, (einsum, way) in enumerate(zip(runs, chosen, strict=True)):
            before = chosen[i - 1] if i else way
            if cpu.converting(1, before, way):
                words = runs[i - 1].words(runs[i - 1].output)
                place = f"{before.place} to {way.place}"
                layers.append(Layer(moving(f"{CONVERT} {i}", CONVERT, words, place)))
            layers.append(Layer(evolve(einsum, place=way.place)))
        return evolve(network, layers=tuple(layers), links=())

    def _cpu(self, configuration: Configuration) -> Cpu:
        values = self._space.complete(configuration)
        sizes = cast("int", values["cores"]), cast("int", values["mhz"])
        return Cpu(cast("str", values["core"]), *sizes, self._gbytes, self._watts)

    def build(self, configuration: Configuration) -> ArmAccelerator:
        """Return the CPU."""
        return ArmAccelerator(self._cpu(self.check(configuration)))


def chain_of(
    cpu: Cpu, runs: list[Einsum], ways: list[tuple[Primitive, ...]]
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return the times of each layer's implementations, and of conversions between neighbours."""
    machine = ArmAccelerator(cpu)
    costs = [
        np.array([machine.floor(evolve(einsum, place=way.place))[1] for way in own])
        for einsum, own in zip(runs, ways, strict=True)
    ]
    moves = []
    for einsum, own, following in zip(runs, ways, ways[1:], strict=False):
        words = einsum.words(einsum.output)
        times = [[math.ceil(cpu.converting(words, a, b)) for b in following] for a in own]
        moves.append(np.array(times, dtype=np.float64))
    return costs, moves
