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
    _known: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self._sizes = np.zeros((FIRST, len(self.member.dims)), dtype=np.int64)
        self._home = np.zeros((FIRST, len(self.member.tensors)), dtype=bool)
        self._all = np.zeros(FIRST)

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
        n = self._known
        coarser = (self._sizes[:n] % np.array(body.sizes) == 0).all(axis=1)
        at_home = self._at_home(home)
        more = self._home[:n] & ~at_home
        free = np.array([t.name in self.kept for t in self.member.tensors])
        as_much = (self._home[:n] | ~at_home).all(axis=1) & (~more | free).all(axis=1)
        known = self._all[:n][coarser & as_much]
        if len(known) == 0:
            return 0.0
        return float(known.max()) / (self.member.operations // body.operations)

    def _at_home(self, home: frozenset[str]) -> BoolArray:
        return np.array([t.name in home for t in self.member.tensors])
