import pickle

import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import InputError, PluginError
from cosearch.search.objective import OBJECTIVES, Objective, checked, weighted_sum

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


def product(metrics):
    return np.log10(metrics["energy_pj"] * metrics["cycles"])


MINE = checked(Objective("mine", "", product, monotone=True), "somewhere 1.0")


def test_a_plugins_objective_may_be_infinite_in_bounds_and_nowhere_else():
    bounds = {"energy_pj": np.array([0.0, 10.0]), "cycles": np.array([0.0, 10.0])}
    assert MINE.bound(bounds).tolist() == [-np.inf, 2.0]
    refused = pytest.raises(PluginError, match=r"objective 'mine' of somewhere 1\.0: of gave -inf")
    with np.errstate(divide="ignore"), refused:
        MINE.of(bounds)
    wrong = checked(evolve(MINE, of=lambda m: np.nan * m["cycles"]), "somewhere 1.0")
    for of in (wrong.of, wrong.bound):
        with pytest.raises(PluginError, match="of gave nan"):
            of(bounds)


def test_bounds_by_our_own_objectives_are_their_values():
    for objective in OBJECTIVES[:4]:
        assert objective.bound(METRICS).tolist() == objective.of(METRICS).tolist()


def test_needs_may_be_numbers_and_arrays():
    mixed = {"energy_pj": 1000.0, "cycles": np.array([10.0, 100.0])}
    assert MINE.of(mixed).tolist() == [4.0, 5.0]
    unknown = {"energy_pj": np.nan, "cycles": np.array([10.0, 100.0])}
    assert np.isnan(MINE.of(unknown)).all()


def test_a_plugins_objective_can_be_sent_to_another_process():
    assert pickle.loads(pickle.dumps(MINE)).of(METRICS).tolist() == MINE.of(METRICS).tolist()
