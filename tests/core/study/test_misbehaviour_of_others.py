"""Workloads, spaces of networks, technologies, reporters and objectives that misbehave.

Each ends with one sentence that names plugin, method and distribution, here and in workers.
"""

import re
import sys
from pathlib import Path

import pytest

from cosearch.cli import main
from cosearch.errors import PluginError
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import Objective, checked
from cosearch.store.store import Store
from cosearch.study.codesign import Session, open_study, plan, run
from cosearch.study.report import report_of
from cosearch.trials.trial import State

BAD = Path(__file__).parents[2] / "data" / "misbehaving"
sys.path.insert(0, str(BAD))
import misbehaving_others as others  # noqa: E402

sys.path.remove(str(BAD))

OURS = "misbehaving 1.0"
NET = "gemm:M=8,N=8,K=8"


@pytest.fixture
def study(bad, tmp_path):
    def ended(workload=NET, hardware="bad", *, trials=3, name="s", session=None, **settings):
        chosen = {"mapper": "random", "mapper_evaluations": 2, "batch": 4, **settings}
        problem = plan(bad, workload, hardware, "grid", **chosen)
        with Store(tmp_path / "s.db") as store:
            found = open_study(store, bad, problem, Budget(trials=trials), name)
            run(found, store, bad, session)
        return found

    return ended


def one_sentence(said, who, verb):
    """Hold a message to one short line, but for what the plugin says, that names who and where."""
    assert said.isprintable()
    assert len(re.sub("x{1900,2000}", "x", said)) < 300
    assert re.search(rf"{who} of {OURS}(: {verb} | raised \w+ in {verb}:)", said), said


def said_of(study, parameter):
    """Return state and reason of each design by a parameter of it."""
    return {
        t.configuration[parameter]: (t.outcome.state, t.outcome.reason, t.outcome.losses)
        for t in (study.baseline, *study.in_order)
    }


def here_and_in_workers(study, parameter, kinds, **settings):
    """Return what is said of every kind, the same in this process and in two others."""
    settings = {"trials": len(kinds) + 1, **settings}
    alone = said_of(study(name="alone", **settings), parameter)
    several = said_of(study(name="several", session=Session(workers=2), **settings), parameter)
    assert alone == several
    assert set(alone) == {*kinds, "fine"}
    assert alone["fine"][0] is State.OK
    return alone


OUT_OF_MEMORY = "raises-memory"
"""A fault that is said to be nobody's."""


def named(reason, fault, *words):
    if fault.endswith("-memory"):
        assert "MemoryError" in reason
        assert words[0] not in reason
    else:
        one_sentence(reason, *words)


def test_memory_that_is_out_is_no_fault_of_a_workload(study):
    with pytest.raises(MemoryError):
        study(f"bad-net:fault={OUT_OF_MEMORY}")


@pytest.mark.parametrize("fault", ["new", *(f for f in others.NETWORKS if f != OUT_OF_MEMORY)])
def test_a_workload_that_misbehaves_is_named(study, fault):
    with pytest.raises(PluginError) as raised:
        study(f"bad-net:fault={fault}")
    verb = "its constructor" if fault == "new" else "network"
    name = "bad-net" if fault == "new" else "BadWorkload"
    one_sentence(str(raised.value), f"workload '{name}'", verb)


def test_a_space_that_misbehaves_costs_the_networks_it_misbehaves_on(study):
    every = here_and_in_workers(
        study,
        "kind",
        others.OF_NETWORKS,
        workload="bad-nets",
        fixed={"width": 1},
        objective="bad-zen",
    )  # fmt: skip
    for fault, (state, reason, _) in every.items():
        if fault != "fine":
            assert state is State.FAILED, fault
            named(reason, fault, "network space 'BadNetworks'", fault.partition("-")[0])


@pytest.mark.parametrize("fault", [*others.OF_SPACES, *others.OF_PROPERTIES])
def test_a_space_that_says_nonsense_of_itself_is_named(study, fault):
    with pytest.raises(PluginError) as raised:
        study(f"bad-nets:fault={fault}", objective="error")
    what = others.OF_SPACES.get(fault) or others.OF_PROPERTIES[fault]
    one_sentence(str(raised.value), "network space 'BadNetworks'", what[0])


