import numpy as np
import pytest
from attrs import evolve

from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import conv, gemm
from cosearch_hardware.dimensions import Dimensions
from cosearch_hardware.eyeriss.dataflow import row_stationary, timeloop_rows, wiring
from cosearch_hardware.eyeriss.model import Eyeriss
from cosearch_hardware.eyeriss.space import INSIDE, SPREAD, Design, design_space
from cosearch_plugins.mappers.exact.mapper import ExactMapper

CHIP = Design.of(design_space(168, "iso", fixed=False, mesh=False).defaults, 168)
CONV = conv("conv", N=2, K=8, C=4, P=6, Q=6, R=3, S=3)
OF_CONV = Dimensions.of(CONV)


def test_filter_columns_stay_inside_and_rows_are_spread():
    found = wiring(CONV, OF_CONV, CHIP)
    assert "R" not in found["buffer"].x_dims | found["buffer"].y_dims
    assert "S" in found["buffer"].x_dims & found["buffer"].y_dims
    assert dict(found["scratchpads"].temporal) == {"S": 1}


def test_the_other_way_round():
    design = evolve(CHIP, filter_width=SPREAD, filter_height=INSIDE)
    found = wiring(CONV, OF_CONV, design)
    assert "S" not in found["DRAM"].x_dims
    assert dict(found["scratchpads"].temporal) == {"R": 1}


def test_row_stationary_rules_of_a_convolution():
    found = row_stationary(OF_CONV)
    assert found["buffer"].x_dims == {"Q", "K"}
    assert found["buffer"].y_dims == {"S", "C"}
    assert found["scratchpads"].order == ("K", "R", "C")
    assert set(found["scratchpads"].temporal) == {"N", "P", "Q", "S"}


def test_row_stationary_rules_of_a_matrix_product():
    found = row_stationary(Dimensions.of(gemm("gemm", M=4, N=6, K=8)))
    assert found["buffer"].x_dims == {"N", "M"}
    assert found["buffer"].y_dims == {"K"}
    assert found["scratchpads"].order == ("N", "K")


def test_groups_are_spread_along_the_columns():
    grouped = conv("depthwise", G=8, K=1, C=1, P=6, Q=6, R=3, S=3)
    assert "G" in row_stationary(Dimensions.of(grouped))["buffer"].x_dims


def test_rules_of_timeloop_leave_channels_to_dram_and_output_columns_to_the_buffer():
    found = timeloop_rows(OF_CONV)
    assert dict(found["buffer"].temporal) == {"Q": 1, "R": 1, "S": 1, "C": 1}
    assert dict(found["DRAM"].temporal) == {"P": 1, "R": 1, "S": 1}
    assert found["buffer"].order == ("P", "N", "K")
    assert found["DRAM"].order == ("C", "K", "N", "Q")
    assert found["scratchpads"].order == ("K", "C", "R")
    assert found["buffer"].y_dims == {"S", "C", "K"}


@pytest.mark.parametrize(
    "layer", [CONV, conv("odd", K=6, C=3, P=5, Q=5, R=3, S=3), gemm("gemm", M=4, N=6, K=8)]
)
@pytest.mark.parametrize("spads", [{}, {"spad_inputs": 32, "spad_outputs": 64}])
def test_fewer_rules_never_make_the_best_mapping_worse(layer, spads):
    def best(mapping):
        machine = Eyeriss(mapping=mapping).build(spads)
        rng = np.random.default_rng(0)
        found = ExactMapper().map(machine, layer, OBJECTIVES[0], Budget(), rng)
        assert found.proven
        return found.energy_pj * found.cycles

    assert best("open") <= best("row-stationary")
    assert best("open") <= best("timeloop-rows")
