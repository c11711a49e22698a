import pytest
from attrs import evolve

from cosearch.cli.output import Output
from cosearch.cli.text.network import certainty, network_facts, show_network, show_parts
from cosearch.machine.cost import Cost, LevelCost
from cosearch.mapping.network import NetworkResult
from cosearch.mapping.result import LayerResult
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import gemm
from cosearch.workload.mix import PartCost
from cosearch.workload.network import Layer, Network

EDP = OBJECTIVES[0]


def mapping(name, size, energy, cycles, row=0):
    layer = Layer(gemm(name, M=size, N=1, K=1))
    return layer, LayerResult(name, layer.einsum.key, 1, (row,), energy, cycles)


(A, SLOW), (_, FAST), (B, ONLY) = (
    mapping("a", 2, 3.0, 31.0),
    mapping("a", 2, 10.0, 10.0, 1),
    mapping("b", 3, 100.0, 1.0),
)
CHOICE = NetworkResult(EDP, (SLOW, ONLY), (FAST, ONLY), 0.0, 0.2)
OWN = NetworkResult(EDP, (SLOW, ONLY), (SLOW, ONLY), 0.02, 0.02)


class Explaining:
    """A machine that knows what one mapping costs."""

    name = "explaining"

    def explain(self, layer, row):
        assert (layer, row.tolist()) == (A.einsum, [1])
        levels = (LevelCost("DRAM", 10.0, 10.0),)
        return Cost(10.0, 10.0, 1, 0.0, levels, 1.0, "compute", ("for",))


@pytest.fixture
def shown(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)

    def show(choice):
        show_network(Output(), choice)
        return capsys.readouterr().out

    return show


def test_what_is_better_together_is_told_with_the_layers_that_differ(shown):
    assert shown(CHOICE).splitlines() == [
        "  EDP of the network, mapped together: 1.21000 nJ*cycles",
        "  63 % below the layers' own best, 3.29600 nJ*cycles",
        "  for which other mappings are better: a (+2.3e+02 % energy, -68 % cycles)",
        "  proven: no choice of mappings has a lower EDP",
    ]


def test_where_layers_keep_their_own_best_only_the_sum_and_its_gap_are_told(shown):
    assert shown(OWN).splitlines() == [
        "  EDP of the network: 3.29600 nJ*cycles",
        "  proven: no choice of mappings lowers EDP by more than 2.0 %",
    ]


def test_without_a_proof_nothing_is_claimed(shown):
    assert "proven" not in shown(evolve(OWN, gap=None))


def test_a_gap_of_rounding_is_a_proof():
    assert "has a lower" in str(certainty(EDP, 1e-12))
    assert "by more than" in str(certainty(EDP, 1e-9))


def test_json_has_both_sums_and_the_mappings_that_differ():
    facts = network_facts(Explaining(), Network("net", (A, B)), CHOICE)
    assert (facts["energy_pj"], facts["cycles"], facts["edp"]) == (110.0, 11.0, 1210.0)
    assert (facts["proven"], facts["gap"]) == (True, 0.0)
    assert facts["own_best"] == {"value": 3296.0, "gap": 0.2}
    assert [layer["name"] for layer in facts["layers"]] == ["a"]
    assert facts["networks"] == ()


def test_networks_of_a_mix_have_a_line_each(capsys):
    show_parts(Output(), [PartCost("one", 2, 3e6, 1000.0, 3e9), PartCost("two", 1, 4e6, 5.0, 2e7)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].split() == ["one", "2", "3.00", "1,000", "3.000", "mJ*cycles"]
    assert lines[-1].split() == ["two", "1", "4.00", "5", "20.00", "uJ*cycles"]
    show_parts(Output(), [])
    assert capsys.readouterr().out == ""
