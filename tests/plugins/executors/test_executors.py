import os
import time
from pathlib import Path

import pytest

from cosearch.errors import CosearchError
from cosearch.mapping.mapper import Budget
from cosearch.store.store import Store
from cosearch.study.codesign import open_study, plan
from cosearch.study.executor import Design, Task
from cosearch.trials.spec import StudySpec
from cosearch.trials.trial import State


@pytest.fixture
def task(toy, tmp_path):
    def make(fault="none"):
        problem = plan(toy, "gemm", f"toy:fault={fault}", "random", mapper_evaluations=20)
        with Store(tmp_path / "s.db") as store:
            open_study(store, toy, problem, Budget(trials=1), fault)
        return Task(problem.spec, tmp_path / "s.db", problem)

    return make


def designs(*pes):
    return [Design(i, {"pes": p}) for i, p in enumerate(pes)]


def outcomes(executor, work):
    with executor:
        return {design.number: outcome for design, outcome in executor.run(work)}


def processes(toy, task, workers=2, trial_seconds=None):
    return toy.find("executors", "processes").make(task, workers, trial_seconds)


def test_all_executors_give_the_same(toy, task):
    serial = toy.find("executors", "serial").make(task(), 1, None)
    here = outcomes(serial, designs(1, 2, 4, 8))
    there = outcomes(processes(toy, task(), 3), designs(1, 2, 4, 8))
    assert {n: o.losses for n, o in here.items()} == {n: o.losses for n, o in there.items()}
    assert len(here) == 4


def test_workers_are_kept_for_the_next_designs(toy, task):
    with processes(toy, task(), 2) as executor:
        list(executor.run(designs(1, 2, 8)))
        first = [worker.process.pid for worker in executor._pool]
        list(executor.run(designs(16)))
        assert [worker.process.pid for worker in executor._pool] == first
        assert len(first) == 2
    assert executor._pool == []
    for pid in first:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_no_more_workers_than_designs(toy, task):
    with processes(toy, task(), 8) as executor:
        list(executor.run(designs(1)))
        assert len(executor._pool) == 1


@pytest.mark.parametrize(("fault", "said"), [("die", "SIGKILL"), ("hang", "given up after 0.3")])
def test_one_that_dies_or_hangs_costs_its_own_design(toy, task, fault, said):
    executor = processes(toy, task(fault), 2, 0.3 if fault == "hang" else None)
    found = outcomes(executor, designs(4, 1, 4, 2, 8))
    assert [found[i].state for i in range(5)] == [
        State.FAILED,
        State.OK,
        State.FAILED,
        State.OK,
        State.OK,
    ]
    assert said in found[0].reason


def test_closing_early_stops_the_rest(toy, task):
    executor = processes(toy, task("hang"), 2)
    run = executor.run(designs(4, 1))
    design, outcome = next(run)
    assert (design.number, outcome.ok) == (1, True)
    started = time.monotonic()
    run.close()
    executor.close()
    assert time.monotonic() - started < 60
    assert executor._pool == []


def test_a_name_that_the_worker_cannot_resolve_is_one_message(toy):
    spec = StudySpec("gemm", "no-such-machine", "random", "random")
    with (
        processes(toy, Task(spec, Path("s.db"))) as executor,
        pytest.raises(CosearchError, match="no hardware model 'no-such-machine'") as caught,
    ):
        list(executor.run(designs(1)))
    assert "eyeriss" in caught.value.hint
