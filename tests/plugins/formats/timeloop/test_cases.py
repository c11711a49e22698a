"""What people bring: Timeloop's files in all their ways, each with the value worked out by hand.

The inputs were written for this purpose after public questions and bug reports of users of
Timeloop (numbers 23, 36, 38, 113, 153, 168, 172, 190, 259, 295, 328 of its tracker).
"""

import json
import math
import re
from pathlib import Path

import pytest

from cosearch.cli import main
from cosearch.errors import InputError
from cosearch.loopnest.model.reference import analyse
from cosearch.loopnest.validity import InvalidMapping
from cosearch_plugins.formats.timeloop.read import read_timeloop

PROBLEM = """\
problem:
  version: 0.4
  shape:
    name: fir
    dimensions: [M, C, X, T]
    data_spaces:
    - {name: Weights, projection: [[[M]], [[C]], [[T]]]}
    - {name: Inputs, projection: [[[C]], [[X], [T]]]}
    - {name: Outputs, projection: [[[M]], [[X]]], read_write: true}
  instance: {M: 6, C: 4, X: 10, T: 3}
"""

MAPPING = """\
mapping:
- {target: main, type: temporal, factors: X=2, permutation: XMCT}
- {target: sram, type: temporal, factors: C=4 T=3, permutation: CTMX}
- {target: sram, type: spatial, factors: M=6, permutation: MCTX, split: 1}
- {target: reg, type: temporal, factors: X=5, permutation: XMCT}
"""

ERT = """\
ERT:
  version: 0.4
  tables:
  - name: "chip.main[1..1]"
    actions: [{name: read, energy: 300}, {name: write, energy: 310}, {name: update, energy: 310}]
  - name: "chip.sram[1..1]"
    actions: [{name: read, energy: 11}, {name: write, energy: 13}, {name: update, energy: 13}]
  - name: "chip.reg[1..6]"
    actions: [{name: read, energy: 2}, {name: write, energy: 3}, {name: update, energy: 3}]
  - name: "chip.alu[1..6]"
    actions: [{name: compute, energy: 0.5}]
"""

ARCH = """\
architecture:
  version: 0.3
  subtree:
  - name: chip
    local:
    - {name: main, class: DRAM, attributes: {width: 64, datawidth: 8}}
    - {name: sram, class: SRAM, attributes: {depth: 128, width: 32, datawidth: 8}}
    subtree:
    - name: lane
      local:
      - name: "reg[0..5]"
        class: regfile
        attributes: {depth: 16, width: 8, datawidth: 8, meshX: 6}
      - name: "alu[0..5]"
        class: intmac
        attributes: {datawidth: 8, meshX: 6}
"""

DUMP = """\
dumped_by_timeloop_front_end: true
architecture:
  version: '0.4'
  subtree:
  - name: chip_top_level
    attributes: {technology: "45nm", global_cycle_seconds: 1e-9}
    local:
    - name: main[1..1]
      class: DRAM
      attributes: {width: 64, datawidth: 8, cluster_size: 1, meshX: 1, meshY: 1}
    - name: sram[1..1]
      class: SRAM
      attributes: {depth: 128, width: 32, datawidth: 8, cluster_size: 1, meshX: 1, meshY: 1}
    - name: inter_lane_spatial[1..1]
      class: dummy_storage
      attributes: {width: 1, depth: 1, datawidth: 1, technology: -1, meshX: 1, meshY: 1}
    - name: reg[1..6]
      class: regfile
      attributes: {depth: 16, width: 8, datawidth: 8, meshX: 6, meshY: 1, multiple_buffering: 1}
    - name: alu[1..6]
      class: intmac
      attributes: {datawidth: 8, meshX: 6, meshY: 1}
architecture_constraints: {targets: []}
problem:
  version: '0.4'
  name: ''
  shape:
    name: ''
    dimensions: [M, C, X, T]
    coefficients: []
    data_spaces:
    - {name: Weights, projection: [[[M]], [[C]], [[T]]], read_write: false}
    - {name: Inputs, projection: [[[C]], [[X], [T]]], read_write: false}
    - {name: Outputs, projection: [[[M]], [[X]]], read_write: true}
  instance: {M: 6, C: 4, X: 10, T: 3, densities: {}}
mapping:
- {target: main, type: temporal, factors: 'X=2', permutation: XMCT}
- {target: sram, type: temporal, factors: 'C=4,T=3', permutation: CTMX}
- {target: inter_lane_spatial, type: spatial, factors: 'M=6', permutation: MCTX, split: 1}
- {target: inter_lane_spatial, type: bypass, bypass: [Weights, Inputs, Outputs]}
- {target: reg, type: temporal, factors: 'X=5', permutation: XMCT}
"""

