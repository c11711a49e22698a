import numpy as np
import pytest

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.testing.problems import MACHINE
from cosearch_plugins.strategies.hyperband import Hyperband

WIDE = ParameterSpace(tuple(Parameter(f"p{i}", tuple(range(8))) for i in range(6)))


def truth(rows):
    return np.exp(((rows - [3, 3, 5, 3, 1, 0]) ** 2).sum(axis=1) / 8.0)


def judged(rows, fidelity):
    """Cheap judgements are biased, and the more so the cheaper."""
    wrong = np.sin(rows @ np.array([5.0, 3.0, 7.0, 2.0, 1.0, 0.0]))
    return truth(rows) * np.exp((1 - fidelity) * 0.5 * wrong)


def searched(strategy, cost):
    asked = {f: [] for f in strategy.fidelities}
    spent, best = 0.0, np.inf
    while spent < cost:
        rows, fidelity = strategy.ask_at(4)
        losses = judged(rows, fidelity)
        strategy.tell_at(rows, losses[:, None], np.ones(len(rows), dtype=bool), fidelity)
        for row, f, loss in zip(rows, fidelity, losses, strict=True):
            asked[f].append(tuple(row))
            best = min(best, loss if f == 1.0 else np.inf)
        spent += fidelity.sum()
    return asked, best


def test_fidelities_are_powers_of_eta():
    strategy = Hyperband(MACHINE, np.random.default_rng(0), eta=3, least=0.1)
    assert strategy.fidelities == pytest.approx([1 / 9, 1 / 3, 1.0])
    assert Hyperband(MACHINE, np.random.default_rng(0), least=1.0).fidelities == pytest.approx([1])


def test_a_row_returns_only_at_a_higher_fidelity():
    strategy = Hyperband(MACHINE, np.random.default_rng(0))
    asked, _ = searched(strategy, 60)
    for rows in asked.values():
        assert len(set(rows)) == len(rows)
    assert all(MACHINE.feasible(np.array(rows)).all() for rows in asked.values())


def test_full_judgements_are_the_fewest():
    asked, _ = searched(Hyperband(MACHINE, np.random.default_rng(0)), 60)
    sizes = [len(asked[f]) for f in sorted(asked)]
    assert 0 < sizes[2] < min(sizes[:2])


def test_only_the_best_go_on():
    strategy = Hyperband(WIDE, np.random.default_rng(0), bred=0.0)
    asked, _ = searched(strategy, 60)
    low, middle = asked[strategy.fidelities[0]], asked[strategy.fidelities[1]]
    went_on = set(low) & set(middle)
    losses = {row: judged(np.array([row]), strategy.fidelities[0])[0] for row in low}
    stayed = [losses[row] for row in low if row not in went_on]
    # What once was among the best third may have been overtaken since.
    assert 0 < len(went_on) < len(low) / 2
    assert np.median([losses[row] for row in went_on]) < np.median(stayed)


def test_is_better_than_judging_all_in_full():
    """At equal cost, in units of full judgements; random breeding is switched off in both."""
    cost, seeds = 40, range(15)
    cheap = [searched(Hyperband(WIDE, np.random.default_rng(s), bred=0.0), cost)[1] for s in seeds]
    full = []
    for seed in seeds:
        rows = Hyperband(WIDE, np.random.default_rng(seed), bred=0.0).ask(cost)
        full.append(truth(rows).min())
    assert np.median(cheap) < np.median(full)


def test_infeasible_designs_do_not_go_on():
    strategy = Hyperband(MACHINE, np.random.default_rng(0))
    for _ in range(10):
        rows, fidelity = strategy.ask_at(4)
        assert (fidelity < 1.0).any() or len(rows) == 4
        strategy.tell_at(rows, np.full((4, 1), np.inf), np.zeros(4, dtype=bool), fidelity)
    assert strategy._promotions() == []
