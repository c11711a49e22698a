"""Scores of made-up outcomes, by hand."""

import numpy as np
import pytest
from attrs import evolve

from cosearch.compare.chart import chart
from cosearch.compare.contest import Case, Contest, Run
from cosearch.compare.outcome import Found, Result, RunOutcome
from cosearch.compare.plot import anytime, anytime_plot
from cosearch.compare.scores import reach, standing
from cosearch.mapping.mapper import Budget
from cosearch.trials.spec import StudySpec

CASE = Case("machine", "net")


def made(strategy, seed, losses, infeasible=0):
    losses = np.array(losses, dtype=float)
    spec = StudySpec("net", "machine", strategy, "exact", seed=seed)
    evaluations = 10 * np.arange(1, len(losses) + 1)
    return RunOutcome(
        Run(strategy, CASE, seed, spec),
        losses,
        evaluations,
        len(losses),
        infeasible,
        0.5,
        2.0,
        proven=True,
        found=Found(losses[:, None], np.arange(1, len(losses) + 1), np.arange(len(losses))),
    )


@pytest.fixture
def result():
    contest = Contest(("good", "bad"), ("machine",), ("net",), 6, Budget(trials=4))
    good = [made("good", i, [4, 1, 2, 1]) for i in range(6)]
    bad = [made("bad", i, [np.inf, 8, 4, 2], infeasible=1) for i in range(6)]
    return Result(contest, (*good, *bad))


def test_the_better_one_wins_on_every_score(result):
    good, bad = standing(result).scores
    assert (good.strategy, good.median, good.rank, good.superiority) == ("good", 1.0, 1.0, 1.0)
    assert (bad.strategy, bad.median, bad.rank, bad.superiority) == ("bad", 2.0, 2.0, 0.0)
    assert good.better_than == ("bad",)
    assert bad.worse_than == ("good",)
    assert (good.trials_to_reach, good.evaluations_to_reach, good.reached) == (2, 20, 1.0)
    assert (bad.trials_to_reach, bad.reached) == (np.inf, 0.0)
    assert bad.infeasible == 0.25


def test_an_even_number_of_runs_orders_by_the_mean_of_the_middle_two():
    # by the lower of the middle two, b would stand first: 2 against 3
    contest = Contest(("a", "b"), ("machine",), ("net",), 4, Budget(trials=1))
    finals = {"a": [1, 3, 3, 10], "b": [1, 2, 9, 10]}
    runs = [made(s, i, [x]) for s, values in finals.items() for i, x in enumerate(values)]
    first, second = standing(Result(contest, tuple(runs))).scores
    assert [(s.strategy, s.median) for s in (first, second)] == [("a", 3.0), ("b", 5.5)]


def test_log_regret_is_the_mean_log_ratio(result):
    good, bad = standing(result).scores
    assert good.log_regret == pytest.approx((2 + 0 + 0 + 0) / 4)
    # before its first feasible design a run counts as the worst of the case, 8
    assert bad.log_regret == pytest.approx((3 + 3 + 2 + 1) / 4)


def test_log_regret_begins_at_the_baseline_not_at_a_first_random_design():
    contest = Contest(("lucky", "unlucky"), ("machine",), ("net",), 1, Budget(trials=3))
    runs = (made("lucky", 0, [4, 2, 1]), made("unlucky", 0, [4e6, 2, 1]))
    assert [s.log_regret for s in standing(Result(contest, runs)).scores][1] > 5
    started = tuple(evolve(run, start=4.0) for run in runs)
    scores = standing(Result(contest, started)).scores
    assert [s.log_regret for s in scores] == [pytest.approx(1.0), pytest.approx(1.0)]


def test_no_letter_of_a_chart_hides_another():
    alike = [[(x, 2.0) for x in range(30)]] * 3
    (row,) = [line for line in chart(alike, 30, str) if "a" in line]
    assert {row.count(letter) for letter in "abc"} == {10}
    once = chart([[(0, 1.0), (5, 4.0)], [(0, 1.0), (5, 4.0)]], 10, str)
    assert "|ab" in "".join(once)
    assert sum(line.count("b") for line in once) == 2


def test_reach_counts_trials_and_evaluations():
    assert reach(made("x", 0, [5, 3, 2]), 3.0) == (2.0, 20.0)
    assert reach(made("x", 0, [5, 3, 2]), 1.0) == (np.inf, np.inf)


def test_a_case_that_nobody_solves_is_named_and_left_out():
    contest = Contest(("a", "b"), ("machine",), ("net",), 1, Budget(trials=2))
    nobody = Result(contest, tuple(made(s, 0, [np.inf, np.inf]) for s in "ab"))
    found = standing(nobody)
    assert found.scores == ()
    assert found.unsolved == ("net on machine",)


def test_the_anytime_curve_is_the_median_over_runs(result):
    assert anytime(result, "good").tolist() == [4, 1, 1, 1]


def test_the_plot_shows_every_contender(result):
    lines = anytime_plot(result, ("good", "bad"), width=40)
    text = "\n".join(lines)
    assert "a" in text
    assert "b" in text
    assert lines[-1].endswith("4 trials")
    assert max(map(len, lines)) <= 40 + 10
