"""Constraints as a search follows them, against filtering all mappings by the words of the file."""

import math
import re

import numpy as np
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosearch.errors import CosearchError, Infeasible, InputError
from cosearch.formats.yaml_source import parse_yaml
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.breaches import breaches
from cosearch.loopnest.space.mapspace import MapSpace
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import Axis, Einsum, Tensor, conv
from cosearch_plugins.formats.machine_file import MachineFile
from cosearch_plugins.formats.timeloop.architecture import architecture_of
from cosearch_plugins.formats.timeloop.constraints import placed, read_constraints, understood
from cosearch_plugins.mappers.exact.mapper import ExactMapper

ARCH = """\
architecture:
  version: 0.3
  subtree:
  - name: chip
    local:
    - {name: main, class: DRAM, attributes: {width: 8, datawidth: 8, vector_access_energy: 90}}
    - {name: sram, class: SRAM, attributes: {depth: 24, width: 8, datawidth: 8,
       vector_access_energy: 6}}
    subtree:
    - name: PE
      local:
      - {name: 'reg[0..3]', class: regfile, attributes: {depth: 6, width: 8, datawidth: 8,
         meshX: 2, vector_access_energy: 1}}
      - {name: 'alu[0..3]', class: intmac, attributes: {datawidth: 8, meshX: 2, energy: 0.5}}
"""

AXES = {"A": "MK", "B": "KN", "Z": "MN"}
ROLES = {"A": "Weights", "B": "Inputs", "Z": "Outputs"}


def product(M, N, K):
    tensors = [Tensor(t, ROLES[t], tuple(Axis(((d, 1),)) for d in AXES[t])) for t in "ABZ"]
    return Einsum("mm", ("M", "N", "K"), (M, N, K), tuple(tensors))


def rules_of(text, layer):
    """Return the machine, what its constraints say of the layer, and what is not followed."""
    document = parse_yaml(ARCH + text, "arch.yaml")
    machine = architecture_of(document)
    directives = (*machine.directives, *read_constraints([document]))
    known = placed(directives, machine.architecture, machine.fanouts, machine.disabled)
    found = understood(known, machine.architecture, layer)
    return machine.architecture, found.constraints, found.notes


# -- all mappings, and the words of the file by themselves


def meets(mapping, directive, layer):
    """Return whether a mapping keeps to one directive, read with nothing but this function."""
    names = ["reg", "sram", "main"]
    if directive["type"] == "utilization":
        used = math.prod(loop.bound for entry in mapping.levels for loop in entry.spatial)
        return used / 4 >= directive["min"]
    entry = mapping.levels[names.index(directive["target"])]
    if directive["type"] == "bypass":
        kept = all(name in entry.keep for name in directive.get("keep", []))
        return kept and not any(name in entry.keep for name in directive.get("bypass", []))
    loops = entry.temporal if directive["type"] == "temporal" else entry.spatial
    for dim, sign, bound in re.findall(r"([MNK])(<?=)(\d+)", directive.get("factors", "")):
        factor = math.prod(loop.bound for loop in loops if loop.dim == dim)
        number = int(bound) or layer.bounds[dim]
        number = min(number, layer.bounds[dim])
        if factor > number or (sign == "=" and factor != number):
            return False
    order = directive.get("permutation", "")
    if directive["type"] == "spatial" and "split" in directive:
        x = set(order[: directive["split"]])
        across = all(loop.dim in x for loop in entry.spatial_x if loop.bound > 1)
        return across and not any(loop.dim in x for loop in entry.spatial_y if loop.bound > 1)
    if directive["type"] == "temporal":
        turning = "".join(loop.dim for loop in loops if loop.bound > 1)
        inside = "".join(dim for dim in order if dim in turning)
        return turning.startswith(inside)
    return True


def written(directives):
    def field(value):
        return f"[{', '.join(value)}]" if isinstance(value, list) else f"'{value}'"

    plain = {"split", "min"}
    lines = [
        "- {" + ", ".join(f"{k}: {v if k in plain else field(v)}" for k, v in d.items()) + "}"
        for d in directives
    ]
    return "architecture_constraints:\n  targets:\n  " + "\n  ".join(lines) + "\n"


