import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from cosearch.errors import CosearchError
from cosearch.machine.technology import Storage, priced
from cosearch_hardware.gemmini.model import COUNTS, machine
from cosearch_plugins.technologies.dosa import DosaTable

AREAS = Path(__file__).parents[2] / "data/gemmini/area_by_arch.csv.gz"


def test_areas_are_within_the_stated_error_of_the_published_ones():
    with gzip.open(AREAS, "rt") as lines:
        rows = list(csv.DictReader(lines))
    ratios = []
    for row in rows:
        built = machine(
            int(row["pe_dim"]),
            accumulator_words=int(row["acc_depth"]),
            scratchpad_rows=int(row["sp_depth"]),
            rules=COUNTS["2022"],
        )
        area = priced(built, DosaTable(), kinds={"register": "regfile"}).area_mm2
        ratios.append(area / float(row["area_mm2"]))
    errors = np.abs(np.array(ratios) - 1)
    assert len(rows) == 80
    assert errors.mean() < 0.055
    assert errors.max() < 0.185


def test_it_prices_nothing_but_gemmini():
    with pytest.raises(CosearchError, match="no component 'buffer'"):
        DosaTable().storage(Storage("buffer", "sram", 64, 64))
    with pytest.raises(CosearchError, match="16-bit MAC"):
        DosaTable().compute(16)


def test_a_mac_and_dram():
    assert DosaTable().compute(8).energy_pj == 0.5608
    assert DosaTable().storage(Storage("DRAM", "dram", None, 512)).energy.read == 6400.0
