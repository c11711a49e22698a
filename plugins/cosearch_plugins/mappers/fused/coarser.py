"""What is known of a body from coarser ones: a bound that needs no search.

Loops of the prefix may as well turn inside the bodies, and a tensor that the fusion level keeps in
any case is no dearer at home. With room for all, then, all bodies of a member together cost no less
than those of any coarser size of it with as much, or more, at home.
"""

from __future__ import annotations

import numpy as np
from attrs import define, field

from cosearch.typing import BoolArray, FloatArray, IntArray
from cosearch.workload.einsum import Einsum

FIRST = 16
"""Rows of the tables at first."""


@define(eq=False)
class Coarser:
    """Bodies of one member, for one weighted sum, with room for all.

    Args:
        member: whose bodies.
        kept: names of the tensors that the fusion level keeps in any case.
    """

    member: Einsum
    kept: frozenset[str]
    _sizes: IntArray = field(init=False)
    _home: BoolArray = field(init=False)
    _all: FloatArray = field(init=False)
    _free: BoolArray = field(init=False)
    _known: int = field(init=False, default=0)
    _told: dict[tuple[tuple[int, ...], frozenset[str]], tuple[int, float]] = field(
        init=False, factory=dict
    )

    def __attrs_post_init__(self) -> None:
        self._sizes = np.zeros((FIRST, len(self.member.dims)), dtype=np.int64)
        self._home = np.zeros((FIRST, len(self.member.tensors)), dtype=bool)
        self._all = np.zeros(FIRST)
        self._free = self._at_home(self.kept)

    def learn(self, body: Einsum, home: frozenset[str], least: float) -> None:
        """Take in that no mapping of a body is below a value."""
        if self._known == len(self._all):
            self._sizes = np.concatenate([self._sizes, self._sizes])
            self._home = np.concatenate([self._home, self._home])
            self._all = np.concatenate([self._all, self._all])
        at = self._known
        self._sizes[at], self._home[at] = body.sizes, self._at_home(home)
        self._all[at] = least * (self.member.operations // body.operations)
        self._known += 1

    def least(self, body: Einsum, home: frozenset[str]) -> float:
        """Return a value that no mapping of a body is below; 0 where nothing is known."""
        key, n = (body.sizes, home), self._known
        seen, most = self._told.get(key, (0, 0.0))
        if seen < n:
            most = max(most, self._most(body, home, seen))
            self._told[key] = n, most
        return most / (self.member.operations // body.operations)

    def _most(self, body: Einsum, home: frozenset[str], first: int) -> float:
        """Return the most that what was learned from some row on tells of all bodies of a size."""
        rows = slice(first, self._known)
        coarser = (self._sizes[rows] % np.array(body.sizes) == 0).all(axis=1)
        at_home = self._at_home(home)
        more = self._home[rows] & ~at_home
        as_much = (self._home[rows] | ~at_home).all(axis=1) & (~more | self._free).all(axis=1)
        known = self._all[rows][coarser & as_much]
        return float(known.max()) if len(known) else 0.0

    def _at_home(self, home: frozenset[str]) -> BoolArray:
        return np.array([t.name in home for t in self.member.tensors])