@st.composite
def directives(draw):
    """Draw up to three directives, each of another level or kind."""
    found = {}
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["temporal", "temporal", "spatial", "bypass", "utilization"]))
        if kind == "utilization":
            share = draw(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))
            found[kind] = {"target": "reg", "type": kind, "min": share}
            continue
        level = "sram" if kind == "spatial" else draw(st.sampled_from(["reg", "sram", "main"]))
        level = "reg" if kind == "bypass" and level == "main" else level
        directive = {"target": level, "type": kind}
        if kind == "bypass":
            tensors = draw(st.permutations("ABZ"))
            keep = draw(st.integers(0, 2))
            directive |= {
                "keep": tensors[:keep],
                "bypass": tensors[keep : draw(st.integers(keep, 3))],
            }
        else:
            dims = draw(st.permutations("MNK"))[: draw(st.integers(0, 2))]
            words = [
                f"{d}{draw(st.sampled_from(['=', '<=']))}{draw(st.sampled_from([1, 2, 3, 4]))}"
                for d in dims
            ]
            directive["factors"] = " ".join(words)
            directive["permutation"] = "".join(
                draw(st.permutations("MNK"))[: draw(st.integers(0, 3))]
            )
            if kind == "spatial":
                directive["split"] = draw(st.integers(0, len(directive["permutation"])))
        found[kind, level] = directive
    return list(found.values())


SIZES = st.sampled_from([(4, 1, 2), (6, 2, 1), (1, 4, 3), (12, 1, 1), (4, 2, 1)])


def few_bypasses(text, layer):
    """Return a machine with few choices of what to keep, and what is said of it."""
    architecture, constraints, _ = rules_of(text, layer)
    inner, middle, outer = architecture.levels
    inner = evolve(inner, may_keep={"Weights", "Outputs"})
    middle = evolve(middle, may_keep={"Inputs"})
    return evolve(architecture, levels=(inner, middle, outer)), constraints


def that_cost(said):
    """Return the directives without an order of the innermost level: a free space has but one."""
    innermost = {"target": "reg", "type": "temporal"}.items()
    return [d | {"permutation": ""} if innermost <= d.items() else d for d in said]


def prices(space, rows):
    batch = space.pricer.price(rows)
    return batch.feasible, batch.energy_pj * batch.cycles


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(directives(), SIZES)
def test_a_constrained_space_is_the_free_one_filtered(said, sizes):
    layer = product(*sizes)
    architecture, constraints = few_bypasses(written(said), layer)
    free = MapSpace(architecture, layer)
    kept = set()
    for rows in free.enumerate():
        feasible, edp = prices(free, rows)
        for row, cost in zip(rows[feasible], edp[feasible], strict=True):
            mapping = free.mapping_of(row)
            if all(meets(mapping, directive, layer) for directive in said):
                assert not list(breaches(constraints, architecture, layer, mapping))
            if all(meets(mapping, directive, layer) for directive in that_cost(said)):
                kept.add((cost, mapping))
    try:
        space = MapSpace(architecture, layer, constraints)
        found = set()
        for rows in space.enumerate():
            feasible, edp = prices(space, rows)
            found |= {
                (cost, space.mapping_of(row))
                for row, cost in zip(rows[feasible], edp[feasible], strict=True)
            }
    except (Infeasible, CosearchError):
        found = set()
    assert as_costs(found) == as_costs(kept)


