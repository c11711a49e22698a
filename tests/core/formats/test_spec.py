"""The specification of a mapped layer."""

import pytest
import yaml

from cosearch.errors import InputError
from cosearch.formats.spec import json_schema, read_specification
from cosearch.loopnest.mapping import Loop
from cosearch.loopnest.model.reference import analyse
from cosearch.machine.architecture import Mode
from cosearch.workload.einsum import conv, gemm

SPEC = """\
version: 1
architecture:
  name: toy
  clock_mhz: 200
  sources: {buffer: made up}
  rules: {first_fill_is_counted: true}
  levels:
    - {name: pe, entries: 64, energy_pj: 0.5, mesh: [4, 1], area_um2: 900, keeps: [Weights],
       may_keep: [Outputs]}
    - name: buffer
      entries: 4096
      energy_pj: {read: 4.0, fill: 4.2, update: 4.4}
      word_bits: 8
      block_size: 2
      read_bandwidth: 8
      write_bandwidth: null
      multiple_buffering: 2
      leak_pj_per_cycle: 1e-3
      partitions:
        Weights: {entries: 100, energy_pj: 3}
      network_below: {hop_pj: 0.1, router_pj: 0.2}
    - {name: DRAM, energy_pj: 200, is_dram: true, shared_bandwidth: 4}
  compute: {name: PE, energy_pj: 0.9, mesh: [4, 1], word_bits: 8, area_um2: 100}
layer:
  name: conv1
  conv: {K: 8, C: 4, P: 6, Q: 6, R: 3, S: 3, stride: 2, dilation: [1, 2]}
mapping:
  - {level: pe, keep: [Weights, Outputs], temporal: {R: 3, S: 3}}
  - level: buffer
    keep: [Inputs, Outputs]
    temporal: [[C, 2], [P, 6], [C, 2], [K, 2]]
    spatial_x: {K: 4}
  - {level: DRAM, keep: [Weights, Inputs, Outputs], temporal: {Q: 6}}
"""


@pytest.fixture
def read(tmp_path):
    def reader(*texts):
        files = [tmp_path / f"spec{i}.yaml" for i in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            file.write_text(text)
        return read_specification(files)

    return reader


def problems(read, *texts):
    with pytest.raises(InputError) as caught:
        read(*texts)
    return caught.value.problems


def test_every_field(read):
    spec = read(SPEC)
    pe, buffer, dram = spec.architecture.levels
    assert (pe.mesh_x, pe.energy.fill, pe.keeps, pe.may_keep) == (4, 0.5, {"Weights"}, {"Outputs"})
    assert (buffer.energy.read, buffer.energy.fill, buffer.energy.update) == (4.0, 4.2, 4.4)
    assert (buffer.word_bits, buffer.block_size, buffer.usable_entries) == (8, 2, 2048)
    assert (buffer.read_bandwidth, buffer.write_bandwidth) == (8, None)
    assert (buffer.leak_pj_per_cycle, buffer.partitions["Weights"].entries) == (1e-3, 100)
    assert (buffer.network_below.hop_pj, buffer.network_below.router_pj) == (0.1, 0.2)
    assert (dram.is_dram, dram.shared_bandwidth, dram.entries) == (True, 4, None)
    assert spec.architecture.compute.name == "PE"
    assert spec.architecture.rules.first_fill_is_counted
    assert spec.architecture.clock_mhz == 200
    assert spec.layer == conv(K=8, C=4, P=6, Q=6, R=3, S=3, stride=(2, 2), dilation=(1, 2))
    assert spec.mapping.levels[1].temporal[2] == Loop("C", 2)
    assert analyse(spec.architecture, spec.layer, spec.mapping).computes == spec.layer.macs


WIDTHS = """\
version: 1
architecture:
  levels:
    - name: buf
      entries: 64
      energy_pj: 1
      word_bits: 8
      packs: [4, 8]
      partitions: {Outputs: {entries: 16, energy_pj: 4, word_bits: 32}}
    - {name: main, energy_pj: 10, is_dram: true, word_bits: 8}
  widths: {Inputs: 4}
  compute: {energy_pj: 1, modes: [{weights: 8, inputs: 8, energy_pj: 2, cycles: 3}]}
layer: {gemm: {M: 2, N: 2, K: 4}, bits: {Weights: 8, Outputs: 32}}
mapping:
  - {level: buf, keep: [Weights, Inputs, Outputs], temporal: {K: 4}}
  - {level: main, keep: [Weights, Inputs, Outputs], temporal: {M: 2, N: 2}}
"""


def test_widths(read):
    spec = read(WIDTHS)
    buffer, machine = spec.architecture.levels[0], spec.architecture
    assert buffer.packs == (4, 8)
    assert buffer.partitions["Outputs"].word_bits == 32
    assert machine.widths == {"Inputs": 4}
    assert machine.compute.modes == (Mode(8, 8, 2.0, 3),)
    assert [t.bits for t in spec.layer.tensors] == [8, None, 32]
    found = analyse(machine, spec.layer, spec.mapping)
    assert found.cycles == 16 * 3
    outermost = {t.tensor: t.energy_pj for t in found.levels[1].tensors}
    assert outermost == {"Weights": 8 * 10, "Inputs": 16 / 2 * 10, "Outputs": 4 * 4 * 10}
    assert found.energy_pj == 16 * 2 + (16 + 8) + (8 + 8) + (12 + 16) * 4 + sum(outermost.values())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Outputs: 32}}", "Sums: 32}}", "layer.bits.Sums: is no tensor"),
        ("Weights: 8, O", "Weights: 0, O", "layer.bits.Weights: 0 is not a number of bits"),
        ("packs: [4, 8]", "packs: []", "packs: is not a list of numbers of bits"),
        ("Inputs: 4}", "Input: 4}", "architecture.widths: 'Input' is not one of Weights"),
        ("cycles: 3", "cycle: 3", "modes[0].cycle: there is no such field"),
    ],
)
def test_widths_that_are_none(read, old, new, expected):
    assert WIDTHS.count(old) == 1
    assert any(expected in p for p in problems(read, WIDTHS.replace(old, new)))


