from __future__ import annotations

import numpy as np

from cosearch.loopnest.kernel.pack import MAYBE
from cosearch_plugins.mappers.exact import shared_tables
from cosearch_plugins.mappers.exact.arrays import Aim
from cosearch_plugins.mappers.exact.problem import OrderTables
from cosearch_plugins.mappers.exact.shared_tables import SharedTables, pieces
from cosearch_plugins.mappers.exact.solve import NO_LIMITS, Solver


def bounds_of(solver, shared):
    look = NO_LIMITS.look
    return [shared.union_bounds(solver._kept(k), Aim(1, 1), look) for k in solver.choices()]


def test_shared_tables_are_those_made_for_each_choice_alone(small_case):
    tables, several = OrderTables(), 0
    for seed in range(120):
        case = small_case(seed)
        if case is None:
            continue
        solver = Solver(case.space, tables)
        shared = bounds_of(solver, SharedTables(solver.problem, solver.lattice))
        look = NO_LIMITS.look
        for keep, bound in zip(solver.choices(), shared, strict=True):
            alone = SharedTables(solver.problem, solver.lattice)
            fresh = alone.union_bounds(solver._kept(keep), Aim(1, 1), look)
            assert np.array_equal(bound, fresh)
        several += len(shared) > 1
    assert several > 20


def test_not_more_is_remembered_than_promised(small_case, monkeypatch):
    monkeypatch.setattr(shared_tables, "MOST_REMEMBERED", 2)
    several = (c for c in map(small_case, range(500)) if c is not None)
    case = next(c for c in several if (c.space.keep_modes == MAYBE).sum() > 2)
    solver = Solver(case.space)
    shared = SharedTables(solver.problem, solver.lattice)
    bounds_of(solver, shared)
    assert len(shared._outside) <= 2
    assert len(shared._inside) <= 2


def test_pieces_cover_everything_once_and_look_before_each():
    looks = []
    covered = [i for a, b in pieces(1000, 1500, lambda: looks.append(1)) for i in range(a, b)]
    assert covered == list(range(1000))
    assert len(looks) == -(-1000 // (100_000 // 1500))
