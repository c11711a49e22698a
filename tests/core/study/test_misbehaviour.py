"""Whatever a plugin does, a study ends well: it is named, and costs one trial at most."""

import sys
from pathlib import Path

import pytest

from cosearch.errors import PluginError
from cosearch.mapping.mapper import Budget
from cosearch.store.records import EXHAUSTED, FINISHED, INTERRUPTED
from cosearch.store.store import Store
from cosearch.study.codesign import Session, open_study, plan, run
from cosearch.study.report import account
from cosearch.trials.trial import State

BAD = Path(__file__).parents[2] / "data" / "misbehaving"
sys.path.insert(0, str(BAD))
import misbehaving  # noqa: E402

sys.path.remove(str(BAD))


@pytest.fixture
def study(bad, tmp_path):
    def ended(
        *,
        hardware="bad",
        mapper="bad",
        strategy="bad",
        session=None,
        observer=None,
        name="s",
        trials=4,
    ):
        problem = plan(bad, "gemm:M=8,N=8,K=8", hardware, strategy, mapper=mapper, batch=4)
        watching = observer and bad.manager.register(misbehaving.Observer(observer))
        with Store(tmp_path / "s.db") as store:
            found = open_study(store, bad, problem, Budget(trials=trials), name)
            try:
                run(found, store, bad, session)
            finally:
                if watching:
                    bad.manager.unregister(name=watching)
        return found

    return ended


def states(study):
    return [trial.outcome.state for trial in study.in_order]


def lost_one(study, *, named=("bad", "misbehaving 1.0")):
    assert study.header.status == FINISHED
    assert states(study) == [State.OK, State.FAILED, State.OK, State.OK], [
        trial.outcome.reason for trial in study.in_order
    ]
    reason = study.trials[2].outcome.reason
    assert len(reason) < 3000
    assert reason.isprintable()
    for word in named:
        assert word in reason
    return reason


SERIAL_FAULTS = [
    fault
    for fault in misbehaving.MACHINE_FAULTS
    if fault.partition("-")[2] not in misbehaving.DEADLY
    and fault
    not in {
        "none",
        "print",
        "infeasible-escape",
        "key-random",
        "name-escape",
        *misbehaving.EXPLAINED,
    }
]


@pytest.mark.parametrize("fault", SERIAL_FAULTS)
def test_a_machine_that_misbehaves_costs_one_trial(study, fault):
    named = ("vector", "misbehaving 1.0") if fault in misbehaving.COSTS else ()
    reason = lost_one(study(hardware=f"bad:fault={fault}", mapper="random"), named=named)
    if fault.startswith(("build-", "evaluate-")):
        assert "misbehaving 1.0" in reason


def said(study):
    """Return by fault what was stored of each design."""
    found = {}
    for trial in study.in_order:
        fault = trial.configuration["fault"]
        if fault != "key-random":
            found[fault] = (trial.outcome.state, trial.outcome.reason, trial.outcome.losses)
    return found


def test_all_of_them_in_one_study_here_and_in_workers(study):
    every = {"hardware": "parade", "mapper": "random", "trials": len(misbehaving.PARADE)}
    alone = study(**every, name="alone")
    several = study(**every, session=Session(workers=2), name="several")
    assert alone.header.status == several.header.status
    assert len(alone.in_order) == len(misbehaving.PARADE)
    assert said(alone) == said(several)
    harmless = {"none", "print", *misbehaving.EXPLAINED, "key-random", "name-escape"}
    for fault, (state, reason, _) in said(alone).items():
        assert reason.isprintable()
        assert len(reason) < 3000
        if fault not in harmless:
            assert state is (State.INFEASIBLE if fault == "infeasible-escape" else State.FAILED)
            assert reason


