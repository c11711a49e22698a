import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import CosearchError, UnknownNameError
from cosearch.mapping.mapper import Budget
from cosearch.store.store import Store
from cosearch.study.codesign import open_study, plan, resume_study, run
from cosearch.study.warm_start import Known

GEMM = "gemm:M=16,N=16,K=16"


def planned(toy, **settings):
    settings = {"strategy": "evolutionary:population=4", "mapper_evaluations": 20} | settings
    return plan(toy, GEMM, settings.pop("hardware", "toy"), settings.pop("strategy"), **settings)


@pytest.fixture
def store(toy, tmp_path):
    with Store(tmp_path / "warm.db") as opened:
        ran(opened, toy, planned(toy, strategy="random", seed=7), "source", 8)
        yield opened


def ran(store, toy, problem, name, trials):
    study = open_study(store, toy, problem, Budget(trials=trials), name)
    run(study, store, toy)
    return study


def asked(study):
    return [(t.row, t.outcome.losses) for t in study.in_order]


def test_interrupted_or_not_the_result_is_the_same(store, toy):
    problem = planned(toy, warm_start="source")
    whole = ran(store, toy, problem, "whole", 12)
    ran(store, toy, problem, "parts", 5)
    parts = resume_study(store, toy, "parts", more_trials=7)
    run(parts, store, toy)
    assert asked(parts) == asked(whole)
    assert len(whole.trials) == 12
    assert asked(whole) != asked(ran(store, toy, planned(toy), "without", 12))


def test_the_strategy_is_told_every_stored_design_once(store, toy, monkeypatch):
    told = []
    monkeypatch.setattr(Known, "tell", lambda known, *_: told.append(known))
    study = ran(store, toy, planned(toy, warm_start="source"), "new", 1)
    (known,) = told
    source = store.trials("source")
    designs = {t.design for t in source}
    assert {frozenset(study.problem.space.decode(row).items()) for row in known.rows} == designs
    best = min(t.outcome.losses for t in source if t.ok)
    assert known.losses[known.feasible].min() == np.min(best)


def test_an_unknown_study_is_named_with_near_ones(store, toy):
    with pytest.raises(UnknownNameError, match="sorce") as caught:
        open_study(store, toy, planned(toy, warm_start="sorce"), Budget(trials=1))
    assert "source" in (caught.value.hint or "")


def test_another_space_is_refused(store, toy):
    other = plan(toy, "gemm:M=32,N=16,K=8", "gemmini", "random", warm_start="source")
    with pytest.raises(CosearchError, match=r"cannot start from 'source'.*\n.*hardware: toy"):
        open_study(store, toy, other, Budget(trials=1))


def test_a_machine_with_the_same_parameters_begins_with_the_best_of_the_other(store, toy):
    settings = {"fixed": {"scratchpad_kb": "64", "accumulator_kb": "64"}, "warm": False}
    layer = "gemm:M=8,N=8,K=8"
    there = ran(store, toy, plan(toy, layer, "gemmini", "random", **settings), "there", 4)
    other = plan(toy, layer, "gemmini:latency=rtl", "random", warm_start="there", **settings)
    here = ran(store, toy, other, "here", 5)
    able = {t.design: t.outcome.losses for t in there.feasible if t.configuration["pe_dim"] <= 16}
    first = here.in_order[0]
    assert able[first.design] == min(able.values()) != first.outcome.losses
    assert [t.design in able for t in here.in_order] == [True] * len(able) + [False] * (
        4 - len(able)
    )


def test_a_changed_source_is_refused_on_resume(store, toy):
    ran(store, toy, planned(toy, warm_start="source"), "new", 2)
    run(resume_study(store, toy, "source", more_trials=1), store, toy)
    with pytest.raises(CosearchError, match=r"'source'.*has other trials since"):
        run(resume_study(store, toy, "new", more_trials=1), store, toy)


def test_every_design_needs_no_warm_start(toy):
    with pytest.raises(CosearchError, match="takes no warm start"):
        planned(toy, warm_start="source", scheme="exhaustive")


def test_settings_without_a_warm_start_keep_their_text(toy):
    spec = planned(toy).spec
    assert "warm_start" not in spec.to_json()
    named = evolve(spec, warm_start="a", warm_start_digest="b")
    assert type(spec).from_json(named.to_json()) == named
    assert named.name != spec.name


def test_what_was_best_for_another_workload_is_tried_first(store, toy):
    other = plan(
        toy, "gemm:M=32,N=16,K=8", "toy", "random", mapper_evaluations=20, warm_start="source",
        warm=False,
    )  # fmt: skip
    study = ran(store, toy, other, "elsewhere", 8)
    source = {t.design: t.outcome.losses[0] for t in store.trials("source") if t.ok}
    best = sorted(source, key=source.get)[:5]
    assert [t.design for t in study.in_order[:5]] == best
    assert len({t.design for t in study.in_order}) == 8
    resumed = ran(store, toy, other, "elsewhere", 12)
    whole = ran(store, toy, other, "whole", 12)
    assert asked(resumed) == asked(whole)
