"""Fit the shipped model of NAS-Bench-201's accuracies to the benchmark's own table.

python benchmarks/fit_nasbench201.py nasbench201.csv.gz

What lacks to a ceiling is a product of factors, one for every combination of operations on one,
two or three edges of the cell: ridge regression of its logarithm on indicators of those
combinations. Edges on no path from the cell's input to its output count as `none`; cells without
any path are left out, their networks see nothing. Ceiling and penalty are those of the best rank
correlation where each of five parts is left out in turn; cells that are the same network (equal but
for edges on no path) are left out together. How far off the model then is on what it has not seen
is printed, and written down with the coefficients.
"""

from __future__ import annotations

import argparse
import json
from itertools import combinations, product

import numpy as np
from attrs import frozen
from fit_accuracy import DATA, PARTS
from scipy.stats import kendalltau

from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.workloads.measured_table import read_measured
from cosearch_plugins.workloads.nasbench201_accuracy import ORDER, edges_named, on_paths
from cosearch_plugins.workloads.nasbench201_cells import (
    DATA_SETS,
    EDGES,
    OPERATIONS,
    codes,
    rows_by_index,
)

CEILINGS = (0.6, 1.5, 3.0, 6.0)
"""Above the best accuracy, points."""

PENALTIES = (1.0, 3.0, 10.0)
DIGITS = 4


def design(live: Rows) -> tuple[FloatArray, list[tuple[int, ...]]]:
    """Return indicators, float64[n, f], and the edges of each block of them."""
    of_edge = [
        (live[:, [e]] == np.arange(1, len(OPERATIONS))).astype(np.float64)
        for e in range(len(EDGES))
    ]
    blocks = [edges for k in range(1, ORDER + 1) for edges in combinations(range(len(EDGES)), k)]
    columns = []
    for edges in blocks:
        block = of_edge[edges[0]]
        for e in edges[1:]:
            block = (block[:, :, None] * of_edge[e][:, None, :]).reshape(len(live), -1)
        columns.append(block)
    return np.hstack(columns), blocks


def parts_of(live: Rows) -> list[BoolArray]:
    """Return equal parts of networks; one network's cells are in one part."""
    kinds = np.unique(codes(live), return_inverse=True)[1]
    part = np.random.default_rng(0).permutation(kinds.max() + 1) % PARTS
    return [part[kinds] == k for k in range(PARTS)]


@frozen(eq=False)
class Folds:
    """Ridge regressions that leave each part out in turn; what they share is computed once.

    Attributes:
        x: float64[n, f].
        parts: bool[n] each.
        grams: float64[f + 1, f + 1] of each part, an intercept first.
    """

    x: FloatArray
    parts: list[BoolArray]
    grams: list[FloatArray]

    @classmethod
    def of(cls, x: FloatArray, parts: list[BoolArray]) -> Folds:
        """Return the regressions on indicators of networks in parts."""
        padded = np.hstack([np.ones((len(x), 1)), x])
        return cls(padded, parts, [padded[part].T @ padded[part] for part in parts])

    def weights(self, y: FloatArray, penalty: float, without: int | None) -> FloatArray:
        """Return intercept and weights, float64[f + 1], fitted without a part."""
        kept = [k for k in range(len(self.parts)) if k != without]
        gram = np.sum([self.grams[k] for k in kept], axis=0)
        gram[np.arange(1, len(gram)), np.arange(1, len(gram))] += penalty
        known = np.any([self.parts[k] for k in kept], axis=0)
        return np.asarray(np.linalg.solve(gram, self.x[known].T @ y[known]))

    def left_out(self, accuracy: FloatArray, ceiling: float, penalty: float) -> FloatArray:
        """Return each network's accuracy by a fit without its part, float64[n]."""
        y, predicted = np.log(ceiling - accuracy), np.empty(len(accuracy))
        for k, part in enumerate(self.parts):
            predicted[part] = ceiling - np.exp(self.x[part] @ self.weights(y, penalty, k))
        return predicted


def errors(predicted: FloatArray, accuracy: FloatArray) -> dict[str, float]:
    """Return what is said of predictions."""
    off = predicted - accuracy
    return {
        "rmse": round(float(np.sqrt((off**2).mean())), 4),
        "bias": round(float(off.mean()), 4),
        "kendall": round(float(kendalltau(predicted, accuracy).statistic), 4),
        "networks": len(accuracy),
    }


def fitted(folds: Folds, accuracy: FloatArray, dataset: str) -> dict[str, object]:
    """Return a data set's model without its weights' names, and print its errors."""
    tried = [
        (round(float(accuracy.max()) + step, 1), penalty)
        for step, penalty in product(CEILINGS, PENALTIES)
    ]
    found = [folds.left_out(accuracy, c, p) for c, p in tried]
    best = int(np.argmax([errors(each, accuracy)["kendall"] for each in found]))
    ceiling, penalty = tried[best]
    held_out = errors(found[best], accuracy)
    quarter = accuracy >= np.quantile(accuracy, 0.75)
    top = errors(found[best][quarter], accuracy[quarter])
    print(f"{dataset}: ceiling {ceiling}, penalty {penalty}")
    print(f"  a fifth left out                    {held_out}")
    print(f"  of these the most accurate quarter  {top}")
    chosen = accuracy[np.argsort(-found[best])[:20]].mean()
    print(f"  accuracy of the 20 predicted best   {chosen:.2f}")
    base, *weights = folds.weights(np.log(ceiling - accuracy), penalty, None)
    return {
        "ceiling": ceiling,
        "penalty": penalty,
        "held_out": held_out,
        "most_accurate_quarter": top,
        "intercept": round(float(base), DIGITS),
        "weights": np.round(weights, DIGITS),
    }


def main() -> None:
    """Fit, print the errors, write the coefficients."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("table")
    table = read_measured(arguments.parse_args().table)
    live = on_paths(rows_by_index()[[int(index) for index in table.texts("index")]])
    connected = live.any(axis=1)
    x, blocks = design(live[connected])
    folds = Folds.of(x, parts_of(live[connected]))
    sets = {}
    for dataset, data in DATA_SETS.items():
        accuracy = table.numbers(f"acc_{data.suffix}")[connected]
        model = fitted(folds, accuracy, dataset)
        sizes = np.cumsum([(len(OPERATIONS) - 1) ** len(edges) for edges in blocks])
        pieces = np.split(np.asarray(model["weights"]), sizes[:-1])
        model["weights"] = {
            edges_named(edges): piece.tolist() for edges, piece in zip(blocks, pieces, strict=True)
        }
        sets[dataset] = model
    facts = {
        "what": "accuracy = ceiling - exp(intercept + sum of weights of operations)",
        "made_by": "benchmarks/fit_nasbench201.py",
        "how": "a fifth at a time left out of the fit",
        "datasets": sets,
    }
    path = DATA / "nasbench201" / "accuracy.json"
    text = json.dumps(facts, separators=(",", ":")).replace('},"', '},\n"').replace('],"', '],\n"')
    path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
