import numpy as np
import pytest

from cosearch.workload.einsum import conv
from cosearch_hardware.nvdla import Nvdla

LAYER = conv("layer", K=32, C=16, P=14, Q=14, R=3, S=3)


@pytest.mark.parametrize(("preset", "macs", "kilobytes"), [("full", 2048, 512), ("small", 64, 128)])
def test_presets(preset, macs, kilobytes):
    architecture = Nvdla(preset=preset).build({}).architecture
    assert architecture.compute.instances == macs
    assert architecture.levels[2].entries == kilobytes * 1024
    assert len(architecture.levels) == 4


def test_filters_along_x_and_channels_along_y():
    accelerator = Nvdla().build({})
    space = accelerator.mapspace(LAYER)
    for row in space.sample(30, np.random.default_rng(0)):
        _, accumulator, buffer, _ = space.mapping_of(row).levels
        assert {loop.dim for loop in accumulator.spatial_y} <= {"C"}
        assert {loop.dim for loop in buffer.spatial_x} <= {"K"}
        assert not accumulator.spatial_x
        assert not buffer.spatial_y
