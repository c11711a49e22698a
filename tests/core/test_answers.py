"""However a plugin's class is written, its answers are checked, and nothing of it breaks."""

import copy
import pickle
from functools import cached_property
from typing import Generic, TypeVar

import attrs
import pytest

from cosearch.errors import PluginError
from cosearch.machine.architecture import AccessEnergy
from cosearch.machine.technology import ComputePrice, Storage, StoragePrice, Technology
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.workload.einsum import gemm
from cosearch.workload.network import Layer, Network, NetworkSpace, Workload

NET = Network("fine", (Layer(gemm("product", M=8, N=8, K=8)),), source="made up for tests")
PART = Storage("buffer", "sram", 8, 8)
PRICE = StoragePrice(AccessEnergy.uniform(1.0), 1.0, "made up", "made up")
SPACE = ParameterSpace((Parameter("depth", (1, 2)),))


class Fine(Workload):
    def network(self):
        return NET


class Broken(Workload):
    def network(self):
        return 7


class Mixin:
    def network(self):
        return 7


class Prices(Technology):
    name = "fine"

    def storage(self, part):  # noqa: ARG002
        return PRICE

    def compute(self, bits, name="MAC"):  # noqa: ARG002
        return ComputePrice(1.0, 1.0, "made up", "made up")


class Networks(NetworkSpace):
    space = SPACE

    def build(self, row):  # noqa: ARG002
        return NET

    def accuracy(self, rows):  # noqa: ARG002
        return 7


@pytest.mark.parametrize("slots", [True, False])
def test_super_works_in_a_class_that_attrs_makes_anew(slots):
    @attrs.define(slots=slots)
    class Child(Fine):
        def network(self):
            return super().network()

    @attrs.define(slots=slots)
    class Wrong(Broken):
        def network(self):
            return super().network()

    assert Child().network() is NET
    with pytest.raises(PluginError, match=r"workload 'Wrong' .*network gave 7, no Network"):
        Wrong().network()


def test_what_super_answers_is_not_checked_again():
    class Mends(Broken):
        def network(self):
            return NET if super().network() == 7 else None

    assert Mends().network() is NET


def test_a_method_of_a_class_outside_the_contract_is_checked():
    class Mixed(Mixin, Workload):
        pass

    with pytest.raises(PluginError, match=r"workload 'Mixed' .*network gave 7, no Network"):
        Mixed().network()


def test_a_method_that_the_instance_holds_is_checked():
    found = Fine()
    found.network = lambda: 7
    with pytest.raises(PluginError, match=r"workload 'Fine' .*network gave 7, no Network"):
        found.network()


@pytest.mark.parametrize("slots", [True, False])
def test_a_cached_property_is_made_once_and_checked_whenever_it_is_read(slots):
    @attrs.define(slots=slots)
    class Cached(Networks):
        answer: object
        made: int = 0

        @cached_property
        def space(self):
            self.made += 1
            if self.answer is AttributeError:
                raise AttributeError("no such thing")
            return self.answer

    fine = Cached(SPACE)
    assert fine.space is fine.space is SPACE
    assert fine.made == 1
    wrong = Cached("all")
    for _ in range(2):
        with pytest.raises(PluginError, match=r"network space 'Cached' .*space gave no Parameter"):
            _ = wrong.space
    assert wrong.made == 1
    with pytest.raises(PluginError, match="raised AttributeError in space: no such thing"):
        _ = Cached(AttributeError).space


def test_a_property_that_fails_is_not_taken_for_one_that_is_missing():
    class Failing(Prices):
        @property
        def name(self):
            return self.nothing

        def __getattr__(self, name):
            raise AttributeError(name)

    with pytest.raises(PluginError, match=r"'Failing' .*AttributeError in name: nothing"):
        _ = Failing().name


def test_an_attribute_of_the_class_and_one_of_the_instance_are_checked():
    assert Prices().name == "fine"
    found = Prices()
    found.name = 7
    with pytest.raises(PluginError, match=r"technology 'Prices' .*name gave 7, no text"):
        _ = found.name
    with pytest.raises(PluginError, match="name gave <bound method"):
        _ = type("Odd", (Prices,), {"name": no_verb})().name
    with pytest.raises(PluginError, match="TypeError in storage: 'NoneType' object is not call"):
        type("Odd", (Prices,), {"storage": None})().storage(PART)


def test_a_property_keeps_its_setter():
    class Named(Prices):
        said = "first"

        @property
        def name(self):
            return self.said

        @name.setter
        def name(self, value):
            self.said = value

    found = Named()
    found.name = "second"
    assert found.name == "second"


def test_methods_are_called_with_keywords():
    assert Prices().storage(part=PART) is PRICE
    assert Prices().compute(bits=8, name="MAC").energy_pj == 1.0
    with pytest.raises(PluginError, match="accuracy gave int"):
        Networks().accuracy(rows=[])
    with pytest.raises(PluginError, match="score gave int"):
        type("Odd", (Networks,), {"score": no_verb})().score(name="a", rows=[])
    assert Networks().missing(name="a") == ""
    with pytest.raises(TypeError, match="storage"):
        raise_cause(lambda: Prices().storage(piece=PART))


def no_verb(_, **__):
    return 7


def raise_cause(call):
    with pytest.raises(PluginError) as raised:
        call()
    raise raised.value.__cause__


def test_out_of_memory_is_no_fault_of_a_plugin():
    class Large(Prices):
        @property
        def name(self):
            raise MemoryError

        def storage(self, part):  # noqa: ARG002
            raise MemoryError

    with pytest.raises(MemoryError):
        Large().storage(PART)
    with pytest.raises(MemoryError):
        _ = Large().name


def test_generic_classes_and_options_of_classes_work():
    T = TypeVar("T")
    seen = []

    class Other:
        def __init_subclass__(cls, *, colour="", **options):
            super().__init_subclass__(**options)
            seen.append(colour)

    class Typed(Workload, Other, Generic[T], colour="red"):
        def network(self):
            return NET

    assert Typed[int]().network() is NET
    assert seen == ["red"]


def test_copies_and_what_is_read_back_are_checked():
    for found in (copy.copy(Broken()), pickle.loads(pickle.dumps(Broken()))):
        with pytest.raises(PluginError, match="network gave 7"):
            found.network()
