import numpy as np

from cosearch.workload.einsum import conv
from cosearch_hardware.simba import Simba

LAYER = conv("layer", K=32, C=16, P=14, Q=14, R=3, S=3)


def test_sizes_of_a_chiplet():
    register, pe_buffers, buffer, _ = Simba().build({}).architecture.levels
    assert register.instances == 16 * 64
    assert pe_buffers.instances == 16
    assert pe_buffers.partitions["Weights"].entries == 32 * 1024
    assert pe_buffers.partitions["Outputs"].entries == 1024
    assert buffer.entries == 64 * 1024


def test_sums_are_wider_than_words():
    parts = Simba().build({}).architecture.levels[1].partitions
    narrow = Simba().build({"sum_kb": 1, "input_kb": 2}).architecture.levels[1].partitions
    assert parts["Outputs"].word_bits == 24
    assert narrow["Outputs"].energy.read > narrow["Inputs"].energy.read / 2


def test_lanes_take_filters_and_vectors_channels():
    accelerator = Simba().build({})
    space = accelerator.mapspace(LAYER)
    for row in space.sample(30, np.random.default_rng(0)):
        _, pe_buffers, _, _ = space.mapping_of(row).levels
        assert {loop.dim for loop in pe_buffers.spatial_x} <= {"K"}
        assert {loop.dim for loop in pe_buffers.spatial_y} <= {"C"}
