"""Pricing whole batches of mappings: the Python side of the compiled kernel."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from attrs import define, field, frozen

from cosearch.architecture import Architecture
from cosearch.einsum import Einsum
from cosearch.errors import CosearchError
from cosearch.hardware import CostBatch
from cosearch.loopnest import kernel
from cosearch.loopnest.mapspace import ALWAYS, MAYBE, NEVER, MapSpace
from cosearch.loopnest.pack import Nests, Pack, pack, reasons
from cosearch.loopnest.program import Inputs, checks, prices
from cosearch.loopnest.tape import registers
from cosearch.typing import BoolArray, IntArray, Rows

ORDERS_WORTH_A_PROGRAM = 20_000
"""Mappings from which on a program for their common loop orders pays for being written."""

REMEMBERED_PROGRAMS = 16

NO_ROWS = np.zeros((0, 0), dtype=np.int64)
NO_NESTS = Nests(
    np.zeros((1, 1, 0), dtype=np.int32),
    np.zeros((1, 0), dtype=np.int64),
    np.zeros((1, 1, 0), dtype=np.bool_),
)


@frozen(eq=False)
class Programs:
    """The programs for a kind of batch.

    Attributes:
        inputs: what varies in it.
        checks, prices: the programs.
        sizes: registers of each kind that they need.
    """

    inputs: Inputs
    checks: kernel.Program
    prices: kernel.Program
    sizes: tuple[int, int]

    @classmethod
    def of(cls, inputs: Inputs) -> Programs:
        """Write the programs."""
        check_tape, broken, used = checks(inputs)
        price_tape, energy, cycles = prices(inputs)
        check_program, *check_sizes = check_tape.assemble(broken, broken, used, inputs.pack.check_limit)
        price_program, *price_sizes = price_tape.assemble(energy, cycles)
        sizes = tuple(max(pair) for pair in zip(check_sizes, price_sizes, strict=True))
        return cls(inputs, check_program, price_program, (sizes[0], sizes[1]))

    def run(  # noqa: PLR0913
        self,
        decoder: kernel.Decoder,
        rows: Rows,
        nests: Nests,
        n: int,
        *,
        threads: int = 1,
        only_check: bool = False,
    ) -> kernel.Prices:
        """Price n rows or nests; the result does not depend on the number of threads."""
        out = kernel.Prices(np.empty(n), np.empty(n), np.empty(n, dtype=np.int64), np.empty(n))
        program = self.prices
        if only_check:
            program = program._replace(code=program.code[:0])
        lanes = min(kernel.LANES, -(-max(n, 1) // 8) * 8)
        picks = self._picks()

        def part(begin: int, end: int) -> None:
            store, columns = self.inputs.store, rows.shape[1]
            source = registers(store, self.sizes, columns, lanes)
            gathered = registers(store, self.sizes, 0, lanes)
            inside = kernel.price(
                self.checks, program, decoder, rows, picks, nests, begin, end, source, gathered,
                store.reals, store.words, out,
            )  # fmt: skip
            if not inside:
                raise CosearchError("a row is not in the mapspace: it has a choice that is not there")

        shares = [n * i // threads for i in range(threads + 1)]
        if threads == 1:
            part(0, n)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(part, shares[:-1], shares[1:]))
        return out

    def _picks(self) -> kernel.Picks:
        bounds = np.array(self.inputs.bounds, dtype=np.int64).reshape(-1, 2)
        keeps = np.array(self.inputs.keeps, dtype=np.int64).reshape(-1, 2)
        varying = [i for i, order in enumerate(self.inputs.orders) if order is None]
        return kernel.Picks(
            bounds[:, 0].copy(),
            bounds[:, 1].copy(),
            np.array(varying, dtype=np.int64),
            keeps[:, 0].copy(),
            keeps[:, 1].copy(),
        )


def _first_order(space: MapSpace, level: int) -> tuple[int, ...]:
    return tuple(int(d) for d in space.orders[level].table[0])


def row_inputs(space: MapSpace, orders: tuple[tuple[int, ...] | None, ...] | None = None) -> Inputs:
    """Return what varies among the rows of a mapspace."""
    fixed = np.ones((3 * len(space.orders), len(space.dims)))
    for column in space.factor_columns:
        for i, slot in enumerate(column.slots):
            exponents = column.exponents[:, i]
            one = exponents.min() == exponents.max()
            fixed[slot, column.dim] *= float(column.prime) ** exponents[0] if one else np.nan
    if orders is None:
        orders = tuple(
            None if len(o.words) > 1 else _first_order(space, i) for i, o in enumerate(space.orders)
        )
    return Inputs(space.pack, fixed, space.keep_modes, orders)


def decoder(space: MapSpace, inputs: Inputs) -> kernel.Decoder:
    """Return how the kernel reads rows of a mapspace."""
    register = {place: i for i, place in enumerate(inputs.bounds)}
    entries: list[tuple[int, int, float]] = []
    tables: list[np.ndarray] = []
    seen: set[tuple[int, int]] = set()
    position = 0
    scale = _constant_factors(space)
    for column in space.factor_columns:
        if len(column.exponents) == 1:
            continue
        for i, slot in enumerate(column.slots):
            place = (int(slot), column.dim)
            exponents = column.exponents[:, i]
            if place in register and exponents.min() != exponents.max():
                entries.append((position, register[place], 0.0 if place in seen else scale[place]))
                tables.append(float(column.prime) ** exponents.astype(np.float64))
                seen.add(place)
        position += 1
    orders = [
        (position + k, level)
        for k, level in enumerate(i for i, o in enumerate(space.orders) if len(o.words) > 1)
        if inputs.orders[level] is None
    ]
    position += sum(len(o.words) > 1 for o in space.orders)
    keeps = len(inputs.keeps)
    words = [space.orders[level].words for _, level in orders]
    return kernel.Decoder(
        space.cardinalities.astype(np.uint64),
        np.array([e[0] for e in entries], dtype=np.int64),
        np.array([e[1] for e in entries], dtype=np.int64),
        _starts(tables),
        np.array([e[2] for e in entries], dtype=np.float64),
        np.concatenate([np.zeros(0), *tables]),
        np.array([column for column, _ in orders], dtype=np.int64),
        np.arange(len(orders), dtype=np.int64),
        _starts(words),
        np.concatenate([np.zeros(0, dtype=np.int64), *words]),
        position + np.arange(keeps, dtype=np.int64),
        len(inputs.bounds) + np.arange(keeps, dtype=np.int64),
    )


def _starts(tables: list[np.ndarray]) -> IntArray:
    return np.cumsum([0, *(len(t) for t in tables)], dtype=np.int64)[:-1]


def _constant_factors(space: MapSpace) -> dict[tuple[int, int], float]:
    """Return, for every slot, the product of the primes that are the same in every row."""
    factors: dict[tuple[int, int], float] = {}
    for column in space.factor_columns:
        for i, slot in enumerate(column.slots):
            exponents = column.exponents[:, i]
            same = float(column.prime) ** exponents[0] if exponents.min() == exponents.max() else 1.0
            place = (int(slot), column.dim)
            factors[place] = factors.get(place, 1.0) * same
    return factors


class RowPricer:
    """Prices rows of one mapspace."""

    def __init__(self, space: MapSpace) -> None:
        self.space = space
        self.programs = Programs.of(row_inputs(space))
        self.decoder = decoder(space, self.programs.inputs)

    def price(self, rows: Rows, *, threads: int = 1, only_check: bool = False) -> kernel.Prices:
        return self.programs.run(
            self.decoder, np.ascontiguousarray(rows), NO_NESTS, len(rows),
            threads=threads, only_check=only_check,
        )  # fmt: skip


def evaluate_rows(space: MapSpace, rows: Rows, threads: int = 1) -> CostBatch:
    """Price rows of a mapspace."""
    out = space.pricer.price(rows, threads=threads)
    return CostBatch(
        out.energy_pj, out.cycles, out.reason == 0, out.reason, space.reasons, out.excess
    )


class NestPricer:
    """Prices mappings of one layer on one machine given as a struct of arrays.

    Programs are written for what a batch holds fixed (levels without spatial loops, tensors kept
    or bypassed throughout, common loop orders) and remembered.
    """

    def __init__(self, architecture: Architecture, layer: Einsum) -> None:
        self.pack = pack(architecture, layer)
        self.reasons = reasons(architecture, layer)
        self._programs: dict[tuple[object, ...], Programs] = {}

    def price(self, nests: Nests, *, threads: int = 1, only_check: bool = False) -> CostBatch:
        """Price n mappings."""
        n = nests.bounds.shape[2]
        programs = self._programs_for(nests, n)
        out = programs.run(
            NO_DECODER, NO_ROWS, nests, n, threads=threads, only_check=only_check
        )
        return CostBatch(
            out.energy_pj, out.cycles, out.reason == 0, out.reason, self.reasons, out.excess
        )

    def _programs_for(self, nests: Nests, n: int) -> Programs:
        levels, dims = len(self.pack.block), len(self.pack.sizes)
        fixed = np.full((3 * levels, dims), np.nan)
        for slot in range(3 * levels):
            if slot % 3 != 2 and (nests.bounds[slot] == 1).all():
                fixed[slot] = 1.0
        always, ever = nests.keep.all(axis=2), nests.keep.any(axis=2)
        modes = np.where(always, ALWAYS, np.where(ever, MAYBE, NEVER)).astype(np.int64)
        words = tuple(self._common_word(nests.order[level], n) for level in range(levels))
        key = (fixed.tobytes(), modes.tobytes(), words)
        programs = self._programs.pop(key, None)
        if programs is None:
            orders = tuple(None if w is None else _order_of(w, dims) for w in words)
            orders = (tuple(range(dims)), *orders[1:])
            programs = Programs.of(Inputs(self.pack, fixed, modes, orders))
            while len(self._programs) >= REMEMBERED_PROGRAMS:
                del self._programs[next(iter(self._programs))]
        self._programs[key] = programs
        return programs

    @staticmethod
    def _common_word(words: IntArray, n: int) -> int | None:
        if n < ORDERS_WORTH_A_PROGRAM or (words != words[0]).any():
            return None
        return int(words[0])


def _order_of(word: int, dims: int) -> tuple[int, ...]:
    if dims > 8:
        return tuple((word >> (4 * i)) & 15 for i in range(dims))
    return tuple(sorted(range(dims), key=lambda d: ((word >> (8 * d)) & 255).bit_count()))


_I, _F = np.zeros(0, dtype=np.int64), np.zeros(0)
NO_DECODER = kernel.Decoder(_I.astype(np.uint64), _I, _I, _I, _F, _F, _I, _I, _I, _I, _I, _I)
