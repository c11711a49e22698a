import numpy as np
import pytest

from cosearch_hardware.eyeriss.space import LOCAL_WORDS, Design, derived, design_space


def test_what_is_left_of_the_local_store_is_for_weights():
    columns = {
        "pe_x": np.array([14, 84]),
        "spad_inputs": np.array([12, 128]),
        "spad_outputs": np.array([24, 128]),
    }
    whole = derived(columns, 168)
    assert whole["pe_y"].tolist() == [12, 2]
    assert whole["spad_weights"].tolist() == [224, 4]


@pytest.mark.parametrize("pes", [168, 256])
def test_no_iso_row_lacks_weights_or_rows(pes):
    space = design_space(pes, "iso", fixed=False, mesh=False)
    whole = derived(space.columns(space.sample(2000, np.random.default_rng(0))), pes)
    assert (whole["spad_weights"] > 0).all()
    assert (whole["pe_x"] * whole["pe_y"] == pes).all()
    spent = whole["spad_inputs"] + whole["spad_weights"] + whole["spad_outputs"]
    assert (spent == LOCAL_WORDS).all()


def test_the_defaults_are_the_chip():
    design = Design.of(design_space(168, "iso", fixed=False, mesh=False).defaults, 168)
    assert (design.pe_x, design.pe_y, design.buffer_kb) == (14, 12, 108)
    assert design.scratchpads == {"Weights": 224, "Inputs": 12, "Outputs": 24}
    assert Design.of(design_space(168, "free", fixed=False, mesh=False).defaults, 168) == design


def test_a_fixed_dataflow_is_no_choice():
    space = design_space(168, "iso", fixed=True, mesh=False)
    assert space["filter_width"].choices == ("inside",)
    assert space["filter_height"].choices == ("spread",)


def test_rules_are_vectorized_and_give_reasons():
    space = design_space(168, "iso", fixed=False, mesh=True)
    row = space.index({**space.defaults, "buffer_cluster": 8, "buffer_block": 16})
    assert not space.feasible(row[None, :])[0]
    assert len(space.broken(row)) == 2


def test_one_buffer_is_the_mesh_of_one():
    one, mesh = (design_space(168, "iso", fixed=False, mesh=mesh) for mesh in (False, True))
    assert Design.of(one.defaults, 168) == Design.of(mesh.defaults, 168)
    assert "buffer_x" not in one.names


def test_within_the_resources_no_design_has_more_words_than_the_chip():
    space = design_space(168, "within", fixed=False, mesh=False)
    assert Design.of(space.defaults, 168).scratchpads == {
        "Weights": 224,
        "Inputs": 12,
        "Outputs": 24,
    }
    rows, _ = space.sample_feasible(500, np.random.default_rng(0))
    whole = derived(space.columns(rows), 168)
    spent = whole["spad_inputs"] + whole["spad_weights"] + whole["spad_outputs"]
    assert (spent <= LOCAL_WORDS).all()
    assert len(np.unique(spent)) > 10
    assert not space.feasible(space.index({**space.defaults, "spad_outputs": 128})[None, :])[0]
