import numpy as np
import pytest

from cosearch.errors import UnknownNameError
from cosearch.study.evaluation import evaluate
from cosearch_plugins.bench.races import race, regret_curve
from cosearch_plugins.bench.tables import Task, table_of
from cosearch_plugins.bench.tasks import TASKS, tasks_of

TASK = Task("small", "toy", "gemm:M=8,N=8,K=8", {"buffer": "64"})


def test_a_table_holds_what_the_engine_says_of_every_design(toy, tmp_path):
    table, problem = table_of(TASK, toy, tmp_path), TASK.problem(toy)
    rows = table.space.unrank(np.arange(table.space.size))
    losses, feasible, violations = table.answer(rows)
    for i in np.flatnonzero(table.space.feasible(rows)):
        outcome = evaluate(problem, problem.space.decode(rows[i]))
        assert feasible[i] == outcome.ok
        assert losses[i].tolist() == (list(outcome.losses) if outcome.ok else [np.inf])
        known = violations[i][~np.isnan(violations[i])]
        assert np.allclose(sorted(known), sorted(outcome.violations.values()))
    assert table.front.tolist() == [[losses[feasible].min()]]


def test_a_table_is_kept_and_made_again_when_costs_have_changed(toy, tmp_path, monkeypatch):
    first = table_of(TASK, toy, tmp_path)
    made = []
    monkeypatch.setattr(
        "cosearch_plugins.bench.tables.make_table", lambda *a: made.append(a) or first
    )
    assert np.array_equal(table_of(TASK, toy, tmp_path).losses, first.losses)
    assert not made
    (file,) = tmp_path.glob("small-*.npz")
    np.savez_compressed(file, losses=first.losses * 2, violations=first.violations)
    table_of(TASK, toy, tmp_path)
    assert len(made) == 1


def test_a_race_ends_at_the_optimum(toy, tmp_path):
    table = table_of(TASK, toy, tmp_path)
    run = race("small", table, toy.find("strategies", "random"), 0, budgets=(3, 100))
    assert run.regrets[-1] == 0.0
    assert run.hit <= run.designs <= table.known
    assert run.regrets[0] >= run.regrets[1]


def test_the_regret_of_several_losses_is_the_missing_hypervolume():
    front = np.array([[1.0, 2.0], [2.0, 1.0]])
    curve = regret_curve(np.array([[np.inf, np.inf], [1.0, 2.0], [2.0, 1.0]]), front, (2,))
    assert curve[0] == 1.0
    assert 0 < curve[1] < 1
    assert curve[2] == pytest.approx(0.0)


def test_tasks_have_names_of_their_own():
    assert len({task.name for task in TASKS}) == len(TASKS)
    assert tasks_of(["vta"]) == (next(t for t in TASKS if t.name == "vta"),)
    assert tasks_of([]) == TASKS
    with pytest.raises(UnknownNameError, match="there is no task"):
        tasks_of(["vtaa"])
