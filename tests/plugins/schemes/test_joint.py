import numpy as np
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cosearch.errors import CosearchError, Infeasible
from cosearch.hooks.discovery import load_registry
from cosearch.machine.building import build
from cosearch.mapping.result import NAMED
from cosearch.registry.registration import hookimpl
from cosearch.search.parameters import Parameter, ParameterSpace, Rule
from cosearch.store.store import Store
from cosearch.study.codesign import Session, plan, resume_study, run
from cosearch.study.evaluation import evaluate
from cosearch.study.report import report_of
from cosearch_plugins.schemes.joint import Key, KeyedMapper, read

JOINT = {"scheme": "joint", "workload": "alexnet", "hardware": "systolic", "mapper": "random"}


@pytest.fixture
def joint(study_of):
    """Return a function that runs a study of hardware and mappings in one loop."""
    return lambda **settings: study_of(**JOINT | {"trials": 10} | settings)


def facts(study):
    return [
        (
            t.number,
            t.row,
            t.outcome.state,
            t.outcome.losses,
            t.outcome.reason,
            [evolve(x, seconds=0.0) for x in t.outcome.layers],
        )
        for t in (study.baseline, *study.in_order)
    ]


def test_a_design_is_a_machine_and_a_mapping_of_every_layer(joint):
    study = joint()
    problem = study.problem
    parameters = problem.hardware.space.names
    assert problem.space.names[: len(parameters)] == parameters
    prefixes = {name.partition(": ")[0] for name in problem.space.names[len(parameters) :]}
    assert prefixes == {layer.name for layer in problem.network.unique}
    for trial in study.feasible:
        assert set(trial.configuration) == set(problem.space.names)
        assert [x.mapper for x in trial.outcome.layers] == [NAMED] * len(prefixes)
        assert [x.evaluations for x in trial.outcome.layers] == [1] * len(prefixes)
    assert report_of(study).best.disagreements == ()
    assert set(report_of(study).best.configuration) == set(problem.hardware.space.names)


def test_each_mapping_of_a_machine_is_charged(joint, toy):
    baseline = toy.find("hardware_models", "systolic").make().baseline
    study = joint(fixed={name: str(value) for name, value in baseline.items()})
    different = {(x.key, x.row) for t in study.in_order for x in t.outcome.layers}
    assert len({t.outcome.accelerator for t in study.in_order}) == 1
    assert len(different) > 24
    assert study.baseline.outcome.layers[0].mapper != NAMED
    assert study.evaluations == len(different)


def test_its_mappings_are_not_left_to_other_studies(joint, tmp_path):
    study = joint()
    with Store(tmp_path / "s.db") as store:
        key = study.problem.network.unique[0].einsum.key
        purpose = study.problem.task.remembered_by()
        assert store.find_mapped(study.baseline.outcome.accelerator, key, purpose) is not None
        other = study.best.outcome.accelerator
        assert other != study.baseline.outcome.accelerator
        assert store.find_mapped(other, key, purpose) is None


def test_the_strategy_is_not_told_of_a_baseline_whose_mappings_were_searched_for(
    joint, toy, monkeypatch
):
    target = toy.find("strategies", "sobol").target
    told, tell = [], target.tell
    monkeypatch.setattr(target, "tell", lambda s, *a: told.append(a) or tell(s, *a))
    joint(strategy="sobol", trials=4)
    assert [len(rows) for rows, *_ in told] == [4]


def test_one_seed_one_result_with_any_number_of_workers(joint, tmp_path):
    alone = joint(store=tmp_path / "1.db")
    several = joint(store=tmp_path / "2.db", session=Session(workers=2))
    assert facts(alone) == facts(several)


class StopsAfter:
    def __init__(self, n):
        self.n = n

    @hookimpl
    def cosearch_trial_finished(self):
        self.n -= 1
        if self.n == 0:
            raise KeyboardInterrupt


def test_an_interrupted_study_ends_as_an_uninterrupted_one(joint, toy, tmp_path):
    whole = joint(store=tmp_path / "whole.db")
    for after in (1, 6):
        stop = toy.manager.register(StopsAfter(after), name="stop")
        with pytest.raises(KeyboardInterrupt):
            joint(store=tmp_path / "x.db", name="x")
        toy.manager.unregister(name=stop)
    with Store(tmp_path / "x.db") as store:
        study = resume_study(store, toy, "x")
        run(study, store, toy)
    assert facts(study) == facts(whole)


def test_it_judges_cheaply_too(joint):
    study = joint(strategy="hyperband", trials=8)
    assert any(not t.whole for t in study.in_order)
    assert study.best.whole


