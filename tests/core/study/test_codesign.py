import contextlib
import itertools
import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import CosearchError, PluginError, UnknownNameError
from cosearch.mapping.mapper import Budget
from cosearch.registry.registration import hookimpl
from cosearch.store.records import EXHAUSTED, FINISHED, INTERRUPTED, RUNNING
from cosearch.store.store import Store
from cosearch.study import codesign, search
from cosearch.study.building import make_hardware
from cosearch.study.codesign import (
    Session,
    _at_most,
    load_study,
    open_study,
    plan,
    resume_study,
    run,
)
from cosearch.study.compiled import compile_first
from cosearch.trials.trial import State
from cosearch_plugins.executors.serial import Serial
from cosearch_plugins.strategies.random import Random

GEMM = "gemm:M=16,N=16,K=16"


def facts(study):
    """Everything that must not depend on workers, interruptions or the clock."""
    trials = [t for t in (study.baseline, *study.in_order) if t is not None]
    return [
        (
            t.number,
            t.row,
            dict(t.configuration),
            t.outcome.state,
            t.outcome.losses,
            dict(t.outcome.metrics),
            [evolve(x, seconds=0.0) for x in t.outcome.layers],
        )
        for t in trials
    ]


def stored(toy, path, name):
    with Store(path, write=False) as store:
        return load_study(store, toy, name)


@pytest.mark.parametrize("strategy", ["random", "evolutionary:population=4", "toy-grid"])
def test_one_seed_one_result_with_any_number_of_workers(study_of, tmp_path, strategy):
    runs = [
        study_of(strategy=strategy, store=tmp_path / f"{i}.db", session=session)
        for i, session in enumerate((Session(), Session(workers=3)))
    ]
    assert facts(runs[0]) == facts(runs[1])


def test_another_seed_is_another_search(study_of):
    assert facts(study_of(seed=0)) != facts(study_of(seed=1))


def test_an_exhaustive_study_finds_the_best_design_there_is(study_of, toy):
    study = study_of(strategy="toy-grid", trials=100, mapper="toy-grid", mapper_evaluations=10**5)
    assert study.header.status == EXHAUSTED
    assert "no further design after 72" in study.header.note
    assert len(study.trials) == 72
    layer = study.problem.network.layers[0].einsum
    best = math.inf
    for row in itertools.product(*(range(c) for c in study.problem.space.cardinalities)):
        configuration = study.problem.space.decode(np.array(row))
        if configuration["pes"] * configuration["buffer"] > 4096:
            continue
        machine = make_hardware("toy", toy).build(configuration)
        cards = machine.mapspace(layer).cardinalities
        rows = np.array(list(itertools.product(*(range(c) for c in cards))))
        costs = machine.evaluate(layer, rows)
        ok = costs.feasible
        best = min(best, float((costs.energy_pj[ok] * costs.cycles[ok]).min()))
    assert study.best.outcome.losses == (best,)


def test_the_same_command_again_evaluates_nothing(study_of, monkeypatch):
    first = study_of()
    monkeypatch.setattr("cosearch.study.evaluation.evaluate", None)
    assert facts(study_of()) == facts(first)


def test_a_larger_budget_continues_as_if_it_had_been_given_at_first(study_of, tmp_path):
    whole = study_of(trials=13, store=tmp_path / "whole.db")
    for trials in (3, 5, 6, 13):
        parts = study_of(trials=trials, store=tmp_path / "parts.db", name=whole.name)
        assert len(parts.trials) == trials
    assert facts(parts) == facts(whole)