BASELINE = 17_603.0
"""pJ."""


@pytest.fixture
def files(tmp_path):
    """Return a function that writes files and returns their paths."""

    def write(**texts):
        defaults = {"arch": ARCH, "problem": PROBLEM, "mapping": MAPPING}
        for name, text in {**defaults, "ERT": ERT, **texts}.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        return [tmp_path / f"{name}.yaml" for name in defaults]

    return write


def priced(paths, **options):
    found = read_timeloop(paths, paths[0].with_name("ERT.yaml"), **options)
    s = found.specification
    return analyse(s.architecture, s.layer, s.mapping), found.notes


def energy(paths):
    return priced(paths)[0].energy_pj


def level_of(analysis, name):
    return next(level for level in analysis.levels if level.name == name)


def test_the_baseline(files):
    analysis, _ = priced(files())
    assert (analysis.energy_pj, analysis.cycles) == (BASELINE, 120)
    assert level_of(analysis, "reg").energy_pj == 8952


@pytest.mark.parametrize(
    ("cluster", "clusters"), [(1, 6), (2, 3), (3, 2), (6, 1), (4, 1)], ids=lambda n: str(n)
)
def test_instances_that_share_a_cluster_share_an_access(files, cluster, clusters):
    wide = f"width: {8 * cluster}, cluster_size: {cluster}, datawidth: 8, meshX: 6"
    arch = ARCH.replace("width: 8, datawidth: 8, meshX: 6", wide, 1)
    analysis, _ = priced(files(arch=arch))
    assert level_of(analysis, "reg").energy_pj == 8952 / 6 * clusters
    reads = level_of(analysis, "reg").tensors[0]
    assert (reads.instances, reads.reads, reads.fills) == (6, 120, 24)


def test_a_stated_energy_beats_the_table(files):
    arch = ARCH.replace("meshX: 6}", "meshX: 6, vector-access-energy: 50}", 1)
    weights = level_of(priced(files(arch=arch))[0], "reg").tensors[0]
    assert weights.energy_pj == 6 * (120 + 24) * 50
    assert energy(files(arch=ARCH.replace("meshX: 6}\n", "meshX: 6, energy: 2}\n"))) > BASELINE


@pytest.mark.parametrize("bypass", [True, False], ids=["named", "not named"])
@pytest.mark.parametrize("size", ["entries: 0", "depth: 0, width: 8"])
def test_a_level_that_stores_nothing_passes_everything_through(files, size, bypass):
    hub = f"    - {{name: hub, class: regfile, attributes: {{{size}, word-bits: 8}}}}\n"
    arch = ARCH.replace("    subtree:\n    - name: lane", f"{hub}    subtree:\n    - name: lane")
    passing = "- {target: hub, type: bypass, bypass: [Weights, Inputs, Outputs]}\n"
    assert energy(files(arch=arch, mapping=MAPPING + (passing if bypass else ""))) == BASELINE
    through_hub = MAPPING.replace("target: sram, type: spatial", "target: hub, type: spatial")
    assert energy(files(arch=arch, mapping=through_hub)) == BASELINE


def test_what_the_front_end_dumps(files):
    folder = files()[0].parent
    (folder / "in.yaml").write_text(DUMP)
    analysis, notes = priced([folder / "in.yaml"])
    assert analysis.energy_pj == BASELINE
    assert level_of(analysis, "inter_lane_spatial").energy_pj == 0
    assert not [note for note in notes if "area" not in note]


AROUND = """\
compound_components:
  version: '0.4'
  classes: [{name: intmac, attributes: {width: "must_specify"}}]
mapper: {version: '0.4', algorithm: random, victory_condition: 100, search_size: null}
mapspace: {version: '0.4', template: uber}
globals: {version: '0.4', environment_variables: {}, accelergy_plug_ins: []}
"""
"""What the front end dumps beside machine, problem and mapping."""


def test_what_the_front_end_dumps_beside(files):
    folder = files()[0].parent
    written = "n_banks: 2, reduction_supported: true, min_utilization: 0, allow_overbooking: false"
    text = DUMP.replace("cluster_size: 1", f"cluster_size: 1, {written}") + AROUND
    (folder / "in.yaml").write_text(text)
    analysis, notes = priced([folder / "in.yaml"])
    assert analysis.energy_pj == BASELINE
    (unused,) = [note for note in notes if "not used" in note]
    assert unused.endswith("in.yaml: main, sram: not used: n_banks: 2")
    assert not [note for note in notes if "mapspace" in note]


