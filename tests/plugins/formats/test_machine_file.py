"""A machine in a file, as a hardware model."""

import json
from pathlib import Path

import numpy as np
import pytest

from cosearch.cli import main
from cosearch.errors import InputError, UnknownNameError
from cosearch.hooks.discovery import load_registry
from cosearch.study.building import names_a_file
from cosearch.workload.einsum import gemm
from cosearch_plugins.formats.machine_file import MachineFile

EXAMPLES = Path(__file__).parents[3] / "examples"
ARCH = EXAMPLES / "timeloop" / "arch.yaml"
TIMELOOP = f"{ARCH}:ert={EXAMPLES / 'timeloop' / 'ERT.yaml'}"
SPEC = str(EXAMPLES / "evaluate" / "conv.yaml")


def test_names_of_files():
    registry = load_registry(third_party=False)
    assert names_a_file("some/arch.yaml:ert=ERT.yaml", registry)
    assert names_a_file("ARCH.YML", registry)
    assert not names_a_file("eyeriss:size=3", registry)


@pytest.mark.parametrize("spec", [TIMELOOP, SPEC])
def test_a_machine_prices_what_its_mapspace_holds(spec):
    model = MachineFile(spec)
    assert model.baseline == {}
    machine = model.build({})
    layer = gemm(M=4, N=4, K=3)
    space = machine.mapspace(layer)
    rows, _ = space.sample_feasible(20, np.random.default_rng(0))
    batch = machine.evaluate(layer, rows)
    for row, energy in zip(rows, batch.energy_pj, strict=True):
        if np.isfinite(energy):
            assert machine.explain(layer, row).energy_pj == energy
    assert np.isfinite(batch.energy_pj).any()


def test_levels_that_only_spread_have_no_loops_in_time():
    machine = MachineFile(TIMELOOP).build({})
    assert machine.fanouts == {"inter_column_spatial", "inter_PE_spatial"}
    layer = gemm(M=8, N=8, K=8)
    space = machine.mapspace(layer)
    for row in space.sample(20, np.random.default_rng(0)):
        for entry in space.mapping_of(row).levels:
            assert entry.level not in machine.fanouts or not any(
                x.bound > 1 for x in entry.temporal
            )


def test_other_fanouts_are_another_machine():
    machine = MachineFile(TIMELOOP).build({})
    assert machine.key == MachineFile(TIMELOOP).build({}).key
    assert machine.key != type(machine)(machine.architecture).key


def test_what_the_files_hold_beyond_the_model_is_told():
    assert any("no area is known" in note for note in MachineFile(TIMELOOP).notes)


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        (str(ARCH), InputError, "no energy is known"),
        (f"{ARCH}:etr=x", UnknownNameError, "no option of"),
        (f"{SPEC}:ert=x", InputError, "states its own energies"),
        (str(EXAMPLES / "timeloop" / "problem.yaml"), InputError, "holds no 'architecture'"),
    ],
)
def test_faults(spec, error, message):
    with pytest.raises(error, match=message):
        MachineFile(spec)


def test_a_missing_file(capsys):
    assert main(["map", "gemm:M=4,N=4,K=4", "-H", "/nowhere.yaml"]) == 2
    assert "no such file" in capsys.readouterr().err


def test_map_answers_for_timeloops_files(capsys):
    problem = str(EXAMPLES / "timeloop" / "problem.yaml")
    budget = ["-m", "random", "--mapper-trials", "50"]
    assert main(["map", problem, "-H", TIMELOOP, "--json", *budget]) == 0
    shown = capsys.readouterr()
    (layer,) = json.loads(shown.out)["layers"]
    assert layer["feasible"]
    assert "no area is known" in shown.err
