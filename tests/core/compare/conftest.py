"""A contest small enough to run in a second."""

import pytest

from cosearch.compare.contest import Contest
from cosearch.hooks.discovery import load_registry
from cosearch.mapping.mapper import Budget


@pytest.fixture(scope="session")
def registry():
    return load_registry()


@pytest.fixture
def contest():
    return Contest(
        ("random", "evolutionary:population=4"),
        ("systolic",),
        ("gemm:M=64,N=64,K=64", "conv:K=8,C=8,P=8,Q=8,R=3,S=3"),
        2,
        Budget(trials=6),
    )