@pytest.mark.parametrize("inside", [False, True])
def test_a_memory_that_stores_compressed_is_not_too_small(files, inside):
    format_of = "{representation_format: {data_spaces: [{name: Weights, ranks: [{format: CP}]}]}}"
    tight = ARCH.replace("depth: 128", "depth: 10")
    with pytest.raises(InvalidMapping, match="exceed the 40 words of sram"):
        energy(files(arch=tight))
    if inside:
        sparse = tight.replace("name: sram,", f"name: sram, sparse_optimizations: {format_of},")
    else:
        target = format_of.replace("{rep", "{name: sram, rep", 1)
        sparse = f"{tight}sparse_optimizations: {{targets: [{target}]}}\n"
    analysis, notes = priced(files(arch=sparse))
    assert analysis.energy_pj == BASELINE
    assert sum("priced is the dense execution" in note for note in notes) == 1
    assert any("words in a room of 40, which stores them compressed" in note for note in notes)
    assert not any(
        "compressed" in note for note in priced(files(arch=sparse.replace("10", "99")))[1]
    )


def test_an_empty_part_gives_way(files):
    folder = files()[0].parent
    head, _, _ = DUMP.partition("mapping:\n")
    (folder / "in.yaml").write_text(head.replace("inter_lane_spatial", "hub") + "mapping: []\n")
    spread = MAPPING.replace("sram, type: spatial", "hub, type: spatial")
    (folder / "mapping.yaml").write_text(spread)
    bypass = "- {target: hub, type: bypass, bypass: [Weights, Inputs, Outputs]}\n"
    (folder / "mapping.yaml").write_text(spread + bypass)
    analysis, _ = priced([folder / "in.yaml", folder / "mapping.yaml"])
    assert analysis.energy_pj == BASELINE


@pytest.mark.parametrize("factors", ["C=0 T=0", "C=0,T=3", "C4 T0", "[C=0, T=0]"])
def test_a_factor_0_is_the_rest(files, factors):
    quoted = factors if factors.startswith("[") else f"'{factors}'"
    assert energy(files(mapping=MAPPING.replace("C=4 T=3", quoted))) == BASELINE


def test_a_factor_0_is_what_other_levels_leave(files):
    mapping = MAPPING.replace("factors: X=2,", "factors: X=0,")
    assert energy(files(mapping=mapping)) == BASELINE


def test_two_rests_of_one_dimension_cannot_be_told_apart(files):
    mapping = MAPPING.replace("factors: X=2,", "factors: X=0,").replace("X=5", "X=0")
    with pytest.raises(InputError, match="two factors 0 stand for the rest of X"):
        energy(files(mapping=mapping))


def test_a_rest_that_does_not_divide(files):
    mapping = MAPPING.replace("factors: X=2,", "factors: X=0,").replace("X=5", "X=3")
    with pytest.raises(InputError, match="multiply up to 3, which does not divide its size 10"):
        energy(files(mapping=mapping))


def test_a_residual_factor_is_refused_by_its_name(files):
    mapping = MAPPING.replace("factors: M=6,", "factors: 'M=6,2',")
    with pytest.raises(InputError, match="residual factor"):
        energy(files(mapping=mapping, problem=PROBLEM.replace("M: 6", "M: 8")))
    assert energy(files(mapping=MAPPING.replace("factors: M=6,", "factors: 'M=6,6',"))) == BASELINE


FIRST_STYLE = """\
arch:
  arithmetic: {name: alu, instances: 6, word-bits: 8, meshX: 6}
  storage:
  - {name: reg, entries: 16, instances: 6, meshX: 6, word-bits: 8}
  - {name: sram, sizeKB: 1, instances: 1, word-bits: 8, block-size: 4}
  - {name: main, technology: DRAM, instances: 1, word-bits: 8BLOCK}
"""


def test_the_first_style(files):
    arch = FIRST_STYLE.replace("BLOCK", ", block-size: 8")
    analysis, _ = priced(files(arch=arch))
    assert analysis.energy_pj == BASELINE
    # a word at a time, main has 72 + 48 reads and 60 updates instead of 9 + 6 and 8
    alone, _ = priced(files(arch=FIRST_STYLE.replace("BLOCK", "")))
    difference = (72 + 48 - 9 - 6) * 300 + (60 - 8) * 310
    assert alone.energy_pj == BASELINE + difference == 65_223


