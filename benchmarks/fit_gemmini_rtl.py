"""Fit Gemmini's RTL latency to published FireSim runs, and say how far the fit can be trusted.

python benchmarks/fit_gemmini_rtl.py            # cross-validate, fit, compare with what ships
python benchmarks/fit_gemmini_rtl.py FILE.csv   # judge the shipped constants on other rows
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
from pathlib import Path

import numpy as np

from cosearch_hardware.gemmini.rtl import EXPONENT, TERMS, WEIGHTS, Tiling, cycles, terms

RUNS = Path(__file__).parents[1] / "tests/data/gemmini/gemmini_rtl.csv.gz"
FOLDS, SEEDS = 5, 3
CHOSEN_WEIGHT = 3.0
"""How much a row of a mapping that somebody would choose counts against a random one."""


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file, compressed or not."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return list(csv.DictReader(io.StringIO(text)))


def tiling_of(rows: list[dict[str, str]]) -> Tiling:
    """Return the tiles of published rows.

    The array of a random row is not stated; its spatial factors tell: the next power of two.
    """
    value = {name: np.array([float(row[name]) for row in rows]) for name in NUMBERS}
    chosen = is_chosen(rows)
    spatial = np.maximum(np.maximum(value["Cx"], value["Kx"]), 4.0)
    return Tiling(
        p=value["P"] / value["L3_P"], q=value["Q"] / value["L3_Q"],
        r=value["R"] / value["L3_R"], s=value["S"] / value["L3_S"],
        c=value["C"] / value["L3_C"], k=value["K"] / value["L3_K"],
        P=value["P"], Q=value["Q"], R=value["R"], S=value["S"], C=value["C"], K=value["K"],
        stride_x=value["Wstride"], stride_y=value["Hstride"],
        array=np.where(chosen, value["pe_dim"], 2.0 ** np.ceil(np.log2(spatial))),
        repeats=value["N"],
    )  # fmt: skip


NUMBERS = (
    "N", "P", "Q", "R", "S", "C", "K", "Wstride", "Hstride", "pe_dim", "Cx", "Kx",
    "L3_P", "L3_Q", "L3_R", "L3_S", "L3_C", "L3_K",
)  # fmt: skip


def is_chosen(rows: list[dict[str, str]]) -> np.ndarray:
    """Return bool[n]: rows of mappings that DOSA chose, as against random ones."""
    return np.array([row["source"] != "random" for row in rows])


def predict(theta: np.ndarray, logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return log cycles, float64[n], and their derivatives by theta, float64[n, 7].

    Args:
        theta: log weights, then the log of the exponent less one.
        logs: log counts, float64[n, 6].
    """
    exponent = 1.0 + np.exp(theta[-1])
    spent = logs + theta[:-1]
    largest = spent.max(axis=1, keepdims=True)
    powers = np.exp(exponent * (spent - largest))
    total = powers.sum(axis=1)
    share = powers / total[:, None]
    norm = np.log(total) / exponent
    by_exponent = ((share * (spent - largest)).sum(axis=1) - norm) / exponent
    slope = by_exponent * (exponent - 1.0)
    return largest[:, 0] + norm, np.column_stack([share, slope])


def fit(logs: np.ndarray, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return theta by Levenberg-Marquardt on robust (soft L1, 0.5) weighted log errors."""
    theta, damping, scale = np.zeros(logs.shape[1] + 1), 1.0, 0.5

    def loss(candidate: np.ndarray) -> float:
        error = weight * (predict(candidate, logs)[0] - target)
        return float((2 * scale**2 * (np.sqrt(1 + (error / scale) ** 2) - 1)).sum())

    best = loss(theta)
    for _ in range(500):
        value, jacobian = predict(theta, logs)
        error = weight * (value - target)
        robust = weight / (1 + (error / scale) ** 2) ** 0.25
        scaled = jacobian * robust[:, None]
        normal = scaled.T @ scaled
        gradient = scaled.T @ (robust * (value - target))
        step = np.linalg.solve(normal + damping * np.diag(normal.diagonal() + 1e-9), -gradient)
        candidate = theta + np.clip(step, -2, 2)
        trial = loss(candidate)
        if trial < best:
            done = best - trial < 1e-12 * best
            theta, best, damping = candidate, trial, damping / 3
            if done:
                break
        elif damping > 1e12:
            break
        else:
            damping *= 4
    return theta


def ranks(values: np.ndarray) -> np.ndarray:
    """Return mean ranks, ties shared."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def judge(name: str, predicted: np.ndarray, measured: np.ndarray) -> str:
    """Return one line: Spearman's rank correlation, mean and median relative error."""
    spearman = np.corrcoef(ranks(predicted), ranks(measured))[0, 1]
    error = np.abs(predicted / measured - 1)
    return (
        f"{name:<28} {len(measured):>5} rows  Spearman {spearman:.4f}  "
        f"mean error {error.mean():6.1%}  median {np.median(error):6.1%}"
    )


def cross_validate(
    logs: np.ndarray, target: np.ndarray, weight: np.ndarray, seed: int
) -> np.ndarray:
    """Return log cycles, each predicted by a fit that has not seen its row."""
    order = np.random.default_rng(seed).permutation(len(target))
    out = np.empty(len(target))
    for fold in range(FOLDS):
        left_out = order[fold::FOLDS]
        seen = np.setdiff1d(order, left_out)
        theta = fit(logs[seen], target[seen], weight[seen])
        out[left_out] = predict(theta, logs[left_out])[0]
    return out


def main(arguments: list[str]) -> None:
    """Print the tables."""
    rows = read(Path(arguments[0]) if arguments else RUNS)
    measured = np.array([float(row["rtl_cycles"]) for row in rows])
    counts, chosen = terms(tiling_of(rows)), is_chosen(rows)
    groups = (("chosen by DOSA", chosen), ("random", ~chosen))
    if not arguments:
        logs, target = np.log(counts), np.log(measured)
        weight = np.where(chosen, CHOSEN_WEIGHT, 1.0)
        for seed in range(SEEDS):
            left_out = np.exp(cross_validate(logs, target, weight, seed))
            for name, group in groups:
                print(judge(f"left out, seed {seed}: {name}", left_out[group], measured[group]))
        theta = fit(logs, target, weight)
        print("\nfitted on all rows" + " " * 21 + "shipped")
        fitted = (*np.exp(theta[:-1]), 1 + np.exp(theta[-1]))
        for name, found, ships in zip(
            (*TERMS, "exponent"), fitted, (*WEIGHTS, EXPONENT), strict=True
        ):
            print(f"  {name:<16}{found:>16.4f}{ships:>16.4f}")
        print()
    for name, group in groups:
        if group.any():
            print(judge(f"shipped constants: {name}", cycles(counts[group]), measured[group]))


if __name__ == "__main__":
    main(sys.argv[1:])
