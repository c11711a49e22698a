"""What checks share: how they fail, and the small layers they ask about."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cosearch.search.parameters import ParameterSpace, Space
from cosearch.testing import ConformanceError
from cosearch.typing import Rows, Value
from cosearch.workload.einsum import Einsum, conv, gemm

LAYERS: tuple[Einsum, ...] = (
    gemm("product", M=16, N=8, K=32),
    conv("convolution", N=1, K=8, C=4, P=8, Q=8, R=3, S=3),
)
"""What machines are asked about."""

DESIGNS = 12
"""Designs of a space that are tried."""

ROWS = 64
"""Mappings of a layer that are priced."""


def require(holds: object, message: str) -> None:
    """Raise ConformanceError with a message unless something holds."""
    if not holds:
        raise ConformanceError(message)


def drawn(space: Space, n: int, seed: int = 0) -> Rows:
    """Return rows of a space, int64[n, d], drawn evenly, whether feasible or not."""
    rng = np.random.default_rng(seed)
    cards = np.asarray(space.cardinalities)
    return np.stack([rng.integers(0, c, n) for c in cards], axis=1).astype(np.int64)


def designs(space: ParameterSpace, baseline: Mapping[str, Value]) -> list[Mapping[str, Value]]:
    """Return the baseline and some more designs of a space."""
    rows = drawn(space, DESIGNS)
    return [baseline, *(space.decode(row) for row in rows)]
