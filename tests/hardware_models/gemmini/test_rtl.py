import csv
import gzip
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from cosearch.workload.einsum import conv
from cosearch_hardware.gemmini.model import Gemmini
from cosearch_hardware.gemmini.rtl import EXPONENT, TERMS, WEIGHTS, cycles, terms

ROOT = Path(__file__).parents[3]
RUNS = ROOT / "tests/data/gemmini/gemmini_rtl.csv.gz"


@pytest.fixture(scope="module")
def fitting():
    """Return the benchmark that made the constants, as a module."""
    spec = importlib.util.spec_from_file_location(
        "fit_gemmini_rtl", ROOT / "benchmarks/fit_gemmini_rtl.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def runs(fitting):
    rows = fitting.read(RUNS)
    return rows, terms(fitting.tiling_of(rows)), np.array([float(r["rtl_cycles"]) for r in rows])


def spearman(fitting, a, b):
    return np.corrcoef(fitting.ranks(a), fitting.ranks(b))[0, 1]


def test_shipped_constants_are_what_the_fit_finds(fitting, runs):
    rows, counts, measured = runs
    weight = np.where(fitting.is_chosen(rows), fitting.CHOSEN_WEIGHT, 1.0)
    theta = fitting.fit(np.log(counts), np.log(measured), weight)
    assert np.exp(theta[:-1]) == pytest.approx(WEIGHTS, rel=1e-3)
    assert 1 + np.exp(theta[-1]) == pytest.approx(EXPONENT, rel=1e-3)
    assert len(TERMS) == len(WEIGHTS)


def test_rows_left_out_are_ranked_as_the_docs_say(fitting, runs):
    rows, counts, measured = runs
    chosen = fitting.is_chosen(rows)
    weight = np.where(chosen, fitting.CHOSEN_WEIGHT, 1.0)
    left_out = fitting.cross_validate(np.log(counts), np.log(measured), weight, seed=0)
    assert spearman(fitting, left_out[chosen], measured[chosen]) > 0.985
    assert spearman(fitting, left_out[~chosen], measured[~chosen]) > 0.92


def test_ranks_share_ties(fitting):
    assert fitting.ranks(np.array([3.0, 1.0, 3.0])).tolist() == [2.5, 1.0, 2.5]


def test_the_derivative_of_the_fit(fitting):
    theta, logs = np.array([0.1, -0.3, 0.2]), np.log(np.array([[3.0, 5.0], [7.0, 2.0]]))
    value, slope = fitting.predict(theta, logs)
    for j in range(3):
        moved = theta + 1e-6 * np.eye(3)[j]
        assert (fitting.predict(moved, logs)[0] - value) / 1e-6 == pytest.approx(
            slope[:, j], abs=1e-5
        )


def test_the_machine_counts_as_the_benchmark_does(fitting):
    """A published mapping, once from its columns and once through the mapspace."""
    with gzip.open(RUNS, "rt") as lines:
        row = next(r for r in csv.DictReader(lines) if r["source"] != "random" and r["R"] == "3")
    accelerator = Gemmini(latency="rtl").build({})
    sizes = {d: int(row[d]) for d in ("K", "C", "P", "Q", "R", "S")}
    layer = conv("layer", **sizes, stride=(int(row["Wstride"]), int(row["Hstride"])))
    space = accelerator.mapspace(layer)
    rows = space.sample(64, np.random.default_rng(0))
    published = terms(fitting.tiling_of([row]))
    tiling = accelerator._tiling(layer, rows)
    assert tiling.P[0] == sizes["P"]
    assert (tiling.p * space.factors(rows)[:, -1, space.dims.index("P")] == sizes["P"]).all()
    assert np.isfinite(terms(tiling)).all()
    assert published.shape == (1, len(TERMS))


def test_more_of_anything_never_takes_less():
    base = np.array([[1e4, 1e3, 10.0, 500.0, 500.0, 1.0]])
    for j in range(base.shape[1] - 1):
        more = base.copy()
        more[0, j] *= 2
        assert cycles(more)[0] >= cycles(base)[0]
