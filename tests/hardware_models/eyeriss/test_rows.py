import importlib.util
import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import Infeasible
from cosearch.workload.einsum import conv
from cosearch_hardware.eyeriss.rows import Chip, Convolution, best, costs, mappings

ROOT = Path(__file__).parents[3]
SMALL = Convolution(N=2, G=1, M=8, C=4, E=6, F=6, R=3, S=3, U=1)


@pytest.fixture(scope="module")
def silicon():
    """Return the benchmark that prints the published table, as a module."""
    spec = importlib.util.spec_from_file_location(
        "eyeriss_silicon", ROOT / "benchmarks/eyeriss_silicon.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_published_active_pes_of_every_layer(silicon):
    for name, chip in silicon.PUBLISHED.items():
        assert silicon.modelled(name)[0].active_pes == chip.active_pes


def test_total_processing_latency_is_within_fifteen_per_cent(silicon):
    modelled = sum(silicon.modelled(name)[0].processing_ms for name in silicon.PUBLISHED)
    published = sum(chip.processing_ms for chip in silicon.PUBLISHED.values())
    assert published == pytest.approx(103.5)
    assert modelled == pytest.approx(published, rel=0.15)


def test_buffer_accesses_with_the_channels_the_chip_seems_to_have_used(silicon):
    for name, chip in silicon.PUBLISHED.items():
        channels = 3 if name in {"CONV3", "CONV4", "CONV5"} else None
        assert silicon.modelled(name, channels)[0].buffer_mb == pytest.approx(
            chip.buffer_mb, rel=0.05
        )


def test_the_table_that_the_docs_show(silicon):
    page = (ROOT / "docs/hardware/eyeriss.md").read_text(encoding="utf-8")
    for line in silicon.table({}) + silicon.table({"CONV3": 3, "CONV4": 3, "CONV5": 3}):
        assert line in page


def test_sizes_are_read_off_a_layer():
    layer = conv("conv2", N=4, G=2, K=128, C=48, P=27, Q=26, R=5, S=3, stride=(2, 1))
    found = Convolution.of(layer)
    assert found == Convolution(N=4, G=2, M=128, C=48, E=26, F=27, R=3, S=5, U=1)
    assert found.macs == layer.macs


def test_every_mapping_fits_the_chip():
    chip = Chip()
    found = mappings(SMALL, chip)
    cost = costs(SMALL, found, chip)
    assert (cost.active_pes <= chip.rows * chip.columns).all()
    assert (found.q * SMALL.S <= chip.spad_inputs).all()
    assert (found.p * found.q * SMALL.S <= chip.spad_weights).all()
    assert (found.m >= np.minimum(found.p * found.t, SMALL.M)).all()


def test_no_mapping_is_faster_than_its_products():
    found = mappings(SMALL)
    cost = costs(SMALL, found)
    assert (cost.cycles * cost.active_pes >= SMALL.macs).all()


def test_buffer_words_by_walking_the_passes():
    """The closed form against a walk over every pass, with the inputs brought in once."""
    of = best(SMALL)
    e, r, t, p, q, n, m = (int(getattr(of, name)[0]) for name in "ertpqnm")
    assert m == SMALL.M
    words = 0
    passes = itertools.product(
        range(0, SMALL.N, n),
        range(0, SMALL.E, e),
        range(0, SMALL.M, p * t),
        range(0, SMALL.C, q * r),
    )
    for _, strip, filters, channels in passes:
        rows, made = e - 1 + SMALL.R, min(p * t, SMALL.M - filters)
        taken = min(q * r, SMALL.C - channels)
        words += n * taken * rows * SMALL.input_columns
        outputs = n * made * min(e, SMALL.E - strip) * SMALL.F
        words += outputs * (1 if channels == 0 else 2)
    brought = SMALL.N * SMALL.C * -(-SMALL.E // e) * (e - 1 + SMALL.R) * SMALL.input_columns
    assert costs(SMALL, of).buffer_words[0] == words + brought


def test_more_columns_never_slow_the_best_mapping():
    narrow, wide = (
        costs(SMALL, best(SMALL, chip), chip).edp(SMALL.macs)[0]
        for chip in (Chip(columns=7), Chip(columns=14))
    )
    assert wide <= narrow


def test_a_filter_taller_than_the_array_is_refused():
    with pytest.raises(Infeasible, match="13 rows") as caught:
        mappings(evolve(SMALL, R=13))
    assert caught.value.margins["rows"] == pytest.approx(13 / 12)


def test_a_buffer_too_small_is_refused():
    with pytest.raises(Infeasible, match="no row-stationary mapping"):
        mappings(SMALL, Chip(buffer_words=4))
