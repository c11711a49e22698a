"""Accelergy's tables."""

import pytest

from cosearch.errors import InputError
from cosearch.machine.architecture import AccessEnergy
from cosearch_plugins.formats.timeloop.tables import (
    COMPUTE,
    component_name,
    read_area_table,
    read_energy_table,
)

ERT = """\
ERT:
  version: '0.4'
  tables:
  - name: system.chip.buffer[1..4]
    actions:
    - {name: read, arguments: {data_delta: 0}, energy: 0.5}
    - {name: read, arguments: {data_delta: 1}, energy: 2.5}
    - {name: write, arguments: {}, energy: 1e-3}
    - {name: leak, energy: 0}
  - name: mac
    actions: [{name: mac_random, energy: 3}, {name: mac_gated, energy: 1},
              {name: compute, energy: 9}]
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        (tmp_path / "t.yaml").write_text(text)
        return tmp_path / "t.yaml"

    return write


def test_energies_by_action(file):
    table = read_energy_table(file(ERT))
    assert table.access("buffer") == AccessEnergy(2.5, 0.001, 0.001)
    assert table.first("mac", COMPUTE) == 3
    assert table.access("mac") is None
    assert table.access("nobody") is None


def test_areas(file):
    text = "ART:\n  version: 0.3\n  tables:\n  - {name: 'PE[0..3].buffer', area: 887.84}\n"
    assert read_area_table(file(text)) == {"buffer": 887.84}


def test_component_names():
    assert component_name("system_top_level.glb[1..1]") == "glb"
    assert component_name("PE[0..3].mac[0..1]") == "mac"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ART: {}", "has no 'ERT'"),
        ("ERT: {tables: []}", "is not a list with at least one entry"),
        (ERT.replace("energy: 2.5", "energy: much"), "'much' is not a number"),
        (ERT.replace("- name: mac\n", "- nam: mac\n"), "the field 'name' is missing"),
    ],
)
def test_faults(file, text, message):
    with pytest.raises(InputError, match=message):
        read_energy_table(file(text))


def test_summaries_of_version_0_3_state_the_most(file):
    rows = "{name: read, average_energy: 0.2, max_energy: 0.4, min_energy: 0.1}"
    text = f"ERT_summary:\n  table_summary:\n  - {{name: PE.b, actions: [{rows}]}}\n"
    assert read_energy_table(file(text)).first("b", ("read",)) == 0.4
