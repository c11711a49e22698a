"""Boxes best first, against going through a whole space."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.search.boxes import least_over

SIZES = (3, 4, 1, 5)


def searched(seed, looseness=0.0, missing=0.0, enough=np.inf, most=10_000):
    """Return what is found, and the least, of random values of a space's points."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=SIZES).round(1)
    counts = rng.random(SIZES) >= missing
    asked = []

    def bound(box):
        asked.append(box)
        part = values[tuple(slice(first, end) for first, end in box)]
        return float(part.min()) - looseness * (part.size - 1)

    def exact(row):
        return float(values[tuple(row)]) if counts[tuple(row)] else np.inf

    found = least_over(SIZES, bound, exact, enough=enough, most=most)
    return found, min(values[counts].min(initial=np.inf), enough), len(asked)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.03, 1.0]), st.sampled_from([0.0, 0.5, 1.0]))
def test_it_finds_the_least_of_what_counts(seed, looseness, missing):
    found, least, _ = searched(seed, looseness, missing)
    assert found == least


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60), st.sampled_from([np.inf, -1.0, 0.5]))
def test_ended_early_it_is_a_bound(seed, most, enough):
    found, least, asked = searched(seed, 0.05, 0.2, enough, most)
    assert found <= least
    assert asked <= most + 2 * len(SIZES)


def test_what_is_enough_needs_no_looking():
    assert searched(0, enough=-100.0) == (-100.0, -100.0, 1)


def test_a_tight_bound_leads_to_the_least():
    assert searched(3)[2] < np.prod(SIZES)


def test_more_looking_never_takes_the_bound_down():
    found = [searched(5, 0.1, most=most)[0] for most in (1, 10, 30, 100, 1000)]
    assert found == pytest.approx(sorted(found))
    assert found[0] < found[-1]
