import optuna
import pytest

from cosearch.integrations.optuna import Objective

GEMM = "gemm:M=16,N=16,K=16"


@pytest.fixture(autouse=True)
def quiet():
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(level)


def searched(objective, trials=25, directions=("minimize",)):
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(directions=directions, sampler=sampler)
    study.optimize(objective, n_trials=trials)
    return study


def test_optuna_searches_designs(toy):
    objective = Objective.of(GEMM, "toy", mapper="random", mapper_evaluations=60)
    study = searched(objective)
    best = study.best_trial
    row = objective.designs.space.index(best.user_attrs["configuration"])
    assert objective.designs.evaluate(row).losses[0] == best.value
    assert best.constraints == {"feasible": 0.0}
    assert study.best_value <= objective.designs.baseline().losses[0]


def test_an_infeasible_design_is_pruned_with_its_reason(toy):
    objective = Objective.of(
        GEMM, "toy", mapper="random", mapper_evaluations=60, constraints=["area_mm2<=1e-6"]
    )
    for trial in searched(objective, 3).trials:
        assert trial.state is optuna.trial.TrialState.PRUNED
        assert trial.constraints["feasible"] > 0
        assert "area" in trial.user_attrs["reason"]


def test_several_objectives(toy):
    objective = Objective.of(
        GEMM, "toy", objective="energy,latency", mapper="random", mapper_evaluations=60
    )
    study = searched(objective, 10, ("minimize", "minimize"))
    assert all(len(trial.values) == 2 for trial in study.best_trials)
