"""Fit the shipped models of accuracies to the original measurements of a network space.

python benchmarks/fit_accuracy.py ofa-mobilenetv3 ofa_mbv3_w10.csv.gz
python benchmarks/fit_accuracy.py accel-nasbench accel_nasbench.csv.gz

What lacks to a ceiling is a product of factors, one a choice: ridge regression of its logarithm on
indicators of the choices. The ceiling and the penalty are those of least error when each of five
parts of the networks is left out in turn. How far off the model then is on networks it has not seen
is printed three ways, and written down with the coefficients: left out at random; the fifth that
lies farthest from all others, left out together; and each search that met the networks left out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cosearch.hooks.discovery import load_registry
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.workloads.measured_table import read_measured
from cosearch_plugins.workloads.ofa_mobilenetv3 import NO_BLOCK
from cosearch_plugins.workloads.searched_space import SearchedSpace

PENALTIES = (0.3, 1.0, 3.0, 10.0)
PARTS = 5
DATA = Path(__file__).parents[1] / "plugins/cosearch_plugins/workloads/data"


def features(space: SearchedSpace) -> list[FloatArray]:
    """Return what each choice of each column adds to, float64[choices, features] a column.

    A block `k5e4` is kernel 5 and expansion 4, which add up; any other choice stands for itself.
    """
    found = []
    for parameter in space.space.parameters:
        texts = [str(choice) for choice in parameter.choices]
        parts = [[t[:2], t[2:]] if t.startswith("k") else [t] for t in texts]
        names = sorted({name for p in parts for name in p} - {NO_BLOCK})
        found.append(np.array([[float(n in p) for n in names] for p in parts]))
    return found


def design(rows: Rows, by_column: list[FloatArray]) -> FloatArray:
    """Return the indicators of networks, float64[n, f]."""
    return np.hstack([each[rows[:, j]] for j, each in enumerate(by_column)])


def ridge(x: FloatArray, y: FloatArray, penalty: float) -> tuple[float, FloatArray]:
    """Return intercept and weights of least squares with a penalty on the weights."""
    mean = x.mean(axis=0)
    centred = x - mean
    weights = np.linalg.solve(
        centred.T @ centred + penalty * np.eye(x.shape[1]), centred.T @ (y - y.mean())
    )
    return float(y.mean() - mean @ weights), weights


def left_out(
    x: FloatArray, top1: FloatArray, parts: list[BoolArray], ceiling: float, penalty: float
) -> FloatArray:
    """Return each network's accuracy as predicted by a fit without its part, float64[n]."""
    predicted = np.full(len(top1), np.nan)
    for part in parts:
        base, weights = ridge(x[~part], np.log(ceiling - top1[~part]), penalty)
        predicted[part] = ceiling - np.exp(base + x[part] @ weights)
    return predicted


def kendall(a: FloatArray, b: FloatArray) -> float:
    """Return Kendall's tau-b."""
    signs = [np.sign(v[:, None] - v[None, :]) for v in (a, b)]
    norms = [np.sqrt((s * s).sum()) for s in signs]
    return float((signs[0] * signs[1]).sum() / (norms[0] * norms[1]))


def errors(predicted: FloatArray, top1: FloatArray) -> dict[str, float]:
    """Return what is said of predictions where there are some."""
    seen = ~np.isnan(predicted)
    off = predicted[seen] - top1[seen]
    return {
        "rmse": round(float(np.sqrt((off**2).mean())), 4),
        "bias": round(float(off.mean()), 4),
        "kendall": round(kendall(predicted[seen], top1[seen]), 4),
        "networks": int(seen.sum()),
    }


def at_random(n: int) -> list[BoolArray]:
    """Return equal parts of n networks."""
    fold = np.random.default_rng(0).permutation(n) % PARTS
    return [fold == k for k in range(PARTS)]


def farthest(rows: Rows) -> list[BoolArray]:
    """Return the fifth whose ten nearest neighbours differ most."""
    far = [np.sort((rows != row).sum(axis=1))[1:11].mean() for row in rows]
    return [np.array(far) >= np.quantile(far, 1 - 1 / PARTS)]


def main() -> None:
    """Fit, print the errors, write the coefficients."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("space")
    arguments.add_argument("table")
    asked = arguments.parse_args()
    named = load_registry(third_party=False).find("network_spaces", asked.space)
    space: SearchedSpace = named.target.__new__(named.target)  # there may be no model yet
    table = read_measured(asked.table)
    rows, top1 = space.rows_of(table), table.numbers(space.measured_as)
    by_column = features(space)
    x, parts = design(rows, by_column), at_random(len(rows))
    ceilings = [top1.max() + step for step in np.arange(0.5, 20, 0.5)]
    tried = [(c, p) for c in ceilings for p in PENALTIES]
    off = [errors(left_out(x, top1, parts, c, p), top1)["rmse"] for c, p in tried]
    ceiling, penalty = tried[int(np.argmin(off))]
    ceiling = round(float(ceiling), 1)

    def fitted_without(kept_out: list[BoolArray]) -> dict[str, float]:
        return errors(left_out(x, top1, kept_out, ceiling, penalty), top1)

    held_out = fitted_without(parts)
    print(f"{asked.space}: ceiling {ceiling}, penalty {penalty}")
    print(f"  a fifth left out at random   {held_out}")
    far = fitted_without(farthest(rows))
    print(f"  the farthest fifth left out  {far}")
    report_searches(table.columns.get("searches"), fitted_without)
    base, weights = ridge(x, np.log(ceiling - top1), penalty)
    facts = {
        "what": "accuracy = ceiling - exp(intercept + sum of weights of the choices)",
        "made_by": f"benchmarks/fit_accuracy.py {asked.space}",
        "networks": len(rows),
        "ceiling": ceiling,
        "penalty": penalty,
        "held_out": {**held_out, "how": "a fifth at a time left out of the fit"},
        "farthest_fifth": far,
        "intercept": round(base, 6),
        "weights": weights_of(space, by_column, weights),
    }
    path = DATA / space.folder / "accuracy.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def report_searches(
    column: tuple[str, ...] | None, fitted_without: Callable[[list[BoolArray]], dict[str, float]]
) -> None:
    """Print the errors on the networks of each search, left out together."""
    for search in sorted(set(column or ())):
        part = np.array([name == search for name in column or ()])
        print(f"  without those of {search:<11} {fitted_without([part])}")


def weights_of(
    space: SearchedSpace, by_column: list[FloatArray], weights: FloatArray
) -> dict[str, dict[str, float]]:
    """Return the weight of each choice of each column, rounded."""
    ends = np.cumsum([each.shape[1] for each in by_column])
    found = {}
    pieces = zip(space.space.parameters, by_column, np.split(weights, ends[:-1]), strict=True)
    for parameter, each, piece in pieces:
        values = np.round(each @ piece, 6).tolist()
        found[parameter.name] = dict(zip(map(str, parameter.choices), values, strict=True))
    return found


if __name__ == "__main__":
    main()
