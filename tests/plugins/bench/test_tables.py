import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import CosearchError, UnknownNameError
from cosearch.study.evaluation import evaluate
from cosearch_plugins.bench.races import Race, beaten, race, regret_curve
from cosearch_plugins.bench.tables import Task, disagreements, file_of, floors_of, table_of
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


def test_a_table_is_kept_and_told_apart_from_what_costs_now(toy, tmp_path):
    first = table_of(TASK, toy, tmp_path)
    (file,) = tmp_path.glob("small-*.npz")
    before = file.stat().st_mtime_ns
    assert np.array_equal(table_of(TASK, toy, tmp_path).losses, first.losses)
    assert file.stat().st_mtime_ns == before
    assert disagreements(first, toy) == []
    wrong = evolve(first, losses=first.losses * 2)
    assert "is worth" in disagreements(wrong, toy)[0]
    np.savez_compressed(file, losses=first.losses[1:], violations=[[0]], floors=[[0]])
    with pytest.raises(CosearchError, match="another space"):
        table_of(TASK, toy, tmp_path)
    with pytest.raises(CosearchError, match="shipped"):
        table_of(TASK, toy)


SHIPPED = [task for task in TASKS if file_of(task).exists()]


def test_the_command_has_something_to_race_on():
    assert {"gemmini", "eyeriss", "vta", "levels"} <= {task.name for task in SHIPPED}


@pytest.mark.parametrize("task", SHIPPED, ids=lambda task: task.name)
def test_tables_are_shipped_and_no_floor_is_above_a_cost(task, registry):
    table = table_of(task, registry)
    good = table.feasible
    assert good.sum() > 500
    assert np.isfinite(table.front).all()
    if table.floors.shape[1]:
        assert (table.floors[good] <= table.losses[good]).all()
        impossible = np.isinf(table.floors).all(axis=1)
        assert not good[impossible].any()


def test_a_pruned_race_asks_for_nothing_that_cannot_win(registry):
    table = table_of(tasks_of(["gemmini"])[0], registry)
    named = registry.find("strategies", "random")
    plain = [race("g", table, named, seed, (1000,)) for seed in range(3)]
    pruned = [
        race("g", table, named, seed, (1000,), floors=floors_of(table, "+prune"))
        for seed in range(3)
    ]
    assert all(run.regrets[-1] == 0.0 for run in (*plain, *pruned))
    assert sum(r.designs for r in pruned) < 0.7 * sum(r.designs for r in plain)


def test_who_is_beaten_is_decided_by_a_test():
    def run(name, seed, regret):
        return Race("t", name, seed, 1.0, (1,), (regret,), 1, 1, 0.0)

    rng = np.random.default_rng(0)
    noise = rng.random((3, 20))
    runs = [
        run(name, i, shift + value)
        for name, shift, row in zip("abc", (0.0, 0.02, 5.0), noise, strict=True)
        for i, value in enumerate(row)
    ]
    worse = beaten(runs, 0)
    assert worse["c"]
    assert not worse["a"]
    assert not worse["b"]


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
