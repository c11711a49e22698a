"""A machine with a cost model of its own: one buffer, some PEs, closed forms for everything."""

from __future__ import annotations

import hashlib
import os
import signal
import time

import numpy as np

from cosearch.errors import Infeasible
from cosearch.machine.cost import Cost, CostBatch, LevelCost
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.registry.registration import Registration, hookimpl
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.search.strategy import Strategy

FAULTS = (
    "none",
    "raise",
    "nan",
    "negative",
    "shape",
    "hang",
    "die",
    "lie",
    "build",
    "area",
    "slow",
)


@hookimpl
def cosearch_hardware_models():
    return [Registration("toy", Toy, "one buffer, some PEs")]


@hookimpl
def cosearch_strategies():
    return [Registration("toy-grid", Grid, "every point in order")]


@hookimpl
def cosearch_trial_finished(study, trial):
    if os.environ.get("TOY_OBSERVER") == "raises":
        raise RuntimeError("the observer is broken")


class Toy(HardwareModel):
    options = ParameterSpace((Parameter("fault", FAULTS, "none"),))
    space = ParameterSpace(
        (
            Parameter("pes", (1, 2, 4, 8, 16, 32), 2, doc="multipliers"),
            Parameter("buffer", (8, 16, 32, 64, 128, 256), 32, unit="words"),
            Parameter("bits", (8, 16), 16),
        )
    )
    name = "toy"

    def __init__(self, fault="none"):
        self.fault = fault

    def build(self, configuration):
        values = self.check(configuration)
        if values["pes"] * values["buffer"] > 4096:
            raise Infeasible(
                "the buffer has too many ports", {"ports": values["pes"] * values["buffer"] / 4096}
            )
        faulty = self.fault if values["pes"] == 4 else "none"
        if faulty == "build":
            raise ZeroDivisionError("no such machine")
        return ToyAccelerator(**values, fault=faulty, slow=self.fault == "slow")


class ToyAccelerator(Accelerator):
    default_mapper = "random"
    clock_mhz = 200.0

    def __init__(self, pes, buffer, bits, fault="none", slow=False):
        self.pes, self.buffer, self.bits = pes, buffer, bits
        self.fault, self.slow = fault, slow
        self.name = f"toy-{pes}x{buffer}"
        self.area_mm2 = -1.0 if fault == "area" else (pes * 0.1 + buffer * 0.01) * bits / 16
        self.sources = {"buffer": "made up for tests", "PE": "made up for tests"}

    @property
    def key(self):
        text = f"toy {self.pes} {self.buffer} {self.bits} {self.fault}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def mapspace(self, layer):
        if layer.macs < 8:
            raise Infeasible(
                f"layer {layer.name!r} is too small for a toy", {"MACs": 8 / layer.macs}
            )
        tiles = tuple(t for t in range(1, 65) if layer.macs % t == 0)
        return ParameterSpace(
            (
                Parameter("tile", tiles),
                Parameter("spread", tuple(2**i for i in range(6))),
                Parameter("order", ("weights", "inputs", "outputs")),
            )
        )

    def evaluate(self, layer, rows):
        self._misbehave()
        columns = self.mapspace(layer).columns(rows)
        words, spread = 3 * columns["tile"], columns["spread"]
        order = rows[:, 2] + 1
        energy = (
            layer.macs * (self.bits / 16) * (1.0 + self.buffer**0.5 / 4)
            + layer.macs / columns["tile"] * 20.0 * order
        )
        cycles = np.maximum(-(-layer.macs // spread), layer.macs // columns["tile"]).astype(float)
        reason = np.where(words > self.buffer, 1, np.where(spread > self.pes, 2, 0))
        excess = np.maximum(1.0, np.maximum(words / self.buffer, spread / self.pes))
        ok = reason == 0
        costs = CostBatch(
            np.where(ok, energy, np.inf),
            np.where(ok, cycles, np.inf),
            ok,
            reason,
            ("feasible", "the buffer overflows", "there are too few PEs"),
            excess,
        )
        return self._spoilt(costs)

    def explain(self, layer, row):
        costs = self.evaluate(layer, row[None, :])
        energy, cycles = float(costs.energy_pj[0]), float(costs.cycles[0])
        energy *= 1.5 if self.fault == "lie" else 1.0
        compute = layer.macs * self.bits / 16
        return Cost(
            energy,
            cycles,
            layer.macs,
            compute,
            (LevelCost("buffer", cycles, energy - compute, utilization=0.5),),
            layer.macs / (cycles * self.pes),
            "buffer",
            ("for tile in DRAM", "  for x in PEs"),
        )

    def _misbehave(self):
        if self.fault == "raise":
            raise ValueError("toys break")
        if self.fault == "hang":
            time.sleep(3600)
        if self.fault == "die":
            if os.environ.get("TOY_DIE") == "parent":
                os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
        if self.slow:
            time.sleep(0.02)

    def _spoilt(self, costs):
        energy = costs.energy_pj
        if self.fault == "nan":
            energy = np.where(costs.feasible, np.nan, np.inf)
        elif self.fault == "negative":
            energy = -energy
        elif self.fault == "shape":
            energy = energy[:-1]
        return CostBatch(
            energy, costs.cycles, costs.feasible, costs.reason, costs.reasons, costs.excess
        )


class Grid(Strategy):
    """Every point in order, several objectives too; options make it misbehave."""

    options = ParameterSpace(
        (
            Parameter("fault", ("none", "shape", "outside", "ask", "tell", "twice", "change")),
            Parameter("start", (0, 1000000), 0, free=True),
        )
    )
    multi_objective = True

    def __init__(self, space, rng, fault="none", start=0):
        super().__init__(space, rng)
        self.fault, self.at = fault, start
        if fault == "change":
            self.at += int(os.environ.get("TOY_CHANGE", "0"))

    def ask(self, n):
        if self.fault == "ask":
            raise RuntimeError("no idea")
        if self.fault == "shape":
            return np.zeros((n, 99))
        cards = tuple(int(c) for c in self.space.cardinalities)
        stop = min(self.at + n, self.space.size)
        numbers = np.arange(self.at, stop)
        self.at = stop
        if self.fault == "twice":
            numbers = numbers // 2
        rows = np.stack(np.unravel_index(numbers, cards), axis=1).astype(np.int64)
        return rows + 100 if self.fault == "outside" and self.at < 10 else rows

    def tell(self, rows, losses, feasible, violations=None):
        if self.fault == "tell":
            raise RuntimeError("cannot learn")
        self.checked(rows, losses, feasible, violations)