QUICK = "evaluate-segfault"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(name, marks=() if name == QUICK else pytest.mark.exhaustive)
        for place in ("build", "evaluate")
        for name in (f"{place}-{how}" for how in misbehaving.DEADLY)
    ],
)
def test_what_ends_a_process_costs_one_trial_in_workers(study, fault):
    found = study(hardware=f"bad:fault={fault}", session=Session(workers=2))
    assert "tried on 3 fresh workers, each was ended" in lost_one(found, named=())


@pytest.mark.parametrize(
    "fault",
    [
        "evaluate-interrupt",
        pytest.param("evaluate-exit-0", marks=pytest.mark.exhaustive),
        pytest.param("build-surrogate", marks=pytest.mark.exhaustive),
    ],
)
def test_workers_say_the_same(study, fault):
    alone = study(hardware=f"bad:fault={fault}", name="alone")
    several = study(hardware=f"bad:fault={fault}", session=Session(workers=2), name="several")
    assert alone.trials[2].outcome.reason == several.trials[2].outcome.reason


def test_escapes_and_halves_of_pairs_are_spelled_out(study):
    found = study(hardware="bad:fault=infeasible-escape")
    reason = found.trials[2].outcome.reason
    assert states(found)[1] is State.INFEASIBLE
    assert "\\x1b]0;owned" in reason
    assert "\\ud800" in reason
    assert reason.isprintable()


@pytest.mark.parametrize("fault", misbehaving.EXPLAINED)
def test_a_machine_that_cannot_explain_is_reported_as_such(study, fault):
    found = study(hardware=f"bad:fault={fault}")
    assert states(found) == [State.OK] * 4
    wrong = account(found.problem, found.trials[2]).disagreements
    assert wrong
    assert not account(found.problem, found.trials[1]).disagreements
    if fault != "explain-lies":
        assert "misbehaving 1.0" in wrong[0]


@pytest.mark.parametrize("fault", misbehaving.MAPPED)
def test_a_mapper_that_misbehaves_costs_one_trial(study, fault):
    lost_one(study(mapper=f"bad:fault={fault}"), named=("mapper 'bad", "gemm")[:1])


@pytest.mark.parametrize("fault", misbehaving.ASKED)
def test_a_strategy_that_misbehaves_ends_the_study_and_is_named(study, bad, tmp_path, fault):
    with pytest.raises(PluginError, match=r"strategy 'bad.* of misbehaving 1\.0 .*ask"):
        study(strategy=f"bad:fault={fault}")
    with Store(tmp_path / "s.db", write=False) as store:
        assert store.header("s").status == INTERRUPTED


@pytest.mark.parametrize("fault", ["repeats", "invents", "loses-once", "backwards"])
def test_an_executor_may_repeat_reorder_and_lose(study, fault):
    found = study(session=Session(executor=f"bad:fault={fault}"))
    assert found.header.status in {FINISHED, EXHAUSTED}
    assert states(found) == [State.OK] * 4
    if fault != "backwards":
        assert any("BadExecutor of misbehaving 1.0" in note for note in found.notes)


@pytest.mark.parametrize("fault", ["loses", "none", "text", "swapped", "raises", "exits"])
def test_an_executor_that_breaks_is_named_and_nothing_is_lost(study, bad, tmp_path, fault):
    with pytest.raises(PluginError, match=r"BadExecutor'? of misbehaving 1\.0"):
        study(session=Session(executor=f"bad:fault={fault}"))
    with Store(tmp_path / "s.db", write=False) as store:
        assert store.header("s").status == INTERRUPTED
    assert states(study()) == [State.OK] * 4


@pytest.mark.parametrize("kind", misbehaving.OBSERVERS)
def test_an_observer_changes_nothing(study, kind):
    plain = study(name="plain")
    watched = study(observer=misbehaving.OBSERVERS[kind], name="watched")
    assert [t.outcome.losses for t in watched.in_order] == [
        t.outcome.losses for t in plain.in_order
    ]
    assert watched.header.status == FINISHED
    assert watched.baseline is not None
    if kind in {"raises", "exits", "unspeakable"}:
        assert any("cosearch_trial_finished" in note for note in watched.notes)
