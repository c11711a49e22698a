"""Tabulated problems against evaluating the designs; searches and the page on a small one."""

import numpy as np
import pytest
from attrs import evolve

from cosearch.hooks.discovery import load_registry
from cosearch.study.codesign import plan
from cosearch.study.evaluation import evaluate
from cosearch_plugins.landscape.summary import summary_of
from cosearch_plugins.landscape.table import joint_table
from cosearch_plugins.papers.rhnas import relaxed
from cosearch_plugins.papers.rhnas.page import page_of
from cosearch_plugins.papers.rhnas.problems import Tabulated, limited
from cosearch_plugins.papers.rhnas.readings import PUBLISHED, READINGS, problem_of
from cosearch_plugins.papers.rhnas.reproduce import Claimed, Raced, Reproduction
from cosearch_plugins.papers.rhnas.searches import CONTENDERS, score

REGISTRY = load_registry()
FIXED = {"batch": "0", "block": "4", "uop": "15", "inp": "15", "gemm": "pipelined"}


@pytest.fixture(scope="module")
def problem():
    """A problem of 196 machines."""
    asked = plan(
        REGISTRY, "nasbench201", "vta:stack=apache,device=pynq,rules=hidden", "random",
        objective="edp", combine="layers", fixed=FIXED,
    )  # fmt: skip
    return Tabulated("small", joint_table(asked), 94.0)


def test_answers_are_what_evaluating_the_designs_gives(problem):
    rng = np.random.default_rng(0)
    rows = problem.both.sample(12, rng)
    rows[:6, 6:] = problem.machines.unrank(np.flatnonzero(problem._numbers >= 0)[:6])
    losses, counts, built = problem.answer(rows)
    free = evolve(problem.table.problem, constraints=())
    fixed = dict(free.spec.fixed)
    for row, loss, count, can in zip(rows, losses[:, 0], counts, built, strict=True):
        outcome = evaluate(free, {**problem.both.decode(row), **fixed})
        assert outcome.ok == can
        assert count == (can and outcome.metrics["accuracy"] >= 94.0)
        if can:
            assert loss == pytest.approx(outcome.losses[0], rel=1e-12)


def test_the_optimum_is_the_least_of_all_pairs(problem):
    assert problem.optimum == pytest.approx(summary_of(problem.table, 94.0).both, rel=1e-12)
    network, machine = problem.baseline
    alone = problem.of_machines(network)
    assert alone[problem.machines.rank(machine[None])[0]] == pytest.approx(
        summary_of(problem.table, 94.0).default, rel=1e-12
    )
    assert (problem.best_of_machines <= alone).all()


def test_a_narrow_port_keeps_the_machines_that_have_it(problem):
    narrow = limited(problem.table, READINGS[1])
    at = problem.table.problem.hardware.space.names.index("bus_bytes")
    assert 0 < narrow.machines < problem.table.machines
    assert set(narrow.rows[:, at]) == {0}


def test_readings_state_what_they_allow():
    texts = [reading.about for reading in READINGS]
    assert len(set(texts)) == len(READINGS)
    built = problem_of(REGISTRY, READINGS[3], "latency", 10.0)
    assert "area_limit_mm2=20.0" in built.spec.hardware
    assert "rules=hidden" in built.spec.hardware


def test_every_contender_searches_and_the_page_says_what_they_reached(problem, monkeypatch):
    for name, value in (("FIT_STEPS", 60), ("STEPS", 20), ("DESIGNS", 40), ("ATTEMPTS", 80)):
        monkeypatch.setattr(relaxed, name, value)
    scores = tuple(score(REGISTRY, problem, c, range(2), 12) for c in CONTENDERS)
    for one in scores:
        assert all(loss >= one.optimum * (1 - 1e-12) for loss in one.losses)
        assert 0 <= one.built <= 1
    search = relaxed.RelaxedHardware(
        problem.machines, problem.of_machines(problem.baseline[0]), np.random.default_rng(0)
    )
    raced = Raced("small, edp", problem.optimum, 0.5, scores, search.error,
                  (search.search(4, 0.0), search.search(4, 1.0)))  # fmt: skip
    floors = tuple(summary_of(problem.table, floor) for floor in (94.0, 93.0))
    claimed = Claimed(READINGS[0], "edp", problem.table.machines, 9, floors)
    page = page_of(Reproduction(False, 2, 24, "predicted, by a sum", 94.2, (claimed,), (raced,)))
    assert "predicted, by a sum" in page
    assert "above a floor is therefore a prediction" in page
    measured = page_of(Reproduction(False, 2, 24, "measured", 94.2, (claimed,), (raced,)))
    assert "is therefore a prediction" not in measured
    for value in PUBLISHED.values():
        assert f"{value}x" in page or f"{value:.2f}x" in page
    for contender in CONTENDERS:
        assert f"| {contender.name} |" in page
    assert "Only the abstract is known" in page
    assert f"{floors[0].ratio(floors[0].both):.2f}x" in page


@pytest.mark.exhaustive
def test_the_quick_run(tmp_path, capsys):
    from cosearch.cli import main

    page = tmp_path / "rhnas.md"
    code = main(["reproduce", "rhnas", "--quick", "--page", str(page), "--tables", str(tmp_path)])
    assert code == 0
    assert page.read_text().startswith("# RHNAS")
