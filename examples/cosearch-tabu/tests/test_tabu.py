"""The conformance kit as tests."""

import numpy as np
from cosearch_tabu.strategy import Tabu

from cosearch.testing import StrategyConformance, problem


class TestTabu(StrategyConformance):
    strategy = Tabu


def test_it_steps_to_the_best_neighbour():
    task = problem("smooth")
    search = Tabu(task.space, np.random.default_rng(0), neighbours=4)
    rows = search.ask(4)
    losses = np.array([[3.0], [1.0], [2.0], [4.0]])[: len(rows)]
    search.tell(rows, losses, np.ones(len(rows), dtype=bool))
    assert search.here.tolist() == rows[1].tolist()