def test_three_files_are_one(read):
    architecture, rest = SPEC.split("layer:\n")
    layer, mapping = rest.split("mapping:\n")
    parts = (architecture, f"version: 1\nlayer:\n{layer}", f"version: 1\nmapping:\n{mapping}")
    whole, split = read(SPEC), read(*parts)
    assert (whole.architecture, whole.layer, whole.mapping) == (
        split.architecture,
        split.layer,
        split.mapping,
    )


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("gemm: {M: 2, N: 3, K: 4, B: 5}", gemm(M=2, N=3, K=4, B=5)),
        ("conv: {K: 2, C: 1, P: 3, Q: 3, G: 4}", conv(K=2, C=1, P=3, Q=3, G=4)),
    ],
)
def test_other_layers(read, layer, expected):
    before, rest = SPEC.split("layer:\n")
    after = rest.split("mapping:\n")[1]
    assert read(f"{before}layer:\n  {layer}\nmapping:\n{after}").layer == expected


def test_an_einsum(read):
    before, rest = SPEC.split("layer:\n")
    after = rest.split("mapping:\n")[1]
    text = 'einsum: "S[h,m,n] += Q[h,m,e] * K[h,n,e]"\n  sizes: {h: 2, m: 3, n: 4, e: 5}'
    assert read(f"{before}layer:\n  {text}\nmapping:\n{after}").layer.macs == 120
    text = text.replace("e: 5", "x: 5")
    assert problems(read, f"{before}layer:\n  {text}\nmapping:\n{after}")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("version: 1\n", "version: 2\n", "line 1: version: is 2; this cosearch reads version 1"),
        ("version: 1\n", "", "the field 'version' is missing"),
        ("entries: 64", "entrees: 64", "did you mean 'entries'?"),
        ("entries: 4096", "entries: -1", "line 11: architecture.levels[1].entries: -1 is not"),
        ("mesh: [4, 1], area", "mesh: 4, area", "is not [instances along X, instances along Y]"),
        ("update: 4.4", "write: 4.4", "needs read, fill, update, or one number for all"),
        ("energy_pj: 0.9", "energy_pj: cheap", "'cheap' is not a number of at least 0"),
        ("is_dram: true", "is_dram: perhaps", "neither true nor false"),
        ("keeps: [Weights]", "keeps: [weights]", "did you mean 'Weights'?"),
        ("K: 8, C: 4", "K: 0, C: 4", "layer.conv.K: 0 is not a whole number of at least 1"),
        ("K: 8, C: 4", "C: 4", "the field 'K' is missing"),
        ("temporal: {Q: 6}", "temporal: {Q: 6.5}", "mapping[2].temporal: 6.5 is not a whole"),
        ("temporal: {Q: 6}", "temporal: Q6", "inner to outer"),
        ("  conv: {K: 8", "  con: {K: 8", "needs exactly one of conv, gemm, einsum"),
        ("rules: {first", "rules: {frist", "did you mean 'first_fill_is_counted'"),
        ("name: DRAM,", "name: buffer,", "two levels of one name"),
        ("dilation: [1, 2]", "dilation: [1]", "[along the width, along the height]"),
    ],
)
def test_a_problem_names_line_and_field(read, old, new, expected):
    assert old in SPEC
    found = problems(read, SPEC.replace(old, new, 1))
    assert any(expected in problem for problem in found), found


def test_all_problems_at_once(read):
    text = (
        SPEC.replace("entries: 64", "entries: x").replace("K: 8", "K: 0").replace("Q: 6}", "Q: 0}")
    )
    assert len(problems(read, text)) == 3


