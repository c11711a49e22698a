"""What the recorded races of `benchmarks/races.jsonl` say of the defaults.

Made by `cosearch bench-optimizers --runs benchmarks/races.jsonl --trials 1000 --seeds 20 -s NAME`
for each contender, to 200 designs for BoTorch, which thinks for a tenth of a second and more. The
default itself is raced anew, so that a change of it is held to what is recorded.
"""

from pathlib import Path

import numpy as np
import pytest
from attrs import evolve, fields_dict

from cosearch.compare.statistics import holm, permutation_test, stratified_superiority
from cosearch.trials.spec import StudySpec
from cosearch_plugins.bench.kept import Kept, at
from cosearch_plugins.bench.races import BUDGETS, SURE, Race, race
from cosearch_plugins.bench.tables import table_of
from cosearch_plugins.bench.tasks import TASKS, task

KEPT = Kept(Path(__file__).parents[3] / "benchmarks" / "races.jsonl")
DEFAULT = fields_dict(StudySpec)["strategy"].default
"""Of `cosearch run`."""

OWN = ("random", "evolutionary", "ppo", "nsga2")
OUTSIDE = {
    "optuna": 20,
    "pycma": 20,
    "pymoo": 20,
    "nevergrad:optimizer=de": 5,
    "botorch": 5,
}
"""And seeds at least."""

AHEAD = {
    ("systolic", 50): ({"optuna"}, 0.0021),
    ("dqn", 50): ({"optuna", "evolutionary"}, 3e-6),
}
"""Where contenders are ahead of the default with certainty: who, and by how much regret at most."""

ONE_LOSS = [each.name for each in TASKS if each.name != "front"]


@pytest.fixture(scope="module")
def races(registry):
    """Return a function: the recorded races on a task, at the three budgets."""

    def of(name):
        kept = KEPT.of(table_of(task(name), registry).digest)
        return [at(each, BUDGETS) for each in kept]

    return of


def regrets(runs, strategy, budget):
    return np.array([r.regrets[budget] for r in runs if r.strategy == strategy])


def ahead(runs, budget):
    """Return who is ahead of the default by a test, Holm-corrected, and the most by how much."""
    own = regrets(runs, DEFAULT, budget)
    others = {
        name: values
        for name in {r.strategy for r in runs} - {DEFAULT}
        if not np.isnan(values := regrets(runs, name, budget)).any()
    }
    tested = [permutation_test([own], [v], np.random.default_rng(0)) for v in others.values()]
    better = {
        name
        for (name, values), p in zip(others.items(), holm(tested), strict=True)
        if p <= SURE and stratified_superiority([values], [own]) > 0.5
    }
    by = [float(np.median(own) - np.median(others[name])) for name in better]
    return better, max(by, default=0.0)


def check_the_default(runs, name):
    """Against each contender, not the first alone: few runs of one would hide many of another."""
    for i, budget in enumerate(BUDGETS):
        better, by = ahead(runs, i)
        who, most = AHEAD.get((name, budget), (set(), 0.0))
        assert better == who
        assert by <= most


QUICK = ("gemmini", "simba", "systolic", "vta")
"""Raced in four seconds of CPU and less; the others are raced by `make test-all`."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.exhaustive)
        for name in (*ONE_LOSS, "front")
    ],
)
def test_the_default_is_first_or_within_noise(races, registry, name):
    table, named = table_of(task(name), registry), registry.find("strategies", DEFAULT)
    runs = [
        evolve(each, strategy="as recorded") if each.strategy == DEFAULT else each
        for each in races(name)
    ]
    runs += [race(name, table, named, seed) for seed in range(20)]
    check_the_default(runs, name)


@pytest.mark.parametrize("name", [*ONE_LOSS, "front"])
def test_the_default_as_it_is_recorded_is_first_or_within_noise(races, name):
    """What docs/strategies.md shows."""
    runs = races(name)
    assert len(regrets(runs, DEFAULT, 0)) == 20
    check_the_default(runs, name)


def test_a_contender_that_is_ahead_is_seen():
    """By which the above can fail."""
    runs = [
        Race("t", name, seed, 1.0, (9,), (value + seed / 1e3,), 9, 9, 0.0)
        for seed in range(20)
        for name, value in ((DEFAULT, 0.5), ("good", 0.1), ("bad", 0.9))
    ]
    better, by = ahead(runs, 0)
    assert better == {"good"}
    assert by == pytest.approx(0.4)


@pytest.mark.parametrize("name", ONE_LOSS)
def test_all_contenders_are_recorded(races, name):
    runs = races(name)
    for strategy in OWN:
        assert len(regrets(runs, strategy, 0)) == 20, strategy
    for strategy, seeds in OUTSIDE.items():
        assert len(regrets(runs, strategy, 0)) >= seeds, strategy


@pytest.mark.parametrize("name", ONE_LOSS)
def test_ppo_is_no_worse_than_random(races, name):
    runs = races(name)
    for i in range(len(BUDGETS)):
        ppo, random = (regrets(runs, strategy, i) for strategy in ("ppo", "random"))
        if np.median(ppo) > np.median(random):
            assert permutation_test([ppo], [random], np.random.default_rng(0)) > SURE


@pytest.mark.parametrize("strategy", ["random", "evolutionary", "nsga2"])
@pytest.mark.parametrize("name", ["gemmini", "vta"])
def test_races_are_still_run_as_they_are_recorded(registry, name, strategy):
    """Of strategies whose arithmetic is the same on every processor."""
    table, named = table_of(task(name), registry), registry.find("strategies", strategy)
    for seed in range(3):
        found = race(name, table, named, seed)
        known = KEPT.find(table.digest, strategy, seed, BUDGETS)
        assert (found.hit, found.regrets) == (known.hit, known.regrets)
        assert (found.designs, found.feasible) == (known.designs, known.feasible)


def test_the_default_still_finds_the_optima_that_are_recorded(registry):
    table, named = table_of(task("vta"), registry), registry.find("strategies", DEFAULT)
    assert [race("vta", table, named, seed).regrets[-1] for seed in range(3)] == [0.0] * 3
