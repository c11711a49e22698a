import pytest

from cosearch.errors import CosearchError, InputError, UnknownNameError
from cosearch.machine.technology import Storage
from cosearch_plugins.technologies.accelergy import AccelergyFile

ERT = """
ERT:
  version: '0.4'
  tables:
  - name: system_top_level.chip.buffer[1..1]
    actions:
    - {name: read, arguments: {data_delta: 1}, energy: 20.5}
    - {name: read, arguments: {data_delta: 0}, energy: 0}
    - {name: write, arguments: {}, energy: 22}
    - {name: leak, arguments: {}, energy: 0.25}
  - name: system_top_level.chip.pe[1..168].MAC[1..1]
    actions: [{name: mac_random, energy: 2.2}, {name: leak, energy: 0}]
  - name: system_top_level.DRAM[1..1]
    actions: [{name: read, energy: 512}, {name: write, energy: 600}, {name: update, energy: 700}]
"""
ART = """
ART:
  version: '0.4'
  tables:
  - {name: 'system_top_level.chip.buffer[1..1]', area: 1000.5}
  - {name: 'system_top_level.chip.pe[1..168].MAC[1..1]', area: 332.25}
"""


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "ERT.yaml").write_text(ERT)
    (tmp_path / "ART.yaml").write_text(ART)
    return AccelergyFile(str(tmp_path / "ERT.yaml"), str(tmp_path / "ART.yaml"))


def test_components_are_found_by_the_last_part_of_their_name(tables):
    price = tables.storage(Storage("buffer", "sram", 64, 64))
    assert (price.energy.read, price.energy.fill, price.energy.update) == (20.5, 22.0, 22.0)
    assert price.leak_pj_per_cycle == 0.25
    assert price.area_um2 == 1000.5
    assert "ERT.yaml" in price.energy_source
    assert tables.compute(8).energy_pj == 2.2
    assert tables.compute(8).area_um2 == 332.25


def test_dram_has_no_area_and_its_own_update(tables):
    price = tables.storage(Storage("DRAM", "dram", None, 64))
    assert price.energy.update == 700.0
    assert price.area_um2 == 0.0


def test_without_a_table_of_areas_there_are_none(tmp_path):
    (tmp_path / "ERT.yaml").write_text(ERT)
    price = AccelergyFile(str(tmp_path / "ERT.yaml")).storage(Storage("buffer", "sram", 64, 64))
    assert price.area_um2 != price.area_um2


def test_an_unknown_component_suggests_near_names(tables):
    with pytest.raises(UnknownNameError) as caught:
        tables.storage(Storage("bufer", "sram", 64, 64))
    assert "'buffer'" in caught.value.hint


def test_a_missing_action_is_said(tables):
    with pytest.raises(CosearchError, match="has no action 'read'"):
        tables.storage(Storage("MAC", "sram", 64, 64))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ERT: [", "is not YAML"),
        ("just text", "has no list ERT.tables"),
        ("ERT: {tables: [{area: 3}]}", r"tables\[0\] has no name"),
        ("ERT: {tables: [{name: a.buffer}]}", "no list of actions"),
        ("ERT: {tables: [{name: buffer, actions: [{energy: 3}]}]}", "action without a name"),
        ("ERT: {tables: [{name: buffer, actions: [{name: read, energy: x}]}]}", "energy of"),
        ("ERT: {tables: [{name: buffer, actions: [{name: read, energy: -1}]}]}", "energy of"),
    ],
)
def test_a_malformed_file_gets_one_clear_message(tmp_path, text, said):
    file = tmp_path / "ERT.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        AccelergyFile(str(file)).storage(Storage("buffer", "sram", 64, 64))
    assert caught.value.source.partition(".yaml")[0] == str(file).removesuffix(".yaml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        AccelergyFile(str(tmp_path / "nowhere.yaml")).compute(8)
