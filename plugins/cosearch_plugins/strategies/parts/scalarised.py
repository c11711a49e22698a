"""Several losses as one, another one for every design: ParEGO."""

from __future__ import annotations

import numpy as np

from cosearch.typing import FloatArray

_SUM = 0.05
"""Share of the plain weighted sum, which tells weakly dominated points apart."""


def drawn_weights(m: int, rng: np.random.Generator) -> FloatArray:
    """Return float64[m], uniform among those that are at least 0 and sum to 1."""
    return rng.dirichlet(np.ones(m))


def scalarised(losses: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the augmented Chebyshev loss, float64[n], of losses float64[n, m], all finite.

    Each objective is scaled to 0 to 1 over the designs given, positive ones on a logarithmic
    scale: costs of machines span decades. One objective is returned as it is.

    Source: Knowles, ParEGO, IEEE Transactions on Evolutionary Computation 10(1), 2006, equation 2
    and section III-A.
    """
    if losses.shape[1] == 1 or len(losses) == 0:
        return losses[:, 0] if losses.shape[1] else np.zeros(len(losses))
    scaled = np.where(losses.min(axis=0) > 0, np.log(np.maximum(losses, 1e-300)), losses)
    low, high = scaled.min(axis=0), scaled.max(axis=0)
    scaled = (scaled - low) / np.where(high > low, high - low, 1.0)
    weighted = scaled * weights
    return np.asarray(weighted.max(axis=1) + _SUM * weighted.sum(axis=1))