@pytest.mark.parametrize("fault", others.REMARKS)
def test_a_space_that_cannot_say_where_accuracies_come_from_is_reported(study, fault):
    ended = study(f"bad-nets:fault={fault}", fixed={"kind": "fine"}, objective="error")
    with pytest.raises(PluginError) as raised:
        report_of(ended)
    one_sentence(str(raised.value), "network space 'BadNetworks'", fault.partition("-")[0])


def test_a_technology_that_misbehaves_costs_the_designs_it_prices(study):
    every = here_and_in_workers(study, "fault", others.PRICES[1:], hardware="priced")
    for fault, (state, reason, _) in every.items():
        if fault != "fine":
            assert state is State.FAILED, fault
            named(reason, fault, "technology 'BadTechnology'", fault.partition("-")[0])


def test_a_technology_that_cannot_be_made_is_named(study):
    with pytest.raises(PluginError) as raised:
        study(hardware="named-prices:prices=bad:fault=new")
    one_sentence(str(raised.value), "technology 'bad'", "its constructor")


def test_an_objective_that_misbehaves_costs_the_designs_it_is_asked_of(study):
    every = here_and_in_workers(
        study, "aim", others.AIMS[1:], hardware="areas", objective="bad-aim"
    )
    for fault, (state, reason, _) in every.items():
        if fault != "fine":
            assert state is State.FAILED, fault
            one_sentence(reason, "objective 'bad-aim'", "of")


def test_an_objective_that_reads_what_it_does_not_need_is_named(study):
    failed = study(objective="bad-need")
    one_sentence(failed.in_order[0].outcome.reason, "objective 'bad-need'", "of")


@pytest.mark.parametrize(
    "changes",
    [{"name": None}, {"unit": 7}, {"summary": "\ud800"}, {"of": None}, {"needs": "energy_pj"}],
)
def test_an_objective_without_what_it_takes_is_refused(changes):
    given = {"name": "mine", "unit": "pJ", "of": lambda m: m["energy_pj"], **changes}
    with pytest.raises(PluginError, match=f"objective .* of {re.escape(OURS)} lacks"):
        checked(Objective(**given), OURS)


OF_REPORTERS = {
    "study": ("report", "s", "--store", "s.db", "--to"),
    "comparison": (
        *("compare", NET, "-H", "systolic", "-s", "random", "-s", "grid", "-m", "random"),
        *("--trials", "2", "--mapper-trials", "2", "--seeds", "1", "--store", "c.db", "--report"),
    ),
    "groups": ("map", NET, "-H", "eyeriss", "--fuse", "--output"),
}
"""What is written by each method of a reporter, and the command that does it."""


@pytest.mark.parametrize("verb", OF_REPORTERS)
@pytest.mark.parametrize("fault", [f for f in others.TEXTS if f != OUT_OF_MEMORY])
def test_a_reporter_that_misbehaves_is_named(bad, verb, fault):
    reporter = bad.made("reporters", f"bad-{fault}")
    with pytest.raises(PluginError) as raised:
        getattr(reporter, verb)(*[None] * {"study": 2, "comparison": 1, "groups": 3}[verb])
    one_sentence(str(raised.value), "reporter 'BadReporter'", verb)


@pytest.mark.parametrize("verb", OF_REPORTERS)
def test_a_reporter_that_misbehaves_writes_nothing(study, tmp_path, monkeypatch, capsys, verb):
    monkeypatch.delenv("COSEARCH_NO_PLUGINS", raising=False)
    monkeypatch.chdir(tmp_path)
    study()
    assert main([*OF_REPORTERS[verb], "page.bad-none"]) == 2
    (told,) = (x for x in capsys.readouterr().err.splitlines() if x.startswith("error: "))
    one_sentence(told, "reporter 'BadReporter'", verb)
    assert not (tmp_path / "page.bad-none").exists()
    assert main([*OF_REPORTERS[verb], "page.bad-fine"]) == 0
    assert (tmp_path / "page.bad-fine").read_text() in ("a study", "a comparison", "groups")
