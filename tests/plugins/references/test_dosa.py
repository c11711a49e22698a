"""Reading DOSA's points, and the closed form of their access counts."""

import gzip
from pathlib import Path

import pytest

from cosearch.errors import InputError
from cosearch.loopnest.mapping import Loop
from cosearch.workload.einsum import conv
from cosearch_plugins.references.dosa import Dosa, mapping, sram_pj
from cosearch_plugins.references.dosa_counts import access_counts

DATA = Path(__file__).parents[2] / "data" / "dosa"
TEXT = "L3[WIO] P28 R7 - L2[WI] N1 K4X - L1[O] K2 S7 C3X - L0[W] P2"


def test_the_notation():
    levels = mapping(TEXT).levels
    assert [sorted(x.keep) for x in levels] == [
        ["Weights"],
        ["Outputs"],
        ["Inputs", "Weights"],
        ["Inputs", "Outputs", "Weights"],
    ]
    assert levels[3].temporal == (Loop("R", 7), Loop("P", 28))
    assert (levels[2].temporal, levels[2].spatial_x) == ((), (Loop("K", 4),))
    assert (levels[1].spatial_x, levels[1].spatial_y) == ((), (Loop("C", 3),))


def test_energies_that_the_data_states():
    assert sram_pj(1, 8) == pytest.approx(0.487462, abs=5e-7)
    assert sram_pj(8192, 32) == pytest.approx(5.166, abs=5e-4)
    assert sram_pj(8192, 128) == pytest.approx(59.26, abs=5e-3)


def test_published_counts_are_those_of_the_closed_form():
    (section,) = Dosa().read(DATA)
    (alone,) = Dosa().read(DATA / "timeloop_gemmini.csv.gz")
    for both, derived in zip(section.points, alone.points, strict=True):
        assert both.expected == derived.expected


def test_other_dataflows_have_no_closed_form():
    layer = conv(K=8, C=3, P=56, Q=1, R=7, S=7)
    assert access_counts(layer, mapping(TEXT), (1, 1))
    other = mapping(TEXT.replace("C3X", "C3 P2X"))
    assert access_counts(layer, other, (1, 1)) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:1], "holds no points"),
        (lambda rows: [rows[0].replace("energy_uJ", "energy")], "energy_uJ"),
        (lambda rows: [rows[0], rows[1].replace("L3[", "L4[")], ":2: .*levels L3 to L0"),
        (lambda rows: [rows[0], rows[1].rpartition(",")[0]], ":2: has not as many fields"),
        (lambda rows: [rows[0], "x" + rows[1].partition(",")[2]], ":2: "),
    ],
)
def test_a_fault_names_file_and_line(tmp_path, change, message):
    rows = gzip.decompress((DATA / "timeloop_gemmini.csv.gz").read_bytes()).decode().splitlines()
    (tmp_path / "points.csv").write_text("\n".join(change(rows)) + "\n")
    with pytest.raises(InputError, match=message):
        Dosa().read(tmp_path)


def test_rows_of_the_rtl_runs_have_six_digits(tmp_path):
    rows = gzip.decompress((DATA / "timeloop_gemmini.csv.gz").read_bytes()).decode().splitlines()
    header = rows[0].replace("cycles", "timeloop_cycles").replace("energy", "timeloop_energy")
    *case, energy = rows[1].split(",")
    for digits, agreed in ((6, True), (5, False)):
        row = ",".join([*case, f"{float(energy):.{digits}g}"])
        blank = ",".join([*case[:-1], "", ""])
        (tmp_path / "runs.csv").write_text("\n".join([header, row, blank]) + "\n")
        (section,) = Dosa().read(tmp_path)
        assert section.name == "DOSA, machines also run as RTL"
        assert len(section.points) == 1
        assert section.report().agreed is agreed


def test_a_missing_directory(tmp_path):
    with pytest.raises(InputError, match="no such directory"):
        Dosa().read(tmp_path / "nowhere")


def test_a_damaged_archive(tmp_path):
    (tmp_path / "points.csv.gz").write_bytes(b"not gzip")
    with pytest.raises(InputError, match="cannot be read"):
        Dosa().read(tmp_path)
