"""Timeloop's architecture files, and whole inputs against Timeloop's own figures."""

import math
from pathlib import Path

import pytest
import yaml

from cosearch.errors import InputError
from cosearch.validate.compare import compare
from cosearch.validate.figures import MappedLayer, reference_model
from cosearch_plugins.formats.timeloop.architecture import read_architecture
from cosearch_plugins.formats.timeloop.read import read_timeloop
from cosearch_plugins.formats.timeloop.tables import EnergyTable
from cosearch_plugins.references.timeloop import Timeloop

DATA = Path(__file__).parents[3] / "data" / "timeloop"

ENERGIES = EnergyTable(
    {
        name: {"read": 1.0, "write": 2.0, "compute": 0.5, "leak": 0.25}
        for name in ("DRAM", "glb", "ispad", "wspad", "mac")
    }
)

NEW = """\
architecture:
  version: 0.4
  nodes:
  - !Container {name: system, attributes: {datawidth: 8}}
  - !Component
    name: DRAM
    class: DRAM
    attributes: {width: 64}
  - !Container {name: chip}
  - !Component
    name: glb
    class: smartbuffer_SRAM
    attributes: {depth: 128, width: 64, read_bandwidth: 16, multiple_buffering: 2, n_banks: 4}
    constraints:
      dataspace: {keep: [Inputs], bypass: [Weights]}
  - !Container {name: column, spatial: {meshX: 4}}
  - !Container {name: PE, spatial: {meshY: 3}, attributes: {datawidth: 16}}
  - !Parallel
    nodes:
    - !Component {name: ispad, class: smartbuffer_RF, attributes: {depth: 12, width: 16}}
    - !Component {name: wspad, class: smartbuffer_RF, attributes: {entries: 192},
                  constraints: {dataspace: {keep_only: [Weights]}, temporal: {factors: [C=1]}}}
  - !Component {name: mac, class: intmac, spatial: {meshX: 2}}
"""

OLD = """\
architecture:
  version: 0.3
  subtree:
  - name: system
    attributes: {technology: 45nm, word-bits: 8}
    local:
    - {name: DRAM, class: DRAM, attributes: {block-size: 8}}
    subtree:
    - name: chip
      local:
      - {name: glb, class: storage, subclass: smartbuffer_SRAM,
         attributes: {sizeKB: 2, block-size: 8}}
      subtree:
      - name: PE[0..11]
        local:
        - {name: ispad, class: regfile, attributes: {memory_depth: 12, meshX: 4}}
        - {name: 'wspad[0..1]', class: regfile, attributes: {entries: 192, meshY: 3}}
        - {name: 'mac[0..1]', class: intmac, attributes: {meshX: 8}}
"""


@pytest.fixture
def read(tmp_path):
    def reader(text, energies=ENERGIES, areas=None):
        (tmp_path / "arch.yaml").write_text(text)
        return read_architecture(tmp_path / "arch.yaml", energies, areas)

    return reader


def test_version_4(read):
    machine = read(NEW, areas={"glb": 7.0})
    levels = {level.name: level for level in machine.architecture.levels}
    assert list(levels) == [
        "inter_mac_spatial",
        "wspad",
        "ispad",
        "inter_PE_spatial",
        "inter_column_spatial",
        "glb",
        "DRAM",
    ]
    assert [(m.mesh_x, m.mesh_y) for m in levels.values()] == [
        (4, 3),
        (4, 3),
        (4, 3),
        (4, 1),
        (1, 1),
        (1, 1),
        (1, 1),
    ]
    compute = machine.architecture.compute
    assert (compute.mesh_x, compute.mesh_y, compute.energy_pj) == (8, 3, 0.5)
    glb = levels["glb"]
    assert (glb.word_bits, glb.block_size, glb.entries, glb.usable_entries) == (8, 8, 1024, 512)
    assert (glb.read_bandwidth, glb.area_um2, glb.leak_pj_per_cycle) == (16, 7.0, 0.25)
    assert (glb.keeps, glb.may_keep) == (set(), {"Weights", "Inputs", "Outputs"})
    assert (levels["ispad"].word_bits, levels["ispad"].block_size) == (16, 1)
    said = {(d.target, d.kind): d for d in machine.directives}
    assert said["wspad", "dataspace"].keep_only == ("Weights",)
    assert said["glb", "dataspace"].keep == ("Inputs",)
    assert machine.passing == {name for name in levels if name.startswith("inter_")}
    assert (levels["DRAM"].entries, levels["DRAM"].is_dram) == (None, True)
    assert levels["DRAM"].keeps == {"Weights", "Inputs", "Outputs"}
    assert machine.fanouts["PE"] == "inter_PE_spatial"