def test_parts_that_are_missing_or_doubled(read):
    assert problems(read, SPEC.partition("mapping:\n")[0]) == ("the part 'mapping' is missing",)
    assert "has the part 'architecture'" in problems(read, SPEC, SPEC)[0]
    assert problems(read, "version: 1\n") == (
        "line 1: has none of the parts architecture, layer, mapping",
    )


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [", "a: &a [*a]", "just text"])
def test_files_that_are_no_specification(read, text):
    assert problems(read, text)


# -- the schema says what the reader does


def fields(schema, root):
    return root["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def checked(value, schema, root, path="spec"):
    """Check a value against the parts of JSON Schema that the shipped schema uses."""
    schema = fields(schema, root)
    if "oneOf" in schema and "properties" not in schema:
        assert sum(accepts(value, option, root) for option in schema["oneOf"]) == 1, path
    if "const" in schema:
        assert value == schema["const"], path
    if "enum" in schema:
        assert value in schema["enum"], path
    kinds = {
        "integer": int,
        "number": (int, float),
        "string": str,
        "boolean": bool,
        "array": list,
        "object": dict,
        "null": type(None),
    }
    if kind := schema.get("type"):
        allowed = kind if isinstance(kind, list) else [kind]
        assert any(isinstance(value, kinds[k]) for k in allowed), path
    if isinstance(value, int) and "minimum" in schema:
        assert value >= schema["minimum"], path
    if isinstance(value, dict) and "properties" in schema:
        assert set(schema.get("required", ())) <= set(value), path
        assert schema["additionalProperties"] is False
        for key, item in value.items():
            assert key in schema["properties"], f"{path}.{key}"
            checked(item, schema["properties"][key], root, f"{path}.{key}")
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            checked(item, schema["items"], root, f"{path}[{i}]")


def accepts(value, schema, root):
    try:
        checked(value, schema, root)
    except AssertionError:
        return False
    return True


def test_the_schema_accepts_what_the_reader_does():
    data = yaml.safe_load(SPEC.replace("1e-3", "0.001"))
    checked(data, json_schema(), json_schema())
    assert not accepts(data | {"extra": 1}, json_schema(), json_schema())
    assert not accepts(data | {"version": 2}, json_schema(), json_schema())


def test_the_schema_knows_every_field_of_the_reader(read):
    """Each field of the schema is understood: with a wrong value it is a problem of that field."""
    root = json_schema()
    level = root["properties"]["architecture"]["properties"]["levels"]["items"]["properties"]
    for name in level:
        bad = SPEC.replace("- {name: DRAM,", f"- {{{name}: {{bad: [1]}}, name: DRAM,")
        if name in ("name", "energy_pj", "is_dram", "shared_bandwidth"):
            continue
        found = problems(read, bad)
        assert any(f"levels[2].{name}" in problem for problem in found), (name, found)
        assert not any("no such field; did you mean" in p and f".{name}:" in p for p in found)


def test_the_schema_says_what_the_checks_do():
    schema = json_schema()
    assert schema["required"] == ["version"]
    level = schema["properties"]["architecture"]["properties"]["levels"]["items"]
    assert level["required"] == ["name", "energy_pj"]
    assert level["properties"]["entries"]["type"] == ["integer", "null"]
    assert level["properties"]["mesh"]["default"] == [1, 1]
    assert level["properties"]["partitions"]["properties"]["Weights"]["required"] == [
        "entries",
        "energy_pj",
    ]
    layer = schema["properties"]["layer"]
    assert [choice["required"] for choice in layer["oneOf"]] == [
        ["conv"],
        ["gemm"],
        ["einsum", "sizes"],
    ]
    assert layer["properties"]["conv"]["required"] == ["K", "C", "P", "Q"]
    assert schema["properties"]["mapping"]["items"]["required"] == ["level", "keep"]


def test_nothing_of_the_schema_is_shared_between_fields():
    """Descriptions of one field may not turn up at another with the same check."""
    level = json_schema()["properties"]["architecture"]["properties"]["levels"]["items"]
    assert "description" not in level["properties"]["word_bits"]


FIR = """\
version: 1
architecture:
  levels:
  - {name: buf, entries: 4, energy_pj: 1}
  - {name: main, energy_pj: 10, is_dram: true}
  compute: {energy_pj: 1}
layer: {einsum: "O[p] += W[r] * I[p+r]", sizes: {p: 12, r: 5}}
mapping:
- {level: buf, keep: [W, O], temporal: {}}
- {level: main, keep: [W, I, O], temporal: [[r, 5], [p, 12]]}
"""


@pytest.mark.parametrize("upper", ["", "sizes: {p", "[[r, 5], [p, 12]]", "p+r"])
def test_einsum_sizes_and_mapping_are_one_alphabet(read, upper):
    """60 words of W and I and 12 of O at 10 pJ; 60 fills, 60 + 48 reads and 60 updates at 1."""
    spec = read(FIR.replace(upper, upper.replace("p", "P").replace("r", "R")) if upper else FIR)
    found = analyse(spec.architecture, spec.layer, spec.mapping)
    assert found.energy_pj == 60 + (60 + 60 + 12) * 10 + 60 + 60 + 48 + 60
