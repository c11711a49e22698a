"""One choice of what each level keeps, and where its search stands."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from cosearch.typing import BoolArray, FloatArray, IntArray
from cosearch_plugins.mappers.exact import arrays
from cosearch_plugins.mappers.exact.problem import Problem
from cosearch_plugins.mappers.exact.shared_tables import Look, pieces
from cosearch_plugins.mappers.exact.travel import fill_travel


@frozen(eq=False)
class Branch:
    """The search under one choice of what each level keeps."""

    keep: BoolArray
    kept: arrays.Kept
    bounds: arrays.Bounds
    runs: arrays.Runs
    memo: arrays.Memo
    unions: IntArray
    bound: FloatArray

    @property
    def least(self) -> float:
        """No mapping of this branch is better."""
        return float(self.bound[self.unions[0]]) if len(self.unions) else np.inf


def kept_of(problem: Problem, keep: BoolArray, fit: BoolArray) -> arrays.Kept:
    """Return what follows from a choice: the pairs of levels each tensor moves between."""
    levels, tensors = keep.shape
    pairs: list[tuple[int, int, int]] = []
    below = np.full((tensors, levels), -1, dtype=np.int64)
    above = np.full((tensors, levels), -1, dtype=np.int64)
    for t in range(tensors):
        inner = -1
        for level in range(levels):
            if keep[level, t]:
                below[t, level] = len(pairs)
                if inner >= 0:
                    above[t, inner] = len(pairs)
                pairs.append((t, inner, level))
                inner = level
    table = np.array(pairs, dtype=np.int64)
    return arrays.Kept(
        keep,
        fit,
        np.ascontiguousarray(table[:, 0]),
        np.ascontiguousarray(table[:, 1]),
        np.ascontiguousarray(table[:, 2]),
        below,
        above,
        ~keep[-2] if levels > 1 else np.zeros(tensors, dtype=bool),
        _room(problem, keep, fit),
    )


def _room(problem: Problem, keep: BoolArray, fit: BoolArray) -> FloatArray:
    """Return float64[T], see `arrays.Kept`."""
    room = np.full(keep.shape[1], np.inf)
    spread = np.maximum.reduceat(problem.volume[problem.spread_id], problem.spread_start[:-1])
    for t in np.flatnonzero(~keep[-2]) if len(keep) > 1 else ():
        inside = np.flatnonzero(keep[:-2, t])
        level = inside[-1] if len(inside) else -1
        most = problem.words[t, fit[level]].max(initial=0.0) if len(inside) else 0.0
        room[t] = min(most * spread[level + 1 : -1].prod(), problem.words[t, -1])
    return room


def fold_width(problem: Problem) -> int:
    """Return how many numbers `words.fold` carries from loop to loop."""
    return 6 + (3 * problem.project.shape[1] if problem.general.any() else 0)


def new_state(problem: Problem, branch: Branch) -> arrays.State:
    """Return the start of a search."""
    levels = len(problem.leak)
    queue = int(problem.spread_start[problem.pivot + 1] - problem.spread_start[problem.pivot])
    register = np.zeros(16, dtype=np.int64)
    register[arrays.DEPTH] = -1
    best = np.array([np.inf, np.inf, np.inf, branch.least])
    ids = [np.zeros(levels, dtype=np.int64) for _ in range(9)]
    return arrays.State(
        ids[0],
        ids[1],
        ids[2],
        np.zeros((2 * levels + 8, 2), dtype=np.int64),
        np.zeros((2 * levels + 8, 3)),
        np.zeros(queue),
        np.zeros(queue, dtype=np.int64),
        register,
        np.zeros(len(problem.packed), dtype=np.int64),
        np.zeros(len(problem.packed), dtype=np.int64),
        np.zeros(len(problem.packed)),
        best,
        ids[3],
        ids[4],
        ids[5],
        ids[6],
        ids[7],
        ids[8],
        np.zeros((levels, len(branch.kept.tensor), fold_width(problem))),
        np.zeros((8, levels, max(3, problem.axis.shape[0]))),
        np.zeros(len(branch.kept.tensor)),
        np.zeros((len(branch.kept.tensor), 2, 5)),
        np.zeros(2 * len(problem.saved)),
    )


def new_net(problem: Problem, look: Look) -> arrays.Net:
    """Return the networks' table and scratch for the widest; a token when none costs."""
    costs = bool((problem.hop != 0).any() or (problem.router != 0).any())
    children = int(problem.spread_used.prod(axis=1).max()) if costs else 1
    width = int(max(problem.fan[:, 0].max(), problem.spread_used[:, 0].max())) if costs else 1
    count = [np.zeros(children + 1, dtype=np.int64) for _ in range(5)]
    net = arrays.Net(
        costs,
        np.zeros((len(problem.spread_id), problem.axis.shape[0])),
        np.zeros(problem.axis.shape[1], dtype=np.int64),
        count[0],
        count[1],
        count[2],
        np.zeros((children + 1, width, 2), dtype=np.int64),
        count[3],
        count[4],
        np.zeros(fold_width(problem)),
    )
    for level in np.flatnonzero((problem.hop != 0) | (problem.router != 0)):
        start = int(problem.spread_start[level])
        for first, end in pieces(
            int(problem.spread_start[level + 1]) - start, children**2 // 4, look
        ):
            fill_travel(problem, net, int(level), start + first, start + end)
    return net
