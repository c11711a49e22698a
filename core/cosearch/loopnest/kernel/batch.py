"""Programs and their inputs for batches of mappings, and running them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.loopnest.kernel.feed import price
from cosearch.loopnest.kernel.geometry import Inputs
from cosearch.loopnest.kernel.opcodes import LANES
from cosearch.loopnest.kernel.pack import Nests
from cosearch.loopnest.kernel.state import Decoder, Mappings, Picks, Prices, Program
from cosearch.loopnest.kernel.tape import Store, registers
from cosearch.loopnest.kernel.template import filled
from cosearch.typing import IntArray, Rows

_I, _F = np.zeros(0, dtype=np.int64), np.zeros(0)
NO_DECODER = Decoder(_I.astype(np.uint64), _I, _I, _I, _F, _F, _I, _I, _I, _I, _I, _I)
NO_ROWS = np.zeros((0, 0), dtype=np.int64)
NO_NESTS = Nests(
    np.zeros((1, 1, 0), dtype=np.int32),
    np.zeros((1, 0), dtype=np.int64),
    np.zeros((1, 1, 0), dtype=np.bool_),
)


@frozen(eq=False)
class Source:
    """Mappings to price: rows of a mapspace with their decoder, or nests.

    Attributes:
        n: how many.
    """

    n: int
    rows: Rows = NO_ROWS
    decoder: Decoder = NO_DECODER
    nests: Nests = NO_NESTS


@frozen(eq=False)
class Programs:
    """The programs for one kind of batch.

    Attributes:
        inputs: what varies in it.
        checks, prices: the programs.
        sizes: registers of each kind that they need.
        store: the registers that hold something from the start.
    """

    inputs: Inputs
    checks: Program
    prices: Program
    sizes: tuple[int, int]
    store: Store

    @classmethod
    def of(cls, inputs: Inputs) -> Programs:
        """Return the programs, written anew where none of this form were lately."""
        return cls(inputs, *filled(inputs))

    def run(self, source: Source, *, threads: int = 1, only_check: bool = False) -> Prices:
        """Price mappings; the result does not depend on the number of threads.

        Raises:
            CosearchError: a row is not in its space.
        """
        n = source.n
        out = Prices(np.empty(n), np.empty(n), np.empty(n, dtype=np.int64), np.empty(n))
        program = self.prices
        if only_check:
            program = program.replace(code=program.code[:0])
        cuts = [n * i // threads for i in range(threads + 1)]
        if threads == 1:
            fine = [self._part(source, program, 0, n, out)]
        else:
            with ThreadPoolExecutor(threads) as pool:
                fine = list(
                    pool.map(
                        lambda begin, end: self._part(source, program, begin, end, out),
                        cuts[:-1],
                        cuts[1:],
                    )
                )
        if not all(fine):
            raise CosearchError(
                "a row is not in the mapspace: it holds a choice that is not there",
                "rows are indices of choices, from 0 to the column's cardinality - 1",
            )
        return out

    def _part(self, source: Source, program: Program, begin: int, end: int, out: Prices) -> bool:
        store = self.store
        lanes = min(LANES, -(-max(end - begin, 1) // 8) * 8)
        fresh = registers(store, self.sizes, source.rows.shape[1], lanes)
        gathered = registers(store, self.sizes, 0, lanes)
        nests = source.nests
        mappings = Mappings(
            np.ascontiguousarray(nests.bounds, dtype=np.int32),
            np.ascontiguousarray(nests.order),
            np.ascontiguousarray(nests.keep),
        )
        fine: bool = price(
            self.checks,
            program,
            source.decoder,
            source.rows,
            self._picks(),
            mappings,
            begin,
            end,
            fresh,
            gathered,
            store.reals,
            store.words,
            out,
        )
        return fine

    def _picks(self) -> Picks:
        bounds = np.array(self.inputs.bounds, dtype=np.int64).reshape(-1, 2)
        keeps = np.array(self.inputs.keeps, dtype=np.int64).reshape(-1, 2)
        varying = [i for i, order in enumerate(self.inputs.orders) if order is None]
        return Picks(
            bounds[:, 0].copy(),
            bounds[:, 1].copy(),
            np.array(varying, dtype=np.int64),
            keeps[:, 0].copy(),
            keeps[:, 1].copy(),
        )


def starts(tables: list[np.ndarray]) -> IntArray:
    """Return where each table starts when all are laid end to end."""
    return np.cumsum([0, *(len(t) for t in tables)], dtype=np.int64)[:-1]
