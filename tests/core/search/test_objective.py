import numpy as np
import pytest

from cosearch.errors import InputError
from cosearch.search.objective import OBJECTIVES, weighted_sum

METRICS = {"energy_pj": np.array([3.0, 10.0]), "cycles": np.array([31.0, 10.0])}


def test_a_weighted_sum_is_energy_plus_what_the_cycles_are_worth():
    objective = weighted_sum(2.0, 8.0)
    assert objective.weights == (1.0, 4.0)
    assert objective.of(METRICS).tolist() == [127.0, 50.0]
    assert objective.monotone


def test_equal_directions_have_equal_names_and_others_do_not():
    assert weighted_sum(2.0, 8.0).name == weighted_sum(1.0, 4.0).name == "1.0*energy+4.0*cycles"
    assert weighted_sum(0.0, 5.0).name == "0.0*energy+1.0*cycles"
    assert weighted_sum(1.0, 4.0).name != weighted_sum(1.0, np.nextafter(4.0, 5.0)).name


@pytest.mark.parametrize(
    "weights", [(0.0, 0.0), (-1.0, 1.0), (1.0, -1.0), (1.0, np.inf), (np.nan, 1.0), (1e-300, 1e300)]
)
def test_what_is_no_direction_is_refused(weights):
    with pytest.raises(InputError, match="weighted sum"):
        weighted_sum(*weights)


def test_no_other_objective_is_taken_for_a_weighted_sum():
    assert all(objective.weights is None for objective in OBJECTIVES)
