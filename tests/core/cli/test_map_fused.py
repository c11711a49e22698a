from __future__ import annotations

import os
import signal
import time

import pytest

from cosearch_plugins.mappers.fused.group import GroupSearch
from cosearch_plugins.mappers.fused.mapper import FusedMapper


def test_fusing_shows_groups_and_what_they_gain(cosearch):
    out = cosearch("map", "bert-base", "-H", "eyeriss", "--fuse", "-o", "energy").out
    assert "layer by layer" in out
    assert "in groups" in out
    assert "proven: no choice of mappings has a lower energy" in out
    assert "times the least; proven: no groups or mappings pass fewer than" in " ".join(out.split())


def test_words_at_dram_stand_beside_the_fewest_there_can_be(cosearch):
    net = "O[m,n]+=A[m,k]*B[k,n];m=32,n=32,k=32"
    facts = cosearch("map", net, "-H", "eyeriss", "--json").json()["traffic"]
    assert facts["memory"] == "DRAM"
    assert facts["moved"] >= facts["fewest"]["alone"] >= 3 * 32 * 32
    out = cosearch("map", net, "-H", "eyeriss").out
    assert "no mappings, layer by layer, pass fewer than" in " ".join(out.split())
    assert cosearch("map", net, "-H", "eyeriss", "-m", "random", "--json").json()["traffic"] is None


def test_json_has_what_prices_it_again(cosearch):
    facts = cosearch("map", "bert-base", "-H", "eyeriss", "--fuse", "-o", "energy", "--json").json()
    assert facts["gap"] == 0
    assert facts["value"] <= facts["unfused"]["value"]
    assert all(len(g["mappings"]) == len(g["layers"]) for g in facts["groups"])


def test_a_mapper_that_runs_layers_alone_refuses(refused):
    told = refused("map", "alexnet", "-H", "eyeriss", "--fuse", "-m", "random")
    assert "runs every layer alone" in told


def test_a_machine_with_a_model_of_its_own_refuses(refused):
    assert "loop-nest machines" in refused("map", "alexnet", "-H", "systolic", "--fuse")


def test_the_file_is_priced_again_to_the_last_digit(cosearch, tmp_path):
    path = tmp_path / "groups.YAML"
    net = "O[m,n]+=A[m,k]*B[k,n];m=4,n=4,k=4"
    command = ("map", net, "-H", "eyeriss", "--fuse", "-o", "energy", "--json", "--output")
    found = cosearch(*command, str(path)).json()
    again = cosearch("evaluate", str(path), "--json").json()
    assert again["energy_pj"] == found["energy_pj"]
    assert again["cycles"] == found["cycles"]
    assert "all runs" in cosearch("evaluate", str(path)).out


def test_a_file_of_groups_needs_groups(refused, tmp_path):
    path = str(tmp_path / "x.yaml")
    assert "add --fuse" in refused("map", "alexnet:conv2", "-H", "eyeriss", "--output", path)


@pytest.mark.parametrize("name", ["g.md", "g", "g.yaml.part"])
def test_a_file_that_nobody_writes_is_refused_before_the_search(
    refused, tmp_path, name, monkeypatch
):
    monkeypatch.setattr(FusedMapper, "fuse", None)
    path = str(tmp_path / name)
    told = refused("map", "alexnet", "-H", "eyeriss", "--fuse", "--output", path)
    assert "groups of layers are not written as" in told
    assert ".yaml" in told


def test_a_page_draws_each_group(cosearch, tmp_path):
    path = tmp_path / "groups.HTML"
    told = cosearch("map", "bert-base", "-H", "eyeriss", "--fuse", "-o", "energy", "--output", path)
    assert f"wrote {path}" in told.err
    page = path.read_text(encoding="utf-8")
    groups = [line for line in told.out.splitlines() if line.startswith("layer0.attention.scores")]
    assert groups
    assert page.count('class="schedule"') == told.out.count(", Outputs in buffer")
    assert "layer0.attention.scores -&gt; layer0.attention.values" in page


def test_ctrl_c_beside_the_least_traffic_keeps_the_groups(cosearch, monkeypatch):
    def interrupted(*of):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30)
        raise AssertionError(of)

    monkeypatch.setattr(FusedMapper, "least_traffic", interrupted)
    ended = cosearch("map", "bert-base", "-H", "eyeriss", "--fuse", "-o", "energy", "--json")
    assert ended.code == 130
    assert "the least traffic is left out" in ended.err
    assert "until then" not in ended.err
    facts = ended.json()
    assert facts["gap"] == 0
    assert facts["traffic"] is None


def test_ctrl_c_ends_with_the_best_so_far(cosearch, monkeypatch):
    refine, refined = GroupSearch._refine, []

    def interrupted(search, *of):
        refined.append(of)
        if len(refined) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return refine(search, *of)

    monkeypatch.setattr(GroupSearch, "_refine", interrupted)
    ended = cosearch("map", "bert-base", "-H", "eyeriss", "--fuse", "-o", "energy", "--json")
    assert ended.code == 130
    assert "the best found until then" in ended.err
    facts = ended.json()
    assert 0 < facts["gap"] < 1
    assert facts["value"] <= facts["unfused"]["value"]
    assert facts["traffic"] is None


def test_where_nothing_can_be_fused_it_says_why(cosearch):
    out = cosearch("map", "bert-base:sequence=16", "-H", "gemmini", "--fuse", "-o", "energy").out
    assert "nothing can be fused in scratchpad of 'gemmini': it keeps no results" in out
    net = "O[m,n]+=A[m,k]*B[k,n];m=4,n=4,k=4"
    assert "are linked: nothing can be fused" in cosearch("map", net, "-H", "eyeriss", "--fuse").out