def test_what_is_switched_off_is_left_out_and_named(files):
    off = ARCH.replace("class: SRAM,", "class: SRAM, enabled: false,")
    with pytest.raises(InputError, match=r"sram is switched off \(enabled: false\)"):
        energy(files(arch=off))
    without = "".join(line for line in MAPPING.splitlines(True) if "sram" not in line)
    without += "- {target: main, type: spatial, factors: M=6, permutation: MCTX, split: 1}\n"
    mapping = without.replace("factors: X=2,", "factors: X=2 C=4 T=3,")
    analysis, notes = priced(files(arch=off, mapping=mapping))
    assert [level.name for level in analysis.levels] == ["reg", "main"]
    assert any("sram: is switched off" in note for note in notes)


def test_nothing_and_switched_off_nodes_of_version_4(files):
    arch = """\
architecture:
  version: 0.4
  nodes:
  - !Nothing
  - !Container {name: chip, attributes: {datawidth: 8}}
  - !Component {name: main, class: DRAM, attributes: {width: datawidth * 8}}
  - !Component {name: sram, class: SRAM, attributes: {depth: 128, width: 32}}
  - !Component {name: gone, class: SRAM, enabled: false, attributes: {depth: 1, width: 8}}
  - !Container {name: lane, spatial: {meshX: lanes}}
  - !Component {name: reg, class: regfile, attributes: {depth: 2**4, width: 8}}
  - !Component {name: alu, class: intmac}
variables: {lanes: 6, technology: 45nm}
"""
    mapping = MAPPING.replace("sram, type: spatial", "lane, type: spatial")
    analysis, notes = priced(files(arch=arch, mapping=mapping))
    assert analysis.energy_pj == BASELINE
    assert any("gone: is switched off" in note for note in notes)


def test_own_tensor_names_in_keep_and_bypass(files):
    problem = PROBLEM.replace("Weights", "F").replace("Inputs", "A").replace("Outputs", "Z")
    passing = "- {target: sram, type: datatype, keep: [A, Z], bypass: [F]}\n"
    named = priced(files(problem=problem, mapping=MAPPING + passing))[0]
    by_role = MAPPING + "- {target: sram, type: datatype, bypass: [Weights]}\n"
    assert named.energy_pj == energy(files(mapping=by_role))
    assert [t.tensor for t in level_of(named, "sram").tensors] == ["A", "Z"]


def test_a_mapping_that_breaks_a_constraint_is_priced_and_said_to(files):
    constraints = """\
architecture_constraints:
  targets:
  - {target: sram, type: temporal, factors: C=2, permutation: TC}
  - {target: sram, type: spatial, factors: M<=4}
  - {target: reg, type: dataspace, bypass: [Weights]}
mapspace_constraints:
  targets:
  - {target: 0, type: utilization, min: 0.5}
"""
    analysis, notes = priced(files(arch=ARCH + constraints))
    assert analysis.energy_pj == BASELINE
    told = [note.partition("a constraint: ")[2] for note in notes if "keep to" in note]
    assert told == [
        "reg: Weights has to pass",
        "sram: the temporal factor of C is 4, constrained to 2",
        "sram: the spatial factor of M is 6, constrained to 4 at most",
        "sram: the loops C T stand in another order than T C",
    ]


def test_sparse_optimizations_are_named_and_priced_dense(files):
    sparse = "sparse_optimizations: {targets: [{name: sram, representation-format: {}}]}\n"
    analysis, notes = priced(files(problem=PROBLEM + sparse))
    assert analysis.energy_pj == BASELINE
    assert any("priced is the dense execution" in note for note in notes)


def test_what_neither_stores_nor_multiplies_is_not_counted(files):
    other = "      - {name: 'gen[0..5]', class: AddressGenerator, attributes: {datawidth: 8}}\n"
    arch = ARCH.replace('      - name: "alu', other + '      - name: "alu')
    analysis, notes = priced(files(arch=arch))
    assert analysis.energy_pj == BASELINE
    assert any("gen (AddressGenerator): neither memory nor multiplier" in note for note in notes)


def test_counts_and_cycles_need_no_energies(files, capsys):
    paths = [str(path) for path in files()]
    assert main(["evaluate", "--timeloop", *paths, "--json"]) == 0
    shown = capsys.readouterr()
    facts = json.loads(shown.out)
    assert (facts["energy_pj"], facts["cycles"], facts["macs"]) == (None, 120, 720)
    assert facts["levels"][0]["tensors"][0]["reads"] == 120
    assert "no energy is known for main, sram, reg, alu" in shown.err
    assert main(["evaluate", "--timeloop", *paths]) == 0
    assert "energy unknown, 120 cycles" in capsys.readouterr().out


