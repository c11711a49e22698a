import math
import os
import signal
import subprocess
import sys

import pytest

CRAMPED = """
    from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
    from cosearch.loopnest.accelerator import SpatialAccelerator
    from cosearch.machine.hardware import HardwareModel
    from cosearch.registry.registration import Registration, hookimpl
    from cosearch.loopnest.mapping import LevelConstraint
    from cosearch.search.parameters import Parameter, ParameterSpace

    @hookimpl
    def cosearch_hardware_models():
        return [Registration("cramped", "MODULE:Cramped")]

    class Cramped(HardwareModel):
        name = "cramped"
        space = ParameterSpace((Parameter("words", (4, 4096)),))

        def build(self, configuration):
            pj = AccessEnergy.uniform(1.0)
            words = self.check(configuration)["words"]
            levels = (Memory("local", words, pj), Memory("DRAM", None, pj, is_dram=True))
            machine = Architecture("cramped", levels, Compute(1.0))
            return SpatialAccelerator(machine, {"local": LevelConstraint(temporal={"K": 64})})
"""


@pytest.fixture
def cramped(distribution, cosearch, monkeypatch):
    distribution("acme", CRAMPED)
    monkeypatch.delenv("COSEARCH_NO_PLUGINS")
    return cosearch


def test_a_layer_is_shown_as_a_loop_nest_with_cost_and_proof(cosearch):
    out = cosearch(
        "map", "resnet18:fc", "-H", "eyeriss", "-m", "random", "--mapper-trials", 200
    ).out
    lines = [line.strip() for line in out.splitlines()]
    assert any(
        line.startswith("DRAM: Weights 512,000, Inputs 512, Outputs 1,000") for line in lines
    )
    assert any(line.startswith("for ") for line in lines)
    assert "MAC: Outputs[k] += Weights[k,c] * Inputs[c]" in lines
    assert any("of the multipliers; bound by" in line for line in lines)
    assert "best of 200 mappings; nothing is proven" in out
    assert "optimal" not in out


def test_json_adds_up_over_layers_and_runs(cosearch):
    arguments = ("resnet18", "-H", "eyeriss", "-m", "random", "--mapper-trials", 50, "--json")
    facts = cosearch("map", *arguments).json()
    layers = facts["layers"]
    assert facts["complete"]
    assert sum(layer["count"] for layer in layers) == 21
    assert facts["cycles"] == sum(layer["cycles"] * layer["count"] for layer in layers)
    total = math.fsum(layer["energy_pj"] * layer["count"] for layer in layers)
    assert facts["energy_pj"] == pytest.approx(total, rel=1e-12)
    for layer in layers:
        parts = [*(level["energy_pj"] + level["network_pj"] for level in layer["levels"])]
        assert layer["energy_pj"] == pytest.approx(sum(parts) + layer["compute_pj"], rel=1e-9)
        assert layer["evaluations"] == 50
        assert layer["proven"] is False


def test_the_mapping_in_json_covers_every_dimension(cosearch):
    facts = cosearch("map", "conv:K=6,C=10,P=9,Q=7", "-H", "eyeriss", "--json").json()
    layer = facts["layers"][0]
    product = dict.fromkeys(layer["dims"], 1)
    for level in layer["mapping"]:
        for dim, bound in level["temporal"] + level["spatial_x"] + level["spatial_y"]:
            product[dim] *= bound
    assert product == layer["dims"]


def test_one_seed_one_result(cosearch):
    def mapped(seed):
        arguments = ("conv", "-H", "eyeriss", "-m", "random", "--mapper-trials", 64)
        return cosearch("map", *arguments, "--seed", seed, "--json").json()["layers"][0]["row"]

    assert mapped(3) == mapped(3)
    assert mapped(3) != mapped(4)


def test_a_proof_is_claimed_where_the_mapper_has_one(cosearch):
    result = cosearch("map", "gemm:M=32,N=32,K=32", "-H", "systolic", "-m", "exhaustive")
    assert "proven optimal for edp" in result.out


def test_a_parameter_can_be_set(cosearch):
    arguments = ("map", "conv", "-H", "eyeriss", "-m", "random", "--json")
    narrow, base = (cosearch(*arguments, *s).json() for s in (("--set", "bus_words=3"), ()))
    assert narrow["set"] == {"bus_words": 3}
    assert narrow["layers"][0]["cycles"] >= base["layers"][0]["cycles"]