class StopsAfter:
    def __init__(self, n):
        self.n = n

    @hookimpl
    def cosearch_trial_finished(self):
        self.n -= 1
        if self.n == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_study_ends_as_an_uninterrupted_one(study_of, toy, tmp_path, workers):
    whole = study_of(trials=14, store=tmp_path / "whole.db")
    path = tmp_path / "parts.db"
    for after in (1, 2, 3, 2):
        stop = toy.manager.register(StopsAfter(after), name="stop")
        with pytest.raises(KeyboardInterrupt):
            study_of(trials=14, store=path, name="x", session=Session(workers=workers))
        toy.manager.unregister(name=stop)
        assert stored(toy, path, "x").header.status == INTERRUPTED
    with Store(path) as store:
        study = resume_study(store, toy, "x")
        run(study, store, toy)
    assert facts(study) == facts(whole) == facts(stored(toy, path, "x"))


def test_what_is_announced_is_stored_and_designs_may_be_evaluated_ahead(study_of, toy, tmp_path):
    whole = study_of(strategy="random", trials=14, store=tmp_path / "whole.db")
    for after in (2, 5):
        path = tmp_path / f"{after}.db"
        stop = toy.manager.register(StopsAfter(after), name="stop")
        with pytest.raises(KeyboardInterrupt):
            study_of(strategy="random", trials=14, store=path, name="x")
        toy.manager.unregister(name=stop)
        assert len(stored(toy, path, "x").trials) >= after
        with Store(path) as store:
            study = resume_study(store, toy, "x")
            run(study, store, toy)
        assert facts(study) == facts(whole)


def test_designs_that_hang_on_no_loss_do_not_wait_for_each_other(study_of, monkeypatch, tmp_path):
    handed = []

    def counted(self, designs, run=Serial.run):
        handed.append(len(designs))
        yield from run(self, designs)

    monkeypatch.setattr(Serial, "run", counted)
    ahead = study_of(strategy="random", trials=13, store=tmp_path / "ahead.db")
    study_of(strategy="random", budget=Budget(evaluations=400), store=tmp_path / "until.db")
    assert handed[:2] == [1, 13]
    assert set(handed[2:]) == {1, 4}
    del handed[:]
    monkeypatch.setattr(Random, "blind", False)
    waits = study_of(strategy="random", trials=13, store=tmp_path / "waits.db")
    assert handed == [1, 4, 4, 4, 1]
    assert facts(ahead) == facts(waits)


def test_ctrl_c_while_trials_are_held_ends_the_study(study_of, toy, monkeypatch, tmp_path):
    def interrupts(self, designs, run=Serial.run):
        for count, answer in enumerate(run(self, designs)):
            if count == 3:
                raise KeyboardInterrupt
            yield answer

    class Watches:
        def __init__(self):
            self.heard = []

        @hookimpl
        def cosearch_trial_finished(self, study, trial):
            self.heard.append((trial.number, len(study.trials)))
            if len(self.heard) == 2:
                raise KeyboardInterrupt  # an observer that insists

        @hookimpl
        def cosearch_study_finished(self, study):
            self.heard.append(study.header.status)

    watches = Watches()
    toy.manager.register(watches, name="watches")
    monkeypatch.setattr(Serial, "run", interrupts)
    monkeypatch.setattr(search, "HELD_SECONDS", 60.0)
    with pytest.raises(KeyboardInterrupt):
        study_of(strategy="random", trials=13, store=tmp_path / "s.db", name="x")
    toy.manager.unregister(name="watches")
    assert watches.heard == [(1, 1), (2, 2), INTERRUPTED]
    assert stored(toy, tmp_path / "s.db", "x").header.status == INTERRUPTED
    assert len(stored(toy, tmp_path / "s.db", "x").trials) == 3


def test_a_blind_strategy_that_thinks_for_long_is_not_asked_far_ahead(
    study_of, monkeypatch, tmp_path
):
    def slowly(self, n, ask=Random.ask):
        time.sleep(0.03)
        return ask(self, n)

    handed = []

    def counted(self, designs, run=Serial.run):
        handed.append(len(designs))
        yield from run(self, designs)

    quick = study_of(strategy="random", trials=25, store=tmp_path / "quick.db")
    monkeypatch.setattr(Serial, "run", counted)
    monkeypatch.setattr(Random, "ask", slowly)
    slow = study_of(strategy="random", trials=25, store=tmp_path / "slow.db")
    assert max(handed) <= 8
    assert facts(slow) == facts(quick)


