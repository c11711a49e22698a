"""Which configurations the instruction set can express."""

import itertools

import numpy as np
import pytest

from cosearch_hardware.vta.isa import ISA_RULES, VtaConfiguration, log_depths

RANGES = {
    "batch": range(4),
    "block": range(2, 7),
    "uop": range(12, 18),
    "inp": range(12, 19),
    "wgt": range(14, 21),
    "acc": range(13, 20),
}


def grid():
    points = np.array(list(itertools.product(*RANGES.values())))
    return {**dict(zip(RANGES, points.T, strict=True)), "bus_bytes": np.full(len(points), 8)}


def test_the_default_has_the_published_depths():
    depths = {name: int(d[0]) for name, d in log_depths(VtaConfiguration().columns).items()}
    assert depths == {"uop": 13, "inp": 11, "wgt": 10, "acc": 11}
    assert sum(VtaConfiguration().memory_bytes.values()) == 480 * 1024


def test_the_share_of_realizable_configurations_is_the_known_one():
    columns = grid()
    assert len(columns["batch"]) == 41_160
    of_the_instruction_set = np.all([rule.holds(columns) for rule in ISA_RULES[:6]], axis=0)
    assert round(100 * of_the_instruction_set.mean(), 1) == 47.6


@pytest.mark.parametrize(
    ("change", "rule"),
    [({"acc": 18}, 0), ({"uop": 16}, 1), ({"wgt": 19}, 2), ({"acc": 18}, 3), ({"block": 2}, 5)],
)
def test_the_default_sits_on_the_limits(change, rule):
    broken = VtaConfiguration(**{**change, "bus_bytes": 8})
    assert not ISA_RULES[rule].holds(broken.columns).all()
    assert all(r.holds(VtaConfiguration().columns).all() for r in ISA_RULES)
