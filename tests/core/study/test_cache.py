import pytest

from cosearch.mapping.mapper import Budget
from cosearch.store.store import Store
from cosearch.study.codesign import Session, open_study, plan, run


@pytest.fixture
def searched(toy, tmp_path):
    """Return a function that runs a study and returns how many layers it searched anew."""

    def study(name, *, session=None, basis=""):
        problem = plan(toy, "gemm:M=16,N=16,K=16", "toy", "random", mapper_evaluations=20)
        with Store(tmp_path / "s.db") as store, pytest.MonkeyPatch.context() as patch:
            if basis:
                patch.setattr("cosearch.study.problem.made_by", lambda _: basis)
            found = open_study(store, toy, problem, Budget(trials=3), name)
            run(found, store, toy, session)
            return store.remembered()[0]

    return study


def test_results_are_remembered_by_what_code_they_rest_on(searched):
    first = searched("first")
    assert first > 0
    assert searched("second") == first
    assert searched("third", basis="other sources") == 2 * first


def test_without_the_cache_nothing_is_used_or_remembered(searched):
    assert searched("first", session=Session(cached=False)) == 0


def test_a_store_that_a_worker_cannot_see_costs_nothing(toy, tmp_path):
    from cosearch.study.executor import Design, Task

    problem = plan(toy, "gemm:M=16,N=16,K=16", "toy", "random", mapper_evaluations=20)
    task = Task(problem.spec, tmp_path / "elsewhere" / "s.db", problem)
    assert task(Design(1, {"pes": 1})).ok


def test_clearing_forgets_results_and_no_trial(searched, tmp_path):
    searched("first")
    with Store(tmp_path / "s.db") as store:
        trials = store.trials("first")
        assert store.forget() > 0
        assert store.remembered() == (0, 0)
        assert store.trials("first") == trials
