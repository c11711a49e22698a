from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.cli import main
from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry
from cosearch.search.ranking import spearman
from cosearch_plugins.networks.compose import compose, inputs_of, ranked
from cosearch_plugins.networks.formula import (
    Evolution,
    _at,
    _replaced,
    agreement,
    best_pair,
    best_single,
    depth,
    nodes,
    ranks,
    value,
    written,
)

REGISTRY = load_registry(third_party=False)
DATA = Path(__file__).parents[2] / "data" / "networks"
ZERO_COST, SAMPLE = DATA / "zero_cost.csv", DATA / "nasbench201.csv"

trees = st.recursive(
    st.integers(0, 3),
    lambda inner: st.tuples(st.sampled_from(["+", "-", "*", "min", "max"]), inner, inner),
    max_leaves=8,
)


def spec(dataset):
    return f"nasbench201:dataset={dataset},table={ZERO_COST}"


def data(dataset="cifar10"):
    space = REGISTRY.find("network_spaces", spec(dataset)).make()
    return ranked(dataset, space, inputs_of(space), "val_acc"), inputs_of(space)


@settings(max_examples=60, deadline=None)
@given(trees)
def test_a_formula_is_what_is_written(tree) -> None:
    inputs = np.random.default_rng(0).random((7, 4))
    names = ["a", "b", "c", "d"]
    text = written(tree, names)
    for row, found in zip(inputs, value(tree, inputs), strict=True):
        known = dict(zip(names, row.tolist(), strict=True))
        assert eval(text, {"min": min, "max": max}, known) == pytest.approx(found)


@settings(max_examples=60, deadline=None)
@given(trees, trees, st.integers(0, 100))
def test_every_node_can_be_taken_and_replaced(tree, other, number) -> None:
    at = number % nodes(tree)
    part = _at(tree, at)
    assert _replaced(tree, at, part) == tree
    changed = _replaced(tree, at, other)
    assert _at(changed, at) == other
    assert nodes(changed) == nodes(tree) - nodes(part) + nodes(other)


def test_a_formula_that_says_nothing_is_worth_nothing() -> None:
    inputs = np.random.default_rng(0).random((20, 3))
    assert agreement(("-", 1, 1), inputs, inputs[:, 0]) == 0.0
    assert agreement(1, inputs, inputs[:, 1]) == pytest.approx(1.0)


def test_a_planted_formula_is_found() -> None:
    rng = np.random.default_rng(4)
    inputs = ranks({str(i): rng.random(80) for i in range(6)})
    hidden = np.minimum(inputs[:, 2], inputs[:, 4])
    found = Evolution().best(inputs, hidden, rng)
    assert agreement(found, inputs, hidden) > 0.99
    assert depth(found) <= Evolution().deepest


def test_the_bars_are_the_best_by_brute_force() -> None:
    known, _ = data()
    x, y = known.inputs, known.accuracy
    singles = [spearman(x[:, j], y) for j in range(x.shape[1])]
    assert best_single(x, y) == int(np.argmax(singles))
    pairs = [spearman(x[:, i] + x[:, j], y) for i in range(x.shape[1]) for j in range(i)]
    assert agreement(best_pair(x, y), x, y) == max(pairs)


def test_a_composed_score_beats_single_ones_on_networks_and_data_sets_not_seen() -> None:
    spaces = [data(d)[0] for d in ("cifar10", "cifar100", "imagenet16-120")]
    found = {each.by: each for each in compose(spaces, data()[1], 80, 0)}
    for mine, single in zip(found["search"].tested, found["best score"].tested, strict=True):
        assert mine > single
    assert found["search"].fitted >= found["best sum of two"].fitted - 0.02


def test_one_seed_one_formula() -> None:
    known, names = data()
    first, second = (compose([known], names, 40, 3) for _ in range(2))
    assert first == second


def test_what_was_measured_is_no_input() -> None:
    space = REGISTRY.find("network_spaces", f"{spec('cifar10')}+{SAMPLE}").make()
    assert len(space.measured_rows()) == 80
    assert not {"val_acc", "accuracy", "raspi4_ms"} & set(inputs_of(space))
    assert {"jacov", "naswot", "macs"} <= set(inputs_of(space))


def test_too_few_networks_are_refused() -> None:
    known, names = data()
    with pytest.raises(CosearchError, match="cannot be fitted to"):
        compose([known], names, 145, 0)


def test_the_command(capsys) -> None:
    arguments = ["--seeds", "1", "--fit", "40", "--json"]
    assert main(["networks", "compose", f"{spec('cifar10')}+{SAMPLE}", *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["by"] for run in found["runs"]] == ["search", "best sum of two", "best score"]
