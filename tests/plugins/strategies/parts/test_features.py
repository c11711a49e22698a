"""What surrogate models see of a row."""

import numpy as np
import pytest

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch_plugins.strategies.parts.features import Features

PARAMETERS = (
    *(Parameter(f"p{i}", tuple(range(8))) for i in range(4)),
    Parameter("kind", ("a", "b", "c")),
    Parameter("fixed", (1,)),
)
SPACE = ParameterSpace(
    PARAMETERS, (), lambda c: np.stack([c["p0"] * c["p1"], np.ones(len(c["p0"]))], axis=1)
)
RNG = np.random.default_rng(0)


def test_the_domains_own_are_standardised():
    features = Features(SPACE, np.random.default_rng(0))
    x = features(SPACE.sample(500, np.random.default_rng(1)))
    assert features.named == 2
    assert x[:, 0].std() == pytest.approx(1.0, abs=0.2)
    assert (x[:, 1] == 0).all()


def test_every_column_with_a_choice_is_coded():
    features = Features(SPACE, np.random.default_rng(0))
    assert len(features) == 2 + 4 * 7 + 3
    assert features(SPACE.sample(5, RNG)).shape == (5, len(features))


def test_the_code_of_a_number_counts_its_steps():
    """Apart by as many steps as there are between two choices: the kernel of a random walk."""
    features = Features(SPACE, np.random.default_rng(0))
    rows = np.zeros((8, 6), dtype=np.int64)
    rows[:, 2] = np.arange(8)
    codes = features(rows)[:, features.named :]
    apart = ((codes[:, None] - codes[None]) ** 2).sum(axis=2)
    steps = np.abs(np.arange(8)[:, None] - np.arange(8))
    assert apart == pytest.approx(steps / 7)


def test_the_code_of_a_word_is_as_far_from_any_other():
    features = Features(SPACE, np.random.default_rng(0))
    rows = np.zeros((3, 6), dtype=np.int64)
    rows[:, 4] = np.arange(3)
    codes = features(rows)[:, features.named :]
    assert ((codes[:, None] - codes[None]) ** 2).sum(axis=2) == pytest.approx(2 - 2 * np.eye(3))


def test_raw_is_the_encoding_alone():
    rows = SPACE.sample(7, np.random.default_rng(3))
    features = Features(SPACE, np.random.default_rng(0), raw=True)
    assert features(rows).shape == SPACE.encode(rows).shape
    assert features.named == len(features)
