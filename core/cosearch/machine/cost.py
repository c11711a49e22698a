"""What mappings cost: a batch of them in two numbers each, or one of them in every detail."""

from __future__ import annotations

import numpy as np
from attrs import field, frozen

from cosearch.typing import BoolArray, FloatArray, IntArray


@frozen(eq=False)
class CostBatch:
    """Costs of n mappings of one layer.

    Attributes:
        energy_pj: float64[n]; infinite where infeasible.
        cycles: float64[n], whole numbers; infinite where infeasible.
        feasible: bool[n].
        reason: int64[n]: index into `reasons`, 0 where feasible.
        reasons: what each number in `reason` means.
        excess: float64[n]: used over allowed of the rule that failed (> 1), 1 where feasible.
    """

    energy_pj: FloatArray
    cycles: FloatArray
    feasible: BoolArray
    reason: IntArray
    reasons: tuple[str, ...] = ("feasible",)
    excess: FloatArray = field()

    @excess.default
    def _no_excess(self) -> FloatArray:
        return np.ones(len(self.feasible))


@frozen
class TensorCost:
    """What one tensor does at one memory level.

    Attributes:
        tile_words: held by one instance.
        instances: used instances of the level.
        reads, fills, updates: words per used instance.
        energy_pj: of all used instances.
    """

    tensor: str
    tile_words: int
    instances: int
    reads: int
    fills: int
    updates: int
    energy_pj: float


@frozen
class LevelCost:
    """What happens at one memory level (or another part of the machine, without tensors).

    Attributes:
        cycles: that the level alone would need.
        energy_pj: accesses and leakage, all used instances.
        network_pj: of the network below.
        utilization: share of the capacity in use, 0 to 1; None where it is unlimited.
    """

    name: str
    cycles: float
    energy_pj: float
    leakage_pj: float = 0.0
    network_pj: float = 0.0
    utilization: float | None = None
    tensors: tuple[TensorCost, ...] = ()


@frozen
class Cost:
    """The full breakdown of one mapping.

    Attributes:
        energy_pj: of everything.
        cycles: of the layer.
        macs: multiply-accumulates done.
        compute_pj: energy of the multipliers.
        levels: memories, inner to outer, or the parts the model has.
        utilization: MACs over cycles times multipliers, 0 to 1.
        bound_by: the level (or `compute`) that decides the cycles.
        loops: the mapping as lines of an indented loop nest, outermost first.
    """

    energy_pj: float
    cycles: float
    macs: int
    compute_pj: float
    levels: tuple[LevelCost, ...]
    utilization: float
    bound_by: str
    loops: tuple[str, ...] = ()


@frozen
class PartialTiles:
    """What a mapping of a layer rounded up costs when its last tiles are partial instead.

    Attributes:
        energy_pj, cycles: with loops that end where the layer does; never more than the price of
            the layer rounded up.
        gap: proven relative distance, of the objective, to any other imperfect factors at most;
            None where nothing is proven.
    """

    energy_pj: float
    cycles: float
    gap: float | None = None
