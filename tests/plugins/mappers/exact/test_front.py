from __future__ import annotations

import numpy as np

from cosearch.search.objective import pareto_front
from cosearch_plugins.mappers.exact.front import layer_front
from cosearch_plugins.mappers.exact.problem import OrderTables
from cosearch_plugins.mappers.exact.solve import Solver


def test_the_front_is_the_front_of_all_mappings(small_case):
    tables = OrderTables()
    compared = 0
    for seed in range(200, 260):
        case = small_case(seed)
        if case is None or len(case.energy_pj) == 0:
            continue
        compared += 1
        pairs = np.unique(np.stack([case.energy_pj, case.cycles], axis=1), axis=0)
        want = pairs[pareto_front(pairs)]
        front = layer_front(Solver(case.space, tables))
        got = np.array([(point.energy_pj, point.cycles) for point in front.points])
        assert front.complete
        np.testing.assert_array_equal(got, want[np.argsort(want[:, 0])], err_msg=f"seed {seed}")
    assert compared > 15
