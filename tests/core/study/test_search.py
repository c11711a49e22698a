"""A search at several fidelities; what holds for every search is in test_codesign.py."""

import math

import pytest
from attrs import evolve

from cosearch.mapping.mapper import Budget
from cosearch.registry.registration import hookimpl
from cosearch.store.records import FINISHED
from cosearch.store.store import Store
from cosearch.study import study as study_module
from cosearch.study import trials as trials_module
from cosearch.study.codesign import Session, is_over, load_study, resume_study, run
from cosearch.study.report import report_of
from cosearch.study.trials import InOrder, Trials
from cosearch.trials.fidelity import Bill, layers_at, scale
from cosearch.trials.trial import State

CHEAP = {"workload": "alexnet", "strategy": "hyperband", "mapper_evaluations": 30}


@pytest.fixture
def cheap(study_of):
    """Return a function that runs a study of many layers with hyperband."""
    return lambda **settings: study_of(**CHEAP | {"trials": 12} | settings)


def facts(study):
    return [
        (
            t.number,
            t.row,
            t.fidelity,
            t.outcome.state,
            t.outcome.losses,
            [evolve(x, seconds=0.0) for x in t.outcome.layers],
        )
        for t in study.in_order
    ]


def test_cheap_judgements_map_the_heaviest_layers_and_estimate_the_rest(cheap):
    study = cheap()
    network = study.problem.network
    below = [t for t in study.in_order if not t.whole]
    assert len({t.fidelity for t in below}) == 2
    for trial in below:
        layers = layers_at(network, trial.fidelity)
        assert [x.name for x in trial.outcome.layers] == [layer.name for layer in layers]
        mapped = sum(x.energy_pj * x.count for x in trial.outcome.layers)
        assert trial.outcome.metrics["energy_pj"] == scale(network, layers) * mapped > mapped


def test_an_estimate_is_no_answer(cheap):
    study = cheap()
    below = [t for t in study.in_order if not t.whole]
    assert any(t.outcome.ok for t in below)
    assert not {t.number for t in below} & {t.number for t in (*study.feasible, *study.front)}
    assert study.best.whole
    assert study.best.outcome.losses == min(t.outcome.losses for t in study.in_order if t.ok)
    report = report_of(study)
    assert report.best.disagreements == ()
    assert len(report.best.layers) == len(study.problem.network.unique)


def test_going_up_maps_only_what_is_missing(cheap):
    study = cheap()
    ups = [
        (low, high)
        for low in study.in_order
        for high in study.in_order
        if low.design == high.design and low.fidelity < high.fidelity and low.outcome.ok
    ]
    assert ups
    for low, high in ups:
        assert high.number > low.number
        assert high.row == low.row
        again = [x for x in high.outcome.layers if x.key in {y.key for y in low.outcome.layers}]
        assert again == list(low.outcome.layers)
    mapped = {
        (t.outcome.accelerator, x.key): x.evaluations
        for t in study.in_order
        for x in (*t.outcome.layers, t.outcome.unmapped)
        if x is not None
    }
    base = {(study.baseline.outcome.accelerator, x.key) for x in study.baseline.outcome.layers}
    assert study.evaluations == sum(n for key, n in mapped.items() if key not in base)


def test_a_design_refused_outright_is_judged_in_full_and_costs_a_whole_trial(cheap):
    study = cheap(trials=20)
    refused = [t for t in study.in_order if t.outcome.state is State.INFEASIBLE]
    assert refused
    assert all(t.whole for t in refused)
    bill = Bill()
    assert {bill.charge(t) for t in refused} == {1.0}


def test_limits_are_checked_on_estimates_which_are_not_the_last_word(cheap):
    energies = [t.outcome.metrics["energy_pj"] for t in cheap().in_order if t.outcome.ok]
    study = cheap(constraints=[f"energy<={sorted(energies)[2]:.6e}"])
    missed = [t for t in study.in_order if not t.whole and not t.outcome.ok]
    assert missed
    assert all(t.outcome.state is State.INFEASIBLE and t.outcome.violation > 0 for t in missed)
    assert study.nearest is None or study.nearest.whole
    assert not any(t in study.feasible for t in missed)


def test_the_budget_counts_whole_trials(cheap):
    study = cheap()
    assert len(study.trials) > 12
    assert 11 < study.spent <= 13
    assert study.header.status == FINISHED
    assert f"{len(study.trials)} trials are done, worth {study.spent:.1f} of 12" in (
        study.header.note
    )
    assert is_over(study)


def test_the_last_whole_trials_are_within_the_budget(cheap):
    for trials in (5, 6, 7):
        study = cheap(trials=trials, name=f"b{trials}")
        bill = Bill()
        for trial in study.in_order:
            bill.charge(trial)
            if trial.outcome.ok:
                assert bill.total <= trials + 1e-9


