"""Timeloop's files as templates: rendered, or named as templates; merges and arithmetic."""

import sys

import pytest

from cosearch.errors import InputError
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
