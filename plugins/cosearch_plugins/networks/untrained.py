"""A sample of untrained networks, their scores computed and as a table has them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.typing import FloatArray, IntArray
from cosearch.workload.network import NetworkSpace
from cosearch_plugins.networks.torch_scores import computed_scores
from cosearch_plugins.workloads.nasbench201 import NasBench201
from cosearch_plugins.workloads.nasbench201_cells import SIZE, rows_by_index


@frozen(eq=False)
class Untrained:
    """What came of a sample.

    Attributes:
        indices: int64[n]: the benchmark's own.
        given: float64[n] each, by score: those that the space's table has.
        computed: float64[n] each, by score.
    """

    indices: IntArray
    given: dict[str, FloatArray]
    computed: dict[str, FloatArray]


def untrained(
    space: NetworkSpace, sample: int, seed: int, note: Callable[[str], None] = lambda _: None
) -> Untrained:
    """Return the scores of networks drawn at random.

    Args:
        space: `nasbench201`.
        sample: networks.
        seed: of the draw, the weights and the batch.
        note: told of each network.

    Raises:
        CosearchError: the space is another one.
        MissingExtraError: PyTorch is not installed.
    """
    if not isinstance(space, NasBench201):
        raise CosearchError("untrained networks are built of nasbench201 alone")
    indices = np.sort(np.random.default_rng(seed).choice(SIZE, size=sample, replace=False))
    rows = rows_by_index()[indices]
    found = []
    for i, row in enumerate(rows, 1):
        note(f"network {i} of {sample}")
        found.append(computed_scores(row, space.dataset, seed))
    names = ("naswot", "logsynflow")
    return Untrained(
        indices,
        {name: space.score(name, rows) for name in names if name in space.scores},
        {name: np.array([getattr(x, name) for x in found]) for name in names},
    )
