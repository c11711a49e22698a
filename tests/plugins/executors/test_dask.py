import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cosearch.errors import CosearchError, MissingExtraError
from cosearch.store.store import Store
from cosearch.study.codesign import Session, plan
from cosearch.study.executor import Design, Task
from cosearch.trials.trial import State
from cosearch_plugins.executors.dask import node
from cosearch_plugins.kit.checks import others

pytest.importorskip("distributed")

TOY = Path(__file__).parents[2] / "data" / "toy_plugin"


@pytest.fixture(scope="module")
def cluster():
    """Two workers of this machine, which know the toy plugin."""
    from cosearch_plugins.executors.dask.cluster import LocalWorkers

    sys.path.insert(0, str(TOY))
    made = LocalWorkers(2)
    sys.path.remove(str(TOY))
    yield made
    made.close()


@pytest.fixture
def made(toy, tmp_path):
    def make(fault="none", trial_seconds=None, workers=2, **options):
        problem = plan(toy, "gemm", f"toy:fault={fault}", "random", mapper_evaluations=20)
        task = Task(problem.spec, tmp_path / "out-of-sight" / "s.db", problem)
        named = toy.find("executors", "dask").given(**options)
        return task, named.make(task, workers, trial_seconds)

    return make


def designs(*pes):
    return [Design(i, {"pes": p}) for i, p in enumerate(pes)]


def losses(found):
    return {design.number: (outcome.state, outcome.losses) for design, outcome in found}


def test_a_worker_lost_amid_a_run_costs_nothing_and_one_of_its_own_cluster_is_replaced(made):
    task, executor = made("slow", workers=1)
    work = designs(1, 2, 8, 16)
    with executor:
        run = executor.run(work)
        found = [next(run)]
        executor._cluster._workers[0].process.kill()
        found += run
    assert losses(found) == losses((design, task(design)) for design in work)


def test_a_study_is_the_same_as_in_one_process(study_of, cluster, tmp_path):
    alone = study_of(store=tmp_path / "alone.db", trials=9)
    (tmp_path / "hidden").mkdir()
    how = Session(2, executor=f"dask:address={cluster.address},designs=2")
    study = study_of(store=tmp_path / "hidden" / "s.db", trials=9, session=how)
    assert [(t.row, t.outcome.losses) for t in study.in_order] == [
        (t.row, t.outcome.losses) for t in alone.in_order
    ]
    assert study.best.outcome.metrics == alone.best.outcome.metrics


def test_no_worker_hears_of_the_studys_store(made, cluster):
    _, executor = made(address=cluster.address)
    assert b"out-of-sight" not in pickle.dumps(executor._work)


def test_designs_that_hang_or_end_their_process_cost_themselves(made, cluster):
    _, executor = made("die", address=cluster.address)
    with executor:
        found = {d.number: o for d, o in executor.run(designs(4, 1, 2))}
    assert found[0].reason == "tried on 3 fresh workers, each was ended by SIGKILL"
    assert [found[i].state for i in (1, 2)] == [State.OK, State.OK]
    _, executor = made("hang", trial_seconds=1.0, address=cluster.address)
    with executor:
        found = {d.number: o for d, o in executor.run(designs(4, 1))}
    assert "given up after 1 seconds" in found[0].reason
    assert found[1].ok


@pytest.mark.exhaustive
def test_a_design_with_which_every_worker_is_lost_fails_and_no_other(made, monkeypatch):
    """It ends the worker itself, not only the process that evaluates."""
    monkeypatch.setenv("TOY_DIE", "parent")
    _, executor = made("die", workers=2)
    with executor:
        found = {d.number: o for d, o in executor.run(designs(1, 4, 2, 8))}
    assert found[1].reason.startswith("each worker of the cluster that was given it was lost")
    assert [found[i].ok for i in (0, 2, 3)] == [True] * 3


@pytest.mark.exhaustive
def test_the_kit_holds_it_to_the_contract_and_its_workers_too(toy):
    named = toy.find("executors", "dask")
    others.executors_lose_nothing(lambda task: named.make(task, 2, None), toy, "toy")
    others.executors_try_again(lambda task: named.make(task, 2, None))


