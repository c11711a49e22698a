"""`cosearch evaluate`."""

import json
from pathlib import Path

import pytest

from cosearch.cli import main

SPEC = """\
version: 1
architecture:
  name: toy
  levels:
    - {name: pe, entries: 64, energy_pj: 0.5, mesh: [4, 1]}
    - {name: buffer, entries: 4096, energy_pj: 4, network_below: {hop_pj: 0.1}}
    - {name: DRAM, energy_pj: 200, is_dram: true, shared_bandwidth: 1}
  compute: {energy_pj: 0.9, mesh: [4, 1]}
layer: {name: fc1, gemm: {M: 2, N: 4, K: 8}}
mapping:
  - {level: pe, keep: [Weights, Outputs], temporal: {K: 8}}
  - {level: buffer, keep: [Inputs, Outputs], temporal: {M: 2}, spatial_x: {N: 4}}
  - {level: DRAM, keep: [Weights, Inputs, Outputs]}
"""


@pytest.fixture
def spec(tmp_path):
    def write(text=SPEC):
        file = tmp_path / "spec.yaml"
        file.write_text(text)
        return str(file)

    return write


def test_the_breakdown_of_a_mapping(spec, capsys):
    assert main(["evaluate", spec()]) == 0
    shown = capsys.readouterr().out
    for text in (
        "fc1 on toy",
        "for m in 0..2",
        "parallel-for x: n in 0..4",
        "memories",
        "cycles",
        "networks",
        "bound by DRAM",
        "16 steps",
    ):
        assert text in shown
    reads = next(line for line in shown.splitlines() if line.split()[:2] == ["pe", "Weights"])
    assert reads.split()[2:7] == ["8", "4", "16", "8", "0"]


def test_json_is_the_whole_analysis(spec, capsys):
    assert main(["evaluate", spec(), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    parts = facts["compute_pj"] + sum(x["energy_pj"] for x in facts["levels"] + facts["networks"])
    assert facts["energy_pj"] == pytest.approx(parts)
    assert (facts["macs"], facts["feasible"], facts["bound_by"]) == (64, True, "DRAM")
    assert facts["cycles"] == 32 + 16 + 8


def test_every_broken_rule_by_how_much_and_what_to_relax(spec, capsys):
    text = SPEC.replace("entries: 64", "entries: 4").replace("M: 2},", "M: 3},")
    assert main(["evaluate", spec(text)]) == 2
    shown = capsys.readouterr()
    assert "breaks 2 rules" in shown.err
    assert "the factors of M multiply up to 3, its size is 2" in shown.err
    assert "exceed the 4 words of pe" in shown.err
    assert "outer levels" in shown.err
    assert shown.out == ""
    assert main(["evaluate", spec(text), "--json"]) == 2
    facts = json.loads(capsys.readouterr().out)
    assert facts["feasible"] is False
    assert [(v["used"], v["allowed"]) for v in facts["violations"]] == [(3, 2), (9, 4)]


def test_one_broken_rule_is_one_line(spec, capsys):
    assert main(["evaluate", spec(SPEC.replace("entries: 64", "entries: 4"))]) == 2
    assert "error: the mapping is invalid: tiles of 9 words" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no file is named"),
        (["/nowhere.yaml"], "there is no such file: /nowhere.yaml"),
        (["--ert", "x"], "no file is named"),
        (["/nowhere.yaml", "--ert", "x"], "go with --timeloop"),
        (["--timeloop", "/nowhere.yaml"], "there is no such file"),
    ],
)
def test_bad_input(arguments, message, capsys):
    assert main(["evaluate", *arguments]) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert "Traceback" not in shown.err


def test_names_that_the_layer_does_not_have(spec, capsys):
    assert main(["evaluate", spec(SPEC.replace("M: 2},", "X: 2},"))]) == 2
    assert "layer 'fc1' has the dimensions M N K" in capsys.readouterr().err