KILLED = """
import sys
from pathlib import Path
from cosearch.study.codesign import Session, open_study, plan, run
from cosearch.mapping.mapper import Budget
from cosearch.hooks.discovery import load_registry
from cosearch.store.store import Store

registry = load_registry()
problem = plan(
    registry, "gemm:M=16,N=16,K=16", "toy:fault=slow", "evolutionary", mapper_evaluations=60
)
with Store(Path(sys.argv[1])) as store:
    study = open_study(store, registry, problem, Budget(trials=14), "x")
    run(study, store, registry, Session(workers=int(sys.argv[2])))
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_study_loses_at_most_the_trials_in_flight(study_of, toy, tmp_path, workers):
    whole = study_of(trials=14, hardware="toy:fault=slow", store=tmp_path / "whole.db")
    path = tmp_path / "killed.db"
    for least in (1, 6):
        command = [sys.executable, "-c", KILLED, str(path), str(workers)]
        process = subprocess.Popen(command, start_new_session=True)
        before = wait_for(path, least, process)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        left = stored(toy, path, "x")
        assert left.header.status == RUNNING
        assert len(left.trials) >= before
    with Store(path) as store:
        study = resume_study(store, toy, "x")
        run(study, store, toy)
    assert facts(study) == facts(whole)


def wait_for(path, trials, process):
    """Return how many trials are stored, once there are enough."""
    while process.poll() is None:
        with contextlib.suppress(CosearchError), Store(path, write=False) as store:
            if store.find("x") is not None and store.count("x") >= trials:
                return store.count("x")
        time.sleep(0.02)
    raise AssertionError("the study ended before it could be killed")


@pytest.mark.parametrize("fault", ["raise", "nan", "shape", "negative", "build", "area"])
def test_a_plugin_that_breaks_costs_its_trials_and_not_the_study(study_of, fault):
    study = study_of(strategy="toy-grid", hardware=f"toy:fault={fault}", trials=72)
    failed = [t for t in study.in_order if t.outcome.state is State.FAILED]
    assert {t.configuration["pes"] for t in failed} == {4}
    assert len(failed) == 12
    assert all(t.outcome.reason for t in failed)
    assert study.header.status == FINISHED


@pytest.mark.parametrize(
    ("fault", "said"), [("die", "SIGKILL"), ("hang", "given up after 6 seconds")]
)
def test_a_worker_that_dies_or_hangs_costs_its_trial(study_of, fault, said):
    # Both designs hang at once; six seconds are long for any other, even on a busy machine.
    session = Session(workers=2, trial_seconds=6.0 if fault == "hang" else None)
    study = study_of(strategy="toy-grid", hardware=f"toy:fault={fault}", trials=26, session=session)
    failed = [t for t in study.in_order if t.outcome.state is State.FAILED]
    assert [t.configuration["pes"] for t in failed] == [4] * 2
    assert all(said in t.outcome.reason for t in failed)
    assert study.best is not None


def test_the_time_of_a_study_ends_amid_a_design_that_hangs(study_of):
    designs = study_of(strategy="toy-grid", trials=26, name="all").in_order
    hangs = {t.number for t in designs if t.configuration["pes"] == 4}
    budget = Budget(trials=26, seconds=3.0)
    study = study_of(
        strategy="toy-grid", hardware="toy:fault=hang", budget=budget, session=Session(workers=2)
    )
    assert (study.header.status, study.header.note) == (FINISHED, "3 seconds are over")
    assert hangs
    assert not hangs & set(study.trials)  # without the limit of time it waits for an hour
    assert not study.notes


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("ask", "RuntimeError in ask: no idea"),
        ("tell", "RuntimeError in tell"),
        ("shape", r"ask\(4\)"),
    ],
)
def test_a_strategy_that_breaks_ends_the_study_and_is_named(study_of, toy, tmp_path, fault, said):
    with pytest.raises(PluginError, match=f"toy-grid.*{said}"):
        study_of(strategy=f"toy-grid:fault={fault}", name="x")
    study = stored(toy, tmp_path / "s.db", "x")
    assert (study.header.status, study.header.note) == (INTERRUPTED, "stopped by an error")


def test_a_row_outside_the_space_costs_its_trial(study_of):
    study = study_of(strategy="toy-grid:fault=outside", trials=12)
    assert [t.outcome.state for t in study.in_order[:8]] == [State.FAILED] * 8
    assert "outside the space" in study.trials[1].outcome.reason
    assert study.trials[9].ok


def test_a_design_asked_for_again_is_not_evaluated_again(study_of, toy, monkeypatch):
    calls = []
    from cosearch.study import evaluation as trial_evaluation

    true = trial_evaluation.evaluate
    monkeypatch.setattr(trial_evaluation, "evaluate", lambda *a: calls.append(a[1]) or true(*a))
    study = study_of(strategy="toy-grid:fault=twice", trials=12)
    assert len(study.trials) == 12
    assert len(calls) == 1 + 6
    assert study.trials[1].outcome.losses == study.trials[2].outcome.losses
    single = study_of(strategy="toy-grid", trials=6)
    assert study.evaluations == single.evaluations > 0


def test_the_baseline_is_not_evaluated_again_either(study_of, monkeypatch):
    study = study_of(strategy="toy-grid", trials=72)
    twin = next(t for t in study.in_order if t.design == study.baseline.design)
    assert twin.outcome.losses == study.baseline.outcome.losses
    assert twin.outcome.seconds == 0.0


def test_evaluations_end_a_study_at_the_batch_that_reaches_them(study_of, tmp_path):
    study = study_of(budget=Budget(evaluations=200))
    assert 200 <= study.evaluations < 200 + 4 * 60
    assert len(study.trials) % 4 == 0
    again = study_of(
        budget=Budget(evaluations=200), store=tmp_path / "two.db", session=Session(workers=2)
    )
    assert facts(again) == facts(study)


def test_a_filled_cache_changes_nothing_that_is_counted(study_of, tmp_path):
    cold = study_of(budget=Budget(evaluations=200), strategy="random")
    study_of(strategy="toy-grid", trials=72, store=tmp_path / "warm.db")
    warm = study_of(budget=Budget(evaluations=200), strategy="random", store=tmp_path / "warm.db")
    assert facts(warm) == facts(cold)
    assert warm.evaluations == cold.evaluations


def test_seconds_end_a_study(study_of):
    study = study_of(budget=Budget(seconds=0.3), hardware="toy:fault=slow", strategy="toy-grid")
    assert study.header.status == FINISHED
    assert len(study.trials) < 72
    assert "seconds are over" in study.header.note


def test_the_same_name_with_other_settings_is_refused(study_of):
    study_of(name="x")
    with pytest.raises(CosearchError, match="has other settings:\n  seed: 0, not 1") as caught:
        study_of(name="x", seed=1)
    assert "resume x" in caught.value.hint


def test_a_strategy_that_has_changed_is_noticed(study_of, monkeypatch):
    study_of(strategy="toy-grid:fault=change", trials=4)
    monkeypatch.setenv("TOY_CHANGE", "1")
    with pytest.raises(PluginError, match="another trial 1 than the stored one"):
        study_of(strategy="toy-grid:fault=change", trials=8)


def test_a_machine_that_has_changed_is_noticed(study_of, toy, monkeypatch):
    study_of(trials=4)
    model = toy.find("hardware_models", "toy").target
    monkeypatch.setattr(model, "baseline", {"pes": 16, "buffer": 8, "bits": 8})
    with pytest.raises(CosearchError, match=r"the hardware model of the study .* has changed"):
        study_of(trials=8)


def test_a_study_is_not_continued_in_another_space(study_of, toy, monkeypatch):
    study_of(trials=2)
    model = toy.find("hardware_models", "toy").target
    first, *rest = model.space.parameters
    wider = evolve(first, choices=(*first.choices, 4 * max(first.choices)))
    monkeypatch.setattr(model, "space", evolve(model.space, parameters=(wider, *rest)))
    with pytest.raises(CosearchError, match=r"the space of the study .* has changed"):
        study_of(trials=4)


def test_other_versions_of_plugins_are_noted(study_of, toy, tmp_path):
    study_of(name="x", trials=4)
    with Store(tmp_path / "s.db") as store:
        store._connection.execute(
            "UPDATE studies SET facts = json_set(facts, '$.plugins', json('[\"toy 0.9\"]'))"
        )
    (note,) = stored(toy, tmp_path / "s.db", "x").notes
    assert note.startswith("the study was begun with toy 0.9; now it is cosearch ")


def test_several_objectives_keep_a_front(study_of):
    study = study_of(strategy="toy-grid", objective="energy,latency,area", trials=72)
    losses = np.array([t.outcome.losses for t in study.feasible])
    front = {t.outcome.losses for t in study.front}
    assert len(front) > 3
    for point in losses:
        beaten = ((losses <= point).all(axis=1) & (losses < point).any(axis=1)).any()
        assert beaten != (tuple(point) in front)


def test_a_strategy_for_one_objective_is_not_given_two(study_of):
    with pytest.raises(CosearchError, match="takes one objective"):
        study_of(strategy="evolutionary", objective="energy,latency")


def test_a_constraint_is_kept_by_the_best(study_of):
    free = study_of(strategy="toy-grid", trials=72)
    tight = study_of(strategy="toy-grid", trials=72, constraints=["area_mm2<=1"])
    assert free.best.outcome.metrics["area_mm2"] > 1 >= tight.best.outcome.metrics["area_mm2"]
    allowed = [t for t in free.feasible if t.outcome.metrics["area_mm2"] <= 1]
    assert tight.best.outcome.losses == min(t.outcome.losses for t in allowed)


@pytest.mark.parametrize("strategy", ["random", "evolutionary", "hyperband", "bayesian", "grid"])
def test_a_space_of_one_design_ends_with_it(study_of, strategy):
    fixed = {"pes": "2", "buffer": "32", "bits": "16"}
    study = study_of(strategy=strategy, fixed=fixed)
    assert study.problem.space.size == 1
    assert study.header.status == EXHAUSTED
    assert [trial.configuration for trial in study.in_order] == [study.baseline.configuration]
    assert study.best.outcome.losses == study.baseline.outcome.losses


def test_fixed_parameters_stay_fixed_and_the_baseline_does_not(study_of):
    study = study_of(fixed={"pes": "8"})
    assert {t.configuration["pes"] for t in study.in_order} == {8}
    assert study.baseline.configuration["pes"] == 2


def told_first(study_of, toy, monkeypatch, **settings):
    """Return what the strategy was told before it was asked."""
    grid = toy.find("strategies", "toy-grid").target
    calls, tell, ask = [], grid.tell, grid.ask
    monkeypatch.setattr(grid, "tell", lambda s, *a: calls.append(a) or tell(s, *a))
    monkeypatch.setattr(grid, "ask", lambda s, n: calls.append(n) or ask(s, n))
    study = study_of(strategy="toy-grid", trials=4, **settings)
    return study, calls[: calls.index(4)]


def test_the_strategy_starts_from_the_baseline(study_of, toy, monkeypatch):
    study, ((rows, losses, feasible, *_),) = told_first(study_of, toy, monkeypatch)
    assert study.problem.space.decode(rows[0]) == study.baseline.configuration
    assert tuple(losses[0]) == study.baseline.outcome.losses
    assert feasible.all()


@pytest.mark.parametrize("settings", [{"warm": False}, {"fixed": {"pes": "8"}}])
def test_a_cold_start_and_a_baseline_outside_the_space(study_of, toy, monkeypatch, settings):
    assert told_first(study_of, toy, monkeypatch, **settings)[1] == []


def test_an_unbuildable_baseline_is_a_result_too(study_of, toy, monkeypatch):
    model = toy.find("hardware_models", "toy").target
    monkeypatch.setattr(model, "baseline", {"pes": 32, "buffer": 256, "bits": 8})
    study = study_of(mapper="random")
    assert study.baseline.outcome.state is State.INFEASIBLE
    assert study.best is not None


def test_observers_hear_of_trials_in_order_and_may_fail(study_of, toy, monkeypatch):
    heard = []

    class Listens:
        @hookimpl
        def cosearch_study_started(self):
            heard.append("started")

        @hookimpl
        def cosearch_trial_finished(self, trial):
            heard.append(trial.number)

        @hookimpl
        def cosearch_study_finished(self, study):
            heard.append(study.header.status)

    monkeypatch.setenv("TOY_OBSERVER", "raises")
    toy.manager.register(Listens(), name="listens")
    study = study_of(trials=6, session=Session(workers=2))
    assert heard == ["started", 1, 2, 3, 4, 5, 6, "finished"]
    assert len(study.notes) == 1
    assert "RuntimeError: the observer is broken" in study.notes[0]


def test_names_are_checked_before_anything_is_stored(toy, tmp_path):
    with pytest.raises(UnknownNameError):
        plan(toy, GEMM, "toy", "evolutionry")
    problem = plan(toy, GEMM, "toy", "random")
    with Store(tmp_path / "s.db") as store:
        study = open_study(store, toy, problem, Budget(trials=2))
        with pytest.raises(UnknownNameError):
            run(study, store, toy, Session(executor="clowd"))
        with pytest.raises(CosearchError, match="cannot give up"):
            run(study, store, toy, Session(executor="serial", trial_seconds=1.0))


@pytest.mark.parametrize(
    ("cores", "batch", "workers", "threads"),
    [(1, 4, 1, 1), (2, 4, 2, 1), (8, 4, 4, 2), (7, 2, 2, 3)],
)
def test_a_session_keeps_all_cores_busy_and_none_twice(study_of, cores, batch, workers, threads):
    session = Session.on_cores(study_of(batch=batch), cores=cores)
    assert (session.workers, session.threads) == (workers, threads)
    assert Session.on_cores(study_of(batch=batch), 3, cores=cores) == Session(3)


def test_threads_change_nothing_but_the_time(study_of, tmp_path):
    def facts(threads):
        study = study_of(
            workload="alexnet",
            trials=6,
            store=tmp_path / f"{threads}.db",
            session=Session(threads=threads),
        )
        return [
            (t.outcome.losses, [(x.row, x.energy_pj, x.cycles) for x in t.outcome.layers])
            for t in study.in_order
        ]

    assert facts(1) == facts(3)


@pytest.mark.parametrize(("left", "most"), [(1, 1), (2.5, 3), (9, 4), (None, 4)])
def test_no_more_workers_than_designs(study_of, left, most):
    study = study_of(strategy="toy-grid", trials=4)
    trials = None if left is None else study.spent + left
    study.header = evolve(study.header, budget=Budget(trials=trials, seconds=9.0))
    assert _at_most(4, study) == most


def test_what_a_limit_of_time_counts_begins_once_all_is_compiled(study_of, monkeypatch):
    ready = []
    monkeypatch.setattr(codesign, "compile_first", lambda problem: ready.append(problem))
    study_of(trials=1, name="without a limit")
    assert ready == []
    study = study_of(budget=Budget(trials=1, seconds=60.0), name="with one")
    assert ready == [study.problem]


def test_compiling_first_leaves_what_fails_to_the_search(toy, monkeypatch):
    problem = plan(toy, "gemm:M=4,N=2,K=4", "eyeriss", "random")
    compile_first(problem)
    monkeypatch.setattr(type(problem.mapper), "ready", lambda *_: 1 / 0)
    compile_first(problem)
