"""What one step of training costs on a chip of crossbars, by the rule that brings errors back.

- `backpropagation`: the error goes back through every layer's transposed weights, one layer after
  the other.
- `feedback-alignment`: the output's error reaches every layer at once through its own random matrix
  (direct feedback alignment), so that the backward pass takes as long as its slowest layer.

Afterwards the weights of layers that learn are programmed anew, all arrays at once. Frozen random
layers are never written and need no error of their own. Time and energy alone: nothing is said
about accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.mapping.mapper import Budget, Mapped
from cosearch.quantities import added
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import Einsum, gemm
from cosearch_hardware.crossbar.cut import cut
from cosearch_hardware.crossbar.machine import CrossbarAccelerator
from cosearch_hardware.gemm_view import gemm_view
from cosearch_plugins.mappers.exhaustive import Exhaustive

Rule: TypeAlias = Literal["backpropagation", "feedback-alignment"]
_LATENCY = next(o for o in OBJECTIVES if o.name == "latency")


@frozen
class Step:
    """One step of training.

    Attributes:
        forward, backward, update: cycles of each part.
        forward_pj, backward_pj, update_pj: its energy.
    """

    forward: float
    backward: float
    update: float
    forward_pj: float
    backward_pj: float
    update_pj: float

    @property
    def cycles(self) -> float:
        """Of the whole step."""
        return self.forward + self.backward + self.update

    @property
    def energy_pj(self) -> float:
        """Of the whole step."""
        return self.forward_pj + self.backward_pj + self.update_pj


def step(
    machine: CrossbarAccelerator,
    layers: Sequence[Einsum],
    rule: Rule,
    frozen_layers: Sequence[int] = (),
) -> Step:
    """Return what one step costs, every layer mapped for its least cycles.

    Args:
        machine: whose weights are resident.
        layers: in order, the last one's outputs are the network's.
        rule: how errors come back.
        frozen_layers: numbers of the layers that are random and never written.

    Raises:
        CosearchError: the machine programs weights before each layer.
    """
    if machine.streamed:
        raise CosearchError(
            "weights that learn are resident; this machine programs them before each layer",
            "use crossbar:weights=resident",
        )
    forward = [_mapped(machine, layer) for layer in layers]
    learning = [i for i in range(len(layers)) if i not in set(frozen_layers)]
    back = [_mapped(machine, layer) for layer in _errors(layers, rule, learning)]
    slowest = max((found.cycles for found in back), default=0.0)
    in_turn = added(found.cycles for found in back)
    rows, cells = _programmed(
        machine, [layers[i] for i in learning], [forward[i] for i in learning]
    )
    return Step(
        added(found.cycles for found in forward),
        in_turn if rule == "backpropagation" else slowest,
        float(rows * machine.chip.write),
        added(found.energy_pj for found in forward),
        added(found.energy_pj for found in back),
        cells * machine.prices.write,
    )


def _errors(layers: Sequence[Einsum], rule: Rule, learning: Sequence[int]) -> list[Einsum]:
    """Return the products that bring the error to the layers that need it."""
    if not learning:
        return []
    outputs = gemm_view(layers[-1]).size("N")
    if rule == "backpropagation":
        # The error of layer i - 1 comes through the transposed weights of layer i.
        return [_transposed(layer) for layer in layers[min(learning) + 1 :]]
    last = len(layers) - 1
    return [_from_the_output(layers[i], outputs) for i in learning if i != last]


def _transposed(layer: Einsum) -> Einsum:
    view = gemm_view(layer)
    M, N, K, B = (view.size(g) for g in ("M", "N", "K", "B"))
    return gemm(f"{layer.name}, back", M=M, N=K, K=N, B=B)


def _from_the_output(layer: Einsum, outputs: int) -> Einsum:
    view = gemm_view(layer)
    return gemm(f"{layer.name}, fed back", M=view.size("M"), N=view.size("N"), K=outputs)


def _mapped(machine: CrossbarAccelerator, layer: Einsum) -> Mapped:
    return Exhaustive().map(machine, layer, _LATENCY, Budget(), np.random.default_rng(0))


def _programmed(
    machine: CrossbarAccelerator, layers: Sequence[Einsum], found: Sequence[Mapped]
) -> tuple[int, int]:
    """Return the rows that the fullest array programs, and the cells of all layers."""
    rows = cells = 0
    for layer, mapped in zip(layers, found, strict=True):
        columns = machine.mapspace(layer).columns(mapped.row[None, :])
        of = cut(machine.chip, gemm_view(layer), columns)
        rows, cells = max(rows, int(of.rows[0])), cells + int(of.written[0])
    return rows, cells
