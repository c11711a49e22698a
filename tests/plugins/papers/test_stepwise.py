import numpy as np
import pytest

from cosearch.hooks.discovery import load_registry
from cosearch.mapping.mapper import Budget
from cosearch.mapping.strategy_mapper import StrategyMapper
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import conv
from cosearch_hardware.eyeriss.model import Eyeriss
from cosearch_plugins.papers.stepwise import SEARCHES

LAYER = conv("layer", K=16, C=8, P=14, Q=14, R=3, S=3)
MACHINE = Eyeriss().build({})
EDP = OBJECTIVES[0]
REGISTRY = load_registry(third_party=False)


def stepwise(**options):
    return REGISTRY.find("mappers", "stepwise").given(**options).make()


def test_the_paper_as_it_is():
    assert stepwise().strategy.spec == (
        "bayesian:acquisition=lcb,explore=0.0,features=space,kernel=linear,local=0.0,"
        "margins=False,start=random,warmup=30"
    )


def product(mapper, seed, mappings):
    rng = np.random.default_rng(seed)
    found = mapper.map(MACHINE, LAYER, EDP, Budget(evaluations=mappings), rng)
    assert found.evaluations == mappings
    return found.energy_pj * found.cycles


SLOW = pytest.param("surrogate-tree", marks=pytest.mark.exhaustive)


@pytest.mark.parametrize("search", [s for s in SEARCHES if s != "surrogate-tree"] + [SLOW])
def test_the_same_seed_finds_the_same_mapping(search):
    mapper = stepwise(search=search, step=20)
    assert product(mapper, 3, 60) == product(mapper, 3, 60)


def test_a_surrogate_told_of_every_few_mappings_beats_one_told_twice():
    often, seldom = (
        np.median([np.log(product(mapper, seed, 200)) for seed in range(7)])
        for mapper in (stepwise(step=5), StrategyMapper(stepwise().strategy, 100))
    )
    assert often < seldom


@pytest.mark.parametrize("options", [{"kernel": "matern"}, {"features": "encoding"}])
def test_ablations_are_other_searches(options):
    assert stepwise(**options).strategy != stepwise().strategy
