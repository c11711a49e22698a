"""Without its optional package a strategy says what to install, and nothing else breaks."""

import subprocess
import sys

import numpy as np
import pytest

from cosearch.errors import CosearchError, MissingExtraError
from cosearch.testing.problems import MACHINE
from cosearch_plugins.strategies import botorch
from cosearch_plugins.strategies.botorch import Botorch
from cosearch_plugins.strategies.optuna_samplers import Optuna
from cosearch_plugins.strategies.pymoo_algorithms import Pymoo


@pytest.mark.parametrize(
    ("spec", "modules", "extra"),
    [
        ("surrogate-tree", ("sklearn", "sklearn.ensemble"), "trees"),
        ("optuna", ("optuna", "optuna.distributions"), "optuna"),
        ("optuna:sampler=cmaes", ("cmaes",), "optuna"),
        ("optuna:sampler=gp", ("torch",), "torch"),
        ("pymoo", ("pymoo",), "pymoo"),
        ("pycma", ("cma",), "pycma"),
        ("smac", ("smac",), "smac"),
        ("botorch", ("botorch",), "botorch"),
        ("nevergrad", ("nevergrad",), "nevergrad"),
    ],
)
def test_a_missing_package_is_named(registry, monkeypatch, spec, modules, extra):
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    named = registry.find("strategies", spec)
    with pytest.raises(MissingExtraError) as error:
        named.make(MACHINE, np.random.default_rng(0))
    assert error.value.extra == extra


@pytest.mark.parametrize("module", ["gymnasium", "optuna"])
def test_a_missing_package_of_an_integration_is_named(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"cosearch.integrations.{module}", raising=False)
    with pytest.raises(MissingExtraError, match="optional"):
        __import__(f"cosearch.integrations.{module}")


def test_listing_strategies_imports_no_optional_package():
    code = (
        "import sys; from cosearch.hooks.discovery import load_registry; r = load_registry();"
        "[r.find('strategies', n) for n in r.names('strategies')];"
        "extras = {'optuna', 'pymoo', 'sklearn', 'scipy', 'numba', 'torch', 'cma'};"
        "print(*extras & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_optuna_is_told_of_infeasible_designs():
    strategy = Optuna(MACHINE, np.random.default_rng(0))
    rows, _ = MACHINE.sample_feasible(4, np.random.default_rng(0))
    losses = np.array([[3.0], [9.0], [np.inf], [np.inf]])
    strategy.tell(rows, losses, np.array([True, True, False, True]))
    trials = strategy._study.get_trials()
    assert [t.value for t in trials] == [3.0, 9.0, 9.0, 9.0]
    assert [t.constraints["feasible"] for t in trials] == [0.0, 0.0, 1.0, 1.0]
    assert trials[0].params == {str(j): rows[0, j] for j in range(5)}


@pytest.mark.parametrize("kind", [Optuna, Pymoo])
def test_the_number_of_losses_may_not_change(kind):
    strategy, yes = kind(MACHINE, np.random.default_rng(0)), np.ones(1, dtype=bool)
    strategy.tell(np.zeros((1, 6), dtype=np.int64), np.ones((1, 2)), yes)
    with pytest.raises(CosearchError, match="2 losses first and now 3"):
        strategy.tell(np.zeros((1, 6), dtype=np.int64), np.ones((1, 3)), yes)


def test_pymoo_never_sees_the_same_design_evaluated_twice():
    strategy = Pymoo(MACHINE, np.random.default_rng(0), population=8)
    asked = []
    for _ in range(30):
        rows = strategy.ask(5)
        asked.append(rows)
        strategy.tell(rows, (rows.sum(axis=1) + 1.0)[:, None], np.ones(len(rows), dtype=bool))
    assert strategy._algorithm.n_iter > 3
    assert len(np.unique(np.concatenate(asked), axis=0)) == 150


def botorch_told_of(rows):
    strategy = Botorch(MACHINE, np.random.default_rng(0), pool=16)
    strategy.tell(rows, np.arange(float(len(rows)))[:, None], np.ones(len(rows), dtype=bool))
    return strategy


def test_botorch_keeps_torch_apart_and_goes_on_where_a_fit_fails(monkeypatch):
    pytest.importorskip("botorch")
    import torch
    from botorch.exceptions.errors import ModelFittingError

    rows, _ = MACHINE.sample_feasible(6, np.random.default_rng(1))
    before = torch.random.get_rng_state()
    asked = botorch_told_of(rows).ask(3)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(7)
    assert np.array_equal(botorch_told_of(rows).ask(3), asked)

    drawn = []

    def failing(x, y):
        drawn.append(torch.rand(1).item())
        raise ModelFittingError

    monkeypatch.setattr(botorch, "_fitted", failing)
    strategies = [botorch_told_of(rows) for _ in range(2)]
    first, again = (strategy.ask(3) for strategy in strategies)
    assert len(drawn) == 2
    assert drawn[0] == drawn[1]
    assert np.array_equal(first, again)
    assert len(np.unique(first, axis=0)) == 3
    assert torch.equal(torch.random.get_rng_state(), torch.manual_seed(7).get_state())
