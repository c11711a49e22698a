import numpy as np
import pytest

from cosearch.errors import Infeasible
from cosearch.hooks.discovery import load_registry
from cosearch.machine.building import build
from cosearch.mapping.network import map_layers
from cosearch.mapping.result import Unmapped
from cosearch.mapping.threads import ThreadPool
from cosearch.study.codesign import plan
from cosearch_plugins.papers.shi2020.bound import least_product
from cosearch_plugins.papers.shi2020.runs import PUBLISHED, WORD, baselines
from cosearch_plugins.papers.shi2020.setting import VARIANTS

REGISTRY = load_registry()


@pytest.mark.parametrize(
    "model", ["shi2020-mlp", pytest.param("shi2020-dqn", marks=pytest.mark.exhaustive)]
)
@pytest.mark.parametrize("setting", VARIANTS, ids=lambda s: s.name)
def test_no_design_with_its_best_mappings_is_below_the_bound(setting, model):
    problem = plan(REGISTRY, model, setting.hardware(model), "random", mapper="exact", fixed=WORD)
    least = least_product(REGISTRY, setting, model)
    rows, _ = problem.space.sample_feasible(4, np.random.default_rng(5))
    for row in rows:
        try:
            machine = build(problem.hardware, problem.space.decode(row))
        except Infeasible:
            continue
        pool = ThreadPool.alone(problem.task, machine)
        results = list(map_layers(pool, problem.network.unique))
        if not any(isinstance(result, Unmapped) for result in results):
            assert sum(m.energy_pj for m in results) * sum(m.cycles for m in results) >= least


def test_the_linear_table_leaves_less_than_the_published_share_on_resnet():
    linear = next(s for s in VARIANTS if s.name == "linear")
    eyeriss = baselines(REGISTRY, linear, "shi2020-resnet")
    assert 1 - eyeriss.floor / eyeriss.rows < PUBLISHED["shi2020-resnet"]
