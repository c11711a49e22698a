import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.errors import CosearchError
from cosearch.machine.technology import Storage
from cosearch_plugins.technologies.accelergy_eyeriss import AccelergyEyeriss, straight

TABLE = AccelergyEyeriss()
PRINTED = (
    ("regfile", 12, 16, 0.237),
    ("regfile", 16, 16, 0.251),
    ("regfile", 192, 16, 1.586),
    ("sram", 1024, 64, 9.244),
    ("sram", 12_800, 64, 56.716),
    ("sram", 16_384, 64, 75.22),
    ("dram", None, 64, 512.0),
)


@pytest.mark.parametrize(("kind", "depth", "bits", "pj"), PRINTED)
def test_every_energy_that_was_printed(kind, depth, bits, pj):
    energy = TABLE.storage(Storage("part", kind, depth, bits)).energy
    assert energy.read == energy.fill == energy.update == pytest.approx(pj, rel=1e-12)


def test_between_the_printed_sizes():
    assert straight({10: 1.0, 20: 3.0, 40: 4.0}, 15) == 2.0
    assert straight({10: 1.0, 20: 3.0, 40: 4.0}, 60) == 5.0
    assert straight({10: 1.0, 20: 3.0, 40: 4.0}, 5) == 0.0


@given(st.integers(1, 512), st.integers(1, 512))
def test_a_larger_scratchpad_never_costs_less_and_always_something(one, other):
    low, high = (
        TABLE.storage(Storage("part", "regfile", n, 16)).energy.read for n in sorted((one, other))
    )
    assert 0 < low <= high


def test_it_has_one_multiplier_and_no_areas():
    assert TABLE.compute(16).energy_pj == 2.2
    with pytest.raises(CosearchError, match="no 8-bit MAC"):
        TABLE.compute(8)
    assert math.isnan(TABLE.storage(Storage("part", "sram", 1024, 64)).area_um2)