def test_what_is_not_used_is_named(read):
    notes = "\n".join(read(NEW).told)
    for text in (
        "glb: not used: n_banks: 4",
        "mac: leakage of multipliers",
        "no area is known for DRAM, glb",
    ):
        assert text in notes


def test_version_3(read):
    levels = {level.name: level for level in read(OLD).architecture.levels}
    assert list(levels) == ["wspad", "ispad", "glb", "DRAM"]
    assert (levels["ispad"].mesh_x, levels["ispad"].mesh_y) == (4, 3)
    assert (levels["wspad"].mesh_x, levels["wspad"].mesh_y) == (8, 3)
    assert (levels["glb"].entries, levels["glb"].block_size) == (2048, 8)
    assert read(OLD).architecture.compute.instances == 24


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (OLD, "meshX: 4", "meshX: 5", "12 instances of ispad do not fill a mesh of 5 x 2"),
        (OLD, "class: intmac", "class: SRAM", "the innermost component is 'mac'"),
        (OLD, "sizeKB: 2", "sizeKB: big", "'big' is not a whole number"),
        (OLD, "name: glb", "name: ispad", "two levels of one name"),
        (NEW, "!Parallel", "!Diagonal", "the tag !Diagonal is not understood"),
        (NEW, "{meshX: 4}", "{meshZ: 4}", "no such field"),
        (NEW, "nodes:\n  - !Container {name: s", "leaves:\n  - !Container {name: s", "has neither"),
        (NEW, "depth: 128", "depth: -1", "-1 is not a whole number"),
    ],
)
def test_a_fault_names_line_and_field(read, text, old, new, message):
    assert old in text
    with pytest.raises(InputError) as caught:
        read(text.replace(old, new, 1))
    assert any(message in problem for problem in caught.value.problems), caught.value.problems


# -- Timeloop's own figures, through its own file formats


def architecture_yaml(machine):
    """Write a machine as a 0.3 tree and its energies as an ERT."""
    local = []
    for memory in reversed(machine.levels):
        attributes = {
            "word-bits": memory.word_bits,
            "block-size": memory.block_size,
            "instances": memory.instances,
            "meshX": memory.mesh_x,
            "meshY": memory.mesh_y,
            "multiple-buffering": memory.multiple_buffering,
            "energy-per-hop": memory.network_below.hop_pj,
            "router-energy": memory.network_below.router_pj,
        }
        optional = {
            "entries": memory.entries,
            "read_bandwidth": memory.read_bandwidth,
            "write_bandwidth": memory.write_bandwidth,
            "shared_bandwidth": memory.shared_bandwidth,
        }
        attributes |= {key: value for key, value in optional.items() if value is not None}
        kind = "DRAM" if memory.is_dram else "SRAM"
        local.append({"name": memory.name, "class": kind, "attributes": attributes})
    compute = machine.compute
    local.append(
        {
            "name": compute.name,
            "class": "intmac",
            "attributes": {"instances": compute.instances, "meshX": compute.mesh_x},
        }
    )
    return {"architecture": {"version": 0.3, "subtree": [{"name": "system", "local": local}]}}


def table_yaml(machine):
    tables = [
        {
            "name": f"system.{memory.name}[1..{memory.instances}]",
            "actions": [
                {"name": "read", "energy": memory.energy.read},
                {"name": "write", "energy": memory.energy.fill},
                {"name": "update", "energy": memory.energy.update},
                {"name": "leak", "energy": memory.leak_pj_per_cycle},
            ],
        }
        for memory in machine.levels
    ]
    compute = machine.compute
    actions = [{"name": "compute", "energy": compute.energy_pj}]
    tables.append({"name": f"system.{compute.name}", "actions": actions})
    return {"ERT": {"version": "0.3", "tables": tables}}


