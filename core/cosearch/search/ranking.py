"""Ranks with ties, and how far two rankings agree."""

from __future__ import annotations

import numpy as np

from cosearch.typing import FloatArray


def midranks(values: FloatArray) -> FloatArray:
    """Return float64[n]: ranks from 1, equal values sharing their mean rank."""
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(1, len(values) + 1)
    for value in np.unique(values):
        same = values == value
        ranks[same] = ranks[same].mean()
    return ranks


def spearman(a: FloatArray, b: FloatArray) -> float:
    """Return Spearman's rank correlation of float64[n] each; 1 when a side has no differences."""
    x, y = midranks(a), midranks(b)
    x, y = x - x.mean(), y - y.mean()
    spread = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / spread) if spread else 1.0
