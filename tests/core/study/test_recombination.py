"""Pairs of machines and networks, judged by what is known of networks alone too."""

import numpy as np

from cosearch.search.objective import OBJECTIVES, Constraint, Objective
from cosearch.study.recombination import Pairs

LATENCY = next(o for o in OBJECTIVES if o.name == "latency")
NOISE = Objective("noise", "1", lambda m: m["noise"], "a score", ("noise",))


def pairs():
    cycles = np.array([[1.0, 2.0], [3.0, 4.0]])
    nothing = np.full(2, np.nan)
    return Pairs((1, 2), (1, 2), cycles, cycles, nothing, nothing, {"noise": np.array([9.0, 5.0])})


def test_a_limit_on_a_score():
    limit = Constraint.parse("noise<=6", {"noise": NOISE})
    losses = pairs().losses(LATENCY, (limit,), {"noise": NOISE})
    assert losses.tolist() == [[np.inf, 2.0], [np.inf, 4.0]]


def test_a_score_as_the_objective():
    assert pairs().losses(NOISE, (), {}).tolist() == [[9.0, 5.0], [9.0, 5.0]]