def test_a_warm_start_needs_the_same_scheme(joint, study_of):
    study_of(name="nested", workload="alexnet", hardware="systolic", mapper="random", trials=4)
    with pytest.raises(CosearchError, match="scheme: nested, not joint"):
        joint(warm_start="nested")


@given(
    st.integers(1, 800).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))),
    st.integers(1, 800),
)
def test_a_key_names_a_choice_of_any_column(key, choices):
    value, values = key
    choice = Key(value, values).choice(choices)
    assert 0 <= choice < choices
    assert abs((choice + 0.5) / choices - (value + 0.5) / values) <= 0.5 / choices + 1e-12
    assert Key(value, values).choice(values) == value


def test_every_choice_can_be_named():
    assert {Key(v, 720).choice(5) for v in range(720)} == set(range(5))
    assert [Key(v, 2).choice(2) for v in range(2)] == [0, 1]


def repaired_by_hand(keys, space):
    """Read keys as the module says, one mapping after the other."""
    row = [0] * len(space.names)
    for column, name in enumerate(space.names):
        wanted = keys[name].choice(int(space.cardinalities[column]))
        by_distance = sorted(range(int(space.cardinalities[column])), key=lambda c: abs(c - wanted))
        for choice in by_distance:
            row[column] = choice
            if space.feasible(np.array([row]))[0]:
                break
    return row


SPACE = ParameterSpace(
    (Parameter("a", (1, 2, 4, 8)), Parameter("b", (1, 3, 9)), Parameter("c", (1, 2, 3, 4, 5))),
    (Rule("fits", lambda x: x["a"] * x["b"] + x["c"] <= 20),),
)


@given(st.tuples(*(st.tuples(st.integers(0, 6), st.just(7)) for _ in range(3))))
def test_keys_are_read_one_after_the_other(values):
    keys = {n: Key(*v) for n, v in zip(SPACE.names, values, strict=True)}
    row = read(keys, SPACE)
    assert SPACE.feasible(row[None, :])[0]
    assert row.tolist() == repaired_by_hand(keys, SPACE)


def test_a_column_without_a_key_keeps_its_first_choice_and_a_stranger_is_passed_over():
    assert read({"c": Key(4, 5), "z": Key(0, 1)}, SPACE).tolist() == [0, 0, 4]


def test_a_space_that_nothing_is_found_in_says_so():
    never = ParameterSpace((Parameter("a", (1, 2)),), (Rule("never", lambda x: x["a"] > 9),))
    assert read({}, never) is None
    late = ParameterSpace((Parameter("a", (1, 2)),), (Rule("late", lambda x: x["a"] > 1),))
    assert read({"a": Key(0, 2)}, late).tolist() == [1]


def test_a_machine_that_runs_nothing_is_refused_with_a_hint(toy):
    with pytest.raises(CosearchError, match="machine near the baseline") as caught:
        plan(toy, "gemm:M=1,N=1,K=1", "toy", "random", scheme="joint")
    assert "nested" in caught.value.hint


@pytest.mark.parametrize(
    "hardware",
    [
        "gemmini",
        "vta",
        "systolic",
        *(pytest.param(h, marks=pytest.mark.exhaustive) for h in ("eyeriss", "simba", "nvdla")),
    ],
)
def test_keys_can_be_run_on_whatever_machine_can_be_built(hardware):
    registry = load_registry()
    problem = plan(registry, "bert-base", hardware, "random", scheme="joint", mapper="random")
    rows = problem.space.sample(256, np.random.default_rng(0))
    ran = 0
    for row in rows[problem.space.feasible(rows)]:
        configuration = problem.space.decode(row)
        try:
            machine = build(problem.hardware, configuration)
            spaces = [machine.mapspace(layer.einsum) for layer in problem.network.unique]
        except Infeasible:
            continue
        outcome = evaluate(problem, configuration)
        assert outcome.ok, outcome.reason
        assert len(spaces) == len(outcome.layers)
        ran += 1
        if ran == 3:
            return
    raise AssertionError(f"{ran} machines of 256 could be built")


def test_a_mapping_that_cannot_be_run_tells_by_how_much(study_of):
    study = study_of(scheme="joint", trials=40)
    refused = [t for t in study.in_order if t.outcome.unmapped is not None]
    assert refused
    assert all("the mapping cannot be run" in t.outcome.reason for t in refused)
    assert all(t.outcome.violation > 0 for t in refused)
    assert study.best is not None


def test_without_keys_the_mapper_is_the_settings_own(toy):
    problem = plan(toy, "alexnet", "toy", "random", scheme="joint")
    assert problem.for_design(problem.hardware.baseline) is problem
    design = problem.space.decode(np.zeros(len(problem.space.names), dtype=np.int64))
    assert isinstance(problem.for_design(design).mapper, KeyedMapper)
    assert problem.for_design(design).task.remembered_by() == ""
