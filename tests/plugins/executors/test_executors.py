import os
import subprocess
import sys
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
from cosearch_plugins.executors.child import Child


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


def test_all_workers_start_with_the_first_design(toy, task):
    with processes(toy, task(), 3) as executor:
        list(executor.run(designs(1)))
        first = [worker.process.pid for worker in executor._pool]
        list(executor.run(designs(1, 2, 4, 8)))
        assert [worker.process.pid for worker in executor._pool] == first
        assert len(first) == 3


@pytest.mark.parametrize(("fault", "said"), [("die", "SIGKILL"), ("hang", "given up after 1.5")])
def test_one_that_dies_or_hangs_costs_its_own_design(toy, task, fault, said):
    executor = processes(toy, task(fault), 2, 1.5 if fault == "hang" else None)
    found = outcomes(executor, designs(4, 1, 4, 2, 8))
    assert [found[i].state for i in range(5)] == [
        State.FAILED,
        State.OK,
        State.FAILED,
        State.OK,
        State.OK,
    ]
    assert said in found[0].reason


def test_a_design_that_ends_every_worker_fails_and_says_how(toy, task):
    found = outcomes(processes(toy, task("die"), 1), designs(4))
    assert found[0].reason == "tried on 3 fresh workers, each was ended by SIGKILL"


@pytest.mark.parametrize("killed", [1, 4])
def test_a_worker_killed_from_outside_costs_nothing(toy, task, killed):
    alone = outcomes(toy.find("executors", "serial").make(task(), 1, None), designs(1, 2, 8, 16))
    with processes(toy, task("slow"), 2) as executor:
        run = executor.run(designs(1, 2, 8, 16))
        found = [next(run)]
        for worker in executor._pool[:killed]:
            worker.process.kill()  # busy, idle or not even ready
        found += run
    assert {d.number: o.losses for d, o in found} == {n: o.losses for n, o in alone.items()}


def test_a_worker_that_dies_before_it_is_ready_is_replaced(toy, task, monkeypatch):
    start, started = Child.start.__func__, []

    def stillborn(cls, *given):
        child = start(cls, *given)
        if len(started) < 2:
            child.process.kill()
        started.append(child)
        return child

    monkeypatch.setattr(Child, "start", classmethod(stillborn))
    found = outcomes(processes(toy, task(), 1), designs(1, 2))
    assert [found[i].state for i in range(2)] == [State.OK, State.OK]
    assert len(started) == 3


def test_workers_that_never_get_ready_are_one_message(toy, task, monkeypatch):
    monkeypatch.setattr("cosearch_plugins.executors.child._COMMAND", ("/bin/false",))
    with (
        processes(toy, task()) as executor,
        pytest.raises(CosearchError, match=r"5 worker processes in a row .* exit code 1"),
    ):
        list(executor.run(designs(1)))


PARENT = """
import sys
from pathlib import Path
from cosearch.hooks.discovery import load_registry
from cosearch.study.executor import Design, Task
from cosearch.trials.spec import StudySpec
from cosearch_plugins.executors.processes import Processes
spec = StudySpec("gemm", "toy:fault=hang", "random", "random", mapper_evaluations=20)
executor = Processes(Task(spec, Path(sys.argv[1])), 2, None)
run = executor.run([Design(0, {"pes": 4}), Design(1, {"pes": 1})])
next(run)
print(*(child.process.pid for child in executor._pool), flush=True)
next(run)
"""


def test_workers_end_with_their_parent(toy, task, tmp_path):
    task("hang")
    command = [sys.executable, "-c", PARENT, str(tmp_path / "s.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
    assert len(workers) == 2
    until = time.monotonic() + 20
    while time.monotonic() < until and any(map(running, workers)):
        time.sleep(0.02)
    assert not any(map(running, workers))


def running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


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
