import pytest

from cosearch.cli.show import SHOWN
from cosearch.hooks.discovery import load_registry


def test_hardware_shows_machine_sources_space_and_rules(cosearch):
    out = cosearch("show", "hardware", "eyeriss").out
    for heading in (
        "machine (baseline)",
        "sources of the numbers",
        "design space",
        "rules",
        "options",
    ):
        assert heading in out
    tree = [line.strip(" └─").split()[0] for line in out.split("machine")[1].splitlines()[1:5]]
    assert tree == ["DRAM", "buffer", "scratchpads", "MAC"]


def test_hardware_with_a_parameter_set_shows_that_machine(cosearch):
    facts = cosearch("show", "hardware", "eyeriss", "--set", "spad_inputs=24", "--json").json()
    assert facts["configuration"]["spad_inputs"] == 24
    assert facts["machine"]["levels"][0]["partitions"]["Inputs"]["entries"] == 24
    assert facts["space"]["size"] > 1000


def test_hardware_options_follow_the_name(cosearch):
    facts = cosearch("show", "hardware", "eyeriss:pes=256", "--json").json()
    levels = facts["machine"]["levels"]
    assert levels[0]["mesh_x"] * levels[0]["mesh_y"] == 256


def test_a_machine_of_another_kind_is_shown_too(cosearch):
    out = cosearch("show", "hardware", "systolic").out
    assert "design space" in out


@pytest.mark.parametrize(
    ("hardware", "said"),
    [
        (
            "systolic",
            "maximum, average, add, multiply, activations: left out, for the machine's model",
        ),
        ("vta", "element-wise work: maximum, average, add, multiply: priced"),
        ("vta:stack=apache", "multiply, activations: left out, for no opcode of the apache stack"),
    ],
)
def test_a_machine_says_what_it_does_with_element_wise_work(cosearch, hardware, said):
    assert said in " ".join(cosearch("show", "hardware", hardware).out.split())


def test_workload_shows_unique_layers_with_their_work(cosearch):
    out = cosearch("show", "workload", "resnet18").out
    assert "12 different layers, 21 runs" in out
    assert "1.81 GMACs" in out
    assert "6 of element-wise work, 10 runs" in out


def test_json_of_a_workload_adds_up(cosearch):
    facts = cosearch("show", "workload", "alexnet", "--json").json()
    assert facts["macs"] == sum(layer["macs"] * layer["count"] for layer in facts["layers"])


def test_one_layer_of_a_workload(cosearch):
    facts = cosearch("show", "workload", "resnet18:fc", "--json").json()
    assert [layer["macs"] for layer in facts["layers"]] == [512_000]


def test_strategy_shows_options_with_defaults_and_source(cosearch):
    out = cosearch("show", "strategy", "evolutionary").out
    assert "tournament" in out
    assert "Goldberg" in out


def test_a_strategy_is_a_mapper_too(cosearch):
    strategy, mapper = (cosearch("show", kind, "random").out for kind in ("strategy", "mapper"))
    assert strategy == mapper


def test_a_space_of_networks_tells_its_size(cosearch):
    assert "15,625 networks" in cosearch("show", "network-space", "nasbench201").out
    facts = cosearch("show", "network-space", "nasbench201", "--json").json()
    assert facts["space"]["size"] == 15_625


def test_objective(cosearch):
    assert "pJ*cycles" in cosearch("show", "objective", "edp").out


@pytest.mark.parametrize("kind", SHOWN)
def test_everything_that_is_registered_can_be_shown(cosearch, kind):
    registry = load_registry(third_party=False)
    names = registry.objectives if kind == "objective" else registry.entries[SHOWN[kind]]
    for name in names:
        result = cosearch("show", kind, name)
        assert (result.code, result.err) == (0, ""), result.err
        assert result.out.strip()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("hardwares", "eyeriss"), "did you mean 'hardware'?"),
        (("hardware", "eyerris"), "did you mean 'eyeriss'?"),
        (("hardware", "eyeriss", "--set", "pe_z=3"), "'pe_x'"),
        (("hardware", "eyeriss", "--set", "pe_x=5"), "pe_x=5: is not one of"),
        (("hardware", "eyeriss", "--set", "pe_x=wide"), "pe_x=wide: is not one of"),
        (("hardware", "eyeriss", "--set", "pe_x"), "--set 'pe_x' is not NAME=VALUE"),
        (("hardware", "eyeriss", "--set", "pe_x=7", "--set", "pe_x=8"), "--set gives pe_x twice"),
        (("workload", "resnet19"), "did you mean 'resnet18'"),
        (("workload", "resnet18:layer9"), "there is no layer of resnet18 'layer9'"),
        (("workload", "conv:K=0"), "K=0"),
        (("workload", "conv:K=-3"), "K=-3"),
        (("workload", "no/such/file.yaml"), "there is no directory 'no/such'"),
        (("workload", "resnet18", "--set", "x=1"), "--set is for hardware"),
        (("strategy", "evolutionary:tournament=x"), "tournament=x: is not a whole number"),
        (("mapper", "exhaustif"), "did you mean 'exhaustive'"),
        (("objective", "edq"), "did you mean 'edp'"),
    ],
)
def test_a_mistake_is_one_message(refused, arguments, told):
    assert told in refused("show", *arguments)


PARTS = """\
version: 1
architecture:
  levels:
  - name: buf
    entries: 64
    energy_pj: 1
    word_bits: 8
    packs: [4, 8]
    partitions: {Outputs: {entries: 16, energy_pj: 4, word_bits: 32, packs: [32]}}
  - {name: main, energy_pj: 10, is_dram: true, word_bits: 8}
  compute:
    energy_pj: 1
    modes: [{weights: 8, inputs: 8, energy_pj: 1}, {weights: 4, inputs: 8, energy_pj: 1}]
layer: {gemm: {M: 2, N: 2, K: 4}}
mapping:
- {level: buf, keep: [Weights, Inputs, Outputs]}
- {level: main, keep: [Weights, Inputs, Outputs], temporal: {M: 2, N: 2, K: 4}}
"""


def test_widths_and_parts_of_a_memory_in_a_file(cosearch, tmp_path):
    path = tmp_path / "chip.yaml"
    path.write_text(PARTS)
    shown = cosearch("show", "hardware", path).out
    assert "buf  Inputs Weights 64, Outputs 16 words" in shown
    assert "stores 4 or 8 or 32 bit" in shown
    assert "4 to 8 by 8 bit" in shown
    (row,) = [line.split() for line in shown.splitlines() if line.startswith("    Outputs")]
    assert row == ["Outputs", "32", "4.00", "4.00", "4.00"]