def test_a_technology_prices_what_no_file_does(files, capsys):
    paths = [str(path) for path in files()]
    command = ["evaluate", "--timeloop", *paths, "--technology", "pat", "--json"]
    assert main(command) == 0
    assert math.isfinite(json.loads(capsys.readouterr().out)["energy_pj"])
    table = ["--ert", str(Path(paths[0]).with_name("ERT.yaml"))]
    assert main([*command, *table]) == 0
    assert json.loads(capsys.readouterr().out)["energy_pj"] == BASELINE


def test_the_counting_rules_can_be_chosen(files, capsys):
    paths = [str(path) for path in files()]
    mapping = MAPPING.replace("CTMX", "TCMX")
    files(mapping=mapping)
    command = ["evaluate", "--timeloop", *paths, "--ert", str(Path(paths[0]).with_name("ERT.yaml"))]
    found = {}
    for rules in ("", "first_fill_is_counted", "timeloop_2022", "geometric-halo"):
        assert main([*command, "--json", *(["--rules", rules] if rules else [])]) == 0
        levels = json.loads(capsys.readouterr().out)["levels"]
        found[rules] = levels[0]["tensors"][2]["fills"]
    assert found == {"": 0, "first_fill_is_counted": 10, "timeloop_2022": 10, "geometric-halo": 0}
    assert main([*command, "--rules", "first_fill"]) == 2
    assert "there is no counting rule 'first_fill'" in capsys.readouterr().err


BITWIDTHS = "T: 3, bitwidths: {Weights: 3, Inputs: 8, Outputs: 16}}"


def test_bits_of_an_instance_are_packed_into_whole_words(files):
    """By hand, blocks times pJ: two weights of 3 bits and half a sum of 16 to a word of 8."""
    paths = files(problem=PROBLEM.replace("T: 3}", BITWIDTHS))
    main = 5 * 300 + 6 * 300 + 15 * 310
    sram = (18 * 11 + 9 * 13) + 486 + 30 * 13
    reg = 6 * (60 * 2 + 12 * 3) + 3600 + 6 * (220 * 2 + 240 * 3)
    assert energy(paths) == main + sram + reg + 360
    same = PROBLEM.replace("T: 3}", "T: 3, bitwidths: {Weights: 8, Inputs: 8, Outputs: 8}}")
    assert energy(files(problem=same)) == BASELINE


@pytest.mark.parametrize("name", ["bits", "bitwidth", "word-bits", "datawidth"])
def test_a_data_space_may_state_its_bits(files, name):
    text = PROBLEM.replace("read_write: true}", f"read_write: true, {name}: 16}}")
    text = text.replace("[[T]]]}", f"[[T]]], {name}: 3}}", 1)
    assert energy(files(problem=text)) == 20_997.0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{Weight: 3}", "line 10: problem.instance.bitwidths.Weight: 'Weight' is no data space"),
        ("{Weights: 0}", "problem.instance.bitwidths.Weights: 0 is not a number of bits"),
        ("[3]", "problem.instance.bitwidths: is not a mapping"),
    ],
)
def test_what_is_wrong_with_bits_is_told(files, given, told):
    with pytest.raises(InputError, match=re.escape(told)):
        energy(files(problem=PROBLEM.replace("T: 3}", f"T: 3, bitwidths: {given}}}")))


def test_sums_too_wide_for_the_registers_are_refused(files):
    text = PROBLEM.replace("T: 3}", "T: 3, bitwidths: {Outputs: 24}}")
    with pytest.raises(InvalidMapping, match="exceed the 16 words of reg"):
        energy(files(problem=text))


@pytest.mark.parametrize(
    ("old", "new", "cut"), [("C=4 T=3", "C=4, T=3", "T=3"), ("X=2", "X=3,1", "1")]
)
def test_factors_that_a_comma_cuts_off_are_told(files, old, new, cut):
    with pytest.raises(InputError, match=f"{cut} is a field of its own here"):
        energy(files(mapping=MAPPING.replace(old, new)))
    quoted = MAPPING.replace(f"factors: {old}", f"factors: '{new}'")
    if cut == "1":
        with pytest.raises(InputError, match="X=3,1 is a residual factor"):
            energy(files(mapping=quoted))
    else:
        assert energy(files(mapping=quoted)) == BASELINE


def test_a_fanout_of_a_dump_passes_what_the_mapping_says_nothing_of(files, tmp_path):
    files()
    lines = [line for line in DUMP.splitlines() if "inter_lane_spatial, type: bypass" not in line]
    (tmp_path / "in.yaml").write_text("\n".join(lines))
    assert energy([tmp_path / "in.yaml"]) == BASELINE
