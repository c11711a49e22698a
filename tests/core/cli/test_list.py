import pytest

from cosearch.cli.list import SECTIONS
from cosearch.registry.registry import KINDS


def test_everything_there_is_has_a_section():
    assert set(SECTIONS.values()) == {*KINDS, "objectives"}


def test_lists_name_summary_and_distribution(cosearch):
    out = cosearch("list", "hardware").out
    line = next(line for line in out.splitlines() if line.split()[:1] == ["eyeriss"])
    assert "168 PEs" in line
    assert line.rstrip().split("  ")[-1].strip().startswith("cosearch ")


def test_without_a_kind_lists_all_that_is_not_empty(cosearch):
    headings = {line for line in cosearch("list").out.splitlines() if line and line[0] != " "}
    assert {"workloads", "hardware", "strategies", "mappers", "objectives"} <= headings


@pytest.mark.parametrize("kind", SECTIONS)
def test_json_of_every_kind(cosearch, kind):
    entries = cosearch("list", kind, "--json").json()
    assert all(set(e) == {"kind", "name", "summary", "distribution"} for e in entries)
    assert {e["kind"] for e in entries} <= {kind}


def test_an_unknown_kind_names_the_near_one(refused):
    assert "did you mean 'strategies'?" in refused("list", "strategy")