def test_what_fits_nowhere_says_which_level_overflows_and_by_how_much(cramped):
    result = cramped("map", "conv:C=1", "-H", "cramped", "-m", "random")
    assert result.code == 2
    assert "local" in result.out
    assert result.err.startswith("error: layer 'conv' fits nowhere: local has room for 4 words")
    assert "enlarge local" in result.err
    assert "Traceback" not in result.err


def test_what_fits_nowhere_in_json(cramped):
    result = cramped("map", "conv:C=1", "-H", "cramped", "-m", "random", "--json")
    facts = result.json()
    assert result.code == 2
    assert facts["complete"] is False
    assert facts["layers"][0]["feasible"] is False
    assert "local" in facts["layers"][0]["reason"]


def test_more_room_lets_it_fit(cramped):
    assert cramped("map", "conv:C=1", "-H", "cramped", "--set", "words=4096").code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("resnet18", "-H", "nothing"), "there is no hardware model 'nothing'"),
        (("nothing", "-H", "eyeriss"), "there is no workload 'nothing'"),
        (("conv", "-H", "eyeriss", "-m", "exakt"), "there is no mapper 'exakt'"),
        (("conv", "-H", "eyeriss", "-o", "speed"), "there is no objective 'speed'"),
        (("conv", "-H", "eyeriss", "--seed", "-1"), "--seed"),
        (("conv", "-H", "eyeriss", "--seed", "one"), "--seed"),
        (("conv", "-H", "eyeriss", "--mapper-trials", "0"), "--mapper-trials"),
        (("conv", "-H", "eyeriss", "--seconds", "-2"), "--seconds"),
        (("conv:K=0", "-H", "eyeriss"), "K=0"),
        (("conv:K=x", "-H", "eyeriss"), "K=x"),
        (("conv:Z=1", "-H", "eyeriss"), "'Z'"),
        (("missing.yaml", "-H", "eyeriss"), "missing.yaml"),
        (("resnet18:nope", "-H", "eyeriss"), "'nope'"),
        (("conv",), "--hardware"),
    ],
)
def test_a_mistake_is_one_message(refused, arguments, told):
    assert told in refused("map", *arguments)


def test_a_malformed_file_is_one_message(refused, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text("layers: [1, {")
    assert "net.yaml" in refused("map", path, "-H", "eyeriss")


def test_ctrl_c_keeps_the_layers_that_are_done():
    program = [
        sys.executable,
        "-m",
        "cosearch",
        "map",
        "resnet18",
        "-H",
        "eyeriss",
        "-m",
        "random",
        "--mapper-trials",
        "1500000",
        "--debug",
    ]
    process = subprocess.Popen(
        program,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout.readline().startswith("resnet18 on eyeriss")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped after" in err
    assert "Traceback" not in err


def test_layers_mapped_at_once_are_mapped_alike(cosearch):
    arguments = ("map", "shi2020-dqn*2+shi2020-mlp", "-H", "eyeriss", "-m", "exact", "--json")
    one, three = (cosearch(*arguments, "--workers", n).json() for n in (1, 3))
    for facts in (one, three):
        for layer in facts["layers"]:
            del layer["mapper_seconds"]
    assert one == three
    assert one["network"]["proven"]
    assert [part["weight"] for part in one["network"]["networks"]] == [2, 1]


def test_layers_can_be_left_at_their_own_best(cosearch):
    facts = cosearch(
        "map",
        "shi2020-resnet",
        "-H",
        "eyeriss",
        "--set",
        "pe_x=12",
        "--combine",
        "layers",
        "--json",
    ).json()
    network = facts["network"]
    assert network["layers"] == []
    assert (network["value"], network["gap"]) == (facts["edp"], network["own_best"]["gap"])


def test_another_way_to_combine_is_refused_with_those_there_are(refused):
    error = refused("map", "gemm", "-H", "eyeriss", "--combine", "netwrk")
    assert "there is no combine 'netwrk'" in error
    assert "'network'" in error


def test_what_costs_nothing_is_named(cosearch):
    ran = cosearch("map", "nasbench201-cell:index=0", "-H", "systolic", "-o", "latency")
    told = " ".join(ran.out.split())
    assert "6 average, 8 add left out of the cost" in told
    facts = cosearch("map", "nasbench201-cell:index=0", "-H", "systolic", "--json").json()
    assert {item["kind"] for item in facts["left_out"]} == {"add", "average"}
