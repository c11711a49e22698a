"""The groups of arrays that the compiled search hands around."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cosearch.compiling.bundle import (
    Bools,
    Bools2,
    Bundle,
    Floats,
    Floats2,
    Floats3,
    Ints,
    Ints2,
    Ints3,
)
from cosearch.errors import CosearchError
from cosearch.typing import FloatArray, IntArray

MARGIN = 1e-12
"""What a bound may exceed the best by before it is pruned: the proof holds to this."""

DONE, PAUSED = 0, 1
"""How a search returns."""

UNION, DEPTH, QUEUED, NODES, PRICED, AROUND, LOOKED, SCANNED, LISTED = range(9)
"""Places in the register of a search."""


class Kept(Bundle):
    """What is stored where, and what follows from it; pairs of levels a tensor moves between.

    Attributes:
        keep: bool[L, T].
        fit: bool[L, n], tiles each level has room for.
        tensor, inner, outer: int64[pairs]; inner is -1 for the multipliers.
        below, above: int64[T, L], the pair whose outer (inner) level this is, -1 for none.
        through: bool[T], tensors that go from the outermost level past the one below it.
        room: float64[T], words of such a tensor that the level which keeps it has room for, all
            instances inside one of the second outermost level together; infinite for others.
    """

    keep: Bools2
    fit: Bools2
    tensor: Ints
    inner: Ints
    outer: Ints
    below: Ints2
    above: Ints2
    through: Bools
    room: Floats


class Runs(Bundle):
    """The smallest share of a full delivery that sliding windows can leave, by axis.

    Attributes:
        tensor, first, second: int64[sliders], an axis and its two dimensions.
        start: int64[sliders], where its table begins.
        least: float64[...], by divisors of first and second in the tile, then in the union.
        least_top: float64[...], the same where only the loops of one level are outside the union.
        any_start: int64[sliders]. least_any: float64[...], the same whatever the union.
        lone: float64[4, ...], the share that the loops of the outermost level leave: the first
            alone, the second alone, first inside second, second inside first.
        union_start: int64[sliders]. union_words, union_least: float64[...], least side times
            groups of any tile inside a union, without and with the share.
        divisor: int64[n, D], the index of each extent among the divisors of its dimension.
        divisors: int64[D], how many there are.
    """

    tensor: Ints
    first: Ints
    second: Ints
    start: Ints
    least: Floats
    least_top: Floats
    any_start: Ints
    least_any: Floats
    lone: Floats2
    union_start: Ints
    union_words: Floats
    union_least: Floats
    divisor: Ints2
    divisors: Ints


class RunStack(NamedTuple):
    """Scratch: what is left, the next moves, the factors tried, and the run, by level."""

    quotient: IntArray
    move: FloatArray
    factor: IntArray
    run: FloatArray


class Bounds(Bundle):
    """Tables over the lattice, none above the truth.

    Attributes:
        head: float64[L, n], energy that stays inside a tile X_l, for levels below the pivot.
        tail: float64[L, n], energy outside a tile X_l; infinite where it does not fit.
        out: float64[L, n], the least tail of any tile that contains U_l.
        tail_all, out_all: float64[L, n], the same with all that the outermost level serves: also
            what goes from there into the tile past the level below. Inside, that is left out.
        tail_cycles, out_cycles: float64[L, n].
        tail_spread, out_spread: float64[L, n], the most children in use at all levels outside.
        candidates: int64[L, n]; candidate_tail: float64[L, n]; candidate_count: int64[L]:
            tiles that fit, best `tail_all` first.
        rank: int64[n], the place of a tile among the candidates of the pivot, -1 for none.
        reach: float64[T, L], most children that can share a word, by level.
        spread: float64[L], most children used.
    """

    head: Floats2
    tail: Floats2
    out: Floats2
    tail_all: Floats2
    out_all: Floats2
    tail_cycles: Floats2
    out_cycles: Floats2
    tail_spread: Floats2
    out_spread: Floats2
    candidates: Ints2
    candidate_tail: Floats2
    candidate_count: Ints
    rank: Ints
    reach: Floats2
    spread: Floats


class Memo(Bundle):
    """What was found of spatial factors at the pivot, by union, for all aims.

    Attributes:
        begin: int64[n], the first row of a union, -1 where it was not opened yet.
        end: int64[n], the row after its last.
        entry: int64[rows], spatial factors that divide the union and leave tiles that fit.
        bound: float64[rows, 2 * classes], least energy and cycles of any mapping, by class.
        base: float64[rows, 3], see `State.base`.
        used: int64[1], rows taken.
    """

    begin: Ints
    end: Ints
    entry: Ints
    bound: Floats2
    base: Floats2
    used: Ints


class Aim(Bundle):
    """What is minimised within limits: energy**a * cycles**b, or a weighted sum.

    Attributes:
        energy_power, cycles_power: a and b; both 0 where the weights say what is minimised.
        most_energy, most_cycles: beyond these a mapping does not count.
        energy_weight, cycles_weight: what a pJ and a cycle count in the sum, none negative.
    """

    energy_power: int
    cycles_power: int
    most_energy: float = np.inf
    most_cycles: float = np.inf
    energy_weight: float = 0.0
    cycles_weight: float = 0.0

    @classmethod
    def weighted(cls, energy: float, cycles: float) -> Aim:
        """Return the aim of the least `energy * energy_pj + cycles * cycles`.

        Raises:
            CosearchError: a weight is negative or not finite, or both are zero.
        """
        if not (0 <= energy < np.inf and 0 <= cycles < np.inf and energy + cycles > 0):
            raise CosearchError(
                f"weights {energy!r} and {cycles!r}: neither may be negative, one is above 0"
            )
        return cls(0, 0, energy_weight=float(energy), cycles_weight=float(cycles))

    @classmethod
    def product(cls, energy_power: int, cycles_power: int) -> Aim:
        """Return the aim of the least `energy_pj**energy_power * cycles**cycles_power`.

        Raises:
            CosearchError: a power is no whole number from 0 on, or both are 0.
        """
        powers = (energy_power, cycles_power)
        if any(p != int(p) or p < 0 for p in powers) or not any(powers):
            raise CosearchError(
                f"powers {energy_power!r} of energy and {cycles_power!r} of cycles: each is to be "
                "a whole number, none is negative, one is above 0"
            )
        return cls(int(energy_power), int(cycles_power))

    def value(self, energy_pj: float, cycles: float) -> float:
        """Return what is minimised of one mapping, its limits left aside."""
        if self.energy_power == self.cycles_power == 0:
            return self.energy_weight * energy_pj + self.cycles_weight * cycles
        value: float = energy_pj**self.energy_power * cycles**self.cycles_power
        return value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Aim) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


class State(Bundle):
    """Where a search stands, so that it can pause anywhere.

    Attributes:
        tile, union, spread: int64[L]: ids of X_l, U_l and the entry of S_l, as far as chosen.
        cursor: int64[steps, 2]; base: float64[steps, 3], energy without the tail, also
            without `tail_all`, and cycles.
        queue_bound: float64[m]; queue_row: int64[m]; the spatial factors of the union at hand, by
            their row in the memo.
        register: int64[16]: next union, depth, queue length, nodes, mappings priced,
            tiles around the union, lesser work since the last pause (see `tree.LOOKS`), and
            candidates looked at for such tiles; how many are listed instead, -1 for none.
        rank: int64[n], the listed ones by their place among the candidates, in no order.
        around: int64[n], the candidates at the pivot that contain the union at hand, as far as
            they were asked for.
        around_tail: float64[n], their tails.
        best: float64[4]: value, energy, cycles, bound of the union at hand.
        best_tile, best_union, best_spread, best_order: int64[L].
        at, turns: int64[L], the order at hand and the set of its loops.
        folds: float64[L, pairs, width], scratch of the leaves.
        scratch: float64[8, L, T], see `nodes` and `leaves`.
        words: float64[pairs], scratch of the leaves: the least that arrive.
        moves: float64[pairs, 2, 5], scratch of the nodes: what moving a tensor between two levels
            costs at least, where the innermost loop outside moves it and where it does not.
        classes: float64[2 * classes], scratch of the nodes: energy and cycles of each class.
    """

    tile: Ints
    union: Ints
    spread: Ints
    cursor: Ints2
    base: Floats2
    queue_bound: Floats
    queue_row: Ints
    register: Ints
    rank: Ints
    around: Ints
    around_tail: Floats
    best: Floats
    best_tile: Ints
    best_union: Ints
    best_spread: Ints
    best_order: Ints
    at: Ints
    turns: Ints
    folds: Floats3
    scratch: Floats3
    words: Floats
    moves: Floats3
    classes: Floats


class Net(Bundle):
    """Scratch for the network, by child and group, and the table `travel`.

    Attributes:
        any: whether any network costs energy.
        travel: float64[m, T], least energy of a word to every child, by spatial factors.
    """

    any: bool
    travel: Floats2
    offset: Ints
    place: Ints
    size: Ints
    far: Ints
    rows: Ints3
    number: Ints
    hops: Ints
    state: Floats