def as_costs(mappings):
    """Return mappings that differ in more than the innermost loop order, which costs nothing."""
    return {
        (cost, m.levels[0].keep, frozenset(m.levels[0].factors().items()), m.levels[1:])
        for cost, m in mappings
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(directives(), SIZES)
def test_the_exact_mapper_finds_the_best_of_what_is_left(said, sizes):
    layer = product(*sizes)
    architecture, constraints = few_bypasses(written(said), layer)
    free = MapSpace(architecture, layer)
    best = math.inf
    for rows in free.enumerate():
        feasible, edp = prices(free, rows)
        for i in np.flatnonzero(feasible):
            if edp[i] < best and all(
                meets(free.mapping_of(rows[i]), d, layer) for d in that_cost(said)
            ):
                best = edp[i]
    machine = SpatialAccelerator(architecture, constraints)
    try:
        found = ExactMapper().map(machine, layer, OBJECTIVES[0], Budget(), np.random.default_rng(0))
        loss = found.energy_pj * found.cycles
    except (Infeasible, CosearchError):
        loss = math.inf
    assert loss == pytest.approx(best, rel=1e-12) or loss == best


# -- words


def test_both_spellings_and_the_first_names_of_the_part():
    layer = product(4, 4, 4)
    entry = "{target: sram, type: temporal, factors: M=2}"
    for part in (
        f"architecture_constraints: {{targets: [{entry}]}}",
        f"architecture-constraints:\n- {entry}",
        f"mapspace_constraints: {{targets: [{entry}]}}",
        f"mapspace-constraints: {{constraints: [{entry}]}}",
        f"mapspace: {{targets: [{entry}]}}",
        f"arch_constraints: [{entry}]",
        "mapspace:\n- {target: sram, constraints: [{type: temporal, attributes: {factors: M2}}]}",
        "mapspace_constraints: [{target: 1, type: temporal, factors: 'M = 2'}]",
    ):
        spelled = part.replace("-constraints:", "_constraints:")
        assert rules_of(spelled + "\n", layer)[1]["sram"].temporal == {"M": 2}, part


def test_templates_of_mapspaces():
    layer = product(4, 4, 4)
    assert rules_of("mapspace: {version: '0.4', template: uber}\n", layer) == rules_of("", layer)
    (note,) = rules_of("mapspace: {template: ruby}\n", layer)[2]
    assert note.startswith("arch.yaml:15: ")
    assert "template 'ruby' is not followed: factors divide" in note


@pytest.mark.parametrize(
    ("directive", "layer", "note"),
    [
        ("{target: sram, type: temporal, factors: Q=2}", "mm", "not followed: Q=2"),
        ("{target: sram, type: temporal, factors: M=99}", "mm", "M=99 is more than its size"),
        ("{target: sram, type: temporal, no_temporal_reuse: [A]}", "mm", "no_temporal_reuse"),
        ("{target: sram, type: spatial, permutation: MK}", "mm", "there is no split"),
        ("{target: sram, type: spatial, permutation: M, split: 2}", "mm", "the split at 2"),
        ("{target: sram, type: max_overbooked_proportion, proportion: 0.1}", "mm", "not followed"),
    ],
)
def test_what_is_not_followed_is_named_with_its_line(directive, layer, note):
    _, _, notes = rules_of(f"mapspace_constraints:\n- {directive}\n", product(4, 4, 4))
    assert any(note in told and "arch.yaml:16" in told for told in notes), notes
    assert layer


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("[{target: l2, type: temporal, factors: M=2}]", "there is no level 'l2'"),
        ("[{target: sram, type: bypass, keep: [Q]}]", "layer 'mm' has the tensors A B Z"),
        (
            "[{target: 1, type: temporal, factors: M2}, {target: 1, type: temporal, factors: M4}]",
            "M=4, and another directive says M=2",
        ),
        (
            "[{target: sram, type: bypass, keep: [A]}, {target: sram, type: bypass, bypass: [A]}]",
            "A is kept and bypassed",
        ),
        ("[{target: sram, type: sideways}]", "'sideways' is not one of"),
        ("[{target: sram, type: temporal, factors: M~2}]", "is no factor"),
    ],
)
def test_a_fault_names_the_line(lines, problem):
    with pytest.raises(InputError) as caught:
        rules_of(f"mapspace_constraints: {lines}\n", product(4, 4, 4))
    assert problem in str(caught.value)
    assert "arch.yaml" in str(caught.value)


def test_factors_only_and_still_tensors():
    layer = product(4, 4, 4)
    text = "mapspace_constraints:\n- {target: sram, type: temporal, factors_only: [M=2]}\n"
    text += "- {target: main, type: temporal, no_iteration_over_dataspaces: [A]}\n"
    rules = rules_of(text, layer)[1]
    assert rules["sram"].temporal == {"M": 2, "N": 1, "K": 1}
    assert rules["main"].temporal == {"M": 1, "K": 1}


def test_the_rest_of_a_dimension():
    layer = product(8, 4, 4)
    text = "mapspace_constraints:\n- {target: sram, type: temporal, factors: M=0 K=0}\n"
    text += "- {target: reg, type: temporal, factors: M=2}\n"
    rules = rules_of(text, layer)[1]
    assert rules["sram"].temporal == {"M": 4, "K": 4}


def test_a_network_whose_layers_lack_the_tensors_is_refused(tmp_path):
    file = tmp_path / "arch.yaml"
    file.write_text(ARCH + "architecture_constraints: [{target: reg, type: bypass, keep: [A]}]\n")
    machine = MachineFile(str(file)).build({})
    with pytest.raises(InputError, match="has the tensors Weights Inputs Outputs"):
        machine.mapspace(conv(K=2, C=2, P=2, Q=2))


def test_constraints_in_a_file_of_their_own(tmp_path):
    (tmp_path / "arch.yaml").write_text(ARCH)
    (tmp_path / "c.yaml").write_text(
        "mapspace_constraints: [{target: reg, type: bypass, keep: [Z]}]\n"
    )
    (tmp_path / "d.yaml").write_text(
        "arch_constraints: [{target: 0, type: utilization, min: 0.5}]\n"
    )
    spec = f"{tmp_path}/arch.yaml:constraints={tmp_path}/c.yaml+{tmp_path}/d.yaml"
    rules = MachineFile(spec).build({}).constraints_for(product(4, 4, 4))
    assert (rules["reg"].keep, rules["reg"].least_multipliers) == ({"Z"}, 2)
    with pytest.raises(InputError, match="holds no constraints"):
        MachineFile(f"{tmp_path}/arch.yaml:constraints={tmp_path}/arch.yaml")


