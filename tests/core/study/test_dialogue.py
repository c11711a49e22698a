"""Strategies of several fidelities; those of one are asked and told in test_codesign.py."""

import numpy as np
import pytest

from cosearch.errors import PluginError
from cosearch.trials.fidelity import attained


@pytest.fixture
def hyperband(toy):
    return toy.find("strategies", "hyperband").target


def test_it_is_told_at_the_fidelities_it_asked_for(study_of, hyperband, monkeypatch):
    asked, told, ask, tell = [], [], hyperband.ask_at, hyperband.tell_at
    monkeypatch.setattr(hyperband, "ask_at", lambda s, n: asked.append(ask(s, n)) or asked[-1])
    monkeypatch.setattr(hyperband, "tell_at", lambda s, *a: told.append(a) or tell(s, *a))
    study = study_of(strategy="hyperband", workload="alexnet", trials=12, mapper_evaluations=30)
    trials = study.in_order
    (row, losses, feasible, level, _), *told = told
    assert study.problem.space.decode(row[0]) == study.baseline.configuration
    assert (tuple(losses[0]), feasible[0], level[0]) == (study.baseline.outcome.losses, True, 1.0)
    for (rows, fidelity), (said, losses, feasible, level, violations) in zip(
        asked, told, strict=False
    ):
        batch, trials = trials[: len(rows)], trials[len(rows) :]
        assert (said == rows).all()
        assert (level == fidelity).all()
        for i, trial in enumerate(batch):
            assert feasible[i] == trial.outcome.ok
            if trial.outcome.ok:
                assert trial.fidelity == attained(study.problem.network, fidelity[i])
                assert tuple(losses[i]) == trial.outcome.losses
            else:
                assert np.isinf(losses[i])
            known = violations[i][~np.isnan(violations[i])]
            assert sorted(known) == sorted(trial.outcome.violations.values())
    assert len(told) >= 3


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ((np.zeros((2, 3)).astype(int), np.ones(1)), r"2 rows and the fidelities \[1.0\]"),
        ((np.zeros((1, 3)).astype(int), np.array([0.0])), r"fidelities \[0.0\], not one in"),
        ((np.zeros((1, 3)).astype(int), np.array([1.5])), r"fidelities \[1.5\], not one in"),
        ((np.zeros((2, 3)).astype(int), np.ones(2)), "the row .* at fidelity 1, after 1"),
        ((np.zeros((1, 99)).astype(int), np.ones(1)), r"ask\(4\)"),
    ],
)
def test_a_strategy_that_breaks_its_contract_is_named(
    study_of, hyperband, monkeypatch, said, wrong
):
    monkeypatch.setattr(hyperband, "ask_at", lambda *_: said)
    with pytest.raises(PluginError, match=f"hyperband.*{wrong}"):
        study_of(strategy="hyperband")
