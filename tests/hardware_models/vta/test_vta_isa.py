"""Which configurations the instruction sets can express.

Counts and shipped configurations are those of the two public stacks (apache/tvm-vta and
pasqoc/incubator-tvm-vta, both Apache-2.0): bit fields and configuration files read, counts by
arithmetic on them.
"""

import itertools

import numpy as np
import pytest

from cosearch.errors import Infeasible
from cosearch_hardware.vta.isa import ENUMERATOR, LIMITS, VtaConfiguration, log_depths
from cosearch_hardware.vta.model import Vta

APACHE = {
    "batch": range(4),
    "block": range(2, 7),
    "uop": range(12, 18),
    "inp": range(12, 19),
    "wgt": range(14, 21),
    "acc": range(13, 20),
}
SCRIPT = {
    "batch": range(5),
    "block_in": range(7),
    "block_out": range(7),
    "inp": range(15, 19),
    "wgt": range(15, 19),
    "acc": range(15, 19),
}
"""The grid of the intel stack's design-space script; its micro-op memory is 2^15 bytes."""

ALU_RULE = 4


def grid(ranges, **fixed):
    points = np.array(list(itertools.product(*ranges.values())))
    constants = {name: np.full(len(points), value) for name, value in fixed.items()}
    return {**dict(zip(ranges, points.T, strict=True)), "bus_bytes": np.array([8]), **constants}


def meets(limits, columns):
    return np.all(np.broadcast_arrays(*(limit.holds(columns) for limit in limits)), axis=0)


def script(**fixed):
    columns = grid(SCRIPT, **{"uop": 15, **fixed})
    return columns, columns["batch"] + columns["block_in"] + columns["block_out"]


@pytest.mark.parametrize("stack", LIMITS)
def test_the_default_has_the_published_depths(stack):
    default = VtaConfiguration(stack)
    depths = {name: int(d[0]) for name, d in log_depths(default.columns).items()}
    assert depths == {"uop": 13, "inp": 11, "wgt": 10, "acc": 11}
    assert sum(default.memory_bytes.values()) == 480 * 1024


def test_the_share_of_realizable_apache_configurations_is_the_known_one():
    columns = grid(APACHE)
    assert len(columns["batch"]) == 41_160
    assert round(100 * meets(LIMITS["apache"][:6], columns).mean(), 1) == 47.6


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"acc": 18}, 0),
        ({"uop": 16}, 1),
        ({"wgt": 19}, 2),
        ({"acc": 18}, 3),
        ({"block_in": 2, "block_out": 2}, 5),
    ],
)
def test_the_default_sits_on_the_limits(change, rule):
    broken = VtaConfiguration(**change)
    assert not LIMITS["apache"][rule].holds(broken.columns).all()
    assert meets(LIMITS["apache"], VtaConfiguration().columns).all()


@pytest.mark.parametrize(
    ("log_macs", "points", "valid"),
    [
        (6, 1_600, 100),
        (7, 1_792, 560),
        (8, 1_856, 1_276),
        (9, 1_792, 1_680),
        (10, 1_600, 1_600),
        (12, 960, 960),
    ],
)
def test_the_scripts_own_count(log_macs, points, valid):
    columns, macs = script()
    of_these = macs == log_macs
    assert int(of_these.sum()) == points
    assert int((of_these & meets(ENUMERATOR, columns)).sum()) == valid


def test_the_scripts_count_in_all():
    columns, macs = script()
    valid = meets(ENUMERATOR, columns)
    assert (len(valid), int(valid.sum())) == (15_680, 8_736)
    chosen = valid & (macs == 8)
    assert [int((chosen & (columns["batch"] == b)).sum()) for b in range(5)] == [
        220,
        264,
        308,
        264,
        220,
    ]
    square = columns["block_in"] == columns["block_out"]
    assert (int((chosen & square).sum()), int((valid & square).sum())) == (132, 1_200)


def test_six_configurations_of_the_printed_example():
    columns, macs = script()
    wanted = (macs == 8) & (columns["batch"] == 2) & (columns["block_in"] == 3)
    wanted &= (columns["inp"] == 18) & meets(ENUMERATOR, columns)
    pairs = zip(columns["wgt"][wanted], columns["acc"][wanted], strict=True)
    found = {(int(wgt), int(acc)) for wgt, acc in pairs}
    assert found == {(15, 15), (15, 16), (15, 17), (16, 15), (16, 16), (17, 15)}


