"""Parts of a crossbar by an extra: on a stand-in of it, and where it is installed."""

import importlib
from types import SimpleNamespace

import pytest
from attrs import astuple

from cosearch.errors import CosearchError, MissingExtraError
from cosearch_hardware.crossbar import library
from cosearch_hardware.crossbar.model import Crossbar
from cosearch_hardware.crossbar.pricing import ISAAC


def part(pj, um2, *events):
    """Return a class of the library: the same energy for each event."""

    class Model:
        area = um2 * 1e-12

        def __init__(self, tech_node, **_):
            if tech_node < 10e-9:
                raise ValueError("no such node\nsecond line")

    for event in events:
        setattr(Model, event, lambda _: SimpleNamespace(energy=pj * 1e-12))
    return Model


FAKE = SimpleNamespace(
    IsaacADC=part(3.0, 1000.0, "convert"),
    IsaacDAC=part(0.5, 0.25, "convert"),
    IsaacShiftAdd=part(0.02, 60.0, "shift_add"),
    IsaacEDRAM=part(25.6, 80000.0, "read"),
    IsaacEDRAMBus=part(25.6, 7500.0, "transfer"),
    IsaacRouterSharedByFour=part(51.2, 37500.0, "transfer"),
)


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(library, "_package", lambda: FAKE)


def test_parts_are_an_event_s_and_an_array_s_share(fake):
    found = [figure for priced in astuple(library.parts(32)) for figure in priced]
    pj, mm2 = (3.0, 0.5, 0.02, 0.1, 0.1, 0.2), (0.001, 2.5e-7, 3e-5, 0.08, 0.09, 0.0375)
    assert found[::2] == pytest.approx(pj)
    assert found[1::2] == pytest.approx(mm2)


def test_a_machine_is_priced_by_them_and_says_so(fake):
    table, scaled = Crossbar().build({}), Crossbar(prices="hwcomponents", node_nm=22).build({})
    dearer = 3.0 - ISAAC.converter.pj + 0.02 - ISAAC.adder.pj
    assert scaled.prices.convert == pytest.approx(table.prices.convert + dearer)
    assert scaled.prices.drive == pytest.approx(table.prices.drive + 0.5 - ISAAC.driver.pj)
    assert (scaled.prices.memory, scaled.prices.bus, scaled.prices.router) == pytest.approx(
        (0.1, 0.1, 0.2)
    )
    assert scaled.prices.cell == table.prices.cell
    assert scaled.area_mm2 != table.area_mm2
    assert "22 nm" in scaled.sources["energies and areas"]
    assert scaled.key != table.key


def test_a_refused_node_says_what_to_do(fake):
    with pytest.raises(CosearchError, match=r"at 7 nm: no such node$") as caught:
        Crossbar(prices="hwcomponents", node_nm=7)
    assert "prices=isaac" in caught.value.hint


def test_the_paper_s_table_is_of_one_node():
    with pytest.raises(CosearchError, match="are of 32 nm, not of 22 nm") as caught:
        Crossbar(node_nm=22)
    assert "prices=hwcomponents" in caught.value.hint


def test_programming_is_priced_unless_a_user_says_otherwise():
    assert Crossbar().build({}).prices.write == 1.2
    assert "NVSim" in Crossbar().build({}).sources["programming"]
    mine = Crossbar(write_pj=10.0).build({})
    assert mine.prices.write == 10.0
    assert "as the user states it" in mine.sources["programming"]


def test_without_the_package_there_is_one_sentence():
    try:
        importlib.import_module("hwcomponents_library")
    except ImportError:
        with pytest.raises(MissingExtraError, match="prices=hwcomponents needs") as caught:
            Crossbar(prices="hwcomponents")
        assert "cosearch[hwcomponents]" in caught.value.hint
    else:
        pytest.skip("hwcomponents is installed")


def test_the_package_agrees_with_the_paper_s_table_at_its_node():
    pytest.importorskip("hwcomponents_library")
    for found, table in zip(astuple(library.parts(32)), astuple(ISAAC), strict=True):
        assert found[1] == pytest.approx(table[1], rel=0.01)  # its router has 0.150 mm2, not 0.151
        assert found[0] == pytest.approx(table[0], rel=0.07)  # a driver is 0.4167 pJ there
    smaller = library.parts(22)
    assert smaller.converter.pj < ISAAC.converter.pj
