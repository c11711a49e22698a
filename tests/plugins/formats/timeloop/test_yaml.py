"""Timeloop's YAML."""

import pytest

from cosearch.errors import InputError
from cosearch_plugins.formats.timeloop.yaml import TAG, read_timeloop_yaml


@pytest.fixture
def read(tmp_path):
    def reader(text):
        (tmp_path / "x.yaml").write_text(text)
        return read_timeloop_yaml(tmp_path / "x.yaml")

    return reader


def test_tags_are_kept(read):
    data = read("- !Component {name: a}\n- !Nothing\n- !Parallel [x]\n- !Word b\n").data
    assert data[0] == {"name": "a", TAG: "Component"}
    assert [item[TAG] for item in data[1:]] == ["Nothing", "Parallel", "Word"]


def test_keys_are_spelled_with_underscores(read):
    document = read("a-b:\n  c-d: e-f\n")
    assert document.data == {"a_b": {"c_d": "e-f"}}
    assert document.at("a_b", "c_d").endswith(":2")


def test_no_code_runs(read):
    with pytest.raises(InputError):
        read("!!python/object/apply:os.system [echo]")
