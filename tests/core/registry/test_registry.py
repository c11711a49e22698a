import textwrap

import pytest

from cosearch.errors import CosearchError, InputError, PluginError, UnknownNameError
from cosearch.hooks.discovery import load_registry
from cosearch.registry.registry import join_spec, split_spec

PLUGIN = """
    from cosearch.registry.registration import Registration, hookimpl

    @hookimpl
    def cosearch_strategies():
        return [
            Registration("absent", "MODULE:NoSuchClass"),
            Registration("unimportable", "no_such_module_at_all:Class"),
            Registration("number", "MODULE:NUMBER"),
            Registration("stranger", "MODULE:Stranger"),
        ]

    class Stranger:
        pass

    NUMBER = 7
"""


def test_find_gives_the_class_its_checked_options_and_a_canonical_text():
    found = load_registry(third_party=False).find("strategies", "evolutionary: tournament=5 , ")
    assert found.spec == "evolutionary:tournament=5"
    assert found.options == {"tournament": 5}
    assert found.name == found.target.__name__.lower() == "evolutionary"


def test_find_names_what_is_near():
    with pytest.raises(UnknownNameError) as caught:
        load_registry(third_party=False).find("strategies", "evolutionery")
    assert str(caught.value) == "there is no strategy 'evolutionery'"
    assert caught.value.hint == "did you mean 'evolutionary'?"


@pytest.mark.parametrize(
    ("spec", "error", "told"),
    [
        ("evolutionary:tournamnt=5", UnknownNameError, "tournamnt"),
        ("evolutionary:tournament=many", InputError, "tournament=many"),
        ("evolutionary:tournament=-1", InputError, "tournament=-1"),
        ("evolutionary:tournament", CosearchError, "has no value"),
        ("evolutionary:tournament=2,tournament=3", CosearchError, "given twice"),
    ],
)
def test_a_wrong_option_is_one_clear_error(spec, error, told):
    with pytest.raises(error, match=told):
        load_registry(third_party=False).find("strategies", spec)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("absent", "cannot be imported: AttributeError"),
        ("unimportable", "cannot be imported: ModuleNotFoundError"),
        ("number", "is no cosearch.search.strategy.Strategy"),
        ("stranger", "is no cosearch.search.strategy.Strategy"),
    ],
)
def test_a_class_that_is_not_what_was_registered_names_the_distribution(distribution, name, told):
    distribution("acme", PLUGIN)
    with pytest.raises(PluginError, match=told) as caught:
        load_registry().find("strategies", name)
    assert "acme 1.0" in str(caught.value)


@pytest.mark.parametrize("spec", ["a", "a:b=1", "a:b=1,c=x"])
def test_split_and_join_are_inverse(spec):
    assert join_spec(*split_spec(spec)) == spec


def test_what_an_option_names_is_made_by_the_registry_that_was_asked():
    registry = load_registry(third_party=False)
    named = registry.find("technologies", "scaled:base=horowitz:dram=high,node_nm=7")
    assert named.options == {"base": "horowitz:dram=high", "node_nm": 7}
    assert named.make().name == "scaled:base=horowitz:dram=high,node_nm=7,supply_v=0.8"
    with pytest.raises(UnknownNameError, match="technology 'no-such'"):
        registry.find("technologies", "scaled:base=no-such").make()


def test_a_strategy_named_by_an_option_is_left_to_be_made_later():
    registry = load_registry(third_party=False)
    mapper = registry.made("mappers", "stepwise:search=relax-and-round,acquisition=ei")
    assert mapper.strategy.spec == "relax-and-round:acquisition=ei,warmup=30"


def test_further_options_are_checked_and_are_in_the_text():
    named = load_registry(third_party=False).find("strategies", "evolutionary:tournament=5")
    more = named.given(population=8)
    assert more.spec == "evolutionary:population=8,tournament=5"
    assert named.spec == "evolutionary:tournament=5"
    with pytest.raises(InputError):
        named.given(population=-1)
    with pytest.raises(UnknownNameError):
        named.given(popluation=8)


def test_a_constructor_that_finds_no_memory_is_no_broken_plugin(tmp_path, monkeypatch):
    path = tmp_path / "large.py"
    path.write_text(
        textwrap.dedent("""
            from cosearch.registry.registration import Registration, hookimpl
            from cosearch.workload.network import Workload

            class Large(Workload):
                def __init__(self):
                    raise MemoryError

                def network(self):
                    raise NotImplementedError

            @hookimpl
            def cosearch_workloads():
                return [Registration("large", Large)]
        """)
    )
    with pytest.raises(MemoryError):
        load_registry([path], third_party=False).made("workloads", "large")