def test_a_fault_of_the_set_up_is_one_message(made, cluster, monkeypatch, toy):
    monkeypatch.setattr("cosearch_plugins.executors.dask.executor.CONNECT_SECONDS", 0.5)
    _, executor = made(address="tcp://127.0.0.1:9")
    with executor, pytest.raises(CosearchError, match=r"no Dask scheduler .*127\.0\.0\.1:9"):
        list(executor.run(designs(1)))
    monkeypatch.setattr("cosearch_plugins.executors.dask.executor.version", lambda _: "0.0.9")
    _, executor = made(address=cluster.address)
    with executor, pytest.raises(CosearchError, match=r"has cosearch .* this is 0\.0\.9"):
        list(executor.run(designs(1)))
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError) as caught:
        made()
    assert "pip install 'cosearch[dask]'" in caught.value.hint


def test_results_of_mappers_are_kept_in_a_file_of_the_machine(made, monkeypatch, tmp_path, toy):
    monkeypatch.setattr(node.tempfile, "gettempdir", lambda: str(tmp_path))
    task, _ = made()
    own = node.NodeTask(task)
    own.prepare(toy)
    own(Design(1, {"pes": 2}))
    own._kept.close()
    with Store(tmp_path / f"cosearch-{os.getuid()}" / "mapped.db", write=False) as kept:
        assert kept.remembered()[0] == 1
    again = node.NodeTask(task)
    again.prepare(toy)
    monkeypatch.setattr(type(again._problem.mapper), "map", None)  # nothing is mapped anew
    outcome = again(Design(1, {"pes": 2}))
    again._kept.close()
    assert outcome.ok


def test_a_folder_of_somebody_else_keeps_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(node.tempfile, "gettempdir", lambda: str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    folder = tmp_path / f"cosearch-{os.getuid()}"
    folder.symlink_to(tmp_path / "elsewhere")
    assert node.results_file() is None
    folder.unlink()
    folder.mkdir()
    folder.chmod(0o777)
    assert node.results_file() is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # dask-jobqueue's
def test_a_queue_is_asked_for_jobs(made, monkeypatch):
    """dask-jobqueue's own stand-in for a batch system runs a job's script here."""
    before = signal.getsignal(signal.SIGINT)
    jobqueue = pytest.importorskip("dask_jobqueue")

    from dask_jobqueue.local import LocalCluster

    signal.signal(signal.SIGINT, before)  # which it takes for itself when it is imported

    class Queue(LocalCluster):
        def __init__(self):
            super().__init__(cores=1, memory="1GB", scheduler_options={"host": "127.0.0.1"})

    monkeypatch.setattr(jobqueue, "SLURMCluster", Queue)
    task, executor = made(cluster="slurm", workers=1)
    with executor:
        found = list(executor.run(designs(1, 2)))
    assert losses(found) == losses((design, task(design)) for design in designs(1, 2))
    monkeypatch.setattr(jobqueue, "SLURMCluster", lambda: {}["queue"])
    _, executor = made(cluster="slurm", workers=1)
    with executor, pytest.raises(CosearchError, match="no cluster of slurm") as caught:
        list(executor.run(designs(1)))
    assert "jobqueue.yaml" in caught.value.hint


def test_a_queue_leaves_interruptions_to_the_study():
    pytest.importorskip("dask_jobqueue")
    run = subprocess.run(
        [sys.executable, "-c", KEEPS_SIGINT], capture_output=True, text=True, check=False
    )
    assert run.stdout.strip() == "kept", run.stderr


KEEPS_SIGINT = """
import signal
from cosearch.errors import CosearchError
from cosearch_plugins.executors.dask.cluster import QueuedWorkers
before = signal.getsignal(signal.SIGINT)
try:
    QueuedWorkers("slurm", 1)
except CosearchError:
    import dask_jobqueue
    print("kept" if signal.getsignal(signal.SIGINT) is before else "lost")
"""
