"""`cosearch compare` as a user calls it."""

import json

import pytest

WORDS = [
    "compare", "gemm:M=64,N=64,K=64", "-H", "systolic", "-s", "random", "-s", "evolutionary",
    "--seeds", "2", "--trials", "4", "--workers", "1",
]  # fmt: skip


def test_table_plot_and_best_known(cosearch, tmp_path):
    found = cosearch(*WORDS, "--store", str(tmp_path / "c.db"))
    assert found.code == 0
    for part in ("who is best", "who differs", "what it took", "any time", "best known"):
        assert part in found.out
    assert "proven optimal" in found.out


def test_json_is_one_object(cosearch, tmp_path):
    found = cosearch(*WORDS, "--json", "--store", str(tmp_path / "c.db"))
    facts = json.loads(found.out)
    assert {s["strategy"] for s in facts["scores"]} == {"random", "evolutionary"}
    assert facts["blocks"] == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["-s", "evolutionari"], "did you mean 'evolutionary'"),
        (["-s", "random"], "named twice"),
        (["-H", "eyeris"], "did you mean 'eyeriss'"),
    ],
)
def test_wrong_names_cost_nothing(cosearch, tmp_path, change, message):
    found = cosearch(*WORDS, *change, "--store", str(tmp_path / "c.db"))
    assert found.code == 2
    assert message in found.err
    assert not (tmp_path / "c.db").exists()