def test_equal_files_are_one_machine_and_other_constraints_another(tmp_path):
    file = tmp_path / "arch.yaml"
    keys = set()
    for text in ("", "mapspace_constraints: [{target: reg, type: bypass, keep: [Z]}]\n"):
        file.write_text(ARCH + text)
        keys |= {MachineFile(str(file)).build({}).key, MachineFile(str(file)).build({}).key}
    assert len(keys) == 2


CASE = """\
architecture:
  version: 0.3
  subtree:
  - name: chip
    local:
    - {name: main, class: DRAM, attributes: {width: 64, datawidth: 8}}
    - {name: sram, class: SRAM, attributes: {depth: 1024, width: 8, datawidth: 8}}
    - {name: reg, class: regfile, attributes: {depth: 16, width: 8, datawidth: 8}}
    - {name: alu, class: intmac, attributes: {datawidth: 8}}
architecture_constraints:
  targets:
  - {target: sram, type: bypass, keep: [A], bypass: [B, Z]}
  - {target: reg, type: bypass, keep: [Z], bypass: [A, B]}
ERT:
  version: 0.4
  tables:
  - name: "chip.main[1..1]"
    actions: [{name: read, energy: 300}, {name: write, energy: 310}, {name: update, energy: 310}]
  - name: "chip.sram[1..1]"
    actions: [{name: read, energy: 11}, {name: write, energy: 13}, {name: update, energy: 13}]
  - name: "chip.reg[1..1]"
    actions: [{name: read, energy: 2}, {name: write, energy: 3}, {name: update, energy: 3}]
  - name: "chip.alu[1..1]"
    actions: [{name: compute, energy: 0.5}]
"""


def test_the_best_mapping_under_a_bypass_of_own_names(tmp_path):
    """Every word of B is read from main for every use, A and Z once: counted by hand."""
    file = tmp_path / "arch.yaml"
    file.write_text(CASE)
    machine, layer = MachineFile(str(file)).build({}), product(16, 16, 16)
    found = ExactMapper().map(machine, layer, OBJECTIVES[0], Budget(), np.random.default_rng(0))
    main = (256 / 8 + 4096 / 8) * 300 + 256 / 8 * 310
    sram = 4096 * 11 + 256 * 13
    reg = 4096 * 3 + (4096 - 256) * 2
    assert found.energy_pj == main + sram + reg + 4096 * 0.5 == 243_520
    assert (found.cycles, found.proven) == (4096, True)
    mapping = machine.mapspace(layer).mapping_of(found.row)
    assert [sorted(entry.keep) for entry in mapping.levels] == [["Z"], ["A"], ["A", "B", "Z"]]


FACTORS = "[{target: sram, type: temporal, factors: M=2}]"


def test_a_mapspace_may_name_one_of_several_lists():
    """The first style: `constraints: rows` is the list `constraints_rows`."""
    layer = product(4, 4, 4)
    named = f"mapspace: {{template: uber, constraints: a-b, constraints_a_b: {FACTORS}}}\n"
    _, found, notes = rules_of(named, layer)
    assert (found["sram"].temporal, notes) == ({"M": 2}, ())
    assert found == rules_of(f"mapspace: {{constraints: {FACTORS}}}\n", layer)[1]
    with pytest.raises(InputError, match="there is no list 'constraints_c' beside it"):
        rules_of(f"mapspace: {{constraints: c, constraints_a: {FACTORS}}}\n", layer)
    with pytest.raises(InputError, match="there is no list 'constraints_c' beside it"):
        rules_of("mapspace: {constraints: c}\n", layer)


def test_other_templates_of_a_mapspace_are_told():
    layer = product(4, 4, 4)
    _, _, notes = rules_of(f"mapspace: {{template: ruby, constraints: {FACTORS}}}\n", layer)
    assert "template 'ruby' is not followed" in notes[0]


def test_a_split_behind_all_dimensions_as_the_front_end_counts_them():
    text = (
        "mapspace: [{target: sram, type: spatial, permutation: MNK, "
        "split: len(spec.problem.instance)}]\n"
    )
    _, found, _ = rules_of(text, product(4, 4, 4))
    assert (found["sram"].x_dims, found["sram"].y_dims) == (frozenset("MNK"), frozenset())