def test_the_script_is_not_the_hardwares_rule():
    columns, macs = script()
    valid, built = meets(ENUMERATOR, columns), meets(LIMITS["intel"], columns)
    alu = LIMITS["intel"][ALU_RULE].holds(columns)
    for of_these, fits, breaks in ((macs == 8, 1_114, 162), (macs >= 0, 8_280, 456)):
        assert int((of_these & valid & built).sum()) == fits
        assert int((of_these & valid & ~alu).sum()) == breaks


@pytest.mark.parametrize(
    ("uop_width", "uop", "built", "beyond"), [(5, 15, 1_266, 0), (6, 16, 1_754, 488)]
)
def test_restricted_strides_make_room_for_a_64_bit_micro_op(uop_width, uop, built, beyond):
    restricts = dict.fromkeys(("inp_restrict", "wgt_restrict", "acc_restrict"), 1)
    columns, macs = script(uop=uop, uop_width=uop_width, **restricts)
    found = meets(LIMITS["intel"], columns) & (macs == 8)
    assert int(found.sum()) == built
    assert int((found & ~meets(ENUMERATOR, columns)).sum()) == beyond


SHIPPED = {
    "default": ((0, 4, 4), (15, 15, 18, 17), 8, 0, (13, 11, 10, 11), True),
    "batch2": ((1, 4, 4), (15, 15, 18, 17), 8, 0, (13, 10, 10, 10), True),
    "block32": ((0, 5, 5), (15, 15, 18, 17), 8, 0, (13, 10, 8, 10), True),
    "block32_128": ((0, 5, 5), (15, 15, 18, 17), 16, 0, (13, 10, 8, 10), True),
    "both_batch2_block32": ((1, 5, 5), (15, 15, 18, 17), 8, 0, (13, 9, 8, 9), True),
    "1x32x8": ((0, 5, 3), (15, 15, 18, 17), 8, 0, (13, 10, 10, 12), False),
    "1x8x32": ((0, 3, 5), (15, 15, 18, 17), 8, 0, (13, 12, 10, 10), True),
    "4x8x8": ((2, 3, 3), (11, 16, 16, 18), 8, 0, (9, 11, 10, 11), True),
    "minimal": ((0, 4, 4), (7, 15, 18, 17), 8, 0, (5, 11, 10, 11), True),
    "1x32x32_256": ((0, 5, 5), (12, 15, 15, 15), 32, 1, (10, 10, 5, 8), True),
    "be_small": ((0, 4, 4), (12, 13, 13, 13), 16, 0, (10, 9, 5, 7), True),
    "be_large": ((0, 5, 5), (12, 15, 15, 15), 32, 0, (10, 10, 5, 8), True),
    "be_huge": ((0, 6, 6), (12, 17, 17, 17), 64, 0, (10, 11, 5, 9), True),
}
"""Core, log2 bytes of the memories, bus bytes, restricts, log depths, apache's rules 1 to 4."""


def shipped(name):
    (batch, block_in, block_out), (uop, inp, wgt, acc), bus, restrict, depths, apache = SHIPPED[
        name
    ]
    fields = {"batch": batch, "block_in": block_in, "block_out": block_out, "bus_bytes": bus}
    fields |= {"uop": uop, "inp": inp, "wgt": wgt, "acc": acc}
    fields |= dict.fromkeys(("inp_restrict", "wgt_restrict", "acc_restrict"), restrict)
    return fields, depths, apache


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_configurations_have_their_depths_and_meet_the_rules(name):
    fields, depths, apache = shipped(name)
    columns = VtaConfiguration("intel", **fields).columns
    assert tuple(int(d[0]) for d in log_depths(columns).values()) == depths
    assert meets(LIMITS["intel"], columns).all()
    assert bool(meets(LIMITS["apache"][:4], columns).all()) is apache


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_configurations_are_built(name):
    fields, _, _ = shipped(name)
    model = Vta("intel", "asic", area_limit_mm2=1_000.0)
    built = model.build({**model.baseline, **fields})
    assert built.configuration.macs == 1 << sum(SHIPPED[name][0])


def test_the_enumerators_proposals_may_break_when_built():
    model = Vta("intel", "asic", rules="enumerator", area_limit_mm2=1_000.0)
    proposal = {**model.baseline, "acc": 18, "inp": 15, "wgt": 15}
    assert model.space.feasible(model.space.index(proposal)[None, :]).all()
    with pytest.raises(Infeasible, match="ALU instruction"):
        model.build(proposal)
