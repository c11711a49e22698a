"""Cycles, mapping efficiency and SRAM counts against every published row of SCALE-Sim."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from cosearch_hardware.systolic.folds import fold

DATA = Path(__file__).parents[2] / "data" / "scalesim" / "scalesim_v3.csv.gz"


@pytest.fixture(scope="module")
def rows():
    with gzip.open(DATA, "rt") as file:
        return list(csv.DictReader(file))


def folded(row):
    sizes = (np.array([int(row[name])]) for name in "MNK")
    return fold(row["dataflow"], int(row["array_rows"]), int(row["array_cols"]), *sizes)


def test_cycles(rows):
    assert [int(folded(r).cycles[0]) for r in rows] == [int(r["demand_rows"]) for r in rows]


def test_mapping_efficiency(rows):
    for row in rows:
        found = folded(row).mapping_efficiency(int(row["array_rows"]), int(row["array_cols"]))
        assert 100 * found[0] == pytest.approx(float(row["mapping_eff_pct"]), rel=1e-12)


def test_sram_counts(rows):
    counted = [row for row in rows if row["sram_ifmap_reads"]]
    assert len(counted) > 300
    for row in counted:
        found = folded(row)
        assert found.input_reads[0] == int(row["sram_ifmap_reads"])
        assert found.weight_reads[0] == int(row["sram_filter_reads"])
        folds = int(found.folds_rows[0] * found.folds_cols[0])
        overcount = folds * (int(row["array_rows"]) + int(row["array_cols"]))
        printed = int(row["sram_ofmap_writes"])
        assert found.output_writes[0] == printed - overcount * (row["dataflow"] == "os")


@pytest.mark.parametrize(("dataflow", "cycles"), [("ws", 23), ("is", 23), ("os", 15)])
def test_one_multiplication_costs_the_way_through_the_array(dataflow, cycles):
    one = np.array([1])
    assert fold(dataflow, 8, 8, one, one, one).cycles[0] == cycles
