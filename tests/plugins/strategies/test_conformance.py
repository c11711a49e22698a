"""Every strategy that ships passes the conformance kit, adapters included."""

import pytest

from cosearch.hooks.discovery import load_registry
from cosearch.testing import CHECKS

SPECS = (
    "random",
    "sobol",
    "grid",
    "shard",
    "annealing",
    "evolutionary",
    "evolutionary:ageing=true",
    "cmaes",
    "nsga2",
    "freerea:population=12,sample=5",
    "hyperband",
    "bayesian",
    "bayesian:kernel=linear,start=random,margins=false",
    "bayesian:acquisition=thompson,kernel=rbf,candidates=60",
    "relax-and-round:candidates=100",
    "surrogate-tree:candidates=50,trees=20",
    "reinforce",
    "ppo",
    "discrete-sac:steps=1,replay=16",
    "optuna",
    "pycma",
    "pymoo",
)

SLOW_SPECS = (
    "grid:order=lexicographic,steps=3",
    "bayesian:acquisition=ei",
    "optuna:sampler=nsga2",
    "pymoo:algorithm=de",
    "optuna:sampler=cmaes",
    "optuna:sampler=nsga3",
    "optuna:sampler=qmc",
    "optuna:sampler=random",
    "pymoo:algorithm=age",
    "surrogate-tree",
    "relax-and-round",
)

OPTIONAL = ("smac", "botorch", "nevergrad")
"""Of packages that are no part of the development environment."""

REGISTRY = load_registry(third_party=False)


def test_every_registered_strategy_is_held_to_the_contract():
    own = set(REGISTRY.names("strategies")) - {"outside"}  # which has no ideas of its own
    assert {spec.partition(":")[0] for spec in SPECS} | {*OPTIONAL} == own


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("spec", SPECS)
def test_strategy(spec, check):
    named = REGISTRY.find("strategies", spec)
    check(named.target, named.options)


@pytest.mark.exhaustive
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", OPTIONAL)
def test_optional(name, check):
    pytest.importorskip(name)
    named = REGISTRY.find("strategies", name)
    check(named.target, named.options)


@pytest.mark.exhaustive
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("spec", SLOW_SPECS)
def test_further_options(spec, check):
    named = REGISTRY.find("strategies", spec)
    check(named.target, named.options)
