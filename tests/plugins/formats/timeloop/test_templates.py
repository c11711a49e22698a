"""Timeloop's files as templates: rendered, or named as templates; merges and arithmetic."""

import sys

import pytest

from cosearch.errors import InputError
from cosearch.hooks.discovery import load_registry
from cosearch.workload.source import resolve
from cosearch_plugins.formats.timeloop.arithmetic import number_of
from cosearch_plugins.formats.timeloop.problem import read_problem
from cosearch_plugins.formats.timeloop.templates import is_template
from cosearch_plugins.formats.timeloop.yaml import read_timeloop_yaml

BASE = """\
problem_base: &problem_base
  version: 0.4
  shape:
    name: product
    dimensions: [C, M, P]
    data_spaces:
    - {name: Weights, projection: [[[C]], [[M]]]}
    - {name: Inputs, projection: [[[C]], [[P]]]}
    - {name: Outputs, projection: [[[M]], [[P]]], read_write: true}
  instance: {C: 1, M: 1, P: 1}
"""

LAYER = """\
{{include_text('../problem_base.yaml')}}
problem:
  <<<: *problem_base
  instance: {C: 8, M: {{ 2 * 3 }}}
  dnn_name: net
  notes: Linear
"""


@pytest.fixture
def layer(tmp_path):
    (tmp_path / "problem_base.yaml").write_text(BASE)
    (tmp_path / "net").mkdir()
    file = tmp_path / "net" / "00.yaml"
    file.write_text(LAYER)
    return file


def test_a_layer_that_includes_its_shape(layer):
    einsum = read_problem(layer)
    assert einsum.bounds == {"C": 8, "M": 6, "P": 1}


def test_without_the_extra_it_is_named_a_template(layer, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(InputError, match="is a template of Jinja2") as caught:
        read_problem(layer)
    assert "cosearch[jinja]" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ 1 +", "the template cannot be rendered"),
        ("{% for i in range(400) %}{% for j in range(400) %}{% endfor %}{% endfor %}", "loops of"),
        ("a: {{ unknown }}", "'unknown' is undefined"),
        ("{{ include_text('/etc/passwd') }}", "may not read '/etc/passwd'"),
        ("{{ include_text('../secret.txt') }}", "may not read '../secret.txt'"),
        ("{{ include_text('none.yaml') }}", "includes 'none.yaml', which is not there"),
        ("{{ include_text('self.yaml') }}", "files include files more than"),
        ("{{ ''.__class__.__mro__ }}", "unsafe|undefined|rendered"),
        ("{{ 10 ** 100000000 }}", "for numbers of common size"),
        ("{{ 'a' * 100000000 }}", "for numbers of common size"),
    ],
)
def test_what_a_template_may_not(tmp_path, text, message):
    file = tmp_path / "self.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        read_timeloop_yaml(file)


def test_marks_in_comments_are_no_template():
    assert not is_template("a: 1  # {{ no }}\n# {% no %}\n")
    assert is_template("a: {{ yes }}")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("word_bits * 4", 32),
        ("2**4 + 1", 17),
        ("width // word_bits", 8),
        ("max(3, ceil(7 / 2))", 4),
        ("-(3 - 1)", -2),
        ("3 / 2", 1.5),
        ("deep", 64),
        ("loop", None),
        ("2 ** 1000", None),
        ("__import__('os')", None),
        ("word_bits.real", None),
        ("[1]", None),
        ("1 / 0", None),
        ("45nm", None),
        ("True", None),
        ("(" * 300 + "1", None),
    ],
)
def test_numbers_written_as_arithmetic(text, number):
    names = {"word_bits": 8, "width": 64, "deep": "width", "loop": "loop"}
    assert number_of(text, names) == number


TOP = """\
{{add_to_path(cwd() ~ '/inputs')}}
architecture: {{include('arch.yaml', 'architecture')}}
components: {classes: {{include_all('parts/*.yaml', 'compound.classes')}}}
problem: {{include(cwd() ~ '/inputs/problem.yaml', 'problem')}}
"""

ARCH = """\
architecture:  # a comment
  nodes:
  - !Container {name: system, attributes: &some {technology: "45nm: new"}}
  - !Component
    name: DRAM
    attributes: *some
"""


@pytest.fixture
def top(tmp_path):
    (tmp_path / "inputs").mkdir()
    (tmp_path / "parts").mkdir()
    (tmp_path / "inputs" / "arch.yaml").write_text(ARCH)
    (tmp_path / "inputs" / "problem.yaml").write_text("problem: &p {a: {{ 1 + 1 }}, b: [x, 'y']}")
    for name in "ab":
        (tmp_path / "parts" / f"{name}.yaml").write_text(
            f"compound: {{classes: [{{name: {name}}}]}}"
        )
    file = tmp_path / "top.yaml.jinja2"
    file.write_text(TOP)
    return file


def test_parts_of_files_are_put_together(top):
    """As the front end does: what stands under a key, lists of several files as one."""
    some = {"technology": "45nm: new"}
    assert read_timeloop_yaml(top).data == {
        "architecture": {
            "nodes": [
                {"!": "Container", "name": "system", "attributes": some},
                {"!": "Component", "name": "DRAM", "attributes": some},
            ]
        },
        "components": {"classes": [{"name": "a"}, {"name": "b"}]},
        "problem": {"a": 2, "b": ["x", "y"]},
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("'problem')", "'no.such')", "has no 'no.such', which a template includes"),
        ("parts/*", "none/*", "includes the folder 'none', which is not there"),
        ("parts/*.yaml", "/etc/*.yaml", "may not read '/etc/"),
        ("cwd()", "'/etc'", "may not read '/etc"),
        ("cwd() ~ '/inputs/problem.yaml'", "network", "'network' is undefined"),
    ],
)
def test_what_cannot_be_put_together_is_named(top, old, new, message):
    before, _, after = TOP.rpartition(old)
    top.write_text(before + new + after)
    with pytest.raises(InputError, match=message):
        read_timeloop_yaml(top)


def test_templates_are_files_of_machines_and_workloads(tmp_path):
    registry = load_registry()
    file = tmp_path / "some.yaml.jinja2"
    file.write_text("problem: {shape: gemm_ABZ, M: {{ 2 * 3 }}, N: 5, K: 4}\n")
    (layer,) = resolve(str(file), registry).layers
    assert (layer.einsum.name, layer.einsum.macs) == ("some", 120)
