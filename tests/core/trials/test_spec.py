import json

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cosearch.errors import CosearchError
from cosearch.mapping.task import LAYERS, NETWORK
from cosearch.trials.spec import StudySpec

VALUES = st.one_of(
    st.booleans(),
    st.integers(),
    st.text(max_size=4),
    st.floats(allow_nan=False, allow_infinity=False),
)

SPEC = StudySpec("resnet18", "eyeriss", "evolutionary", "exact")


def test_the_name_is_readable_and_tells_specs_apart():
    assert SPEC.name.startswith("resnet18-eyeriss-evolutionary-")
    other = StudySpec("resnet18", "eyeriss", "evolutionary", "exact", seed=1)
    assert other.name != SPEC.name


def test_the_name_of_a_path_is_its_stem():
    spec = StudySpec("nets/My Net.onnx", "toy:fault=none", "random", "exact")
    assert spec.name.startswith("my-net-toy-random-")


def test_order_of_constraints_and_fixed_values_does_not_matter():
    one = StudySpec("w", "h", "s", "m", constraints=["b<=1", "a<=1"], fixed={"y": 1, "x": 2})
    two = StudySpec("w", "h", "s", "m", constraints=["a<=1", "b<=1"], fixed={"x": 2, "y": 1})
    assert one == two
    assert one.to_json() == two.to_json()


def test_differences_name_the_settings():
    other = StudySpec("resnet18", "eyeriss", "random", "exact", fixed={"pe_x": 4})
    assert SPEC.differences(other) == (
        "strategy: evolutionary, not random",
        "fixed: none, not pe_x=4",
    )


@given(
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=4), VALUES, max_size=3),
    st.integers(0, 2**40),
)
def test_json_and_back(constraints, fixed, seed):
    spec = StudySpec("w", "h", "s", "m", constraints=constraints, fixed=fixed, seed=seed)
    assert StudySpec.from_json(spec.to_json()) == spec


def test_studies_of_old_chose_mappings_layer_by_layer():
    old = StudySpec("w", "h", "s", "m", combine=LAYERS)
    assert "combine" not in json.loads(old.to_json())
    assert StudySpec.from_json(old.to_json()).combine == LAYERS
    assert StudySpec("w", "h", "s", "m").combine == NETWORK
    assert old.differences(evolve(old, combine=NETWORK)) == ("combine: layers, not network",)


@pytest.mark.parametrize("text", ["", "[1]", '{"workload": 3, "color": 4}', "null"])
def test_a_spec_of_another_kind_is_refused(text):
    with pytest.raises(CosearchError, match="cannot be read"):
        StudySpec.from_json(text)
