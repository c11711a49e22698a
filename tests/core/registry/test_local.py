import pytest

from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry
from cosearch.registry.local import named
from cosearch_hardware.systolic.model import Systolic
from cosearch_plugins.strategies.random import Random

REGISTRY = load_registry(third_party=False)


class MyRandom(Random):
    """Draws like any other."""


def test_names_and_registered_classes_stay_what_they_are():
    assert named(REGISTRY, "strategies", "random") == (REGISTRY, "random")
    assert named(REGISTRY, "strategies", Random) == (REGISTRY, "random")


def test_a_class_and_an_object_get_names_that_nothing_else_has():
    known, name = named(REGISTRY, "strategies", MyRandom)
    assert name == "my-random"
    assert known.find("strategies", name).target is MyRandom
    assert known.local == ("strategy 'my-random'",)
    assert "my-random" not in REGISTRY.entries["strategies"]
    assert named(known, "strategies", MyRandom) == (known, name)
    model = Systolic("16x16")
    known, name = named(known, "hardware_models", model)
    assert name == "systolic-2"
    assert known.find("hardware_models", name).make() is model


@pytest.mark.parametrize(
    ("kind", "thing", "said"),
    [
        ("strategies", Systolic, "is no strategy"),
        ("hardware_models", 3, "3 is no hardware model"),
        ("workloads", object(), "is no workload"),
    ],
)
def test_what_is_nothing_of_the_kind_is_refused(kind, thing, said):
    with pytest.raises(CosearchError, match=said) as caught:
        named(REGISTRY, kind, thing)
    assert "derive from" in caught.value.hint
