"""What accuracy a cell of NAS-Bench-201 is predicted to have, by a model fitted to the benchmark.

    accuracy = ceiling - exp(intercept + sum over combinations of edges of weight[operations]),

over single edges, pairs and triples, with edges that lie on no path from input to output as `none`.
A cell without a path sees nothing of the image: its accuracy is that of guessing, 100 over the
number of classes. `benchmarks/fit_nasbench201.py` fits the numbers, shipped in
`data/nasbench201/accuracy.json` with the errors on networks that the fit had not seen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

import numpy as np
from attrs import frozen

from cosearch.typing import FloatArray, Rows
from cosearch_plugins.workloads.nasbench201_cells import DATA_SETS, EDGES, OPERATIONS

PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))
"""The edges, by number, of every path from a cell's input to its output."""

ORDER = 3
"""Edges that are looked at together, at most."""


@frozen(eq=False)
class CellAccuracy:
    """A data set's fitted model and how far off it is.

    Attributes:
        ceiling: per cent that no network reaches.
        intercept: of the logarithm of what lacks to it.
        weights: by edges: float64, one axis of 5 operations for each edge; 0 with `none`.
        chance: per cent of a network that sees nothing.
        rmse, top_rmse: root mean square errors, points, on networks left out of the fit, and of
            these on the most accurate quarter.
        kendall: rank correlation (tau-b) with their accuracies.
        networks: how many were fitted to.
    """

    ceiling: float
    intercept: float
    weights: Mapping[tuple[int, ...], FloatArray]
    chance: float
    rmse: float
    top_rmse: float
    kendall: float
    networks: int

    def of(self, rows: Rows) -> FloatArray:
        """Return the predicted accuracy in per cent, float64[n], of cells int64[n, 6]."""
        live = on_paths(rows)
        lacking = np.full(len(rows), self.intercept)
        for edges, table in self.weights.items():
            lacking += table[tuple(live[:, e] for e in edges)]
        return np.where(live.any(axis=1), self.ceiling - np.exp(lacking), self.chance)

    @property
    def note(self) -> str:
        """How far off it is, for reports."""
        return (
            f"held-out error {self.rmse:.2f} points (root mean square; {self.top_rmse:.2f} over "
            f"the most accurate quarter) and rank correlation {self.kendall:.2f} over "
            f"{self.networks:,} networks, a fifth at a time left out of the fit"
        )


def on_paths(rows: Rows) -> Rows:
    """Return cells, int64[n, 6], with edges on no path from input to output as `none`."""
    none = OPERATIONS.index("none")
    alive = np.zeros(rows.shape, dtype=bool)
    for path in PATHS:
        whole = (rows[:, path] != none).all(axis=1)
        alive[:, path] |= whole[:, None]
    return np.where(alive, rows, none)


def edges_named(edges: Sequence[int]) -> str:
    """Return edges in words: `01 12` from node 0 to node 1 and from node 1 to node 2."""
    return " ".join("{}{}".format(*EDGES[e]) for e in edges)


@cache
def predicted_accuracy(dataset: str) -> CellAccuracy:
    """Return the shipped model of a data set."""
    data = resources.files(__package__) / "data" / "nasbench201" / "accuracy.json"
    facts = json.loads(data.read_text(encoding="utf-8"))["datasets"][dataset]
    numbers = {edges_named([e]): e for e in range(len(EDGES))}
    weights = {}
    for named, values in facts["weights"].items():
        edges = tuple(numbers[name] for name in named.split())
        table = np.zeros((len(OPERATIONS),) * len(edges))
        table[(slice(1, None),) * len(edges)] = np.reshape(
            values, (len(OPERATIONS) - 1,) * len(edges)
        )
        weights[edges] = table
    held_out, top = facts["held_out"], facts["most_accurate_quarter"]
    return CellAccuracy(
        facts["ceiling"],
        facts["intercept"],
        weights,
        100.0 / DATA_SETS[dataset].classes,
        held_out["rmse"],
        top["rmse"],
        held_out["kendall"],
        held_out["networks"],
    )
