import pytest
from attrs import evolve

from cosearch.cli.output import Output
from cosearch.cli.text.map import show_layer
from cosearch.machine.cost import Cost, LevelCost, PartialTiles
from cosearch.mapping.account import LayerAccount
from cosearch.mapping.result import LayerResult, Unmapped
from cosearch.workload.einsum import gemm
from cosearch.workload.network import Layer

LAYER = Layer(gemm("fc", M=2, N=3, K=4), 2)
MAPPED = LayerResult("fc", "key", 2, (0,), 100.0, 24.0, evaluations=7, nodes=3, seconds=0.5)
COST = Cost(
    100.0,
    24.0,
    24,
    40.0,
    (LevelCost("buffer", 12.0, 50.0, network_pj=10.0),),
    0.5,
    "compute",
    ("buffer: Inputs 8 words", "  for k in 0..4", "    MAC: a += b * c"),
)


@pytest.fixture
def shown(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)

    def show(mapped=MAPPED, **options):
        show_layer(Output(), LayerAccount(LAYER, mapped, **options), "edp")
        return capsys.readouterr().out

    return show


def test_a_layer_reads_from_its_name_to_its_proof(shown):
    assert shown(cost=COST).splitlines() == [
        "",
        "fc  matrix product, 2x4 by 4x3; 24 MACs, 2 runs",
        "  buffer: Inputs 8 words",
        "    for k in 0..4",
        "      MAC: a += b * c",
        "  100 pJ, 24 cycles, EDP 2.4000 nJ*cycles",
        "  50.0 % of the multipliers; bound by compute",
        "  energy: buffer 50.0 %, compute 40.0 %, network below buffer 10.0 %",
        "  best of 7 mappings; nothing is proven (3 nodes, 7 evaluations, 500 ms)",
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"proven": True, "gap": 0.0}, "  proven optimal for edp ("),
        ({"gap": 0.031}, "  stopped early: no mapping lowers edp by more than 3.1 % ("),
        ({}, "  best of 7 mappings; nothing is proven ("),
    ],
)
def test_it_claims_no_more_than_is_proven(shown, change, told):
    out = shown(evolve(MAPPED, **change), cost=COST)
    assert told in out
    assert ("optimal" in out) is change.get("proven", False)


def test_rejections_are_told_by_reason_the_most_frequent_first(shown):
    rejected = {"buffer overflows": 3, "too many PEs": 1200}
    out = shown(evolve(MAPPED, rejections=rejected), cost=COST)
    assert "  rejected: 1,200 too many PEs, 3 buffer overflows" in out


def test_a_misfit_tells_reason_nearest_miss_and_what_to_relax(shown):
    verdict = Unmapped(
        "key", "fits nowhere", margins={"buffer": 1.5, "rule": 0.5}, hint="enlarge the buffer"
    )
    assert shown(None, verdict=verdict).splitlines()[2:] == [
        "  fits nowhere",
        "  nearest miss: buffer: 1.50 times what is allowed",
        "  enlarge the buffer",
    ]


def test_a_nest_wider_than_the_terminal_is_indented_by_less(shown, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    wide = evolve(COST, loops=("buffer: x", "  for k in 0..4", "    MAC: " + 20 * "x"))
    assert "\n   for k in 0..4\n    MAC: xx" in shown(cost=wide)


def test_a_layer_that_is_run_rounded_up_says_so(shown):
    partial = PartialTiles(90.0, 20.0, 0.04)
    out = shown(evolve(MAPPED, sizes=(3, 3, 4), partial=partial), cost=COST)
    assert "  run as M=3: 50.0 % more multiplications, all priced\n" in out
    assert "  with partial last tiles: 90.0 pJ, 20 cycles, EDP 1.8000 nJ*cycles\n" in out
    assert "  no other imperfect factors lower that edp by more than 4.0 %\n" in out


def test_where_dividing_factors_are_best_it_is_not_run_as_anything_else(shown):
    out = shown(evolve(MAPPED, partial=PartialTiles(100.0, 24.0, 0.04)), cost=COST)
    assert "run as" not in out
    assert "  with partial last tiles: 100 pJ, 24 cycles" in out
