"""Ranks with ties, and how far two rankings agree."""

from __future__ import annotations

import numpy as np

from cosearch.typing import FloatArray


def midranks(values: FloatArray) -> FloatArray:
    """Return float64[n]: ranks from 1, equal values sharing their mean rank."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    shared = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray(shared[group.reshape(-1)])


def spearman(a: FloatArray, b: FloatArray) -> float:
    """Return Spearman's rank correlation of float64[n] each; 1 when a side has no differences."""
    x, y = midranks(a), midranks(b)
    x, y = x - x.mean(), y - y.mean()
    spread = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / spread) if spread else 1.0
