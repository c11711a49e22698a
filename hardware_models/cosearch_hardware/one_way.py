"""Machines that leave a mapper no choice: each layer's place says how it is run."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from cosearch.machine.cost import CostBatch
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Rows
from cosearch.workload.einsum import Axis, Einsum, Tensor


class OneWayAccelerator(Accelerator):
    """A machine with one mapping a layer: what is searched is where layers run, not how."""

    default_mapper: ClassVar[str] = "exhaustive"

    def mapspace(self, layer: Einsum) -> ParameterSpace:
        """Return the one mapping there is."""
        return ParameterSpace((Parameter("run", (layer.place or "here",)),))

    def evaluate(self, layer: Einsum, rows: Rows) -> CostBatch:
        """Price the one mapping, int64[n, 1]."""
        energy, cycles = self.floor(layer)
        n = len(rows)
        none = np.zeros(n, dtype=np.int64)
        return CostBatch(np.full(n, energy), np.full(n, cycles), np.ones(n, dtype=bool), none)

    @abstractmethod
    def floor(self, layer: Einsum) -> tuple[float, float]:
        """Return energy (pJ) and cycles of a layer, the only ones there are."""


class OneWayModel(HardwareModel):
    """A family of such machines, which price element-wise work as operations and traffic.

    Attributes:
        _space: the design space, made by the constructor.
    """

    _space: ParameterSpace

    @property
    def space(self) -> ParameterSpace:
        """The design space."""
        return self._space

    def left_out(self, layer: Einsum) -> str:
        """Return nothing: every layer is priced."""
        _ = layer
        return ""


def moving(name: str, operation: str, words: int, place: str) -> Einsum:
    """Return the layer that sends or converts so many words."""
    axis = (Axis((("W", 1),)),)
    tensors = (Tensor("Inputs", "Inputs", axis), Tensor("Outputs", "Outputs", axis))
    return Einsum(name, ("W",), (words,), tensors, operation, place)
