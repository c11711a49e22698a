import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch_plugins.strategies.parts.rounding import Rounding

columns = st.lists(st.tuples(st.integers(1, 7), st.booleans()), min_size=1, max_size=4).map(
    lambda pairs: ParameterSpace(
        tuple(
            Parameter(f"c{i}", tuple(range(n)) if ordered else tuple("abcdefg"[:n]))
            for i, (n, ordered) in enumerate(pairs)
        )
    )
)


@given(columns, st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_undoes_the_encoding_and_small_shifts(space, seed):
    rng = np.random.default_rng(seed)
    rows = space.sample(20, rng)
    rounding, encoded = Rounding(space), space.encode(rows)
    assert rounding.width == encoded.shape[1]
    assert (rounding.nearest(encoded) == rows).all()
    assert (rounding.nearest(encoded + rng.uniform(-0.04, 0.04, encoded.shape)) == rows).all()


def test_steps_are_those_between_neighbours():
    space = ParameterSpace((Parameter("a", (1, 2, 4, 8, 16)), Parameter("b", ("x", "y", "z"))))
    assert Rounding(space).steps == pytest.approx([0.25, 1.0, 1.0, 1.0])


def test_undoes_an_encoding_of_the_spaces_own(registry):
    from cosearch.workload.source import resolve

    model = registry.find("hardware_models", "eyeriss").make()
    layer = resolve("conv:N=1,C=8,K=16,P=14,Q=14,R=3,S=3", registry).layers[0].einsum
    space = model.build(model.baseline).mapspace(layer)
    rows = space.sample(50, np.random.default_rng(0))
    rounding = Rounding(space)
    again = rounding.nearest(space.encode(rows))
    assert (space.encode(again) == space.encode(rows)).all()
