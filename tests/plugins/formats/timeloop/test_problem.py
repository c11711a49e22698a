"""Timeloop's problem files."""

import pytest

from cosearch.errors import InputError
from cosearch.workload.einsum import conv
from cosearch_plugins.formats.timeloop.problem import problem_of, read_problem
from cosearch_plugins.formats.timeloop.yaml import read_timeloop_yaml

OLD = """\
problem:
  shape: cnn-layer
  R: 3
  S: 3
  P: 8
  Q: 4
  C: 2
  K: 16
  N: 1
  Wstride: 2
"""

NEW = """\
problem:
  version: 0.4
  shape:
    name: conv2d
    dimensions: [C, M, R, S, N, P, Q]
    coefficients:
    - {name: Wstride, default: 1}
    - {name: Hstride}
    data_spaces:
    - name: Weights
      projection: [[[C]], [[M]], [[R]], [[S]]]
    - name: Inputs
      projection:
      - [[N]]
      - [[C]]
      - [[R], [P, Wstride]]
      - - [S]
        - [Q, Hstride, 2]
    - {name: Outputs, projection: [[[N]], [[M]], [[Q]], [[P]]], read_write: true}
  instance: {C: 3, M: 8, R: 3, S: 1, N: 1, P: 4, Q: 5, Hstride: 3, Hpad: 1,
             densities: {Weights: 0.5}}
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "layer.yaml"
        path.write_text(text)
        return path

    return write


def test_a_shape_that_timeloop_ships(file):
    layer = read_problem(file(OLD))
    assert layer.bounds == {"R": 3, "S": 3, "P": 8, "Q": 4, "C": 2, "K": 16, "N": 1}
    assert layer.macs == 3 * 3 * 8 * 4 * 2 * 16
    same = conv(K=16, C=2, P=8, Q=4, R=3, S=3, stride=(2, 1))
    assert [layer.words(t) for t in layer.tensors] == [same.words(t) for t in same.tensors]


def test_projections_and_coefficients(file):
    layer = read_problem(file(NEW))
    assert layer.name == "conv2d"
    inputs = layer.tensors[1]
    assert [axis.terms for axis in inputs.axes[2:]] == [
        (("R", 1), ("P", 1)),
        (("S", 1), ("Q", 6)),
    ]
    assert [t.role for t in layer.tensors] == ["Weights", "Inputs", "Outputs"]


def test_what_has_no_meaning_is_named(file):
    notes = problem_of(read_timeloop_yaml(file(NEW))).notes
    assert any(
        note.startswith("without meaning for the cost model: ") and "Hpad 1" in note
        for note in notes
    )
    assert any(note.startswith("densities") for note in notes)


def test_hyphens_and_underscores_are_the_same(file):
    text = NEW.replace("data_spaces", "data-spaces").replace("read_write", "read-write")
    assert read_problem(file(text)) == read_problem(file(NEW))


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        (("A", "B"), ["Weights", "Inputs"]),
        (("ifmap", "filters"), ["Weights", "Inputs"]),
        (("Inputs", "Weights"), ["Weights", "Inputs"]),
    ],
)
def test_roles_by_name_or_by_order(file, names, roles):
    text = f"""
        problem:
          shape:
            dimensions: [M, N, K]
            data_spaces:
            - {{name: {names[0]}, projection: [[[M]], [[K]]]}}
            - {{name: {names[1]}, projection: [[[K]], [[N]]]}}
            - {{name: Z, projection: [[[M]], [[N]]], read_write: true}}
          instance: {{M: 2, N: 3, K: 4}}
    """
    assert [t.role for t in read_problem(file(text)).operands] == roles


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("M: 8", "M: 0", "problem.instance.M: 0 is not a whole number"),
        ("M: 8, ", "", "the field 'M' is missing"),
        ("Hstride: 3, ", "", "the coefficient Hstride is missing"),
        ("[R], [P, Wstride]", "[R], [P, Vstride]", "is not one dimension and its coefficients"),
        (", read_write: true", "", "0 data spaces have read_write"),
        ("[C, M, R, S, N, P, Q]", "[C, M, R, S, N, P, P]", "is not a name of its own"),
        ("    name: conv2d", "    name: conv2d\n    sparse: yes", "no such field"),
        ("problem:", "layer:", "the field 'shape' is missing"),
    ],
)
def test_a_problem_of_the_file_names_line_and_field(file, old, new, message):
    assert old in NEW
    with pytest.raises(InputError) as caught:
        read_problem(file(NEW.replace(old, new, 1)))
    assert any(message in problem for problem in caught.value.problems), caught.value.problems


def test_a_shape_that_is_somewhere_else(file):
    with pytest.raises(InputError, match="write the shape out"):
        read_problem(file(OLD.replace("cnn-layer", "my-layer")))


def test_sizes_alone_are_a_cnn_layer(tmp_path):
    """As the first files of Timeloop are; other sizes alone are no problem at all."""
    file = tmp_path / "old.yaml"
    file.write_text(OLD.replace("  shape: cnn-layer\n", ""))
    problem = problem_of(read_timeloop_yaml(file))
    file.write_text(OLD)
    assert problem.layer == problem_of(read_timeloop_yaml(file)).layer
    assert "taken for a cnn-layer" in problem.notes[0]
    file.write_text("problem: {M: 2, N: 3}\n")
    with pytest.raises(InputError, match="the field 'shape' is missing"):
        read_problem(file)


def test_a_dilation_of_zero_moves_nothing(tmp_path):
    """CoSA's DeepBench layers state it; Timeloop multiplies by it."""
    file = tmp_path / "zero.yaml"
    file.write_text(OLD + "  Wdilation: 0\n  Hdilation: 0\n")
    problem = problem_of(read_timeloop_yaml(file))
    inputs = next(t for t in problem.layer.tensors if t.name == "Inputs")
    assert inputs.footprint(problem.layer.bounds) == 1 * 2 * (2 * 7 + 1) * 4
    assert inputs.dims == set("NCPQ")
    assert problem.layer.macs == 3 * 3 * 8 * 4 * 2 * 16
    assert "Wdilation: 0, so nothing moves along it, as in Timeloop" in problem.notes


def test_the_shape_of_a_product_may_be_named(tmp_path):
    file = tmp_path / "gemm.yaml"
    file.write_text("problem: {shape: gemm_ABZ, instance: {M: 4, N: 6, K: 5}}\n")
    layer = read_problem(file)
    sizes = {t.name: t.footprint(layer.bounds) for t in layer.tensors}
    assert sizes == {"A": 20, "B": 30, "Z": 24}