def test_the_schema(capsys):
    assert main(["evaluate", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["version"] == {"const": 1}


FILES = {
    "arch.yaml": """\
architecture:
  version: 0.3
  subtree:
  - name: system
    local:
    - {name: DRAM, class: DRAM, attributes: {width: 16, word-bits: 16, vector-access-energy: 200}}
    - {name: buffer, class: SRAM, attributes: {depth: 64, width: 16, n_banks: 4,
       vector-access-energy: 2}}
    - {name: MAC, class: intmac, attributes: {energy: 1}}
""",
    "problem.yaml": """\
problem:
  shape:
    name: product
    dimensions: [M, N, K]
    data-spaces:
    - {name: A, projection: [[[M]], [[K]]]}
    - {name: B, projection: [[[K]], [[N]]]}
    - {name: Z, projection: [[[M]], [[N]]], read-write: true}
  instance: {M: 2, N: 3, K: 4}
""",
    "mapping.yaml": """\
mapping:
- {target: buffer, type: temporal, factors: M2 N3 K2, permutation: KNM}
- {target: DRAM, type: temporal, factors: K=2, permutation: KMN}
""",
    "ERT.yaml": """\
ERT:
  version: 0.4
  tables:
  - name: system.buffer[1..1]
    actions: [{name: read, energy: 3}, {name: write, energy: 4}]
""",
}


@pytest.fixture
def timeloop(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return [str(tmp_path / name) for name in list(FILES)[:3]]


def test_timeloops_files(timeloop, capsys):
    assert main(["evaluate", "--timeloop", *timeloop, "--json"]) == 0
    shown = capsys.readouterr()
    facts = json.loads(shown.out)
    buffer, dram = facts["levels"]
    assert [t["tensor"] for t in buffer["tensors"]] == ["A", "B", "Z"]
    assert [(t["reads"], t["fills"], t["updates"]) for t in buffer["tensors"]] == [
        (24, 8, 0),
        (24, 12, 0),
        (18, 0, 24),
    ]
    assert dram["energy_pj"] == 200 * (8 + 12 + 6)
    assert facts["compute_pj"] == 24
    assert any("not used: n_banks: 4" in note for note in facts["notes"])
    assert "not used: n_banks: 4" in shown.err


def test_an_energy_that_the_file_states_goes_before_the_table(timeloop, capsys):
    table = str(Path(timeloop[0]).with_name("ERT.yaml"))
    assert main(["evaluate", "--timeloop", *timeloop, "--ert", table, "--json"]) == 0
    (buffer, _) = json.loads(capsys.readouterr().out)["levels"]
    assert buffer["energy_pj"] == 2 * (24 + 24 + 18 + 8 + 12 + 24)


def test_an_energy_table(timeloop, capsys):
    table = str(Path(timeloop[0]).with_name("ERT.yaml"))
    arch = Path(timeloop[0])
    arch.write_text(arch.read_text().replace("vector-access-energy: 2}", "datawidth: 16}"))
    assert main(["evaluate", "--timeloop", *timeloop, "--ert", table, "--json"]) == 0
    (buffer, _) = json.loads(capsys.readouterr().out)["levels"]
    assert buffer["energy_pj"] == 3 * (24 + 24 + 18) + 4 * (8 + 12) + 4 * 24


def test_a_part_that_no_file_has(timeloop, capsys):
    assert main(["evaluate", "--timeloop", *timeloop[:2]]) == 2
    assert "no file has the part 'mapping'" in capsys.readouterr().err


PARTS = """\
version: 1
architecture:
  levels:
  - name: buf
    entries: 64
    energy_pj: 1
    word_bits: 8
    partitions: {Outputs: {entries: 16, energy_pj: 4, word_bits: 32}}
  - {name: main, energy_pj: 10, is_dram: true, word_bits: 8}
  compute: {energy_pj: 1, word_bits: 8}
layer: {gemm: {M: 2, N: 2, K: 4}}
mapping:
- {level: buf, keep: [Weights, Inputs, Outputs], temporal: {K: 4}}
- {level: main, keep: [Weights, Inputs, Outputs], temporal: {M: 2, N: 2}}
"""


@pytest.mark.parametrize(
    ("bits", "pj", "used"),
    [
        ("", 16 + (16 + 8) + (16 + 16) + (12 + 16) * 4 + (8 + 16 + 4) * 10, "9.4"),
        # sums of 32 bits are 4 words of main; 4-bit weights half a word of both
        (
            ", bits: {Weights: 4, Outputs: 32}",
            16 + (8 + 4) + (16 + 16) + (12 + 16) * 4 + (4 + 16 + 16) * 10,
            "7.8",
        ),
    ],
)
def test_parts_of_other_widths_are_counted_in_bits(tmp_path, capsys, bits, pj, used):
    """Of 64 * 8 + 16 * 32 bits hold four weights, four inputs and a sum."""
    path = tmp_path / "spec.yaml"
    path.write_text(PARTS.replace("K: 4}}\nmapping", f"K: 4}}{bits}}}\nmapping"))
    assert main(["evaluate", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["energy_pj"] == pj
    assert main(["evaluate", str(path)]) == 0
    assert f"buf        16  100.0        {used}" in capsys.readouterr().out