def problem_yaml(layer):
    spaces = [
        {
            "name": tensor.name,
            "projection": [
                [
                    [dim, coefficient] if coefficient > 1 else [dim]
                    for dim, coefficient in axis.terms
                ]
                for axis in tensor.axes
            ],
            "read-write": tensor is layer.output,
        }
        for tensor in layer.tensors
    ]
    shape = {"name": "layer", "dimensions": list(layer.dims), "data-spaces": spaces}
    return {"problem": {"shape": shape, "instance": layer.bounds}}


def mapping_yaml(mapping, layer):
    entries = []
    for entry in mapping.levels:
        names = [tensor.name for tensor in layer.tensors]
        entries.append(
            {
                "target": entry.level,
                "type": "datatype",
                "keep": sorted(entry.keep),
                "bypass": [name for name in names if name not in entry.keep],
            }
        )
        entries.append(directive(entry.level, "temporal", entry.temporal))
        if entry.spatial:
            found = directive(entry.level, "spatial", entry.spatial)
            entries.append(found | {"split": len(entry.spatial_x)})
    return {"mapping": entries}


def directive(level, kind, loops):
    return {
        "target": level,
        "type": kind,
        "factors": " ".join(f"{loop.dim}={loop.bound}" for loop in loops),
        "permutation": "".join(loop.dim for loop in loops),
    }


def crosses(mapping):
    """Whether a dimension is spread along both X and Y, which one directive cannot say."""
    return any(
        {x.dim for x in entry.spatial_x} & {y.dim for y in entry.spatial_y}
        for entry in mapping.levels
    )


def test_figures_of_timeloop_through_its_own_formats(tmp_path):
    (section, *_) = Timeloop().read(DATA)
    points = [p for p in section.points if not crosses(p.case.mapping)]
    tried = 0
    for point in points[::9]:
        case = point.case
        parts = {
            "arch": architecture_yaml(case.architecture),
            "prob": problem_yaml(case.layer),
            "map": mapping_yaml(case.mapping, case.layer),
            "ert": table_yaml(case.architecture),
        }
        for name, data in parts.items():
            (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
        found = read_timeloop(
            [tmp_path / f"{name}.yaml" for name in ("map", "prob", "arch")], tmp_path / "ert.yaml"
        ).specification
        again = MappedLayer(found.architecture, found.layer, found.mapping)
        comparison = compare(point, reference_model(again))
        assert comparison.agreed, (point.id, comparison.differences[:3])
        tried += 1
    assert tried > 25
    assert math.isfinite(found.architecture.area_mm2)


def machine_of(tmp_path, text):
    file = tmp_path / "machine.yaml"
    file.write_text(text)
    return read_architecture(file).architecture


def test_memories_with_metadata_beside_their_data(tmp_path):
    """Sparseloop's files call rows and their bits so; what they hold is data."""
    machine = machine_of(
        tmp_path,
        """\
architecture:
  version: 0.3
  subtree:
  - name: PE
    local:
    - {name: back, class: DRAM, attributes: {width: 64, datawidth: 8}}
    - {name: pad, class: storage, attributes: {data_storage_depth: 16, data_storage_width: 32,
       metadata_storage_depth: 25, metadata_storage_width: 4, datawidth: 8}}
    - {name: mac, class: compute, attributes: {datawidth: 8}}
""",
    )
    pad = machine.levels[0]
    assert (pad.entries, pad.block_size) == (64, 4)


def test_multipliers_without_a_name_or_a_mesh(tmp_path):
    """The first style: what states no mesh stands as what is around it, if X alone is none."""
    text = """\
arch:
  arithmetic: {instances: 64}
  storage:
  - {name: reg, entries: 1, instances: 64, meshX: 4}
  - {name: main, technology: DRAM, instances: 1}
"""
    machine = machine_of(tmp_path, text)
    compute = machine.compute
    assert (compute.name, compute.mesh_x, compute.mesh_y) == ("arithmetic", 4, 16)
    alone = machine_of(tmp_path, text.replace(", meshX: 4", "")).compute
    assert (alone.mesh_x, alone.mesh_y) == (64, 1)
