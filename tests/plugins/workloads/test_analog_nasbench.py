"""Accuracies on analog hardware: a pickle that is read and not run, and its known figures."""

import os
import pickle
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from cosearch.errors import InputError, MissingExtraError
from cosearch.search.ranking import spearman
from cosearch_plugins.workloads import analog_nasbench
from cosearch_plugins.workloads.analog_nasbench import (
    STATES,
    AnalogNasBench,
    accuracies,
    our_codes,
    read,
)
from cosearch_plugins.workloads.nasbench201 import NasBench201
from cosearch_plugins.workloads.nasbench201_cells import OPERATIONS

TABLE = Path(__file__).parents[2] / "data" / "networks" / "nasbench201.csv"
installed = pytest.mark.skipif(
    find_spec("analognasbench") is None, reason="needs pip install 'cosearch[analog]'"
)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("owned",)


@pytest.mark.parametrize(
    "held",
    [Evil(), {(0,) * 6: Evil()}, [1, 2], {(0,) * 6: 3}, np.zeros(2), {"a": pickle.loads}],
)
def test_what_is_no_record_is_refused_and_never_run(held, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="is not what the package"):
        read(pickle.dumps(held))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("data", [b"", b"not a pickle", pickle.dumps({})[:-1]])
def test_broken_data_are_refused(data):
    with pytest.raises(InputError, match="is not what the package"):
        read(data)


def test_another_version_of_the_data_is_refused(tmp_path):
    path = tmp_path / "data.anb"
    path.write_bytes(pickle.dumps({}))
    with pytest.raises(InputError, match=r"0\.1\.3"):
        accuracies(path)


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(analog_nasbench, "PACKAGE", "no-such-distribution")
    with pytest.raises(MissingExtraError, match="analog"):
        AnalogNasBench().accuracy(np.zeros((1, 6), dtype=np.int64))


def test_the_package_groups_edges_by_where_they_come_from():
    """A cell whose only convolution is on the edge 0-3: its third digit, our fourth column."""
    theirs = np.array([[1, 1, 2, 1, 1, 1]])
    row = np.array([[0, 0, 0, 3, 0, 0]])
    assert our_codes(theirs)[0] == row[0] @ 5 ** np.arange(6)


@installed
def test_the_figures_of_the_package_are_found_again():
    space = AnalogNasBench()
    rows = np.array([NasBench201().row(i) for i in range(15625)])
    medians = {s: float(np.median(AnalogNasBench(s).accuracy(rows))) for s in STATES}
    expected = {
        "baseline": 90.41, "ptq": 90.00, "qat": 89.53, "noisy": 60.70, "analog": 85.49,
        "analog-60s": 82.84, "analog-1h": 81.61, "analog-1day": 79.71, "analog-30days": 76.62,
    }  # fmt: skip
    for state, median in expected.items():
        assert medians[state] == pytest.approx(median, abs=0.006)
    digital = space.score("digital", rows)
    cells = NasBench201(table=str(TABLE))
    known = cells.measured_rows()
    assert spearman(space.score("digital", known), cells.accuracy(known)) > 0.95
    after = AnalogNasBench("analog-30days").accuracy(rows)
    assert spearman(digital, after) == pytest.approx(0.843, abs=5e-4)
    assert len(space.suspicious()) == 2
    loss, skips = digital - after, (rows == OPERATIONS.index("skip_connect")).sum(axis=1)
    means = [loss[skips == n].mean() for n in range(4)]
    assert means == pytest.approx([16.95, 15.27, 15.19, 16.79], abs=0.006)
    assert space.accuracy(rows).max() == pytest.approx(91.33, abs=5e-3)
