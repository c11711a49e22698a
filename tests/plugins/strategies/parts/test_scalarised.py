import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch_plugins.strategies.parts.scalarised import drawn_weights, scalarised


def test_one_loss_is_left_as_it_is():
    assert scalarised(np.array([[3.0], [1.0]]), np.ones(1)).tolist() == [3.0, 1.0]


def test_weights_are_shares():
    weights = drawn_weights(3, np.random.default_rng(0))
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)


@given(st.integers(0, 10_000), st.booleans())
def test_a_design_that_dominates_another_is_never_worse(seed, positive):
    rng = np.random.default_rng(seed)
    losses = rng.normal(size=(8, 3))
    losses = np.exp(losses) if positive else losses
    losses[1] = losses[0] - np.abs(losses[0]) * rng.uniform(0, 0.5, 3)
    loss = scalarised(losses, drawn_weights(3, rng))
    assert loss[1] <= loss[0] + 1e-12
