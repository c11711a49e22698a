"""Training on crossbars: the ratios that follow from the rules alone."""

import pytest

from cosearch.errors import CosearchError
from cosearch.workload.einsum import gemm
from cosearch_hardware.crossbar.model import Crossbar
from cosearch_hardware.crossbar.training import step

CHIP = {"arrays": 672, "weight_bits": 8, "input_bits": 8}


def equal_layers(n):
    return [gemm(f"fc{i}", M=16, N=64, K=64) for i in range(n)]


@pytest.mark.parametrize("n", [2, 3, 7])
def test_feedback_alignment_shortens_the_backward_pass_of_equal_layers_n_times(n):
    """N - 1 transposed products in a chain against N - 1 at once."""
    machine = Crossbar("resident", 5.0).build(CHIP)
    back = step(machine, equal_layers(n), "backpropagation")
    direct = step(machine, equal_layers(n), "feedback-alignment")
    assert back.backward == (n - 1) * direct.backward
    assert back.backward_pj == pytest.approx(direct.backward_pj)
    assert (back.forward, back.update) == (direct.forward, direct.update)


def test_frozen_layers_save_exactly_their_writes_and_errors():
    machine = Crossbar("resident", 5.0).build(CHIP)
    layers = equal_layers(4)
    whole = step(machine, layers, "feedback-alignment")
    one = step(machine, layers, "feedback-alignment", frozen_layers=[0])
    assert whole.update_pj - one.update_pj == whole.update_pj / 4
    assert whole.backward_pj - one.backward_pj == pytest.approx(whole.backward_pj / 3)
    read_out = step(machine, layers, "feedback-alignment", frozen_layers=[0, 1, 2])
    assert read_out.backward == read_out.backward_pj == 0
    assert read_out.forward == whole.forward
    assert step(machine, layers, "backpropagation", [0, 1, 2, 3]).cycles == whole.forward


def test_a_chip_that_streams_weights_does_not_learn():
    with pytest.raises(CosearchError, match="resident"):
        step(Crossbar("streamed").build(CHIP), equal_layers(2), "backpropagation")
