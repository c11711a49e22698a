"""What is known of networks, column by column: accuracy, MACs, scores."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Protocol, runtime_checkable

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError, InputError, UnknownNameError
from cosearch.search.ranking import spearman
from cosearch.typing import BoolArray, FloatArray, IntArray, Rows
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import NetworkSpace

ENUMERATED = 2**16
"""Networks of the largest space that is taken as a whole where nothing else is said."""

SAMPLE = 500
"""Networks that are drawn from a larger one."""


@runtime_checkable
class Surveyed(Protocol):
    """A space that knows which of its networks somebody measured."""

    def measured_rows(self) -> Rows:
        """Return the networks, int64[n, d]; none where no table says."""
        ...


@frozen(eq=False)
class Networks:
    """Some networks of a space, with their layers.

    Attributes:
        space: they are of.
        rows: int64[n, d].
        layers: different ones.
        counts: int64[n, l]: how often each network runs each layer.
    """

    space: NetworkSpace
    rows: Rows
    layers: tuple[Einsum, ...]
    counts: IntArray

    @classmethod
    def of(cls, space: NetworkSpace, rows: Rows) -> Networks:
        """Return the networks of rows, int64[n, d]."""
        return cls(space, rows, *space.counts(rows))

    def column(self, name: str) -> FloatArray:
        """Return `accuracy`, `macs` or a score of the space, float64[n].

        Raises:
            CosearchError: a file would have to bring the score, and none was given.
            UnknownNameError: there is no such column.
        """
        if name == "accuracy":
            return self.space.accuracy(self.rows)
        if name == "macs":
            return np.asarray(self.counts @ np.array([float(x.macs) for x in self.layers]))
        if hint := self.space.missing(name):
            raise CosearchError(f"no column {name!r} is known", hint)
        if name not in self.space.scores:
            raise UnknownNameError("column", name, ("accuracy", "macs", *self.space.scores))
        return self.space.score(name, self.rows)


def chosen_rows(space: NetworkSpace, sample: int | None, seed: int, where: Sequence[str]) -> Rows:
    """Return the networks to look at, int64[n, d].

    Those that were measured, where the space knows; else all of a small space; else a sample.

    Args:
        space: of networks.
        sample: so many of them, drawn at random; all if None.
        seed: of the draw.
        where: conditions, see `kept`.
    """
    rng = np.random.default_rng(seed)
    rows = _all_rows(space, rng, SAMPLE if sample is None else sample)
    rows = rows[kept(space, rows, where)]
    if len(rows) < 3:
        raise CosearchError(f"{len(rows)} networks are too few to rank")
    if sample is not None and len(rows) > sample:
        rows = rows[np.sort(rng.choice(len(rows), size=sample, replace=False))]
    return rows


def _all_rows(space: NetworkSpace, rng: np.random.Generator, sample: int) -> Rows:
    measured = space.measured_rows() if isinstance(space, Surveyed) else ()
    if len(measured):
        return np.asarray(measured)
    if space.space.size <= ENUMERATED:
        rows = space.space.unrank(np.arange(space.space.size))
        return rows[space.space.feasible(rows)]
    return space.space.sample_feasible(sample, rng)[0]


def kept(space: NetworkSpace, rows: Rows, where: Sequence[str]) -> BoolArray:
    """Return bool[n]: which networks meet all conditions.

    Args:
        space: of networks.
        rows: int64[n, d].
        where: `NAME=VALUE` each; an asterisk in the name stands for any text, and every parameter
            of such a name must have the value.
    """
    ok = np.ones(len(rows), dtype=bool)
    for text in where:
        pattern, _, value = text.partition("=")
        columns = space.space.columns(rows)
        names = [name for name in columns if fnmatchcase(name, pattern)]
        if not names or not value:
            known = ", ".join(columns)
            raise InputError(f"--where {text}", ["is not PARAMETER=VALUE"], f"there is: {known}")
        for name in names:
            ok &= columns[name] == space.space[name].parse(value)
    return ok


def rank_correlation(a: FloatArray, b: FloatArray) -> tuple[float, int]:
    """Return Spearman's correlation of two columns, and over how many networks both are known.

    A score of minus infinity is the least of all (NASWOT of a network that is cut off).
    """
    known = ~(np.isnan(a) | np.isnan(b))
    if known.sum() < 3:
        return float("nan"), int(known.sum())
    return spearman(a[known], b[known]), int(known.sum())
