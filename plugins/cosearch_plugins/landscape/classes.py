"""Networks that run the same layers equally often, as one: nothing tells their costs apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.machine.hardware import HardwareModel
from cosearch.search.objective import Constraint
from cosearch.typing import FloatArray, IntArray, Rows
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import NetworkSpace

LIMIT = 2_000_000
"""Networks of the largest space that is enumerated."""


@frozen(eq=False)
class Classes:
    """Classes of networks with equal costs, each by its most accurate network.

    Attributes:
        layers: different ones that the machines price, float64[l] costs of which make a network's.
        counts: int64[k, l]: how often each class runs each layer.
        rows: int64[k, d]: the most accurate network of each class.
        accuracy: float64[k], per cent.
        members: int64[k]: networks of each class.
    """

    layers: tuple[Einsum, ...]
    counts: IntArray
    rows: Rows
    accuracy: FloatArray
    members: IntArray

    @classmethod
    def of(cls, networks: NetworkSpace, hardware: HardwareModel) -> Classes:
        """Return the classes of a whole space on a family of machines.

        Raises:
            CosearchError: the space is too large to enumerate.
        """
        space = networks.space
        if space.size > LIMIT:
            raise CosearchError(
                f"a space of {space.size:.3g} networks is too large to price every one ({LIMIT:,})",
                "use the scheme nested",
            )
        rows = space.unrank(np.arange(space.size))
        rows = rows[space.feasible(rows)]
        layers, counts = networks.counts(rows)
        priced = [not hardware.left_out(layer) for layer in layers]
        kept = tuple(layer for layer, is_priced in zip(layers, priced, strict=True) if is_priced)
        return cls._grouped(kept, counts[:, priced], rows, networks.accuracy(rows))

    @classmethod
    def _grouped(
        cls, layers: tuple[Einsum, ...], counts: IntArray, rows: Rows, accuracy: FloatArray
    ) -> Classes:
        """Return one class for each different row of counts; of equally accurate ones the first."""
        order = np.argsort(-accuracy, kind="stable")
        kinds, first, members = np.unique(
            counts[order], axis=0, return_index=True, return_counts=True
        )
        best = order[first]
        return cls(layers, kinds, rows[best], accuracy[best], members)

    def __len__(self) -> int:
        return len(self.counts)

    def within(self, constraints: Sequence[Constraint]) -> Classes:
        """Return the classes whose most accurate network meets the limits on the accuracy."""
        ok = np.ones(len(self), dtype=bool)
        for limit in constraints:
            if limit.name == "accuracy":
                ok &= limit.excess(self.accuracy) <= 0
        return self.only(np.flatnonzero(ok))

    def only(self, chosen: IntArray) -> Classes:
        """Return some of the classes, by number."""
        counts, rows = self.counts[chosen], self.rows[chosen]
        return Classes(self.layers, counts, rows, self.accuracy[chosen], self.members[chosen])

    def sums(self, costs: FloatArray) -> FloatArray:
        """Return the costs of every class, float64[..., k], of the layers' costs, float64[..., l].

        A layer that cannot be run (infinite cost) rules out the classes that run it.
        """
        counts = self.counts.T.astype(np.float64)
        lacking = ~np.isfinite(costs)
        total = np.where(lacking, 0.0, costs) @ counts
        if lacking.any():
            total = np.where(lacking.astype(np.float64) @ (counts > 0) > 0, np.inf, total)
        return np.asarray(total)
