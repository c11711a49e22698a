"""Files of groups: what is written is read as it was, priced the same, and refused when wrong."""

from __future__ import annotations

import random

import pytest
import yaml
from attrs import evolve

from cosearch.errors import CosearchError, InputError
from cosearch.formats.groups import groups_text, read_groups
from cosearch.formats.spec import read_architecture_file
from cosearch.loopnest.model.fused import group_cost
from cosearch.mapping.fused import FusedRun
from cosearch_hardware.bit_serial import BitSerial
from cosearch_hardware.gemmini.model import Gemmini
from cosearch_hardware.simba import Simba
from cosearch_plugins.mappers.fused.oracle.cases import (
    KINDS,
    chain_of,
    group_of,
    machine_of,
    mapping_of,
)


def written(seed, folder):
    """Return a machine and a group of random layers, and the file that has them."""
    pick = random.Random(seed)
    machine = machine_of(pick, 10**6)
    group = group_of(pick, *chain_of(pick, pick.choice((1, 2, 3)), pick.choice(KINDS)))
    mappings = [mapping_of(pick, machine, group, j) for j in range(len(group.layers))]
    group = evolve(group, mappings=tuple(mappings))
    places = tuple(range(len(group.layers)))
    run = FusedRun(tuple(x.name for x in group.layers), places, 3, group, None, 0)
    path = folder / "groups.yaml"
    path.write_text(groups_text(machine, [run]), encoding="utf-8")
    return machine, group, path


@pytest.mark.parametrize("seed", range(40))
def test_what_is_written_is_read_as_it_was(seed, tmp_path):
    machine, group, path = written(seed, tmp_path)
    file = read_groups(path)
    (found,) = file.groups
    assert file.architecture == machine
    assert (found.group, found.runs) == (group, 3)
    try:
        cost = group_cost(machine, group)
    except CosearchError:
        return
    assert group_cost(file.architecture, found.group) == cost


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda g: g.update(prefix=[{"bound": 7, "dims": ["M", "M"]}]), "does not divide"),
        (lambda g: g.update(held=[{"member": 0, "tensor": "X", "depth": 0}]), "no tensor 'X'"),
        (lambda g: g.update(runs=0), "runs: 0 is not"),
        (lambda g: g.update(rows=1), "no such field"),
        (lambda g: g["members"][1].pop("reads"), "'reads' is missing"),
        (lambda g: g["members"][1]["reads"].update(axes=[0, 5]), "are not axes"),
    ],
)
def test_wrong_files_are_told_what_is_wrong(change, told, tmp_path):
    seed = next(s for s in range(100) if _products(s, tmp_path))
    _, _, path = written(seed, tmp_path)
    facts = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(facts["groups"][0])
    path.write_text(yaml.safe_dump(facts), encoding="utf-8")
    with pytest.raises(InputError, match=told):
        read_groups(path)


def _products(seed, folder):
    """Return whether the group is of two matrix products without batch."""
    _, group, _ = written(seed, folder)
    return len(group.layers) == 2 and all(layer.dims == ("M", "N", "K") for layer in group.layers)


def test_memories_shared_by_instances_cannot_be_said():
    machine = machine_of(random.Random(1))
    levels = (evolve(machine.levels[0], cluster_size=2), *machine.levels[1:])
    with pytest.raises(CosearchError, match="files cannot say so"):
        groups_text(evolve(machine, levels=levels), [])


@pytest.mark.parametrize("make", [BitSerial, Gemmini, Simba])
def test_a_machine_is_written_with_the_widths_it_stores_and_multiplies(make, tmp_path):
    machine = make().build({}).architecture
    levels = [evolve(m, whole_words=i == 0) for i, m in enumerate(machine.levels)]
    machine = evolve(machine, levels=levels, widths={"Outputs": 24})
    path = tmp_path / "groups.yaml"
    _, group, _ = written(0, tmp_path)
    run = FusedRun(tuple(x.name for x in group.layers), (0,), 1, group, None, 0)
    path.write_text(groups_text(machine, [run]), encoding="utf-8")
    facts = yaml.safe_load(path.read_text())
    (tmp_path / "machine.yaml").write_text(
        yaml.safe_dump({"version": 1, "architecture": facts["architecture"]})
    )
    assert read_architecture_file(tmp_path / "machine.yaml") == machine
