"""The columns of the space of mappings of one layer on one machine: between rows and mappings."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from cosearch.errors import CosearchError
from cosearch.loopnest.kernel.pack import ALWAYS, MAYBE, NEVER, Pack, pack, reasons
from cosearch.loopnest.mapping import (
    UNCONSTRAINED,
    Constraints,
    LevelConstraint,
    LevelMapping,
    Loop,
    Mapping,
)
from cosearch.loopnest.orders import Orders, orders
from cosearch.loopnest.slots import (
    TIME,
    FactorColumn,
    X,
    Y,
    exponent_of,
    factor_columns,
    turning_dims,
)
from cosearch.loopnest.space.feasibility import Limits, trimmed
from cosearch.machine.architecture import Architecture
from cosearch.quantities import added
from cosearch.typing import BoolArray, IntArray, Rows
from cosearch.workload.einsum import Einsum, Tensor


class RowLayout:
    """What the columns of a row choose, and the mapping that a row stands for.

    Columns, in this order: one for every (dimension, prime of its size), choosing how the prime's
    exponent is spread over the slots of the dimension; one for every level, its loop order; one
    for every (level, tensor) that may be kept or bypassed (0 bypasses). A column with one choice
    is left out. So is the order of level 0: whatever turns between the multipliers and the
    innermost memory, a multiplier keeps nothing from one step to the next, so no cost depends on
    it (unless neighbours pass words on). Choices that no feasible mapping contains are left out
    too.

    Spatial loops of one level and direction stand in the order of the layer's dimensions, the first
    innermost: their order numbers the children, which matters to the hops of a network alone.

    Raises:
        Infeasible: the layer fits nowhere; the reason names the level and by how much.
        CosearchError: the constraints contradict the machine.
    """

    def __init__(
        self, architecture: Architecture, layer: Einsum, constraints: Constraints | None = None
    ) -> None:
        self.architecture, self.layer = architecture, layer
        self.constraints: Constraints = dict(constraints or {})
        self.dims = turning_dims(layer)
        self.pack: Pack = pack(architecture, layer, self.constraints)
        self.keep_modes = self._keep_modes()
        columns = factor_columns(architecture, layer, self.constraints)
        limits = Limits(architecture, layer, self.dims, self.pack, self.keep_modes == ALWAYS)
        self.factor_columns = tuple(trimmed(limits, columns))
        self.orders = self._orders()

    def _rule(self, level: int) -> LevelConstraint:
        name = self.architecture.levels[level].name
        return self.constraints.get(name, UNCONSTRAINED)

    def _keep_modes(self) -> IntArray:
        """Return int64[L, T]: NEVER, ALWAYS or MAYBE."""
        levels = range(len(self.architecture.levels))
        return np.array(
            [[self._keep_mode(level, t) for t in self.layer.tensors] for level in levels],
            dtype=np.int64,
        )

    def _keep_mode(self, level: int, tensor: Tensor) -> int:
        memory, rule = self.architecture.levels[level], self._rule(level)
        outermost = level == len(self.architecture.levels) - 1
        must = bool(rule.keep & {tensor.name, tensor.role})
        must_not = bool(rule.bypass & {tensor.name, tensor.role})
        may = outermost or tensor.role in memory.keeps | memory.may_keep
        if (must and (must_not or not may)) or (must_not and outermost):
            why = (
                "it must be bypassed too"
                if must_not and not outermost
                else (
                    "the outermost level keeps every tensor"
                    if outermost
                    else "it has no place for it"
                )
            )
            raise CosearchError(
                f"the constraints on {memory.name} cannot be met for {tensor.name}: {why}"
            )
        if outermost or must:
            return ALWAYS
        if must_not or not may:
            return NEVER
        return ALWAYS if tensor.role in memory.keeps else MAYBE

    def _orders(self) -> tuple[Orders, ...]:
        """Return the orders of every level; of level 0 just one where none matters."""
        index = {dim: i for i, dim in enumerate(self.dims)}
        found = []
        for level in range(len(self.architecture.levels)):
            named = tuple(index[d] for d in self._rule(level).order or () if d in index)
            if level == 0 and not self.architecture.rules.link_transfers:
                rest = tuple(d for d in range(len(self.dims)) if d not in named)
                named += rest
            found.append(orders(len(self.dims), named))
        return tuple(found)

    # -- columns

    @cached_property
    def order_levels(self) -> tuple[int, ...]:
        """The levels that have an order column."""
        return tuple(level for level, o in enumerate(self.orders) if len(o.words) > 1)

    @cached_property
    def keep_places(self) -> tuple[tuple[int, int], ...]:
        """The (level, tensor) that have a keep column."""
        return tuple((int(i), int(t)) for i, t in np.argwhere(self.keep_modes == MAYBE))

    @cached_property
    def open_columns(self) -> tuple[FactorColumn, ...]:
        """The factor columns with more than one choice: those that rows have."""
        return tuple(c for c in self.factor_columns if len(c.exponents) > 1)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """`factor P 2`, `order DRAM`, `keep buffer Weights`."""
        levels = [m.name for m in self.architecture.levels]
        factors = [f"factor {self.dims[c.dim]} {c.prime}" for c in self.open_columns]
        order = [f"order {levels[i]}" for i in self.order_levels]
        keeps = [f"keep {levels[i]} {self.layer.tensors[t].name}" for i, t in self.keep_places]
        return (*factors, *order, *keeps)

    @cached_property
    def cardinalities(self) -> IntArray:
        """int64[d]."""
        factors = [len(c.exponents) for c in self.open_columns]
        order = [len(self.orders[i].words) for i in self.order_levels]
        return np.array([*factors, *order, *(2 for _ in self.keep_places)], dtype=np.int64)

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """What each reason code of a rejection means."""
        return reasons(self.architecture, self.layer, self.constraints)

    # -- rows and mappings

    def mapping_of(self, row: Rows) -> Mapping:
        """Return the mapping of one row, int64[d]; loops of bound 1 are left out."""
        factors = self.factors(row[None, :])[0]
        levels = [self._level_mapping(i, row, factors) for i in range(len(self.orders))]
        return Mapping(tuple(levels))

    def _level_mapping(self, level: int, row: Rows, factors: IntArray) -> LevelMapping:
        def loops(slot: int, order: IntArray | range) -> tuple[Loop, ...]:
            bounds = factors[3 * level + slot]
            return tuple(Loop(self.dims[d], int(bounds[d])) for d in order if bounds[d] > 1)

        everything = range(len(self.dims))
        kept = frozenset(
            tensor.name
            for t, tensor in enumerate(self.layer.tensors)
            if self.keeps_of(row[None, :])[0, level, t]
        )
        return LevelMapping(
            self.architecture.levels[level].name,
            kept,
            loops(TIME, self.order_of(row[None, :], level)[0]),
            loops(X, everything),
            loops(Y, everything),
        )

    def row_of(self, mapping: Mapping) -> Rows:
        """Return the row, int64[d], of a mapping of this space.

        Dimensions whose loop has bound 1 are ordered outside the others, ascending.
        Spatial loops are put in the order of the layer's dimensions.

        Raises:
            CosearchError: the mapping is not in the space; the message says what is not.
        """
        factors = self._factors_of(mapping)
        choices = [self._factor_choice(column, factors) for column in self.factor_columns]
        row = [
            c for c, col in zip(choices, self.factor_columns, strict=True) if len(col.exponents) > 1
        ]
        row += [self._order_choice(i, mapping.levels[i]) for i in self.order_levels]
        self._refuse_other_keeps(mapping)
        row += [
            int(self.layer.tensors[t].name in mapping.levels[i].keep) for i, t in self.keep_places
        ]
        return np.array(row, dtype=np.int64)

    def _factors_of(self, mapping: Mapping) -> IntArray:
        """Return int64[3 L, D], the bounds by slot."""
        names = [memory.name for memory in self.architecture.levels]
        if [entry.level for entry in mapping.levels] != names:
            raise CosearchError(f"the mapping does not describe the levels {' '.join(names)}")
        factors = np.ones((3 * len(names), len(self.dims)), dtype=np.int64)
        for level, entry in enumerate(mapping.levels):
            for kind, loops in ((X, entry.spatial_x), (Y, entry.spatial_y), (TIME, entry.temporal)):
                for loop in loops:
                    if loop.bound > 1:
                        if loop.dim not in self.dims:
                            raise CosearchError(f"{loop.dim} has no loop in {self.layer.name!r}")
                        factors[3 * level + kind, self.dims.index(loop.dim)] *= loop.bound
        return factors

    def _factor_choice(self, column: FactorColumn, factors: IntArray) -> int:
        exponents = [exponent_of(column.prime, f) for f in factors[:, column.dim].tolist()]
        inside = [exponents[slot] for slot in column.slots.tolist()]
        choice = column.index(inside)
        if added(inside) != added(exponents) or choice < 0:
            raise CosearchError(
                f"the mapping's factors {column.prime}^n of {self.dims[column.dim]} are not in the "
                f"mapspace: they do not multiply up, break a constraint, or fit nowhere"
            )
        return choice

    def _order_choice(self, level: int, entry: LevelMapping) -> int:
        allowed = self.orders[level]
        turning = [self.dims.index(loop.dim) for loop in entry.temporal if loop.bound > 1]
        free = [d for d in turning if d in allowed.free]
        full = [*allowed.inside, *free, *(d for d in allowed.free if d not in free)]
        if [d for d in full if d in turning] != turning:
            raise CosearchError(f"the loop order at {entry.level} breaks a constraint")
        return allowed.rank_of(full)

    def _refuse_other_keeps(self, mapping: Mapping) -> None:
        for entry, modes in zip(mapping.levels, self.keep_modes, strict=True):
            for tensor, mode in zip(self.layer.tensors, modes, strict=True):
                if mode != MAYBE and (tensor.name in entry.keep) != (mode == ALWAYS):
                    verb = "keep" if mode == ALWAYS else "bypass"
                    raise CosearchError(f"{tensor.name} has to {verb} at {entry.level}")

    # -- whole batches

    def factors(self, rows: Rows) -> IntArray:
        """Return int64[n, 3 L, D]: the loop bounds of rows by slot and turning dimension."""
        levels = len(self.architecture.levels)
        out = np.ones((len(rows), 3 * levels, len(self.dims)), dtype=np.int64)
        position = 0
        for column in self.factor_columns:
            choice: IntArray = np.zeros(len(rows), dtype=np.int64)
            if len(column.exponents) > 1:
                choice = rows[:, position]
                position += 1
            exponents = column.exponents[choice].astype(np.int64)
            out[:, column.slots, column.dim] *= column.prime**exponents
        return out

    def order_of(self, rows: Rows, level: int) -> IntArray:
        """Return int64[n, D]: the loop order of a level, dimensions inner to outer."""
        table = self.orders[level].table
        if level not in self.order_levels:
            return np.broadcast_to(table[0], (len(rows), table.shape[1])).astype(np.int64)
        position = len(self.open_columns) + self.order_levels.index(level)
        return table[rows[:, position]].astype(np.int64)

    def keeps_of(self, rows: Rows) -> BoolArray:
        """Return bool[n, L, T]: which levels keep which tensors."""
        keeps = np.broadcast_to(self.keep_modes == ALWAYS, (len(rows), *self.keep_modes.shape))
        keeps = keeps.copy()
        first = len(self.open_columns) + len(self.order_levels)
        for k, (level, tensor) in enumerate(self.keep_places):
            keeps[:, level, tensor] = rows[:, first + k] == 1
        return keeps
