import numpy as np
import pytest

from cosearch.errors import CosearchError, Infeasible, InputError, UnknownNameError
from cosearch.workload.einsum import conv, gemm
from cosearch_hardware.eyeriss.model import Eyeriss
from cosearch_plugins.technologies.dosa import DosaTable

LAYER = conv("layer", K=32, C=16, P=14, Q=14, R=3, S=3)


def test_the_baseline_is_the_published_chip():
    accelerator = Eyeriss().build({})
    scratchpads, buffer, dram = accelerator.architecture.levels
    assert (scratchpads.mesh_x, scratchpads.mesh_y) == (14, 12)
    words = {role: part.entries for role, part in scratchpads.partitions.items()}
    assert words == {"Inputs": 12, "Weights": 224, "Outputs": 24}
    assert buffer.entries * 2 == 108 * 1024
    assert buffer.keeps == {"Inputs", "Outputs"}
    assert dram.shared_bandwidth == pytest.approx(1.2)
    assert accelerator.architecture.compute.instances == 168
    assert accelerator.clock_mhz == 200
    assert accelerator.area_mm2 == pytest.approx(12.25)


@pytest.mark.parametrize("pes", [168, 256])
def test_every_iso_resource_design_spends_the_same(pes):
    model = Eyeriss(pes=pes, buffers="mesh")
    rows, _ = model.space.sample_feasible(200, np.random.default_rng(0))
    for row in rows:
        architecture = model.build(model.space.decode(row)).architecture
        scratchpads, buffer, _ = architecture.levels
        assert architecture.compute.instances == pes
        assert sum(part.entries for part in scratchpads.partitions.values()) == 260
        assert buffer.entries * buffer.instances * buffer.word_bits <= 108 * 8192
        assert buffer.shared_bandwidth * buffer.instances <= 9 * (1 + 1e-12)
        assert scratchpads.mesh_x % buffer.mesh_x == scratchpads.mesh_y % buffer.mesh_y == 0


def test_a_free_design_over_the_area_limit_says_by_how_much():
    model = Eyeriss(resources="free", area_limit_mm2=5.0)
    with pytest.raises(Infeasible, match=r"12\.25 mm2 is over the limit of 5 mm2") as caught:
        model.build({})
    assert caught.value.margins["area_mm2"] == pytest.approx(12.25 / 5)


def test_a_mesh_of_buffers_that_does_not_divide_is_refused():
    with pytest.raises(Infeasible, match="equally many columns"):
        Eyeriss(buffers="mesh").build({"buffer_x": 3})


def test_buffers_that_share_a_memory_pay_for_its_size():
    alone = Eyeriss(buffers="mesh").build({"buffer_x": 2, "buffer_y": 2}).architecture.levels[1]
    shared = Eyeriss(buffers="mesh").build({"buffer_x": 2, "buffer_y": 2, "buffer_cluster": 4})
    assert shared.architecture.levels[1].energy.read > alone.energy.read
    assert shared.architecture.levels[1].area_um2 == pytest.approx(alone.area_um2)


@pytest.mark.parametrize(
    ("weights", "keeps", "may_keep"),
    [
        ("bypass", {"Inputs", "Outputs"}, set()),
        ("keep", {"Weights", "Inputs", "Outputs"}, set()),
        ("open", set(), {"Weights", "Inputs", "Outputs"}),
    ],
)
def test_where_filters_rest_is_an_option(weights, keeps, may_keep):
    buffer = Eyeriss(weights=weights).build({}).architecture.levels[1]
    assert (buffer.keeps, buffer.may_keep) == (keeps, may_keep)


def test_narrow_words_fit_more_in_the_buffer():
    wide, narrow = (Eyeriss().build({"word_bits": bits}).architecture.levels[1] for bits in (16, 8))
    assert narrow.entries == 2 * wide.entries


def test_dataflows_on_the_same_memories_have_keys_of_their_own():
    keys = {
        Eyeriss().build({"filter_width": width, "filter_height": height}).key
        for width in ("inside", "spread")
        for height in ("inside", "spread")
    }
    assert len(keys | {Eyeriss(mapping="row-stationary").build({}).key}) == 5


@pytest.mark.parametrize("layer", [LAYER, gemm("gemm", M=24, N=32, K=48)])
def test_row_stationary_mappings_are_among_the_open_ones(layer):
    narrow = Eyeriss(mapping="row-stationary").build({})
    wide = Eyeriss().build({})
    rows, _ = narrow.mapspace(layer).sample_feasible(20, np.random.default_rng(0))
    assert len(rows) == 20
    for row in rows:
        mapping = narrow.mapspace(layer).mapping_of(row)
        same = wide.mapspace(layer).row_of(mapping)
        assert wide.explain(layer, same).energy_pj == narrow.explain(layer, row).energy_pj


def test_wrong_input_gets_a_clear_message():
    with pytest.raises(UnknownNameError, match="'pe_z'"):
        Eyeriss().build({"pe_z": 3})
    with pytest.raises(InputError, match="pe_x=13"):
        Eyeriss().build({"pe_x": 13})
    with pytest.raises(CosearchError, match="no component"):
        Eyeriss(technology=DosaTable()).build({})


def test_a_link_without_limit():
    assert Eyeriss(dram_bits=0.0).build({}).architecture.levels[2].shared_bandwidth is None


def test_rules_on_the_same_memories_have_keys_of_their_own():
    names = ("open", "row-stationary", "timeloop-rows")
    assert len({Eyeriss(mapping=name).build({}).key for name in names}) == 3
