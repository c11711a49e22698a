"""One machine: its mappings, and what they cost."""

import hashlib
import math

import numpy as np

from cosearch.errors import Infeasible
from cosearch.machine.cost import Cost, CostBatch, LevelCost
from cosearch.machine.hardware import Accelerator
from cosearch.search.parameters import Parameter, ParameterSpace

MAC_PJ, LANE_PJ, SCRATCHPAD_PJ, DRAM_PJ = 1.0, 0.2, 3.0, 200.0
SOURCE = "an example: relative to a multiply-accumulate of 1 pJ, no chip"
REASONS = ("feasible", "a block and its operands do not fit the scratchpad")
BLOCKS = tuple(2**i for i in range(11))


class VectorMachine(Accelerator):
    """Blocks of outputs stay in the scratchpad while the sum runs over slices of the depth.

    A mapping is a block of `rows` outputs and a slice of `depth` terms. Of each slice the block's
    operands are loaded: one vector of coefficients, and for each row its own.
    """

    clock_mhz = 800.0
    default_mapper = "random"

    def __init__(self, lanes, scratchpad, port):
        self.lanes, self.scratchpad, self.port = lanes, scratchpad, port
        self.name = f"vector-{lanes}-{scratchpad}-{port}"
        self.area_mm2 = 0.02 * lanes + 0.0002 * scratchpad + 0.1 * port
        self.sources = {"energy": SOURCE, "area": SOURCE, "clock": SOURCE}

    @property
    def key(self):
        text = f"vector 1 {self.lanes} {self.scratchpad} {self.port}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def mapspace(self, layer):
        """Return the blocks that a layer can be cut into; no larger than it is, rounded up."""
        if layer.operation:
            raise Infeasible(f"layer {layer.name!r} is no product")
        outputs, depth = _shape(layer)
        return ParameterSpace(
            (
                Parameter("rows", _up_to(outputs), doc="outputs of a block"),
                Parameter("depth", _up_to(depth), doc="terms of a slice"),
            )
        )

    def evaluate(self, layer, rows):
        """Price mappings, int64[n, 2]; float64 throughout, so that a batch adds up as one does."""
        parts = self._parts(layer, rows)
        ok = parts["words"] <= self.scratchpad
        energy = parts["compute"] + parts["lanes"] + parts["near"] + parts["far"]
        return CostBatch(
            np.where(ok, energy, np.inf),
            np.where(ok, parts["cycles"], np.inf),
            ok,
            np.where(ok, 0, 1),
            REASONS,
            np.maximum(1.0, parts["words"] / self.scratchpad),
        )

    def explain(self, layer, row):
        """Return where energy and cycles of one mapping go."""
        parts = {name: float(value[0]) for name, value in self._parts(layer, row[None, :]).items()}
        energy = parts["compute"] + parts["lanes"] + parts["near"] + parts["far"]
        cycles = parts["cycles"]
        levels = (
            LevelCost("lanes", parts["steps"], parts["lanes"]),
            LevelCost(
                "scratchpad", parts["steps"], parts["near"],
                utilization=min(1.0, parts["words"] / self.scratchpad),
            ),
            LevelCost("DRAM", parts["loading"], parts["far"]),
        )  # fmt: skip
        bound = "compute" if parts["steps"] >= parts["loading"] else "DRAM"
        used = min(1.0, layer.macs / (cycles * self.lanes))
        return Cost(energy, cycles, layer.macs, parts["compute"], levels, used, bound)

    def floor(self, layer):
        """Return energy and cycles that no mapping undercuts: every result is written once."""
        outputs, _ = _shape(layer)
        energy = (MAC_PJ + LANE_PJ) * layer.macs + DRAM_PJ * outputs
        return energy, math.ceil(layer.macs / self.lanes)

    def _parts(self, layer, rows):
        """Return by name what mappings need, float64[n] each."""
        outputs, terms = _shape(layer)
        columns = self.mapspace(layer).columns(rows)
        block, slice_ = columns["rows"].astype(float), columns["depth"].astype(float)
        blocks, slices = np.ceil(outputs / block), np.ceil(terms / slice_)
        loaded = blocks * slices * (block * slice_ + slice_)
        moved = loaded + outputs
        steps = blocks * slices * slice_ * np.ceil(block / self.lanes)
        loading = np.ceil(moved / self.port)
        one = np.ones(len(rows))
        return {
            "words": block * slice_ + slice_ + block,
            "compute": MAC_PJ * layer.macs * one,
            "lanes": LANE_PJ * layer.macs * one,
            "near": SCRATCHPAD_PJ * (2.0 * layer.macs + moved),
            "far": DRAM_PJ * moved,
            "steps": steps,
            "loading": loading,
            "cycles": np.maximum(steps, loading),
        }


def _shape(layer):
    """Return the outputs of a layer and the terms of each one's sum."""
    outputs = math.prod(layer.bounds[dim] for dim in layer.output.dims)
    return outputs, layer.macs // outputs


def _up_to(n):
    return tuple(b for b in BLOCKS if b < 2 * n)
