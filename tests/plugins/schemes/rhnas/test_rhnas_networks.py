"""The relaxed loss against the sum over all networks; what is found against the least of all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.errors import CosearchError
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch_plugins.schemes.rhnas.networks import GumbelSearch, expectation, softmax


@given(seed=st.integers(0, 10**6))
def test_the_expectation_is_the_sum_over_all_networks(seed):
    rng = np.random.default_rng(seed)
    cards, r = tuple(rng.integers(1, 4, size=3)), 2
    losses = rng.normal(size=cards)
    weights = [softmax(rng.normal(size=(r, c))) for c in cards]
    value, slopes = expectation(losses, weights)
    for s in range(r):
        p = np.einsum("a,b,c->abc", *(w[s] for w in weights))
        assert value[s] == pytest.approx((p * losses).sum())
        expected = (
            np.einsum("abc,b,c->a", losses, weights[1][s], weights[2][s]),
            np.einsum("abc,a,c->b", losses, weights[0][s], weights[2][s]),
            np.einsum("abc,a,b->c", losses, weights[0][s], weights[1][s]),
        )
        for slope, wanted in zip(slopes, expected, strict=True):
            np.testing.assert_allclose(slope[s], wanted, atol=1e-12)


def test_it_finds_the_least_of_a_separable_loss():
    space = ParameterSpace(tuple(Parameter(f"e{i}", range(5)) for i in range(6)))
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=5) for _ in range(6)]
    rows = space.unrank(np.arange(space.size))
    losses = sum(part[rows[:, j]] for j, part in enumerate(parts))
    found = GumbelSearch(space, rng).find(losses)
    assert losses[space.rank(found[None])[0]] == losses.min()


def test_a_loss_that_is_not_finite_is_refused():
    space = ParameterSpace((Parameter("e", range(3)),))
    with pytest.raises(CosearchError, match="finite"):
        GumbelSearch(space, np.random.default_rng(0)).find(np.array([1.0, np.inf, 2.0]))
