"""The space of all mappings of one layer on one machine, as rows of small integers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cosearch.errors import CosearchError
from cosearch.loopnest.space.features import domain_features, encoding
from cosearch.loopnest.space.layout import RowLayout
from cosearch.loopnest.space.moves import children, neighbours
from cosearch.machine.cost import CostBatch
from cosearch.search.parameters import Space
from cosearch.typing import BoolArray, FloatArray, Rows

if TYPE_CHECKING:
    from cosearch.loopnest.space.rows import RowPricer


FEW = 8
"""Rows that are priced before programs of their own are worth writing."""


class MapSpace(RowLayout, Space):
    """All perfect factorizations, loop orders, X/Y splits and bypasses of a layer.

    What its columns are, and which row is which mapping, says `RowLayout`.

    Raises:
        Infeasible: the layer fits nowhere; the reason names the level and by how much.
        CosearchError: the constraints contradict the machine.
    """

    _priced = 0
    """How many rows have been."""

    def sample(self, n: int, rng: np.random.Generator) -> Rows:
        """Return n rows, each column uniform over its choices, known constraints ignored."""
        from cosearch.loopnest.space.sampling import random_rows

        return random_rows(n, self.cardinalities, int(rng.integers(2**63)))

    def perturb(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """Return one neighbour of each row: a prime moved, two loops swapped, or a bypass."""
        return neighbours(self, rows, rng)

    def crossover(self, a: Rows, b: Rows, rng: np.random.Generator) -> Rows:
        """Return one child of each pair: every dimension and every level from one parent."""
        return children(self, a, b, rng)

    def encode(self, rows: Rows) -> FloatArray:
        """Return float64[n, e] in [0, 1]: exponents, places in the orders, what is kept."""
        return encoding(self, rows)

    def features(self, rows: Rows) -> FloatArray:
        """Return float64[n, f]: buffer use, parallelism and tile sizes."""
        return domain_features(self, rows)

    def feasible(self, rows: Rows) -> BoolArray:
        """Return bool[n]: which mappings fit the memories and the mesh."""
        return self.pricer.feasible(rows)

    def price(self, rows: Rows) -> CostBatch:
        """Return the costs of rows, int64[n, d].

        The first few, such as a mapper's answer, are priced by programs that other machines of this
        form have used; to write their own would take longer than to run them.
        """
        few = self._priced + len(rows) <= FEW and "pricer" not in vars(self)
        self._priced += len(rows)
        return (self._shared_pricer if few else self.pricer).price(rows)

    @cached_property
    def _shared_pricer(self) -> RowPricer:
        from cosearch.loopnest.space.rows import RowPricer

        return RowPricer(self, of_its_form=True)

    @cached_property
    def pricer(self) -> RowPricer:
        """The compiled programs that check and price rows."""
        from cosearch.loopnest.space.rows import RowPricer

        return RowPricer(self)

    def enumerate(self, batch: int = 4096) -> Iterator[Rows]:
        """Yield every row once, int64[<= batch, d], in lexicographic order."""
        if self.size >= 2**62:
            raise CosearchError(f"a space of {self.size:.3g} mappings cannot be enumerated")
        radix = [int(c) for c in self.cardinalities]
        weights = [math.prod(radix[i + 1 :]) for i in range(len(radix))]
        for start in range(0, self.size, batch):
            number = np.arange(start, min(start + batch, self.size), dtype=np.int64)
            columns = [number // w % r for w, r in zip(weights, radix, strict=True)]
            yield (
                np.stack(columns, axis=1) if columns else np.zeros((len(number), 0), dtype=np.int64)
            )
