import sys

import pytest

from cosearch.errors import PluginError
from cosearch.hooks.discovery import load_registry
from cosearch.registry.registry import KINDS

REGISTERS_A_STRATEGY = """
    from cosearch.registry.registration import Registration, hookimpl

    @hookimpl
    def cosearch_strategies():
        return [Registration({name!r}, "cosearch_plugins.strategies.random:Random", "mine")]
"""


def quarantined(name):
    return {q.distribution: q for q in load_registry().quarantined}[name]


def test_the_built_ins_load_without_a_fault_and_all_they_register_can_be_imported():
    registry = load_registry(third_party=False)
    assert registry.quarantined == ()
    for kind in KINDS:
        for name in registry.names(kind):
            registry.load(kind, name)


def test_built_ins_come_in_by_entry_points_of_the_distribution_that_ships_them():
    registry = load_registry(third_party=False)
    assert {"strategies", "workloads", "hardware_models"} <= {name for name, _ in registry.plugins}
    assert {distribution.split()[0] for _, distribution in registry.plugins} == {"cosearch"}


def test_a_distribution_adds_to_what_there_is(distribution):
    distribution("acme-search", REGISTERS_A_STRATEGY.format(name="acme"), version="2.3")
    entry = load_registry().entries["strategies"]["acme"]
    assert (entry.name, entry.summary, entry.distribution) == ("acme", "mine", "acme-search 2.3")


def test_third_party_plugins_can_be_left_out(distribution, monkeypatch):
    module = distribution("acme", REGISTERS_A_STRATEGY.format(name="acme"))
    assert "acme" not in load_registry(third_party=False).entries["strategies"]
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")
    assert "acme" not in load_registry().entries["strategies"]
    assert module not in sys.modules


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines"),
        ("import sys; sys.exit('bye')", "SystemExit: bye"),
        ("def broken(:", "SyntaxError"),
    ],
)
def test_an_unimportable_plugin_is_quarantined_and_the_others_work(distribution, source, why):
    distribution("acme-broken", source)
    distribution("acme-fine", REGISTERS_A_STRATEGY.format(name="fine"))
    found = quarantined("acme-broken 1.0")
    assert why in found.error
    assert "\n" not in found.error
    assert found.name == "plugin"
    registry = load_registry()
    assert {"fine", "random"} <= set(registry.names("strategies"))
    assert "acme-broken 1.0" not in {d for _, d in registry.plugins}


def test_a_misspelled_hook_is_refused_and_the_near_one_named(distribution):
    distribution(
        "acme",
        """
        from cosearch.registry.registration import hookimpl

        @hookimpl
        def cosearch_strategys():
            return []
        """,
    )
    error = quarantined("acme 1.0").error
    assert "there is no hook 'cosearch_strategys'" in error
    assert "'cosearch_strategies'" in error


def test_a_hook_that_asks_for_an_unknown_parameter_is_refused(distribution):
    distribution(
        "acme",
        """
        from cosearch.registry.registration import hookimpl

        @hookimpl
        def cosearch_study_finished(study, result):
            pass
        """,
    )
    assert "result" in quarantined("acme 1.0").error


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("[('mine', 'a.b:C')]", "is not a Registration"),
        ("Registration('mine', 'a.b:C')", "TypeError"),
        ("[Registration('My Name', 'a.b:C')]", "'My Name' is no name"),
        ("[Registration('a:b=1', 'a.b:C')]", "is no name"),
        ("[Registration('mine', 'a.b.C')]", "is not 'package.module:Class'"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_an_answer_that_breaks_the_contract_quarantines_the_plugin(distribution, answer, why):
    distribution(
        "acme",
        f"""
        from cosearch.registry.registration import Registration, hookimpl

        @hookimpl
        def cosearch_mappers():
            return {answer}
        """,
    )
    assert why in quarantined("acme 1.0").error
    assert "acme 1.0" not in {d for _, d in load_registry().plugins}


def test_what_is_no_objective_quarantines_the_plugin(distribution):
    distribution(
        "acme",
        """
        from cosearch.registry.registration import hookimpl

        @hookimpl
        def cosearch_objectives():
            return ["speed"]
        """,
    )
    assert "which is not an Objective" in quarantined("acme 1.0").error


def test_two_plugins_with_one_name_are_refused_and_both_distributions_named(distribution):
    distribution("acme", REGISTERS_A_STRATEGY.format(name="same"))
    distribution("bolt", REGISTERS_A_STRATEGY.format(name="same"), version="0.2")
    with pytest.raises(PluginError) as caught:
        load_registry()
    assert "strategy 'same'" in str(caught.value)
    assert "acme 1.0" in str(caught.value)
    assert "bolt 0.2" in str(caught.value)
    assert "COSEARCH_NO_PLUGINS=1" in caught.value.hint


def test_a_plugin_cannot_take_the_name_of_a_built_in(distribution):
    distribution("acme", REGISTERS_A_STRATEGY.format(name="random"))
    with pytest.raises(PluginError, match=r"cosearch .* and acme 1\.0"):
        load_registry()


def test_an_objective_cannot_be_registered_twice(distribution):
    distribution(
        "acme",
        """
        from cosearch.registry.registration import hookimpl
        from cosearch.search.objective import Objective

        @hookimpl
        def cosearch_objectives():
            return [Objective("edp", "", lambda m: m["cycles"])]
        """,
    )
    with pytest.raises(PluginError, match="objective 'edp'"):
        load_registry()


def test_two_entry_points_of_one_name_leave_the_first_working(distribution, tmp_path):
    module = distribution("acme", REGISTERS_A_STRATEGY.format(name="first"))
    site = tmp_path / f"site-{module}"
    (site / "another_plugin.py").write_text("")
    points = next(site.glob("*.dist-info")) / "entry_points.txt"
    points.write_text(f"[cosearch]\nplugin = {module}\nplugin = another_plugin\n")
    registry = load_registry()
    assert "first" in registry.names("strategies")
    assert [q.distribution for q in registry.quarantined] == ["acme 1.0"]
    assert "two entry points" in registry.quarantined[0].error


def test_a_trace_shows_every_call_of_a_hook(distribution):
    distribution("acme", REGISTERS_A_STRATEGY.format(name="acme"))
    lines = []
    load_registry(trace=lines.append)
    mine = [line for line in lines if "acme 1.0:plugin" in line]
    assert len(mine) == 1
    assert mine[0].startswith("cosearch_strategies() of acme 1.0:plugin -> ")
    assert "Registration(name='acme'" in mine[0]


def test_a_hook_without_the_marker_is_reported(distribution):
    distribution(
        "forgetful",
        """
    def cosearch_strategies():
        return []
    """,
    )
    error = quarantined("forgetful 1.0").error
    assert "cosearch_strategies" in error
    assert "@hookimpl" in error
