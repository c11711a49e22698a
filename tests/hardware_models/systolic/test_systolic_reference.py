"""SCALE-Sim's rows through `cosearch validate`: all agree, and what does not is told."""

import gzip
import json
from pathlib import Path

import pytest

from cosearch.cli import main
from cosearch.errors import InputError
from cosearch_hardware.systolic.reference import ScaleSim

DATA = Path(__file__).parents[2] / "data" / "scalesim"


def test_every_row_agrees(capsys):
    assert main(["validate", "scalesim", str(DATA), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["points"] == facts["cycles_exact"] == facts["sram_exact"] == 405


def test_a_wrong_row_is_told(tmp_path, capsys):
    text = gzip.decompress((DATA / "scalesim_v3.csv.gz").read_bytes()).decode()
    head, first = text.splitlines()[:2]
    fields = first.split(",")
    fields[head.split(",").index("demand_rows")] = "24"
    (tmp_path / "rows.csv").write_text(f"{head}\n{','.join(fields)}\n")
    assert main(["validate", "scalesim", str(tmp_path)]) == 1
    assert "1 of 1 points differ" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["missing", "empty"])
def test_no_data_is_one_message(tmp_path, what):
    path = tmp_path / "missing" if what == "missing" else tmp_path
    with pytest.raises(InputError, match=r"no such directory|holds no rows"):
        ScaleSim().read(path)