def test_a_larger_budget_continues_as_if_it_had_been_given_at_first(cheap, tmp_path):
    whole = cheap(trials=11, store=tmp_path / "whole.db")
    for trials in (2, 3, 6, 7, 11):
        parts = cheap(trials=trials, store=tmp_path / "parts.db", name=whole.name)
    assert facts(parts) == facts(whole)


def test_resume_adds_whole_trials(cheap, toy, tmp_path):
    cheap(trials=6, name="x")
    with Store(tmp_path / "s.db") as store:
        study = resume_study(store, toy, "x", more_trials=4)
        assert study.header.budget == Budget(trials=math.ceil(study.spent - 1e-9) + 4)
        run(study, store, toy)
    assert 9 < study.spent <= 11


def test_a_limit_that_is_reached_does_not_keep_a_study_from_going_further(cheap, toy, tmp_path):
    cheap(trials=3, name="x")
    with Store(tmp_path / "s.db") as store:
        longer = resume_study(store, toy, "x", more_seconds=60.0).header
        assert longer.budget == Budget(seconds=round(longer.seconds + 60.0, 1))
        store.update(evolve(longer, budget=Budget(trials=9, seconds=longer.seconds)))
        assert resume_study(store, toy, "x", more_seconds=5.0).header.budget.trials == 9
        study = resume_study(store, toy, "x", more_trials=2)
        assert study.header.budget.seconds is None
        run(study, store, toy)
    assert 4 < study.spent <= 6


def test_one_seed_one_result_with_any_number_of_workers(cheap, tmp_path):
    alone = cheap(store=tmp_path / "1.db")
    several = cheap(store=tmp_path / "2.db", session=Session(workers=2))
    assert facts(alone) == facts(several)
    assert alone.header.note == several.header.note


class StopsAfter:
    def __init__(self, n):
        self.n = n

    @hookimpl
    def cosearch_trial_finished(self):
        self.n -= 1
        if self.n == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_study_ends_as_an_uninterrupted_one(cheap, toy, tmp_path, workers):
    whole = cheap(store=tmp_path / "whole.db")
    for after in (1, 3, 6):
        stop = toy.manager.register(StopsAfter(after), name="stop")
        with pytest.raises(KeyboardInterrupt):
            cheap(store=tmp_path / "x.db", name="x", session=Session(workers=workers))
        toy.manager.unregister(name=stop)
    with Store(tmp_path / "x.db") as store:
        study = resume_study(store, toy, "x")
        run(study, store, toy)
        assert facts(study) == facts(whole) == facts(load_study(store, toy, "x"))
        assert store.spent("x") == study.spent


def test_a_warm_start_is_told_of_whole_trials_alone(cheap, toy, monkeypatch):
    first = cheap(name="first")
    random = toy.find("strategies", "random").target
    told, tell = [], random.tell
    monkeypatch.setattr(random, "tell", lambda s, *a: told.append(a) or tell(s, *a))
    cheap(strategy="random", warm_start="first", warm=False, trials=1)
    rows = {tuple(row) for row in told[0][0].tolist()}
    baseline = first.problem.space.index(first.baseline.configuration)
    assert rows == {t.row for t in first.in_order if t.whole} | {tuple(baseline.tolist())}
    assert len(rows) < len({t.row for t in first.in_order})


def test_a_network_of_one_layer_is_always_judged_in_full(study_of):
    study = study_of(strategy="hyperband", trials=8)
    assert all(t.whole for t in study.in_order)
    assert len(study.trials) == 8


def test_a_study_of_which_most_stands_in_the_store_alone_is_the_same(
    study_of, monkeypatch, tmp_path
):
    whole = study_of(strategy="evolutionary:population=4", trials=30, store=tmp_path / "whole.db")
    monkeypatch.setattr(trials_module, "BLOCK", 3)
    monkeypatch.setattr(study_module, "KEPT", 4)
    monkeypatch.setattr(Trials.__init__, "__defaults__", (None, 4))
    few = study_of(strategy="evolutionary:population=4", trials=30, store=tmp_path / "few.db")
    assert len(few.trials._kept) <= 4
    assert isinstance(few.in_order, InOrder)
    assert facts(few) == facts(whole)
    for fact in ("best", "nearest", "front", "spent", "evaluations", "feasible"):
        one, other = (getattr(study, fact) for study in (few, whole))
        assert str(one).count("Trial(") == str(other).count("Trial(")
        if isinstance(other, int | float):
            assert one == other
    assert few.best.number == whole.best.number
    assert [t.number for t in few.front] == [t.number for t in whole.front]
    assert [few.count(s) for s in State] == [whole.count(s) for s in State]
    again = study_of(strategy="evolutionary:population=4", trials=34, store=tmp_path / "few.db")
    monkeypatch.undo()
    more = study_of(strategy="evolutionary:population=4", trials=34, store=tmp_path / "whole.db")
    assert facts(again) == facts(more)
