from __future__ import annotations


def test_fusing_shows_groups_and_what_they_gain(cosearch):
    out = cosearch("map", "bert-base", "-H", "eyeriss", "--fuse", "-o", "energy").out
    assert "layer by layer" in out
    assert "in groups" in out
    assert "proven: no choice of mappings has a lower energy" in out


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
