"""Domain features of mappings."""

import numpy as np

from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.loopnest.space.mapspace import MapSpace
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.workload.einsum import gemm

ONE = AccessEnergy.uniform(1.0)
SPACE = MapSpace(
    Architecture(
        "machine",
        (Memory("pe", 40, ONE, mesh_x=4), Memory("DRAM", None, ONE)),
        Compute(1.0, 4),
    ),
    gemm(M=8, N=4, K=4),
)


def test_use_of_buffers_of_the_mesh_and_tile_sizes():
    kept = frozenset({"Weights", "Inputs", "Outputs"})
    mapping = Mapping(
        [
            LevelMapping("pe", kept, (Loop("M", 2), Loop("K", 4))),
            LevelMapping("DRAM", kept, (Loop("M", 2), Loop("N", 4)), spatial_x=(Loop("M", 2),)),
        ]
    )
    features = SPACE.features(SPACE.row_of(mapping)[None])[0]
    assert features.tolist() == [4 / 40, 8 / 40, 2 / 40, 2 / 4, 2 / 4, 1 / 3, 0.0, 1.0]


def test_features_and_encoding_of_feasible_rows_are_within_0_and_1():
    rows, _ = SPACE.sample_feasible(200, np.random.default_rng(0))
    for numbers in (SPACE.features(rows), SPACE.encode(rows)):
        assert numbers.shape[0] == 200
        assert ((numbers >= 0) & (numbers <= 1)).all()
    assert len(np.unique(SPACE.encode(rows), axis=0)) == len(np.unique(rows, axis=0))
