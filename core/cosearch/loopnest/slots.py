"""Where the prime factors of a dimension may go: slots, and the ways to fill them.

A slot is a place for a loop of one dimension: spatial X, spatial Y or temporal, at one level.
Every way of spreading the exponent of a prime over the slots is one choice of one column, so a
row of choices is one factorization and every factorization is one row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property, lru_cache

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError, Infeasible, UnknownNameError
from cosearch.loopnest.mapping import UNCONSTRAINED, Constraints
from cosearch.machine.architecture import Architecture
from cosearch.quantities import added
from cosearch.typing import BoolArray, FloatArray, IntArray
from cosearch.workload.einsum import Einsum

X, Y, TIME = 0, 1, 2
"""Kinds of slots; slot `3 * level + kind`, so that slots are ordered inner to outer."""

LARGEST_DIMENSION = 10**12
"""Dimensions up to this are factored into primes."""

SHARED_CHOICES = 20_000
"""Columns of up to so many choices are kept for other layers and machines."""

MOST_CHOICES = 4_000_000
"""Ways to spread one prime that are still tabulated (a byte a slot and way)."""


@frozen(eq=False)
class FactorColumn:
    """The exponents of one prime of one dimension.

    Attributes:
        dim: index among the turning dimensions.
        prime: the prime.
        slots: int64[s], inner to outer.
        exponents: int8[choices, s]: every way that may be part of a feasible mapping.
    """

    dim: int
    prime: int
    slots: IntArray
    exponents: np.ndarray

    def indices(self, wanted: IntArray) -> IntArray:
        """Return the choice, int64[n], with each of these exponents, int64[n, s], or -1."""
        keys = self._keys
        key = _key(wanted, self._radix)
        at = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
        return np.where(keys[at] == key, at, -1)

    def index(self, wanted: Sequence[int]) -> int:
        """Return the choice with these exponents, one a slot, or -1."""
        if added(wanted) != self._radix - 1:
            return -1
        key = 0
        for exponent in wanted:
            key = key * self._radix + exponent
        at = int(self._keys.searchsorted(key))
        return at if at < len(self._keys) and self._keys[at] == key else -1

    @cached_property
    def varies(self) -> tuple[bool, ...]:
        """Whether the choices differ in the exponent at each slot."""
        return tuple((self.exponents != self.exponents[0]).any(axis=0).tolist())

    @cached_property
    def factors(self) -> FloatArray:
        """float64[s, choices], the factor at each slot by choice."""
        return np.ascontiguousarray(float(self.prime) ** self.exponents.T.astype(np.float64))

    @cached_property
    def _radix(self) -> int:
        return int(self.exponents.sum(axis=1)[0]) + 1

    @cached_property
    def _keys(self) -> IntArray:
        """Ascending, for the choices are in lexicographic order."""
        return _key(self.exponents.astype(np.int64), self._radix)


def _key(exponents: IntArray, radix: int) -> IntArray:
    """Return the exponents as digits of one number, the first the highest."""
    key: IntArray = np.zeros(len(exponents), dtype=np.int64)
    for digit in exponents.T:
        key = key * radix + digit
    return key


def exponent_of(prime: int, n: int) -> int:
    """Return how often a prime divides a number of at least 1."""
    exponent = 0
    while n % prime == 0:
        n //= prime
        exponent += 1
    return exponent


def prime_factors(n: int) -> dict[int, int]:
    """Return prime to exponent, primes ascending."""
    found: dict[int, int] = {}
    p = 2
    while p * p <= n:
        while n % p == 0:
            found[p] = found.get(p, 0) + 1
            n //= p
        p += 1
    if n > 1:
        found[n] = found.get(n, 0) + 1
    return found


@lru_cache(maxsize=256)
def compositions(exponent: int, slots: int) -> np.ndarray:
    """Return int8[ways, slots]: every way to write an exponent as a sum over slots.

    Ordered lexicographically; there are `comb(exponent + slots - 1, slots - 1)`.
    """
    if slots == 1:
        return np.full((1, 1), exponent, dtype=np.int8)
    parts = []
    for first in range(exponent + 1):
        rest = compositions(exponent - first, slots - 1)
        parts.append(np.hstack([np.full((len(rest), 1), first, dtype=np.int8), rest]))
    return np.concatenate(parts)


def factor_columns(
    architecture: Architecture, layer: Einsum, constraints: Constraints
) -> list[FactorColumn]:
    """Return the column of every prime of every turning dimension.

    Raises:
        Infeasible: no factorization meets the constraints.
        CosearchError: a prime can be spread in too many ways to be tabulated.
    """
    refuse_unknown(architecture, layer, constraints)
    bounds = layer.bounds
    for dim, size in bounds.items():
        if size > LARGEST_DIMENSION:
            raise CosearchError(
                f"layer {layer.name!r}: dimension {dim} of size {size} is too large to be factored",
                f"dimensions may be up to {LARGEST_DIMENSION:.0e}",
            )
        _refuse_indivisible(layer, dim, _fixed(architecture, constraints, dim))
    columns = []
    for d, dim in enumerate(turning_dims(layer)):
        slots = tuple(allowed_slots(architecture, constraints, dim))
        fixed = tuple(_fixed(architecture, constraints, dim))
        most = tuple(_most(architecture, constraints, dim))
        for prime, exponent in prime_factors(bounds[dim]).items():
            ways = math.comb(exponent + len(slots) - 1, len(slots) - 1)
            if ways > MOST_CHOICES:
                raise CosearchError(
                    f"layer {layer.name!r}: the factor {prime}^{exponent} of {dim} can be spread "
                    f"over {len(slots)} loops in {ways} ways, more than {MOST_CHOICES}",
                    f"fix factors of {dim} with a constraint",
                )
            make = _column if ways <= SHARED_CHOICES else _column.__wrapped__
            columns.append(make(d, prime, exponent, slots, fixed, most))
            if len(columns[-1].exponents) == 0:
                raise Infeasible(
                    f"layer {layer.name!r}: the constraints leave no place for the factor "
                    f"{prime}^{exponent} of {dim}",
                    hint=f"let one level take any factor of {dim}",
                )
    return columns


@lru_cache(maxsize=512)
def _column(
    dim: int,
    prime: int,
    exponent: int,
    slots: tuple[int, ...],
    fixed: tuple[tuple[tuple[int, ...], int], ...],
    most: tuple[tuple[tuple[int, ...], int], ...],
) -> FactorColumn:
    """Return the column of a prime, the same for all layers and machines that agree on it."""
    table = compositions(exponent, len(slots))
    table = table[_meets(table, slots, prime, fixed)]
    table = table[_stays_below(table, slots, prime, most)]
    return FactorColumn(dim, prime, np.array(slots, dtype=np.int64), table)


def allowed_slots(architecture: Architecture, constraints: Constraints, dim: str) -> list[int]:
    """Return the slots of a dimension, inner to outer."""
    slots = []
    for level, memory in enumerate(architecture.levels):
        rule = constraints.get(memory.name, UNCONSTRAINED)
        across, down = architecture.fanout(level)
        if across > 1 and (rule.x_dims is None or dim in rule.x_dims):
            slots.append(3 * level + X)
        if down > 1 and (rule.y_dims is None or dim in rule.y_dims):
            slots.append(3 * level + Y)
        slots.append(3 * level + TIME)
    return slots


def _fixed(
    architecture: Architecture, constraints: Constraints, dim: str
) -> list[tuple[tuple[int, ...], int]]:
    """Return (slots, product of their factors) for every fixed factor."""
    fixed: list[tuple[tuple[int, ...], int]] = []
    for level, memory in enumerate(architecture.levels):
        rule = constraints.get(memory.name, UNCONSTRAINED)
        if dim in rule.temporal:
            fixed.append(((3 * level + TIME,), rule.temporal[dim]))
        if dim in rule.spatial:
            fixed.append(((3 * level + X, 3 * level + Y), rule.spatial[dim]))
    return fixed


def _most(
    architecture: Architecture, constraints: Constraints, dim: str
) -> list[tuple[tuple[int, ...], int]]:
    """Return (slots, largest product of their factors) for every limit on factors."""
    most: list[tuple[tuple[int, ...], int]] = []
    for level, memory in enumerate(architecture.levels):
        rule = constraints.get(memory.name, UNCONSTRAINED)
        if dim in rule.temporal_most:
            most.append(((3 * level + TIME,), rule.temporal_most[dim]))
        if dim in rule.spatial_most:
            most.append(((3 * level + X, 3 * level + Y), rule.spatial_most[dim]))
    return most


def _refuse_indivisible(layer: Einsum, dim: str, fixed: list[tuple[tuple[int, ...], int]]) -> None:
    product = math.prod(factor for _, factor in fixed)
    if product < 1 or layer.bounds[dim] % product:
        raise Infeasible(
            f"layer {layer.name!r}: the constraints fix factors of {dim} whose product is "
            f"{product}, which does not divide its size {layer.bounds[dim]}",
            {f"factors of {dim}": product / layer.bounds[dim]},
        )


def _meets(
    table: np.ndarray,
    slots: Sequence[int],
    prime: int,
    fixed: Sequence[tuple[tuple[int, ...], int]],
) -> BoolArray:
    meets = np.ones(len(table), dtype=bool)
    for places, factor in fixed:
        columns = [i for i, slot in enumerate(slots) if slot in places]
        wanted = prime_factors(factor).get(prime, 0)
        meets &= table[:, columns].sum(axis=1, dtype=np.int64) == wanted
    return meets


def _stays_below(
    table: np.ndarray,
    slots: Sequence[int],
    prime: int,
    most: Sequence[tuple[tuple[int, ...], int]],
) -> BoolArray:
    """Return which choices alone keep to the limits; several primes together may still not."""
    below = np.ones(len(table), dtype=bool)
    for places, limit in most:
        columns = [i for i, slot in enumerate(slots) if slot in places]
        exponents = table[:, columns].sum(axis=1, dtype=np.int64)
        below &= float(prime) ** exponents <= limit
    return below


def refuse_unknown(architecture: Architecture, layer: Einsum, constraints: Constraints) -> None:
    """Raise UnknownNameError for a level or tensor that does not exist.

    Dimensions that a layer does not have are passed over: one dataflow serves many layers.
    """
    levels = {memory.name for memory in architecture.levels}
    names = {t.name for t in layer.tensors} | {"Weights", "Inputs", "Outputs"}
    for level, rule in constraints.items():
        if level not in levels:
            raise UnknownNameError("level", level, levels)
        for name in rule.keep | rule.bypass:
            if name not in names:
                raise UnknownNameError("tensor", name, names)


def turning_dims(layer: Einsum) -> tuple[str, ...]:
    """Return the dimensions of more than one step, or the first where all have one."""
    turning = tuple(d for d, size in layer.bounds.items() if size > 1)
    return turning or layer.dims[:1]
