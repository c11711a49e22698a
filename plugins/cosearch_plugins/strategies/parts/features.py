"""What surrogate models see of a row."""

from __future__ import annotations

import numpy as np

from cosearch.search.parameters import Space
from cosearch.typing import FloatArray, Rows

_LONGEST = 64
"""Columns of more choices are left to the space's features."""


class Features:
    """A space's features, standardised by a sample of it; then a code of each column's choices.

    Features extrapolate from few trials, but bend only where their author expected it. The codes
    let a model learn what is peculiar to single values, such as mesh sizes that divide a layer.

    Args:
        space: to be described.
        rng: draws the sample.
        raw: the bare encoding takes the place of features and codes.

    Attributes:
        named: how many of the numbers are features; codes are the rest.
    """

    def __init__(self, space: Space, rng: np.random.Generator, *, raw: bool = False) -> None:
        self._describe = space.encode if raw else space.features
        self._codes = [] if raw else _codes(space)
        sample, _ = space.sample_feasible(256, rng, max_draws=65_536)
        if len(sample) == 0:
            sample = space.sample(256, rng)
        described, coded = self._described(sample), self._coded(sample)
        self.named = int(described.shape[1])
        self._mean, deviation = described.mean(axis=0), described.std(axis=0)
        self._scale = np.where(deviation > 1e-9, deviation, 1.0)
        self._centre = coded.mean(axis=0)

    def __len__(self) -> int:
        """How many numbers."""
        return self.named + len(self._centre)

    def __call__(self, rows: Rows) -> FloatArray:
        """Return float64[n, f]."""
        features = np.clip((self._described(rows) - self._mean) / self._scale, -10.0, 10.0)
        return np.hstack([features, self._coded(rows) - self._centre])

    def _described(self, rows: Rows) -> FloatArray:
        features = np.asarray(self._describe(rows), dtype=np.float64)
        return np.nan_to_num(features, posinf=1e30, neginf=-1e30)

    def _coded(self, rows: Rows) -> FloatArray:
        return np.hstack([np.zeros((len(rows), 0)), *(c[rows[:, j]] for j, c in self._codes)])


def _codes(space: Space) -> list[tuple[int, FloatArray]]:
    """Return the columns that are coded, and the code of each choice, float64[c, k]."""
    columns = zip(space.cardinalities.tolist(), space.ordered.tolist(), strict=True)
    return [
        (j, _steps(choices) if ordered else np.eye(choices))
        for j, (choices, ordered) in enumerate(columns)
        if 2 < choices <= _LONGEST
    ]


def _steps(choices: int) -> FloatArray:
    """Return a code that counts steps, float64[c, c - 1].

    Independent weights of the steps make the column's effect a random walk along its choices:
    neighbours are alike, and any of them may be where it jumps.
    """
    return np.asarray(np.tri(choices, choices - 1, -1) / np.sqrt(choices - 1.0))
